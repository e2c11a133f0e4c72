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
    return _batches(model.predict_on_batch, x)


def inner(model: keras.Model, x: np.ndarray) -> np.ndarray:
    """Values that a network makes on its way.

    TensorFlow computes them operation by operation: to compile what is asked once takes longer.

    Parameters
    ----------
    model : keras.Model
        From the network's input to these values, one or several for each clip.
    x : ndarray, shape (clips, frames, ...), float32

    Returns
    -------
    ndarray, shape (values, dims), float32
    """
    if keras.config.backend() == "tensorflow":
        return _batches(lambda x: keras.ops.convert_to_numpy(model(x, training=False)), x)
    return _batches(model.predict_on_batch, x)


def _batches(answer: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """Ask in batches of one size; of each clip there may be several answers."""
    parts = []
    for start in range(0, len(x), BATCH):
        batch = x[start : start + BATCH]
        padding = [(0, BATCH - len(batch))] + [(0, 0)] * (x.ndim - 1)
        found = answer(np.pad(batch, padding))  # of (BATCH, frames, ...)
        parts.append(found[: len(found) // BATCH * len(batch)])
    return np.concatenate(parts)
