"""The trained models of a bundle."""

from collections.abc import Callable
from pathlib import Path

import keras

from pipeline import plugins
from pipeline.errors import InputError
from pipeline.files import bundles


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
