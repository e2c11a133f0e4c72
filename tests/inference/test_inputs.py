"""Sound files as models take them: made as the stages make them, whole or in windows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.errors import InputError
from pipeline.features import recipes, resampling
from pipeline.inference import inputs
from pipeline.scoring.targets import Attributes
from tests import rated

RATE = 8000
CARD = rated.card(Path(), Attributes(("arousal",)))  # whole clips at 16 kHz, in chunks
FRAMES = replace(CARD, input_shape=(70, 8), spec=replace(CARD.spec, chunks=0, segment=0))


@pytest.fixture
def sound(tmp_path):
    """Give ``sound(seconds)``: a file of noise of so many seconds, and its samples."""

    def make(seconds, *, rate=RATE, silent=()):
        signal = 0.1 * np.random.default_rng(0).standard_normal(round(seconds * rate))
        for start, stop in silent:
            signal[round(start * rate) : round(stop * rate)] = 0
        soundfile.write(tmp_path / "a.wav", signal, rate, subtype="FLOAT")
        return tmp_path / "a.wav", signal.astype(np.float32)

    return make


def made(signal, card, rate=RATE):
    """Feature of a signal, by the two steps that the stages take."""
    clip = recipes.waveform(signal, rate, card.spec.waveform)
    return recipes.feature([clip], card.spec)[0]


@pytest.mark.parametrize("card", [CARD, FRAMES], ids=["chunks", "frames"])
def test_a_file_is_made_as_the_stages_make_it(sound, card):
    path, signal = sound(1.0)
    (one,) = inputs.read(path, card, fused=False)
    assert (one.name, one.start, one.end, one.empty) == (str(path), 0, 1, "")
    np.testing.assert_array_equal(one.values, made(signal, card))


def test_a_model_that_makes_the_feature_gets_the_sound_at_the_recipe_s_rate(sound):
    path, signal = sound(0.5)
    (one,) = inputs.read(path, CARD, fused=True)
    assert one.values.shape == (8000,)
    wanted = resampling.resample(signal, RATE, 16000, method="soxr_hq")
    np.testing.assert_array_equal(one.values, wanted)


@pytest.mark.parametrize(
    ("hop", "starts"), [(0.25, [0, 0.25, 0.5, 0.55]), (None, [0, 0.5, 0.55]), (9.0, [0, 0.55])]
)
def test_windows_are_files_of_their_own_and_the_last_ends_where_the_file_does(sound, hop, starts):
    path, signal = sound(1.05)
    found = inputs.read(path, CARD, fused=False, window=0.5, hop=hop)
    assert [one.start for one in found] == starts
    assert [one.end - one.start for one in found] == pytest.approx([0.5] * len(starts))
    for one in found:
        first = round(one.start * RATE)
        np.testing.assert_array_equal(one.values, made(signal[first : first + 4000], CARD))


def test_one_window_as_long_as_the_file_is_the_file(sound):
    path, signal = sound(1.0)
    (one,) = inputs.read(path, CARD, fused=False, window=1.0, hop=0.1)
    assert (one.start, one.end) == (0, 1)
    np.testing.assert_array_equal(one.values, made(signal, CARD))


def test_a_silent_window_has_a_reason_in_place_of_values(sound):
    path, _ = sound(3.0, silent=[(1, 2)])
    found = inputs.read(path, CARD, fused=False, window=1.0)
    assert [one.empty for one in found] == ["", "silent: every sample is 0", ""]
    assert [len(one.values) > 0 for one in found] == [True, False, True]


@pytest.mark.parametrize(
    ("given", "settings", "message"),
    [
        ({"seconds": 1.0}, {"window": 2.0}, "1.00 s long, shorter than the window of 2 s; give a"),
        ({"seconds": 1.2}, {}, "76 frames long, the model takes up to 70; cut it"),
        ({"seconds": 1.0, "silent": [(0, 1)]}, {}, "silent: every sample is 0"),
        ({"seconds": 0.05}, {}, "too short: 0.0500 s; wanted 0.1 s or more"),
    ],
    ids="window long silent short".split(),
)
def test_a_file_that_a_model_cannot_take_is_named(sound, given, settings, message):
    path, _ = sound(**given)
    with pytest.raises(InputError) as error:
        inputs.read(path, FRAMES, fused=False, **settings)
    assert str(error.value).startswith(f"{path}: {message}")


# ---- which files -----------------------------------------------------------------------------


def test_files_are_those_given_and_those_below_folders(tmp_path):
    for name in ("b.wav", "a.flac", "below/c.ogg", "notes.txt", ".hidden.wav"):
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).touch()
    given = [tmp_path / "nothing.wav", tmp_path / "all"]
    names = ("a.flac", "b.wav", "below/c.ogg")
    assert inputs.files(given) == [given[0], *(tmp_path / "all" / name for name in names)]


def test_a_folder_and_all_that_is_in_it_are_the_same(tmp_path):
    folder = tmp_path / "all"
    (folder / "below").mkdir(parents=True)
    for name in ("b.wav", "below/a.wav"):
        (folder / name).touch()
    (folder / "again").symlink_to("below")  # its files are found there
    assert inputs.files(sorted(folder.iterdir())) == inputs.files([folder])
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "c.wav").touch()
    (folder / "linked").symlink_to(tmp_path / "far")  # nothing else leads there
    names = [path.name for path in inputs.files(sorted(folder.iterdir()))]
    assert names == ["b.wav", "a.wav", "c.wav"]


def test_folders_without_sound_are_refused(tmp_path):
    message = rf"^{tmp_path}, {tmp_path}: holds no sound files \(\.wav \.flac .* lists all\)$"
    with pytest.raises(InputError, match=message):
        inputs.files([tmp_path, tmp_path])
