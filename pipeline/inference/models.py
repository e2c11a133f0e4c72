"""The trained models of a bundle."""

from collections.abc import Callable
from pathlib import Path

import keras

from pipeline import models as networks
from pipeline.errors import InputError
from pipeline.inference.cards import Card, FoldModel


def models(card: Card) -> Callable[[FoldModel], keras.Model]:
    """Give a function that loads a model of a bundle; the network is compiled once for all of them.

    Loading another one changes the model that was given before.

    Raises
    ------
    InputError
        If a file that the card names is not there, or the code of its model.
    """
    try:
        networks.network(card.model)  # registers its layers
    except InputError as error:
        raise InputError(f"{card.folder}: {error}") from None
    model = keras.models.load_model(_file(card, card.folds[0]), compile=False)

    def load(one: FoldModel) -> keras.Model:
        model.load_weights(_file(card, one))
        return model

    return load


def _file(card: Card, one: FoldModel) -> Path:
    """File of a model; refuses a bundle that was copied or pulled in part."""
    path = card.folder / one.file
    if not path.is_file():
        raise InputError(f"{path}: no such file, but card.json names it; run dvc pull or dvc repro")
    return path
