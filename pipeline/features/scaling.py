"""Scaling: every bin of a feature to mean 0 and deviation 1 over the clips of training."""

import numpy as np

from pipeline.errors import InputError


def fit(values: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Mean and population standard deviation of each bin over all frames of all clips given.

    Parameters
    ----------
    values : list of ndarray, shape (frames, bins), float32
        Clips of training alone, one frame or more in all; padding taken off.

    Returns
    -------
    mean, std : ndarray, shape (bins,), float64

    Raises
    ------
    InputError
        If there is no frame.
    """
    frames = sum(len(clip) for clip in values)
    if frames == 0:
        raise InputError("scaling: wanted one frame or more to fit on, got none")
    mean = sum(clip.sum(axis=0, dtype=np.float64) for clip in values) / frames
    variance = sum(np.square(clip - mean).sum(axis=0) for clip in values) / frames
    return mean, np.sqrt(variance)


def apply(
    values: np.ndarray, mean: np.ndarray, std: np.ndarray, *, clip: float | None
) -> np.ndarray:
    """Subtract the mean, divide by the deviation, put 0 for what is no number, cut off.

    Parameters
    ----------
    values : ndarray, shape (..., bins), float32
    mean, std : ndarray, shape (bins,), float64
        Of ``fit``. A bin that never changed in training, ``std`` 0, becomes 0.
    clip : float > 0, or None
        Largest magnitude; None leaves all.

    Returns
    -------
    ndarray, shape (..., bins), float32

    Raises
    ------
    InputError
        If ``clip`` is out of bounds.
    """
    if clip is not None and clip <= 0:
        raise InputError(f"clip: must be above 0, or null, got {clip!r}")
    scores = (values - mean) / np.where(std == 0, np.nan, std)
    scores[np.isnan(scores)] = 0
    return (scores if clip is None else np.clip(scores, -clip, clip)).astype(np.float32)
