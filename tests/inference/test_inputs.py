"""Sound files as models take them: made as the stages make them, whole or in windows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from pipeline.audit import quality
from pipeline.errors import InputError
from pipeline.features import recipes, resampling
from pipeline.files import audio, blocks
from pipeline.inference import inputs, sounds
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


def slid(sound, window, hop, *, card=CARD, at_once=2):
    """What a model takes of the windows of a sound."""
    found = inputs.batches(inputs.cuts(sounds.opened(sound), window, hop), at_once)
    return [one for cuts in found for one in inputs.of(cuts, card, fused=False)]


@pytest.mark.parametrize("card", [CARD, FRAMES], ids=["chunks", "frames"])
def test_a_file_is_made_as_the_stages_make_it(sound, card):
    path, signal = sound(1.0)
    one = inputs.read(path, card, fused=False)
    assert (one.name, one.start, one.end, one.empty) == (str(path), 0, 1, "")
    np.testing.assert_array_equal(one.values, made(signal, card))


def test_a_model_that_makes_the_feature_gets_the_sound_at_the_recipe_s_rate(sound):
    path, signal = sound(0.5)
    one = inputs.read(path, CARD, fused=True)
    assert one.values.shape == (8000,)
    wanted = resampling.resample(signal, RATE, 16000, method="soxr_hq")
    np.testing.assert_array_equal(one.values, wanted)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"seconds": 1.2}, "76 frames long, the model takes up to 70; cut it"),
        ({"seconds": 1.0, "silent": [(0, 1)]}, "silent: every sample is 0"),
        ({"seconds": 0.05}, "too short: 0.0500 s; wanted 0.1 s or more"),
    ],
    ids="long silent short".split(),
)
def test_a_file_that_a_model_cannot_take_is_named(sound, given, message):
    path, _ = sound(**given)
    with pytest.raises(InputError) as error:
        inputs.read(path, FRAMES, fused=False)
    assert str(error.value).startswith(f"{path}: {message}")


# ---- windows ---------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [1000, 4100, 2**20])  # less than a window, and than a hop
@pytest.mark.parametrize(
    ("hop", "starts"), [(0.25, [0, 0.25, 0.5, 0.55]), (0.7, [0, 0.55]), (9.0, [0, 0.55])]
)
def test_windows_are_files_of_their_own_and_the_last_ends_where_the_file_does(
    sound, monkeypatch, block, hop, starts
):
    monkeypatch.setattr(blocks, "BLOCK", block)
    path, signal = sound(1.05)
    found = slid(path, 0.5, hop)
    assert [one.start for one in found] == starts
    assert [one.end - one.start for one in found] == pytest.approx([0.5] * len(starts))
    for one in found:
        first = round(one.start * RATE)
        np.testing.assert_array_equal(one.values, made(signal[first : first + 4000], CARD))


def test_windows_far_apart_are_found_whatever_the_blocks(sound, monkeypatch):
    path, signal = sound(3.0)
    for block in (700, 5000):
        monkeypatch.setattr(blocks, "BLOCK", block)
        for one in inputs.cuts(sounds.opened(path), 0.2, 1.3):
            first = round(one.start * RATE)
            np.testing.assert_array_equal(one.signal, signal[first : first + 1600])


def test_the_mix_of_channels_is_that_of_the_whole_file(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 10_000)
    channels = np.random.default_rng(0).uniform(-0.9, 0.9, (RATE, 9)).astype(np.float32)
    soundfile.write(tmp_path / "nine.wav", channels, RATE, subtype="FLOAT")
    whole = audio.mono(channels)
    for one in inputs.cuts(sounds.opened(tmp_path / "nine.wav"), 0.3, 0.1):
        first = round(one.start * RATE)
        np.testing.assert_array_equal(one.signal, whole[first : first + 2400])


def test_one_window_as_long_as_the_file_is_the_file(sound):
    path, signal = sound(1.0)
    (one,) = slid(path, 1.0, 0.1)
    assert (one.start, one.end) == (0, 1)
    np.testing.assert_array_equal(one.values, made(signal, CARD))


def test_a_silent_window_has_a_reason_in_place_of_values(sound):
    path, _ = sound(3.0, silent=[(1, 2)])
    found = slid(path, 1.0, 1.0)
    assert [one.empty for one in found] == ["", "silent: every sample is 0", ""]
    assert [len(one.values) > 0 for one in found] == [True, False, True]


def test_windows_longer_than_the_file_are_refused(sound):
    path, _ = sound(1.0)
    with pytest.raises(InputError) as error:
        slid(path, 2.0, 1.0)
    assert str(error.value).startswith(
        f"{path}: 1.00 s long, shorter than the window of 2 s; give a"
    )


@pytest.mark.parametrize(
    ("odd", "channels"),
    [
        *((value, 1) for value in (np.nan, np.inf, -np.inf, -3e9)),
        *((value, 2) for value in (np.nan, np.inf, 3e9)),
        ("zeros", 1),
        ("constant", 1),
        ("constant", 2),
        ("cancelled", 2),
        ("noise", 2),
    ],
)
def test_what_is_none_is_none_by_blocks_as_well(odd, channels):
    rng = np.random.default_rng(0)
    signal = rng.normal(0, 0.1, (5000, channels)).astype(np.float32)
    if odd == "zeros":
        signal[:] = 0
    elif odd == "constant":
        signal[:] = 0.25
    elif odd == "cancelled":
        signal[:, 1] = -signal[:, 0]
    elif odd != "noise":
        signal[3210, -1] = odd
    blocks = (signal[first : first + 700] for first in range(0, 5000, 700))
    assert inputs.surveyed(blocks, RATE) == (5000, quality.unusable(signal, RATE))


def test_a_file_that_is_damaged_at_its_end_has_no_window(sound, monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK", 1000)
    path, _ = sound(1.0)
    path.write_bytes(path.read_bytes()[:-400])
    windows = None
    with pytest.raises(InputError, match="cut short"):
        windows = next(inputs.cuts(sounds.opened(path), 0.1, 0.1))
    assert windows is None


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
