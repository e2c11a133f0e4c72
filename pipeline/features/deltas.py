"""Deltas: how a feature changes from frame to frame."""

import numpy as np

from pipeline.errors import InputError

KINDS = ("none", "regression", "difference")
WIDTH = 9  # frames of the regression


def stack(values: np.ndarray, *, kind: str) -> np.ndarray:
    """Put a feature, its delta and the delta of that beside each other.

    Parameters
    ----------
    values : ndarray, shape (clips, frames, bins), float32
    kind : {"regression", "difference"}
        Slope of a line through 9 frames, as ``librosa.feature.delta`` of orders 1 and 2 (of the
        first and last frames, the slope of the parabola through the nearest 9); or each frame
        minus the next one, the last minus the first, applied once and twice.

    Returns
    -------
    ndarray, shape (clips, frames, bins, 3), float32

    Raises
    ------
    InputError
        If the kind is unknown, or there are fewer frames than the regression needs.
    """
    if kind not in KINDS[1:]:
        raise InputError(f"deltas: must be one of {', '.join(KINDS)}, got {kind!r}")
    from scipy.signal import savgol_filter  # takes long, and params.yaml is read without it

    values = values.astype(np.float64)
    if kind == "difference":
        first = values - np.roll(values, -1, axis=1)
        second = first - np.roll(first, -1, axis=1)
    else:
        if values.shape[1] < WIDTH:
            raise InputError(
                f"deltas: regression needs {WIDTH} frames, the clip has {values.shape[1]}"
            )
        first, second = (
            savgol_filter(values, WIDTH, polyorder=order, deriv=order, axis=1, mode="interp")
            for order in (1, 2)
        )
    return np.stack([values, first, second], axis=-1).astype(np.float32)
