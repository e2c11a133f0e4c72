"""What a trained network answers, in batches whose shape does not vary.

Training and evaluation come through here, so that one clip gets one answer; prediction has `held`.
"""

from collections.abc import Callable

import keras
import numpy as np

BATCH = 64  # clips; a short batch is padded, for every new shape would be compiled again


def predict(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Probabilities of clips.

    Parameters
    ----------
    model : keras.Model
    x : ndarray, shape (clips, frames, ...), float32

    Returns
    -------
    ndarray, shape (clips, classes), float32
    """
    return _batches(lambda x: [model.predict_on_batch(x)], x)[0]


def both(model: keras.Model, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of clips, and values that a network makes on its way.

    Parameters
    ----------
    model : keras.Model
        From the network's input to its answers and these values, one or several for each clip.
    x : ndarray, shape (clips, frames, ...), float32

    Returns
    -------
    ndarray, shape (clips, classes), float32
        The same to the last digit as of `predict`.
    ndarray, shape (values, dims), float32
    """
    found, inner = _batches(model.predict_on_batch, x)
    return found, inner


def _batches(answer: Callable[[np.ndarray], list[np.ndarray]], x: np.ndarray) -> list[np.ndarray]:
    """Ask in batches of one size; of each clip there may be several values."""
    parts = []
    for start in range(0, len(x), BATCH):
        batch = x[start : start + BATCH]
        padding = [(0, BATCH - len(batch))] + [(0, 0)] * (x.ndim - 1)
        found = answer(np.pad(batch, padding))  # each of (BATCH, frames, ...)
        parts.append([of_kind[: len(of_kind) // BATCH * len(batch)] for of_kind in found])
    return [np.concatenate(of_kind) for of_kind in zip(*parts, strict=True)]
