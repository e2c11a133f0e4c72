"""Stage waveforms: every usable clip decoded, mixed down, resampled and brought to length."""

from pathlib import Path

import numpy as np

from pipeline import workers
from pipeline.errors import InputError
from pipeline.features import recipes
from pipeline.files import audio, stores, tables
from pipeline.params import Corpus, Waveform


def waveforms(raw: Path, index: Path, store: Path, *, corpus: Corpus, waveform: Waveform) -> None:
    """Write one waveform of fixed length per usable clip; knows no label.

    Parameters
    ----------
    raw, index : Path
        The corpus and its ``index.csv``.
    store : Path
        ``waveforms.zarr`` to write: ``x (clips, samples)``, ``length`` the samples of each clip
        before it was padded or cut.
    corpus, waveform
        Lines of params.yaml.

    Raises
    ------
    InputError
        If a file that the index calls usable has gone or changed.
    """
    frame = tables.read(index)
    frame = frame[frame.status == "ok"]
    spec = resolved(waveform, corpus)
    paths, hashes = [raw / path for path in frame.path], list(frame.pcm_sha256)

    def block(rows: slice) -> None:
        clips = [_clip(*pair, spec) for pair in zip(paths[rows], hashes[rows], strict=True)]
        signals, lengths = zip(*clips, strict=True)
        out.write(rows, np.stack(signals), np.array(lengths))

    names = stores.sha256(list(frame["clip"]))
    with stores.create(store, (len(paths), spec["samples"]), spec, names) as out:
        workers.each(block, out.blocks(), "waveforms")


def resolved(waveform: Waveform, corpus: Corpus) -> dict:
    """Spec of a waveform recipe for a corpus, no default left unsaid."""
    return {
        "mix": "mean",
        "sample_rate": waveform.sample_rate,
        "resampler": waveform.resampler,
        "length": waveform.length,
        "samples": corpus.samples if waveform.samples == "corpus" else waveform.samples,
    }


def _clip(path: Path, pcm_sha256: str, spec: dict) -> tuple[np.ndarray, int]:
    """Waveform of one file (samples,), and how many samples it had before padding or cutting."""
    signal, sample_rate = audio.read(path)
    if audio.pcm_sha256(signal, sample_rate) != pcm_sha256:
        raise InputError(f"{path}: changed since it was indexed; run dvc repro")
    length = -(-len(signal) * spec["sample_rate"] // sample_rate)  # ceil
    try:
        return recipes.waveform(audio.mono(signal), sample_rate, spec), length
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


if __name__ == "__main__":
    from pipeline.cli import command

    command(waveforms)
