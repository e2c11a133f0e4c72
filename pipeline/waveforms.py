"""Stage waveforms: every usable clip decoded, mixed down, resampled and brought to length."""

import math
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import workers
from pipeline.errors import InputError
from pipeline.features import recipes
from pipeline.files import audio, stores, tables
from pipeline.params import Corpus, Engine, Waveform

# what decides the values, as dvc.yaml lists it
CODE = (
    "pipeline/waveforms.py",
    "pipeline/workers.py",
    "pipeline/features/deltas.py",
    "pipeline/features/framing.py",
    "pipeline/features/levels.py",
    "pipeline/features/recipes.py",
    "pipeline/features/resampling.py",
    "pipeline/files/audio.py",
    "pipeline/files/stores.py",
    "pipeline/files/tables.py",
)


def waveforms(
    raw: Path, index: Path, store: Path, *, corpus: Corpus, waveform: Waveform, engine: Engine
) -> None:
    """Write one waveform per usable clip; knows no label. Says how many were cut and padded.

    Parameters
    ----------
    raw, index : Path
        The corpus and its ``index.csv``.
    store : Path
        ``waveforms.zarr`` to write: ``x (clips, samples)``, or ``(clips, segments, samples)``;
        ``length`` the samples of each clip before it was cut or padded.
    corpus, waveform, engine
        Of params.yaml.

    Raises
    ------
    InputError
        If a file that the index calls usable has gone or changed.
    """
    frame = tables.read(index)
    frame = frame[frame.status == "ok"]
    if frame.empty:
        raise InputError(f"{index}: holds no usable clip; see quality.json beside it")
    lengths = _lengths(frame, waveform.sample_rate)
    spec = resolved(waveform, corpus, lengths)
    shape = {
        "whole": (lengths.max(),),
        "segments": (math.ceil(lengths.max() / spec["samples"]), spec["samples"]),
    }.get(spec["length"], (spec["samples"],))
    content = [bytes.fromhex(pcm) for pcm in frame.pcm_sha256]
    work = partial(_clips, [raw / path for path in frame.path], content, shape, spec)
    settings = {
        "clips_sha256": stores.sha256(list(frame["clip"])),
        "content": np.array([list(pcm) for pcm in content], np.uint8),
        "code": recipes.code_sha256(*CODE),
    }
    with stores.create(store, (len(frame), *map(int, shape)), spec, **settings) as draft:
        fill = partial(_fill, draft, work)
        workers.each(fill, draft.pending(), "waveforms", engine.workers)
    if spec["samples"]:
        gap = spec["samples"] - lengths
        sys.stdout.write(
            f"{store}: {len(frame)} clips brought to {spec['samples'] / spec['sample_rate']:.2f} s;"
            f" {(gap < 0).sum()} cut, {(gap > 0).sum()} padded\n"
        )


def resolved(waveform: Waveform, corpus: Corpus, lengths: np.ndarray) -> dict:
    """Spec of a waveform recipe for a corpus, no default left unsaid.

    Parameters
    ----------
    waveform, corpus
        Lines of params.yaml.
    lengths : ndarray, shape (clips,), int
        Samples of each clip at the rate of the recipe.
    """
    samples = waveform.samples
    if waveform.length == "whole":
        samples = None
    elif samples == "corpus":
        samples = corpus.samples
    elif isinstance(samples, str):  # p95: no shorter than 95 of 100 clips
        samples = int(np.percentile(lengths, int(samples[1:]), method="higher"))
    return {
        "mix": "mean",
        "sample_rate": waveform.sample_rate,
        "resampler": waveform.resampler,
        "length": waveform.length,
        "samples": samples,
        "normalise": waveform.normalise,
        "pre_emphasis": waveform.pre_emphasis,
        "pcm16": waveform.pcm16,
    }


def _lengths(frame: pd.DataFrame, sample_rate: int) -> np.ndarray:
    """Samples of each clip after resampling (clips,), as the index tells."""
    rates = frame.sample_rate.astype(int).to_numpy()
    samples = np.rint(frame.seconds.astype(float).to_numpy() * rates).astype(int)
    return -(-samples * sample_rate // rates)  # ceil


def _fill(draft: stores.Draft, work: partial, block: slice) -> None:
    """Let a worker write a block; what it is made of travels to each worker once."""
    draft.fill(block, work)


def _clips(paths: list, content: list[bytes], shape: tuple, spec: dict, rows: np.ndarray) -> tuple:
    """Waveforms (rows, ...) padded with zeros to one shape, their lengths, and what is valid."""
    values = np.zeros((len(rows), *shape), np.float32)
    length, valid = np.zeros((2, len(rows)), np.int32)
    for i, row in enumerate(rows):
        clip, length[i] = _clip(paths[row], content[row], spec)
        values[i, : len(clip)] = clip
        valid[i] = len(clip)
    return values, length, valid


def _clip(path: Path, pcm_sha256: bytes, spec: dict) -> tuple[np.ndarray, int]:
    """Waveform of one file, and how many samples it had before it was cut or padded."""
    signal, sample_rate = audio.read(path)
    if audio.pcm_sha256(signal, sample_rate) != pcm_sha256.hex():
        raise InputError(f"{path}: changed since it was indexed; run dvc repro")
    length = -(-len(signal) * spec["sample_rate"] // sample_rate)  # ceil
    try:
        return recipes.waveform(audio.mono(signal), sample_rate, spec), length
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


if __name__ == "__main__":
    from pipeline.cli import command

    command(waveforms)
