"""Stage waveforms: the right samples, for any number of workers, and none computed twice."""

import hashlib
import importlib
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import soundfile

from pipeline import parallel
from pipeline.config import code
from pipeline.config.records import Engine, Sound
from pipeline.errors import InputError
from pipeline.features import framing, levels, recipes, resampling
from pipeline.features.recipes import WaveformRecipe
from pipeline.files import audio, stores, tables
from pipeline.stages.waveforms import resolved, waveforms

stage = importlib.import_module("pipeline.stages.waveforms")
RECIPE = WaveformRecipe(16000, "soxr_hq", "centre")
SPEC = {
    "mix": "mean",
    "sample_rate": 16000,
    "resampler": "soxr_hq",
    "length": "centre",
    "samples": 4000,
    "normalise": "none",
    "pre_emphasis": 0.0,
    "pcm16": False,
    "copies": 0,
    "augment": {},
}
ENGINE = Engine("jax", "auto", 100, "threads")


def write_clip(folder, number):
    """Write a short clip, number 1 in stereo; its line of the index."""
    path = folder / f"{number:02}.wav"
    samples = 1000 + 30 * number
    signal = np.random.default_rng(number).normal(0, 0.1, (samples, 2 if number == 1 else 1))
    soundfile.write(path, signal, 8000)
    return {
        "clip": path.stem,
        "path": path.name,
        "seconds": f"{samples / 8000:.6f}",
        "sample_rate": 8000,
        "pcm_hash": audio.pcm_hash(*audio.read(path)),
        "status": "quarantined" if number == 2 else "ok",
    }


