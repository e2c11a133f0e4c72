"""What a trained network answers, in batches whose shape does not vary.

Training and evaluation come through here, so that one clip gets one answer; prediction has `held`.
"""

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
    parts = []
    for start in range(0, len(x), BATCH):
        batch = x[start : start + BATCH]
        padding = [(0, BATCH - len(batch))] + [(0, 0)] * (x.ndim - 1)
        full = np.pad(batch, padding)  # (BATCH, frames, ...)
        parts.append(model.predict_on_batch(full)[: len(batch)])
    return np.concatenate(parts)
