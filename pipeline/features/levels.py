"""Levels of a waveform: loudness, pre-emphasis, and the steps of 16-bit sound."""

from __future__ import annotations

from pipeline.lazy import np

NORMALISATIONS = ("none", "peak", "percentile")


def normalise(signal: np.ndarray, *, by: str) -> np.ndarray:
    """Bring a signal to full scale.

    Parameters
    ----------
    signal : ndarray, shape (samples,), float32
    by : {"none", "peak", "percentile"}
        Divide by nothing; by the largest magnitude; by the 99.9th percentile of the magnitudes,
        what is louder being cut off at 1. Silence stays silence.

    Returns
    -------
    ndarray, shape (samples,), float32
    """
    if by == "none":
        return signal
    loudness = np.abs(signal).astype(np.float64)
    if by == "peak":
        return (signal / (loudness.max() or 1)).astype(np.float32)
    level = np.percentile(loudness, 99.9) + np.finfo(np.float64).eps
    return np.clip(signal / level, -1, 1).astype(np.float32)


def pre_emphasise(signal: np.ndarray, *, coefficient: float) -> np.ndarray:
    """Raise high frequencies: subtract from each sample its predecessor times a coefficient.

    Parameters
    ----------
    signal : ndarray, shape (samples,), float32
    coefficient : float, ``0 <= coefficient < 1``
        0 leaves the signal as it is; 0.97 is usual.

    Returns
    -------
    ndarray, shape (samples,), float32
        The first sample is kept.
    """
    if coefficient == 0:
        return signal
    exact = signal.astype(np.float64)
    return np.append(exact[:1], exact[1:] - coefficient * exact[:-1]).astype(np.float32)


def pcm16(signal: np.ndarray) -> np.ndarray:
    """Round to the steps of 16-bit sound, halves away from zero, as tf.audio.encode_wav does.

    Parameters
    ----------
    signal : ndarray, shape (samples,), float32
        Full scale 1.0; louder is cut off.

    Returns
    -------
    ndarray, shape (samples,), float32
        Multiples of 2 ** -15.
    """
    scaled = signal.astype(np.float64) * 2**15
    steps = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled)
    return (np.clip(steps, -(2**15), 2**15 - 1) / 2**15).astype(np.float32)