def make_raw(folder, numbers=range(70)):
    """Write a corpus with its index."""
    folder.mkdir(exist_ok=True)
    tables.write(pd.DataFrame([write_clip(folder, n) for n in numbers]), folder / "index.csv")
    return folder


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Give a corpus of 70 short clips (three chunks) with its index; the third is quarantined."""
    return make_raw(tmp_path_factory.mktemp("raw"))


def sound(recipe, samples=4000):
    """Make a line of sounds; the recipe may leave the length to it."""
    said = None if recipe.samples or recipe.length == "whole" else samples
    return Sound("made", recipe, corpus="made", waveform="made", samples=said)


def run(raw, store, waveform=RECIPE, samples=4000):
    """Run the stage; return what it wrote."""
    waveforms(raw, raw / "index.csv", store, sound=sound(waveform, samples), engine=ENGINE)
    return stores.read(store)


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large:UserWarning")  # librosa pads
def test_copies_follow_the_clips_whatever_the_workers(raw, tmp_path, monkeypatch):
    plain = run(raw, tmp_path / "plain.zarr")
    augment = {"noise": [10, 30], "tempo": [0.9, 1.1]}
    recipe = replace(RECIPE, length="whole", samples=None, copies=2, augment=augment)
    store = run(raw, tmp_path / "w.zarr", waveform=recipe)
    clips = plain.x.shape[0]
    assert store.x.shape[0] == 3 * clips
    np.testing.assert_array_equal(store.length[:], np.tile(plain.length[:], 3))
    valid = store.valid[:].reshape(3, clips)
    np.testing.assert_array_equal(valid[0], plain.length[:])  # the clip as it is
    stretch = valid[1:] / valid[0]
    assert stretch.min() > 0.85
    assert stretch.max() < 1.15
    assert np.ptp(stretch) > 0.1
    assert len({row.tobytes() for row in store.hash[:]}) == 3 * clips
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    run(raw, tmp_path / "alone.zarr", waveform=recipe)
    assert digests(tmp_path / "alone.zarr") == digests(tmp_path / "w.zarr")


def test_rows_are_the_usable_clips_in_the_index_s_order(raw, tmp_path):
    store = run(raw, tmp_path / "w.zarr")
    assert store.x.shape == (69, 4000)
    usable = [f"{number:02}" for number in range(70) if number != 2]
    assert store.clips_sha256 == tables.sha256(usable)
    assert store.spec == SPEC
    signal, rate = audio.read(raw / "69.wav")
    wanted = resampling.resample(signal[:, 0], rate, 16000, method="soxr_hq")
    np.testing.assert_array_equal(store.x[68], framing.cut(wanted, 4000, where="centre")[0])


def test_lengths_are_those_before_padding_and_cutting(raw, tmp_path):
    store = run(raw, tmp_path / "w.zarr")
    wanted = [2 * (1000 + 30 * number) for number in range(70) if number != 2]
    np.testing.assert_array_equal(store.length[:], wanted)
    assert store.length[0] < 4000 < store.length[68]
    pad = (4000 - 2000) // 2
    first = store.x[0]
    assert not first[:pad].any() and not first[-pad:].any() and first[pad:-pad].any()


def test_lengths_are_rounded_up_as_the_resampler_does(raw, tmp_path):
    store = run(raw, tmp_path / "w.zarr", waveform=WaveformRecipe(11025, "soxr_hq", "centre", 9))
    assert store.length[0] == 1379  # 1000 * 11025 / 8000 = 1378.1
    signal, rate = audio.read(raw / "00.wav")
    assert len(resampling.resample(signal[:, 0], rate, 11025, method="soxr_hq")) == 1379


def test_stereo_is_mixed_to_the_mean(raw, tmp_path):
    as_is = WaveformRecipe(8000, "soxr_hq", "centre", 1030)
    store = run(raw, tmp_path / "w.zarr", waveform=as_is)
    signal, _ = audio.read(raw / "01.wav")
    assert signal.shape == (1030, 2)
    np.testing.assert_array_equal(store.x[1], (signal[:, 0] + signal[:, 1]) / 2)


@pytest.mark.parametrize("resampler", resampling.METHODS)
def test_bytes_do_not_depend_on_the_number_of_workers(raw, tmp_path, monkeypatch, resampler):
    recipe = WaveformRecipe(11025, resampler, "centre")
    found = []
    for count in (1, 2, 4):
        monkeypatch.setattr(parallel, "cores", lambda count=count: count)
        run(raw, tmp_path / f"{count}.zarr", waveform=recipe)
        found.append(digests(tmp_path / f"{count}.zarr"))
    assert found[0] == found[1] == found[2]


def test_the_line_says_how_long_unless_the_recipe_does():
    lengths = np.array([100, 300, 200, 400])
    assert resolved(sound(RECIPE), lengths).to_json() == SPEC
    fixed = WaveformRecipe(16000, "soxr_hq", "centre", 123)
    assert resolved(sound(fixed), lengths).to_json() == SPEC | {"samples": 123}
    for percentile, samples in (("p0", 100), ("p66", 300), ("p67", 400), ("p100", 400)):
        recipe = WaveformRecipe(16000, "soxr_hq", "centre", percentile)
        assert resolved(sound(recipe), lengths).to_json() == SPEC | {"samples": samples}


def test_a_file_that_changed_since_it_was_indexed_stops_the_stage(raw, tmp_path):
    copied = tmp_path / "raw"
    copied.mkdir()
    for path in raw.iterdir():
        (copied / path.name).symlink_to(path)
    (copied / "40.wav").unlink()
    soundfile.write(copied / "40.wav", np.full(1000, 0.5), 8000)
    with pytest.raises(InputError, match=r"40\.wav: changed since it was indexed; run dvc repro"):
        run(copied, tmp_path / "w.zarr")
    (copied / "40.wav").unlink()
    with pytest.raises(InputError, match=r"40\.wav: no such file"):
        run(copied, tmp_path / "w.zarr")
    assert not (tmp_path / "w.zarr").exists()
    shutil.copyfile(raw / "40.wav", copied / "40.wav")
    run(copied, tmp_path / "w.zarr")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".w.zarr.made", "raw", "w.zarr"]


# ---- lengths and levels ----------------------------------------------------------------------


def clip(raw, number, rate=16000):
    """Give a clip as the stage meets it, resampled."""
    signal, found = audio.read(raw / f"{number:02}.wav")
    return resampling.resample(audio.mono(signal), found, rate, method="soxr_hq")


def row(number):
    """Row of a clip; the third is quarantined."""
    return number - (number > 2)


def test_the_start_is_kept_and_zeros_come_behind(raw, tmp_path, capsys):
    store = run(raw, tmp_path / "w.zarr", waveform=WaveformRecipe(16000, "soxr_hq", "start", 4000))
    assert store.x.shape == (69, 4000)
    for number in (0, 1, 50, 69):  # of 2000 to 6140 samples
        wanted = clip(raw, number)[:4000]
        found = store.x[row(number)]
        np.testing.assert_array_equal(found[: len(wanted)], wanted)
        assert not found[len(wanted) :].any()
        assert store.valid[row(number)] == len(wanted)
        assert store.length[row(number)] == len(clip(raw, number))
    said = capsys.readouterr().out
    assert said == f"{tmp_path / 'w.zarr'}: 69 clips brought to 0.25 s; 36 cut, 33 padded\n"


def test_what_is_centred_is_all_valid_and_cut_and_padded_clips_are_counted(raw, tmp_path, capsys):
    store = run(raw, tmp_path / "w.zarr")
    np.testing.assert_array_equal(store.valid[:], 4000)
    wanted = [2 * (1000 + 30 * number) for number in range(70) if number != 2]
    cut, padded = sum(n > 4000 for n in wanted), sum(n < 4000 for n in wanted)
    assert f" 69 clips brought to 0.25 s; {cut} cut, {padded} padded\n" in capsys.readouterr().out


def test_whole_clips_have_zeros_behind(raw, tmp_path, capsys):
    store = run(raw, tmp_path / "w.zarr", waveform=WaveformRecipe(16000, "soxr_hq", "whole"))
    assert store.x.shape == (69, 6140)
    assert store.spec["samples"] is None
    np.testing.assert_array_equal(store.valid[:], store.length[:])
    for number in (0, 1, 50, 69):
        wanted = clip(raw, number)
        found = store.x[row(number)]
        np.testing.assert_array_equal(found[: store.valid[row(number)]], wanted)
        assert not found[len(wanted) :].any()
    assert capsys.readouterr().out == ""


def test_segments_hold_all_of_a_clip(raw, tmp_path, capsys):
    recipe = WaveformRecipe(16000, "soxr_hq", "segments", 2050)
    store = run(raw, tmp_path / "w.zarr", waveform=recipe)
    assert store.x.shape == (69, 3, 2050)  # the longest has 6140 samples
    for number, segments in ((0, 1), (1, 2), (50, 3), (69, 3)):
        signal, found = clip(raw, number), store.x[row(number)]
        assert store.valid[row(number)] == segments
        assert store.length[row(number)] == len(signal)
        for i in range(segments):
            piece = signal[i * 2050 : (i + 1) * 2050]
            np.testing.assert_array_equal(found[i], framing.fix_length(piece, 2050))
        assert not found[segments:].any()
    assert capsys.readouterr().out == ""


def test_a_percentile_of_the_corpus_says_how_long(raw, tmp_path):
    store = run(raw, tmp_path / "w.zarr", waveform=WaveformRecipe(16000, "soxr_hq", "start", "p50"))
    lengths = np.sort(store.length[:])
    assert store.spec["samples"] == store.x.shape[1] == lengths[34]
    assert (store.length[:] <= store.x.shape[1]).mean() >= 0.5


def test_levels_are_set_on_what_is_kept_and_before_zeros_are_added(raw, tmp_path):
    settings = {"normalise": "peak", "pre_emphasis": 0.97, "pcm16": True}
    recipe = WaveformRecipe(16000, "soxr_hq", "centre", 4000, **settings)
    store = run(raw, tmp_path / "w.zarr", waveform=recipe)
    for number in (0, 50, 69):
        (kept,) = framing.cut(clip(raw, number), 4000, where="centre")
        kept = levels.normalise(kept, by="peak")
        assert abs(kept).max() == 1
        kept = levels.pcm16(levels.pre_emphasise(kept, coefficient=0.97))
        np.testing.assert_array_equal(store.x[row(number)], framing.fix_length(kept, 4000))
    assert {key: store.spec[key] for key in settings} == settings


# ---- what was computed before ----------------------------------------------------------------


@pytest.fixture
def decoded(monkeypatch):
    """Give the lengths of the clips that were decoded and resampled."""
    calls, waveform = [], recipes.waveform

    def counted(signal, *arguments):
        calls.append(len(signal))
        return waveform(signal, *arguments)

    monkeypatch.setattr(recipes, "waveform", counted)
    return calls


@pytest.mark.parametrize("policy", ["centre", "whole"])
def test_of_a_corpus_that_grew_only_the_new_clips_are_decoded(tmp_path, decoded, policy):
    recipe = WaveformRecipe(16000, "soxr_hq", policy)
    raw = make_raw(tmp_path / "raw")
    run(raw, tmp_path / "w.zarr", waveform=recipe)
    assert len(decoded) == 69
    decoded.clear()
    make_raw(raw, [*range(20), *range(80, 90), *range(20, 70)])  # the new ones are the longest
    run(raw, tmp_path / "w.zarr", waveform=recipe)
    assert sorted(decoded) == [1000 + 30 * number for number in range(80, 90)]
    run(raw, tmp_path / "fresh.zarr", waveform=recipe)
    assert digests(tmp_path / "w.zarr") == digests(tmp_path / "fresh.zarr")


def test_what_changed_is_decoded_anew(tmp_path, decoded, monkeypatch):
    raw, level = make_raw(tmp_path / "raw"), ["1"]
    monkeypatch.setattr(code, "sha256", lambda *modules: f"{modules} at level {level[0]}")

    def count(**settings):
        decoded.clear()
        run(raw, tmp_path / "w.zarr", **settings)
        return decoded[:]

    assert len(count()) == 69
    assert count() == []
    assert len(count(waveform=WaveformRecipe(16000, "soxr_hq", "centre", 3999))) == 69
    assert len(count(waveform=WaveformRecipe(16000, "soxr_hq", "centre", 3999, pcm16=True))) == 69
    assert len(count(samples=3000)) == 69
    level[0] = "2"
    assert len(count(samples=3000)) == 69
    assert count(samples=3000) == []

    index = tables.read(raw / "index.csv").set_index("clip")
    soundfile.write(raw / "40.wav", np.full(1500, 0.5), 8000)
    index.loc["40", "seconds"] = f"{1500 / 8000:.6f}"
    index.loc["40", "pcm_hash"] = audio.pcm_hash(*audio.read(raw / "40.wav"))
    tables.write(index.reset_index(), raw / "index.csv")
    assert count(samples=3000) == [1500]
    store = stores.read(tmp_path / "w.zarr")
    assert store.length[row(40)] == 3000
    np.testing.assert_array_equal(store.x[row(40)], clip(raw, 40))


def test_after_a_failure_only_what_was_not_finished_is_decoded(tmp_path, decoded, monkeypatch):
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    raw = make_raw(tmp_path / "raw")
    (raw / "50.wav").rename(raw / "away.wav")
    with pytest.raises(InputError, match=r"50\.wav: no such file"):
        run(raw, tmp_path / "w.zarr")
    (raw / "away.wav").rename(raw / "50.wav")
    decoded.clear()
    run(raw, tmp_path / "w.zarr")
    assert len(decoded) == 69 - 32
    run(raw, tmp_path / "fresh.zarr")
    assert digests(tmp_path / "w.zarr") == digests(tmp_path / "fresh.zarr")
