"""Stage waveforms: the right samples, whatever the number of workers."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import soundfile

from pipeline import workers
from pipeline.errors import InputError
from pipeline.features import framing, resampling
from pipeline.files import audio, stores, tables
from pipeline.params import Corpus, Engine, Waveform
from pipeline.waveforms import resolved, waveforms

CORPUS = Corpus("made", "demo", 4000)
RECIPE = Waveform("centred", 16000, "soxr_hq", "centre", "corpus")
SPEC = {
    "mix": "mean",
    "sample_rate": 16000,
    "resampler": "soxr_hq",
    "length": "centre",
    "samples": 4000,
    "normalise": "none",
    "pre_emphasis": 0.0,
    "pcm16": False,
}
ENGINE = Engine("jax", "auto", 100, "threads")


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Give a corpus of 70 short clips (three chunks) with its index; the third is quarantined."""
    folder = tmp_path_factory.mktemp("raw")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(70):
        path = folder / f"{number:02}.wav"
        channels = 2 if number == 1 else 1
        soundfile.write(path, rng.normal(0, 0.1, (1000 + 30 * number, channels)), 8000)
        hashed = audio.pcm_sha256(*audio.read(path))
        status = "quarantined" if number == 2 else "ok"
        rows.append(
            {
                "clip": path.stem,
                "path": path.name,
                "seconds": f"{(1000 + 30 * number) / 8000:.6f}",
                "sample_rate": 8000,
                "pcm_sha256": hashed,
                "status": status,
            }
        )
    tables.write(pd.DataFrame(rows), folder / "index.csv")
    return folder


def run(raw, store, corpus=CORPUS, waveform=RECIPE):
    """Run the stage; return what it wrote."""
    given = {"corpus": corpus, "waveform": waveform, "engine": ENGINE}
    waveforms(raw, raw / "index.csv", store, **given)
    return stores.read(store)


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_rows_are_the_usable_clips_in_the_index_s_order(raw, tmp_path):
    store = run(raw, tmp_path / "w.zarr")
    assert store.x.shape == (69, 4000)
    usable = [f"{number:02}" for number in range(70) if number != 2]
    assert store.clips_sha256 == stores.sha256(usable)
    assert store.spec == SPEC
    signal, rate = audio.read(raw / "69.wav")
    wanted = resampling.resample(signal[:, 0], rate, 16000, method="soxr_hq")
    np.testing.assert_array_equal(
        store.x[68], framing.cut(wanted, 4000, where="centre")[0]
    )


def test_lengths_are_those_before_padding_and_cutting(raw, tmp_path):
    store = run(raw, tmp_path / "w.zarr")
    wanted = [2 * (1000 + 30 * number) for number in range(70) if number != 2]
    np.testing.assert_array_equal(store.length[:], wanted)
    assert store.length[0] < 4000 < store.length[68]
    pad = (4000 - 2000) // 2
    first = store.x[0]
    assert not first[:pad].any() and not first[-pad:].any() and first[pad:-pad].any()


def test_lengths_are_rounded_up_as_the_resampler_does(raw, tmp_path):
    store = run(raw, tmp_path / "w.zarr", waveform=Waveform("w", 11025, "soxr_hq", "centre", 9))
    assert store.length[0] == 1379  # 1000 * 11025 / 8000 = 1378.1
    signal, rate = audio.read(raw / "00.wav")
    assert len(resampling.resample(signal[:, 0], rate, 11025, method="soxr_hq")) == 1379


def test_stereo_is_mixed_to_the_mean(raw, tmp_path):
    as_is = Waveform("native", 8000, "soxr_hq", "centre", 1030)
    store = run(raw, tmp_path / "w.zarr", waveform=as_is)
    signal, _ = audio.read(raw / "01.wav")
    assert signal.shape == (1030, 2)
    np.testing.assert_array_equal(store.x[1], (signal[:, 0] + signal[:, 1]) / 2)


@pytest.mark.parametrize("resampler", resampling.METHODS)
def test_bytes_do_not_depend_on_the_number_of_workers(raw, tmp_path, monkeypatch, resampler):
    recipe = Waveform("w", 11025, resampler, "centre", "corpus")
    found = []
    for count in (1, 2, 4):
        monkeypatch.setattr(workers, "cores", lambda count=count: count)
        run(raw, tmp_path / "w.zarr", waveform=recipe)
        found.append(digests(tmp_path / "w.zarr"))
    assert found[0] == found[1] == found[2]


def test_the_corpus_says_how_long_unless_the_recipe_does():
    lengths = np.array([100, 300, 200, 400])
    assert resolved(RECIPE, CORPUS, lengths) == SPEC
    fixed = Waveform("fixed", 16000, "soxr_hq", "centre", 123)
    assert resolved(fixed, CORPUS, lengths) == SPEC | {"samples": 123}
    for percentile, samples in (("p0", 100), ("p66", 300), ("p67", 400), ("p100", 400)):
        recipe = Waveform("w", 16000, "soxr_hq", "centre", percentile)
        assert resolved(recipe, CORPUS, lengths) == SPEC | {"samples": samples}


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
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_work_is_done_once_for_every_block_and_its_errors_come_through():
    done = []
    blocks = [slice(0, 2), slice(2, 3)]
    workers.each(done.append, iter(blocks), "made")
    assert sorted(done, key=lambda block: block.start) == blocks

    def fail(block):
        raise InputError(f"clip {block.start}: broken")

    with pytest.raises(InputError, match="clip 0: broken"):
        workers.each(fail, blocks[:1], "made")
    assert workers.cores() >= 1
