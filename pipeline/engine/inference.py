"""Trained models, used: probabilities of clips, in batches whose shape does not vary.

Predict and evaluate both come through here, so that one clip gets one answer.
"""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from pipeline import plugins
from pipeline.errors import InputError
from pipeline.files import bundles

BATCH = 64  # clips; a short batch is padded, for every new shape would be compiled anew


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


def models(bundle: Path) -> Callable[[str], keras.Model]:
    """Give a model of a bundle by its file name; the network is compiled once for all of them.

    Asking for another one changes the model that was given before.

    Raises
    ------
    InputError
        If a file that the card names is not there.
    """
    card = bundles.read_card(bundle)
    plugins.load("models", card["model"])  # registers its layers
    model = keras.models.load_model(_there(bundle / card["folds"][0]["file"]), compile=False)

    def from_file(name: str) -> keras.Model:
        model.load_weights(_there(bundle / name))
        return model

    return from_file


def _there(path: Path) -> Path:
    """Refuse a bundle that was copied or pulled in part."""
    if not path.is_file():
        raise InputError(f"{path}: no such file, but card.json names it; run dvc pull or dvc repro")
    return path
