"""Deltas: how a feature changes from frame to frame."""

from __future__ import annotations

from typing import Any

from pipeline.errors import InputError
from pipeline.lazy import np

KINDS = ("none", "regression", "regression5", "difference")
# Least-squares slope of a line, and second derivative of a parabola, through 9 frames: whole
# numbers and what their sum is divided by [1]_. Written out because a solver's last bits differ.
SLOPE = (-4, -3, -2, -1, 0, 1, 2, 3, 4), 60
CURVATURE = (28, 7, -8, -17, -20, -17, -8, 7, 28), 462
SLOPE_OF_5 = (-2, -1, 0, 1, 2), 10


def stack(values: np.ndarray, *, kind: str) -> np.ndarray:
    """Stack a feature, its delta and the delta of that along a new axis.

    Parameters
    ----------
    values : ndarray, shape (clips, frames, bins), float32
    kind : {"regression", "regression5", "difference"}
        regression: slope of the line and second derivative of the parabola through 9 frames, as
        ``librosa.feature.delta`` of orders 1 and 2 [1]_; the first 4 frames have what the fifth
        has, and the last 4 likewise. regression5: slope of the line through 5 frames, once and of
        that again, the first and the last frame standing for what lies outside the clip.
        difference: each frame minus the next one, the last minus the first, once and twice.

    Returns
    -------
    ndarray, shape (clips, frames, bins, 3), float32

    Raises
    ------
    InputError
        If there are more or fewer axes, or fewer frames than the regression needs.

    References
    ----------
    .. [1] A. Savitzky and M. J. E. Golay, Smoothing and differentiation of data by simplified least
       squares procedures, Analytical Chemistry 36(8), 1964.
    """
    if values.ndim != 3:
        raise InputError(f"deltas: need (clips, frames, bins), the feature is {values.shape}")
    values = values.astype(np.float64)
    if kind == "difference":
        first = values - np.roll(values, -1, axis=1)
        second = first - np.roll(first, -1, axis=1)
    elif kind == "regression5":
        first = _slopes(values)
        second = _slopes(first)
    else:
        frames, needed = values.shape[1], len(SLOPE[0])
        if frames < needed:
            raise InputError(f"deltas: regression needs {needed} frames, the clip has {frames}")
        fitted = (_weighted(values, *weights) for weights in (SLOPE, CURVATURE))
        ends = (0, 0), (needed // 2, needed // 2), (0, 0)
        first, second = (np.pad(inner, ends, mode="edge") for inner in fitted)
    return np.stack([values, first, second], axis=-1).astype(np.float32)


def _slopes(values: np.ndarray) -> np.ndarray:
    """Slope at each frame of the line through 5, shape (clips, frames, bins)."""
    return _weighted(np.pad(values, ((0, 0), (2, 2), (0, 0)), mode="edge"), *SLOPE_OF_5)


def _weighted(values: np.ndarray, weights: tuple[int, ...], divisor: int) -> np.ndarray:
    """Weighted sum around each frame that has enough neighbours, (clips, those frames, bins)."""
    inner = values.shape[1] - len(weights) + 1
    total: Any = sum(weight * values[:, i : i + inner] for i, weight in enumerate(weights))
    return total / divisor
