"""Recipes applied: sound to waveform, waveforms to feature; one place for stages and predict.

A recipe arrives resolved, as the plain dictionary that stores and model cards carry, so that a
trained model meets exactly the features it was trained on.
"""

import hashlib
from importlib import metadata

import numpy as np

from pipeline import plugins
from pipeline.features import augmentation, deltas, framing, levels, resampling

PACKAGES = ("librosa", "numcodecs", "numpy", "scipy", "soundfile", "soxr", "zarr")


def waveform(
    signal: np.ndarray,
    sample_rate: int,
    spec: dict,
    draws: np.random.Generator | None = None,
) -> np.ndarray:
    """Resample one clip, cut it, bring it to its level, and pad it where the recipe pads.

    Parameters
    ----------
    signal : ndarray, shape (samples,), float32
        Mono, full scale 1.0.
    sample_rate : int
        Of ``signal``, in hertz.
    spec : dict
        ``sample_rate``, ``resampler``, ``length``, ``samples``, ``normalise``, ``pre_emphasis``,
        ``pcm16``, ``augment``.
    draws : numpy.random.Generator, optional
        Of an altered copy; by default the clip is left as it is.

    Returns
    -------
    ndarray, float32
        By ``length``: (samples,) for ``centre``, up to that for ``start``, all there is for
        ``whole``, and (segments, samples) for ``segments``.
    """
    signal = resampling.resample(signal, sample_rate, spec["sample_rate"], method=spec["resampler"])
    if draws is not None:
        signal = augmentation.apply(signal, spec["sample_rate"], spec["augment"], draws)
    pieces = []
    for piece in framing.cut(signal, spec["samples"], where=spec["length"]):
        piece = levels.normalise(piece, by=spec["normalise"])
        piece = levels.pre_emphasise(piece, coefficient=spec["pre_emphasis"])
        piece = levels.pcm16(piece) if spec["pcm16"] else piece
        if spec["length"] in ("centre", "segments"):
            piece = framing.fix_length(piece, spec["samples"])
        pieces.append(piece)
    return np.stack(pieces) if spec["length"] == "segments" else pieces[0]


def feature(waveforms: list[np.ndarray], sample_rate: int, spec: dict) -> list[np.ndarray]:
    """Compute a feature of several clips.

    Parameters
    ----------
    waveforms : list of ndarray, shape (samples,) or (segments, samples), float32
        As ``waveform`` gives them.
    sample_rate : int
        In hertz.
    spec : dict
        ``function`` (``module.function`` below ``pipeline.features``) and its ``settings``, and
        what follows on it: ``deltas``, ``segment``, ``segment_hop`` and ``chunks``.

    Returns
    -------
    list of ndarray, shape ([segments,] frames, ...), float32
        With ``deltas`` (frames, bins, 3), with ``segment`` (segments, segment, ...), with
        ``chunks`` as well (chunks, segment, ...) of a clip of any length.
    """
    if waveforms[0].ndim == 2:
        return [_feature(signals, sample_rate, spec) for signals in waveforms]
    if len({len(signal) for signal in waveforms}) == 1:
        return list(_feature(np.stack(waveforms), sample_rate, spec))
    return [_feature(signal[None], sample_rate, spec)[0] for signal in waveforms]


def code_sha256(*places: str) -> str:
    """SHA-256 over code and over the versions of the packages that decide values.

    ``places`` are files and folders as dvc.yaml names them, ``pipeline/features``.
    """
    facts = [plugins.code_sha256(*places), *(metadata.version(name) for name in PACKAGES)]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _feature(signals: np.ndarray, sample_rate: int, spec: dict) -> np.ndarray:
    """Feature (clips, frames, ...) of signals (clips, samples)."""
    module, function = spec["function"].split(".")
    compute = getattr(plugins.load("features", module), function)
    values = compute(signals, sample_rate, **spec["settings"])
    if spec["deltas"] != "none":
        values = deltas.stack(values, kind=spec["deltas"])  # (clips, frames, bins, 3)
    if spec["chunks"]:
        values = framing.chunks(values, spec["segment"], number=spec["chunks"])
    elif spec["segment"]:
        values = framing.segments(values, spec["segment"], hop=spec["segment_hop"])
    return values
