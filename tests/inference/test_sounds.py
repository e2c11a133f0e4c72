"""Sounds in all the forms that a predictor takes: files, open files, arrays; and what is none."""

import gc
import io
import os
import tempfile
import threading

import numpy as np
import pytest
import soundfile

from pipeline.errors import InputError
from pipeline.files import audio
from pipeline.inference import sounds

RATE = 8000


@pytest.fixture
def signal():
    """Give half a second of noise in two channels, (samples, channels)."""
    return np.random.default_rng(0).uniform(-0.9, 0.9, (RATE // 2, 2)).astype(np.float32)


@pytest.fixture
def path(tmp_path, signal):
    soundfile.write(tmp_path / "a.wav", signal, RATE, subtype="PCM_16")
    return tmp_path / "a.wav"


def test_a_path_an_open_file_and_bytes_in_memory_are_the_same(path):
    wanted, rate = audio.read(path)
    with path.open("rb") as opened:
        for sound in (path, str(path), opened, io.BytesIO(path.read_bytes())):
            found = sounds.read(sound)
            assert found.sample_rate == rate == RATE
            assert found.name == ("file" if isinstance(sound, io.BytesIO) else str(path))
            np.testing.assert_array_equal(found.signal, wanted)


def test_a_pipe_is_read_to_its_end(path):
    source, target = os.pipe()

    def write():
        with os.fdopen(target, "wb") as end:
            end.write(path.read_bytes())

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(source, "rb") as piped:
        assert not piped.seekable()
        np.testing.assert_array_equal(sounds.read(piped).signal, audio.read(path)[0])
    thread.join()


@pytest.mark.parametrize("form", ["path", "file", "bytes", "pipe", "array"])
def test_opened_sounds_are_decoded_as_often_as_wanted(path, form):
    wanted, rate = audio.read(path)
    if form == "pipe":
        source, target = os.pipe()
        with os.fdopen(target, "wb") as end:
            end.write(path.read_bytes())
        sound = os.fdopen(source, "rb")
    else:
        forms = {"path": lambda: str(path), "file": lambda: path.open("rb")}
        forms |= {"bytes": lambda: io.BytesIO(path.read_bytes()), "array": lambda: (wanted, rate)}
        sound = forms[form]()
    opened = sounds.opened(sound)
    if form in ("file", "pipe"):
        sound.close()
    named = form in ("path", "file")
    assert opened.name == (str(path) if named else "array" if form == "array" else "file")
    assert opened.sample_rate == rate
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate(list(opened.decoded())), wanted)


def test_the_copy_of_an_open_file_is_removed(path, monkeypatch, tmp_path):
    (tmp_path / "copies").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "copies"))
    opened = sounds.opened(io.BytesIO(path.read_bytes()))
    decoded = opened.decoded()
    next(decoded)
    assert list((tmp_path / "copies").iterdir())
    del opened, decoded
    gc.collect()
    assert not list((tmp_path / "copies").iterdir())


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", ">f8"])
def test_floats_are_taken_as_they_are(signal, kind):
    found = sounds.read(signal.astype(kind), RATE)
    assert (found.signal.dtype, found.signal.shape, found.sample_rate) == (
        *(np.float32, signal.shape, RATE),
    )
    np.testing.assert_array_equal(found.signal, signal.astype(kind).astype(np.float32))
    np.testing.assert_array_equal(
        sounds.read((signal[:, 0], RATE)).signal, signal[:, :1]
    )  # mono, in a pair


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        (np.array([-128, 0, 64, 127], np.int8), [-1, 0, 0.5, 127 / 128]),
        (np.array([0, 128, 192, 255], np.uint8), [-1, 0, 0.5, 127 / 128]),
        (np.array([-(2**15), 0, 2**14, 2**15 - 1], np.int16), [-1, 0, 0.5, 32767 / 32768]),
        (np.array([-(2**31), 0, 2**30, -(2**30)], np.int32), [-1, 0, 0.5, -0.5]),
    ],
    ids=lambda values: str(getattr(values, "dtype", "")),
)
def test_integers_have_the_full_scale_of_their_type(values, wanted):
    found = sounds.read(values, RATE).signal
    np.testing.assert_array_equal(found, np.array(wanted, np.float32)[:, None])


def test_integers_are_as_those_of_a_file(path):
    pcm, rate = soundfile.read(path, dtype="int16")
    np.testing.assert_array_equal(sounds.read(pcm, rate).signal, sounds.read(path).signal)


@pytest.mark.parametrize(
    ("sound", "rate", "message"),
    [
        (np.zeros((2, 3, 4)), RATE, r"array: wanted shape \(samples,\) or .*, got \(2, 3, 4\)"),
        (np.float32(1) + np.zeros(()), RATE, r"wanted a path, .*, got float64|got \(\)"),
        (np.zeros((0, 2)), RATE, "array: holds no samples"),
        (np.zeros((2, 800)), RATE, "array: 800 channels of 2 samples; .*: transpose it"),
        (np.zeros(800, bool), RATE, "array: of bool; wanted floats, or integers of 8, 16 or 32"),
        (np.zeros(800, np.int64), RATE, "array: of int64; wanted floats"),
        (np.zeros(800, complex), RATE, "array: of complex128; wanted floats"),
        (np.zeros(800), None, "array: no sample rate; give it after the array, in hertz"),
        (np.zeros(800), 1999, "array: a sample rate of 1999 Hz; wanted 2000 to 768000 Hz"),
        (np.zeros(800), 768001, "array: a sample rate of 768001 Hz; wanted 2000 to"),
        (np.zeros(800), 8000.5, r"array: a sample rate of 8000\.5 Hz; wanted a whole number"),
        (np.zeros(800), float("nan"), "array: a sample rate of nan Hz; wanted a whole number"),
        (np.zeros(800), "8000", "array: a sample rate of type str; wanted a number of hertz"),
        (np.zeros(800), True, "array: a sample rate of type bool; wanted a number of hertz"),
        ((np.zeros(800),), None, r"a tuple: wanted \(array, rate\)"),
        ((np.zeros(800), RATE), RATE, r"a tuple: wanted \(array, rate\), and no other rate"),
        ("a.wav", RATE, "a.wav: a rate belongs to an array; a file states its own"),
        (io.BytesIO(b"a"), RATE, "file: a rate belongs to an array"),
        (io.StringIO("a"), None, "file: opened as text; open it with mode 'rb'"),
        (io.BytesIO(b""), None, "file: 0 bytes; copy it again"),
        (io.BytesIO(b"no sound"), None, "file: not a sound file libsndfile can read"),
        (b"RIFF", None, "wanted a path, .*, got bytes; io.BytesIO makes an open file of it"),
        (0.5, None, "wanted a path, an open file, an array with its rate, .*, got float$"),
    ],
)
def test_what_is_no_sound_is_refused(sound, rate, message):
    for read in (sounds.read, sounds.opened):
        with pytest.raises(InputError, match=message):
            read(sound, rate)
        if hasattr(sound, "seek"):
            sound.seek(0)
