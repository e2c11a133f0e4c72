"""A made-up corpus and its features, checked where no dvc.yaml knows them."""

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import zarr

from pipeline.commands.check_features import check_features as command
from pipeline.config.records import Engine, Sound
from pipeline.features import recipes
from pipeline.features.recipes import WaveformRecipe
from pipeline.files import audio, chunks, stores, tables
from pipeline.stages.extract import extract
from pipeline.stages.waveforms import waveforms

ENGINE = Engine("jax", "auto", 100, "threads")
SETTINGS = {"n_mfcc": 13, "n_fft": 512, "hop": 128, "n_mels": 40}
STORE = Path("features/made/soxr/mfcc13.zarr")
INDEX = Path("features/made/index.csv")
RAW = Path("raw_data/made")


def check_features(store, **given):
    """Check a store of the made-up corpus, which no dvc.yaml knows."""
    command(store, **{"raw": Path(RAW), "index": Path(INDEX)} | given)


def index(raw, index, files):
    """Write the index of some sound files; the second clip is quarantined."""
    rows = []
    for number, path in enumerate(files):
        signal, sample_rate = audio.read(path)
        facts = {
            "clip": path.stem,
            "path": path.relative_to(raw).as_posix(),
            "seconds": f"{len(signal) / sample_rate:.6f}",
            "sample_rate": sample_rate,
            "pcm_hash": audio.pcm_hash(signal, sample_rate),
            "status": "quarantined" if number == 1 else "ok",
        }
        rows.append(facts)
    tables.write(pd.DataFrame(rows), index)


def make(folder, store, *, samples=5000, resampler="soxr_hq", length="centre", **settings):
    """Run both stages; return the store's path."""
    store = folder / store
    waveform = WaveformRecipe(11025, resampler, length, samples)
    given = {"sound": Sound("made", waveform, corpus="made", waveform="made"), "engine": ENGINE}
    waveforms(folder / RAW, folder / INDEX, store.with_name("waveforms.zarr"), **given)
    line = {"function": "cepstral.mfcc", **SETTINGS, **settings}
    feature = recipes.read_feature(line, "features.mfcc13")
    extract(store.with_name("waveforms.zarr"), store, feature=feature, engine=ENGINE)
    return store


def write(folder):
    """Make a corpus of 31 clips of 0.3 to 0.6 s and its features."""
    (folder / RAW).mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(31):
        sound = rng.normal(0, 0.1, (4800 + 160 * number, 2 if number == 5 else 1))
        # a decaying tone above the noise: louder and quieter bands, as of speech
        time = np.arange(len(sound))[:, None] / 16000
        sound = 0.05 * sound + 0.5 * np.exp(-9 * time) * np.sin(2 * np.pi * 300 * time)
        soundfile.write(folder / RAW / f"{number:02}.wav", sound, 16000)
    index(folder / RAW, folder / INDEX, sorted((folder / RAW).iterdir()))
    make(folder, STORE)


def change(store, **values):
    """Put other values into a store's spec, or (``x``, ``valid``) its arrays."""
    group = zarr.open_group(store, mode="r+")
    for name in {"x", "valid"} & set(values):
        group[name][:] = values.pop(name)
    spec = group.attrs["spec"]
    for name, value in values.items():
        table = next(t for t in (spec["waveform"], spec["settings"], spec) if name in t)
        table[name] = value
    group.attrs["spec"] = spec
    state(store)


def state(store):
    """State the content of a store as it is now, as its writer does."""
    group = zarr.open_group(store, mode="r+")
    attributes = {key: value for key, value in group.attrs.items() if key != "checksum"}
    attributes["chunks"] = chunks.opened(store / "x").sums()
    facts = {name: group[name][:] for name in ("content", "length", "valid", "hash")}
    group.update_attributes(attributes | {"checksum": stores.checksum(store, attributes, facts)})


def said(capsys):
    """Return the lines of the table and the verdict."""
    *table, verdict = capsys.readouterr().out.splitlines()
    return table, verdict
