"""Files of every container that libsndfile writes: cut, with gaps, joined, and after tags.

A file is read whole, or refused with the reason, or states no length and that is noted. What is of
one family of containers is in the folder next to this.
"""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.errors import InputError
from pipeline.files import audio
from tests.files.containers.made_up import (
    KINDS,
    NOT_WRITTEN,
    SAMPLES,
    encoded,
    id3,
    load,
    noise,
)

NO_LENGTH = {"IRCAM", "PAF", "PVF", "XI"}  # these state none, or libsndfile does not


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


@pytest.mark.parametrize(("container", "encoding"), KINDS)
def test_of_joined_files_none_is_lost(tmp_path, container, encoding):
    files = [encoded(container, encoding, noise(samples)) for samples in (SAMPLES, 2000)]
    alone = sum(len(load(tmp_path, file).signal) for file in files)
    try:
        sound = load(tmp_path, b"".join(files))
    except InputError as error:
        reason = "joined: a second sound begins at byte|bytes after the sound|more than its header"
        assert re.search(reason, str(error))
    else:
        assert sound.unchecked or container in ("MP3", "OGG")
        assert len(sound.signal) >= alone


@pytest.mark.parametrize(("container", "encoding"), KINDS)
def test_a_gap_is_noticed_where_bytes_state_the_length(tmp_path, container, encoding):
    data = encoded(container, encoding)
    whole = load(tmp_path, data)
    for place in np.linspace(0.2, 0.95, 7):
        first = int(place * len(data))
        for lost in (100, 1000):
            try:
                sound = load(tmp_path, data[:first] + data[first + lost :])
            except InputError:
                continue
            assert sound.unchecked or len(sound.signal) == len(whole.signal)


@pytest.mark.parametrize("container", ["WAV", "FLAC", "AIFF", "OGG", "CAF"])
def test_a_tag_before_any_kind_of_sound_changes_nothing(tmp_path, container):
    encoding = "VORBIS" if container == "OGG" else "PCM_16"
    data = encoded(container, encoding)
    wanted = load(tmp_path, data)
    sound = load(tmp_path, id3(500) + id3(20) + data)
    np.testing.assert_array_equal(sound.signal, wanted.signal)
    assert not sound.unchecked
    with pytest.raises(InputError, match=r"cut short|damaged"):
        load(tmp_path, id3(500) + data[:-200])
    with pytest.raises(InputError, match="cut short: it ends within a tag, before the sound"):
        load(tmp_path, id3(500)[:300])


def test_there_is_a_suffix_for_every_container_that_is_read():
    known = {container for names in audio.CONTAINERS.values() for container in names}
    assert known == set(soundfile.available_formats()) - {"RAW"}
    assert not audio.FOREIGN & set(audio.CONTAINERS)


NAMES = {  # of libsndfile's encodings in raw_data/README.md
    **{f"PCM_{bits}": "PCM" for bits in ("S8", "U8", "16", "24", "32")},
    **{"FLOAT": "float", "DOUBLE": "float", "ULAW": "u-law", "ALAW": "A-law"},
    **{"IMA_ADPCM": "IMA", "MS_ADPCM": "MS ADPCM", "GSM610": "GSM 6.10", "MPEG_LAYER_III": "MP3"},
    **{"G721_32": "G.721", "G723_24": "G.723", "G723_40": "G.723", "OPUS": "Opus"},
    **{f"NMS_ADPCM_{bits}": "NMS ADPCM" for bits in (16, 24, 32)},
    **{f"DWVW_{bits}": "DWVW" for bits in (12, 16, 24)},
    **{f"ALAC_{bits}": "ALAC" for bits in (16, 20, 24, 32)},
    **{"DPCM_8": "DPCM", "DPCM_16": "DPCM", "VORBIS": "Vorbis"},
}


def test_the_table_of_the_guide_names_what_is_read():
    guide = (Path(__file__).parents[2] / "raw_data" / "README.md").read_text(encoding="utf-8")
    lines = guide[guide.index("| container |") :].split("\n\n")[0].splitlines()[2:]
    *rows, foreign = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    shown = {suffix: row for row in rows for suffix in row[1].split()}
    assert shown.keys() == audio.CONTAINERS.keys()
    assert {suffix for suffix in foreign[1].split() if suffix != "..."} < audio.FOREIGN
    for container, encoding in KINDS:
        known = [suffix for suffix, names in audio.CONTAINERS.items() if container in names]
        cells = {shown[suffix][2] for suffix in known}
        name = {"FLAC": "FLAC", "MP3": "layers"}.get(container, NAMES.get(encoding, encoding))
        assert any(name in cell for cell in cells), f"{container} {encoding}"
    unchecked = {suffix for suffix, row in shown.items() if "unchecked" in row[3]}
    assert {c for suffix in unchecked for c in audio.CONTAINERS[suffix]} == NO_LENGTH
