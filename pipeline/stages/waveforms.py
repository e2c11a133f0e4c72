"""Stage waveforms: every usable clip decoded, mixed down, resampled and brought to length."""

import math
import sys
from functools import partial
from pathlib import Path

import numpy as np

from pipeline import parallel
from pipeline.config import code
from pipeline.config.records import Engine, Sound
from pipeline.errors import InputError
from pipeline.features import augmentation, framing, recipes
from pipeline.files import audio, drafts, tables
from pipeline.files.index import Index
from pipeline.files.spec import WaveformSpec


def waveforms(raw: Path, index: Path, store: Path, *, sound: Sound, engine: Engine) -> None:
    """Write one waveform per usable clip, and its copies.

    Says how many clips were cut and padded.

    Parameters
    ----------
    raw, index : Path
        The corpus and its ``index.csv``.
    store : Path
        ``waveforms.zarr`` to write: ``x (clips, samples)``, or ``(clips, segments, samples)``;
        ``length`` the samples of each clip before it was cut or padded.
    sound, engine
        Lines of params.yaml.

    Raises
    ------
    InputError
        If a file that the index calls usable has gone or changed.
    """
    waveform, usable = sound.recipe, Index.read(index).usable()
    lengths = usable.samples(waveform.sample_rate)
    spec = resolved(sound, lengths)
    shape = _shape(spec, lengths)
    hashes = usable.hashes()
    # copies come after the clips, and differ from them by their number
    copies = np.repeat(np.arange(waveform.copies + 1, dtype=np.uint8), len(hashes))[:, None]
    content = np.hstack([np.tile(hashes, (waveform.copies + 1, 1)), copies])
    paths = [str(raw / path) for path in usable.clips.path]
    settings = {
        "clips_sha256": tables.sha256(augmentation.names(usable.names, waveform.copies)),
        "content": content,
        "code": tables.sha256([code.sha256("stages.waveforms"), recipes.versions()]),
        "shuffle": False,
    }
    with drafts.create(store, (len(content), *shape), spec.to_json(), **settings) as draft:
        clips = partial(_clips, paths, content, lengths, shape, spec)
        fill = partial(draft.fill, compute=clips)
        parallel.each(fill, draft.pending(), "waveforms", engine.workers)
    if spec.samples is not None and waveform.length in ("centre", "start"):
        gap = spec.samples - lengths
        sys.stdout.write(
            f"{store}: {len(hashes)} clips brought to {spec.samples / spec.sample_rate:.2f} s;"
            f" {(gap < 0).sum()} cut, {(gap > 0).sum()} padded\n"
        )


def resolved(sound: Sound, lengths: np.ndarray) -> WaveformSpec:
    """Resolve a waveform recipe for a corpus.

    Parameters
    ----------
    sound
        Line of params.yaml.
    lengths : ndarray, shape (clips,), int
        Samples of each clip at the rate of the recipe.
    """
    samples = sound.recipe.samples or sound.samples
    if sound.recipe.length == "whole":
        samples = None
    elif isinstance(samples, str):  # p95: no shorter than 95 of 100 clips
        samples = int(np.percentile(lengths, int(samples[1:]), method="higher"))
    return sound.recipe.spec(samples)


def _shape(spec: WaveformSpec, lengths: np.ndarray) -> tuple[int, ...]:
    """Shape of one row that holds every clip."""
    longest = int(lengths.max())
    if "tempo" in spec.augment:
        longest = math.ceil(longest / min(1, *spec.augment["tempo"]))
    if spec.samples is None:
        return (longest,)
    if spec.length == "segments":
        return (-(-longest // spec.samples), spec.samples)
    return (spec.samples,)


def _clips(
    paths: list[str],
    content: np.ndarray,
    lengths: np.ndarray,
    shape: tuple,
    spec: WaveformSpec,
    rows: np.ndarray,
) -> tuple:
    """Waveforms (rows, ...) with zeros at the end, the clips' lengths, and what is valid."""
    clips = [_clip(paths[row % len(paths)], content[row], spec) for row in rows]
    valid = np.array([*map(len, clips)])
    return framing.rectangle(clips, shape), lengths[rows % len(paths)], valid


def _clip(path: str, content: np.ndarray, spec: WaveformSpec) -> np.ndarray:
    """Waveform of one file, which is still the indexed one, or of a copy of it."""
    signal, sample_rate = audio.read(Path(path))
    pcm_hash, copy = content[:-1].tobytes(), int(content[-1])
    if audio.pcm_hash(signal, sample_rate) != pcm_hash.hex():
        raise InputError(f"{path}: changed since it was indexed; run dvc repro")
    try:
        draws = augmentation.generator(pcm_hash, copy) if copy else None
        return recipes.waveform(audio.mono(signal), sample_rate, spec, draws)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
