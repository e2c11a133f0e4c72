"""Files of chunks: sizes that are wrong, and what may follow the sound."""

import io

import numpy as np
import pytest
import soundfile

from pipeline.errors import InputError
from tests.files.containers.made_up import RATE, SAMPLES, encoded, load, noise

LIST = b"LIST\x10\0\0\0INFOISFT\4\0\0\0abc\0"


def chunked(container, **settings):
    """Encode noise as PCM: the file, its samples, and where the size of the sound stands."""
    file = io.BytesIO()
    soundfile.write(file, noise(), RATE, format=container, subtype="PCM_16", **settings)
    name = {"AIFF": b"SSND"}.get(container, b"data")
    data = bytearray(file.getvalue())
    place = data.find(name) + {"W64": 16}.get(container, 4)
    return data, soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)[0], place


@pytest.mark.parametrize("settings", [{}, {"endian": "BIG"}], ids=["RIFF", "RIFX"])
@pytest.mark.parametrize("wrong", [-8, -1, 1, 8, 36, 44, 100_000])
def test_the_size_of_the_file_is_not_what_counts(tmp_path, settings, wrong):
    data, wanted, _ = chunked("WAV", **settings)
    order = "big" if settings else "little"
    data[4:8] = (len(data) - 8 + wrong).to_bytes(4, order)
    sound = load(tmp_path, data)
    np.testing.assert_array_equal(sound.signal, wanted)
    assert sound.unchecked == ""


@pytest.mark.parametrize("riff", [0, 36, 0x7FFFF024, 0xFFFFFFFF])
@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFDB, 0xFFFFFFFF])
@pytest.mark.parametrize("odd", [0, 1])
def test_a_recorder_that_never_stated_the_length(tmp_path, riff, size, odd):
    data, wanted, place = chunked("WAV")
    data[4:8], data[place : place + 4] = riff.to_bytes(4, "little"), size.to_bytes(4, "little")
    sound = load(tmp_path, data + b"\1" * odd)
    np.testing.assert_array_equal(sound.signal, wanted)
    assert sound.unchecked == "its header states no length"


@pytest.mark.parametrize("counted", [44, 36])
def test_a_recorder_that_counts_its_header_as_sound(tmp_path, counted):
    data, wanted, place = chunked("WAV")
    data[place : place + 4] = (2 * SAMPLES + counted).to_bytes(4, "little")
    sound = load(tmp_path, data)
    np.testing.assert_array_equal(sound.signal, wanted)
    assert sound.unchecked == ""


@pytest.mark.parametrize("size", [0, (1 << 64) - 1])
def test_an_rf64_file_that_states_no_length(tmp_path, size):
    file = io.BytesIO()
    soundfile.write(file, noise(), RATE, format="RF64", subtype="PCM_16")
    data = bytearray(file.getvalue())
    wanted = load(tmp_path, data).signal
    place = data.find(b"ds64") + 8
    data[place : place + 24] = size.to_bytes(8, "little") * 3
    sound = load(tmp_path, data)
    np.testing.assert_array_equal(sound.signal, wanted)
    assert sound.unchecked == "its header states no length"


@pytest.mark.parametrize(
    ("container", "size"),
    [
        *(("W64", bytes(8)), ("W64", b"\xff" * 8), ("CAF", b"\xff" * 8)),
        *(("AIFF", bytes(4)), ("AIFF", b"\xff" * 4), ("AU", bytes(4)), ("AU", b"\xff" * 4)),
    ],
)
def test_other_containers_that_state_no_length(tmp_path, container, size):
    data, wanted, place = chunked(container)
    place = 8 if container == "AU" else place
    data[place : place + len(size)] = size
    sound = load(tmp_path, data)
    np.testing.assert_array_equal(sound.signal, wanted)
    assert sound.unchecked == "its header states no length"


def test_the_size_of_the_file_tells_that_more_is_sound(tmp_path):
    data, wanted, place = chunked("WAV")
    data[place : place + 4] = (SAMPLES).to_bytes(4, "little")  # bytes: half of them
    np.testing.assert_array_equal(load(tmp_path, data).signal, wanted)
    data[4:8] = (36 + SAMPLES).to_bytes(4, "little")
    with pytest.raises(InputError, match=f"{SAMPLES} bytes after the sound are neither a chunk"):
        load(tmp_path, data)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, SAMPLES])
def test_chunks_after_sound_of_a_wrong_length_are_not_sound(tmp_path, size):
    data, wanted, place = chunked("WAV")
    data[place : place + 4] = size.to_bytes(4, "little")
    data[4:8] = (len(data) + len(LIST) - 8).to_bytes(4, "little")
    np.testing.assert_array_equal(load(tmp_path, data + LIST).signal, wanted)


def test_a_cut_by_as_much_as_the_header_is_noted(tmp_path):
    data, wanted, _ = chunked("WAV")
    sound = load(tmp_path, data[:-44])
    assert len(sound.signal) == len(wanted) - 22
    assert sound.unchecked == "its header counts itself as sound, or it is cut by as much"


def test_sound_of_no_stated_length_may_not_hold_a_second_file(tmp_path):
    data, _, place = chunked("WAV")
    data[4:8] = data[place : place + 4] = b"\xff" * 4
    with pytest.raises(InputError, match=f"joined: a second sound begins at byte {len(data)}"):
        load(tmp_path, data + data)


def test_a_bw64_file_is_an_rf64_file(tmp_path):
    data = encoded("RF64", "PCM_16")
    wanted = load(tmp_path, data).signal
    np.testing.assert_array_equal(load(tmp_path, b"BW64" + data[4:]).signal, wanted)


@pytest.mark.parametrize("rate", [0, 1, 16, 49, 1999, 768_001, 2_000_000, 1 << 31, (1 << 32) - 1])
def test_a_rate_at_which_nobody_records_is_named(tmp_path, rate):
    data, _, _ = chunked("WAV")
    data[24:28] = rate.to_bytes(4, "little")
    with pytest.raises(InputError, match=f"a sample rate of {rate} Hz; wanted 2000 to 768000 Hz"):
        load(tmp_path, data)


@pytest.mark.parametrize(
    "behind",
    [
        *(LIST, LIST[:13], b"xyzw\4\0\0\0abcd" + LIST, b"TAG".ljust(128, b"a")),
        *(bytes(100), b"\xff" * 3000, bytes(1 << 17)),
    ],
    ids="chunk cut chunks tag zeros ones more".split(),
)
def test_what_may_follow_the_sound(tmp_path, behind):
    data, wanted, _ = chunked("WAV")
    np.testing.assert_array_equal(load(tmp_path, data + behind).signal, wanted)


def test_sound_after_the_end_that_begins_with_silence_is_noticed(tmp_path):
    data, _, _ = chunked("WAV")
    with pytest.raises(InputError, match="bytes after the sound are neither a chunk"):
        load(tmp_path, data + bytes(1 << 17) + b"\1\2\3\4" * 100)


def test_an_odd_size_with_and_without_padding(tmp_path):
    file = io.BytesIO()
    soundfile.write(file, noise(999), RATE, format="WAV", subtype="PCM_U8")
    data = file.getvalue()[: 44 + 999]
    for padding in (b"", b"\0"):
        for behind in (b"", LIST):
            assert len(load(tmp_path, data + padding + behind).signal) == 999


def test_an_encoding_that_is_not_read_is_to_be_converted(tmp_path):
    data, _, _ = chunked("WAV")
    data[20:22] = b"\x65\0"  # G.722
    with pytest.raises(InputError, match=r"of an encoding that libsndfile does not read .*convert"):
        load(tmp_path, data)
