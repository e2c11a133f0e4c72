"""Files of every container that libsndfile writes: cut, lengthened, with wrong sizes and in chains.

A file is read whole, or refused with the reason, or states no length and that is noted.
"""

import io

import numpy as np
import pytest
import soundfile

from pipeline.errors import InputError
from pipeline.files import audio

RATE = 16000
SAMPLES = 6000
NO_LENGTH = {"IRCAM", "PAF", "PVF", "XI"}  # these state none, or libsndfile does not
NOT_WRITTEN = {"RAW", "SD2"}  # RAW has no header, SD2 keeps it in another file


def noise(samples=SAMPLES, seed=0):
    """Draw quiet noise, shape (samples,)."""
    return 0.1 * np.random.default_rng(seed).standard_normal(samples)


def encoded(container, encoding, signal=None):
    """Encode noise; None if libsndfile reads but does not write this."""
    file = io.BytesIO()
    try:
        signal = noise() if signal is None else signal
        soundfile.write(file, signal, RATE, format=container, subtype=encoding)
    except soundfile.LibsndfileError:
        return None
    return file.getvalue()


KINDS = [
    (container, encoding)
    for container in soundfile.available_formats()
    if container not in NOT_WRITTEN
    for encoding in soundfile.available_subtypes(container)
    if encoded(container, encoding, noise(64)) is not None
]


def load(folder, data, name="clip.bin"):
    """Write the bytes to a file and decode it."""
    path = folder / name
    path.write_bytes(data)
    return audio.load(path)


def test_all_kinds_are_tried():
    containers = {container for container, _ in KINDS}
    assert containers == set(soundfile.available_formats()) - NOT_WRITTEN
    assert len(KINDS) > 80


@pytest.mark.parametrize(("container", "encoding"), KINDS)
def test_a_cut_file_is_never_shorter_without_a_reason(tmp_path, container, encoding):
    data = encoded(container, encoding)
    whole = load(tmp_path, data)
    with soundfile.SoundFile(io.BytesIO(data)) as file:
        wanted = np.empty((file.frames, 1), np.float32)
        try:
            file.buffer_read_into(wanted, "float32")
        except soundfile.LibsndfileError:  # some cannot search, after they have read
            assert encoding.startswith("DWVW")
    np.testing.assert_array_equal(whole.signal, wanted)
    assert len(wanted) >= SAMPLES
    assert bool(whole.unchecked) == (container in NO_LENGTH)
    places = {int(share * len(data)) for share in np.linspace(0.01, 0.999, 23)}
    for place in sorted(places | {1, 3, 4, 11, 13, 20, 37, 45, len(data) - 2, len(data) - 1}):
        try:
            cut = load(tmp_path, data[:place])
        except InputError as error:
            assert len(str(error).splitlines()) == 1
            continue
        if not cut.unchecked:
            # of some codecs the last block is filled up with what happens to be there
            np.testing.assert_array_equal(
                cut.signal[:SAMPLES], wanted[:SAMPLES], err_msg=f"cut at byte {place}"
            )
