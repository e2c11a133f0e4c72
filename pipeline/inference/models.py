"""The trained models of a bundle, asked about clips; each kind loads what it needs and no more."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline import models as networks
from pipeline.engine import backend, machines
from pipeline.errors import InputError
from pipeline.features import framing
from pipeline.files import bundles, checked, keras_weights
from pipeline.inference import cards
from pipeline.inference.cards import Card, FoldModel
from pipeline.scoring.calibration import tempered

if TYPE_CHECKING:
    import keras

# Asks a model about clips: answers, and the vectors ahead of a network's last layer.
Ask = Callable[[FoldModel, list[np.ndarray]], tuple[np.ndarray, np.ndarray | None]]


def check(card: Card) -> None:
    """Refuse a bundle whose model has no code here.

    Raises
    ------
    InputError
        If ``pipeline/models`` lacks it, or it does not import.
    """
    try:
        networks.facts(card.model)
    except InputError as error:
        raise InputError(f"{card.folder}: {error}") from None


def in_training(card: Card, trained: list[dict], folder: Path) -> Card:
    """Give the card of a bundle that is being written, whose models can be asked.

    Parameters
    ----------
    card : Card
        Card of the bundle, its models still missing.
    trained : list of dict
        Facts of each model: ``fold, seed, file`` and others.
    folder : Path
        Holds the files.
    """
    if not card.classical:
        backend.start(card.backend)
    ones = (FoldModel(one["fold"], one["seed"], one["file"], None) for one in trained)
    return replace(card, folder=folder, folds=tuple(ones))


def asked(card: Card) -> Ask:
    """Give a function that asks a model of a bundle about clips.

    Parameters
    ----------
    card : Card
        Card of the bundle.

    Returns
    -------
    callable
        Function from one of the card's models and clips, each (frames, ...) and none longer than
        the card says, to answers (clips, outputs), float32, probabilities by the temperature of the
        model; and the input of a network's last layer (clips, dims), float32, of chunks their mean,
        None of a classical model.

    Raises
    ------
    InputError
        If a file that the card names is not there, or the code of its model.
    """
    if card.classical:
        return _machines(lambda one: machines.read(_file(card, one)))
    load = models(card)
    import keras

    from pipeline.engine import answers

    whole: dict[str, Any] = {}  # of the one network whose weights change

    def ask(one: FoldModel, clips: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        model = load(one)
        if not whole:
            whole["model"] = keras.Model(model.inputs[0], [model.outputs[0], _ahead(model)])
        found, inner = answers.both(whole["model"], framing.rectangle(clips, card.input_shape))
        return tempered(found, one.temperature), _of_clips(inner, len(clips))

    return ask


def _machines(read: Callable[[FoldModel], Any]) -> Ask:
    """Give a function that asks classical models."""
    return lambda one, clips: (tempered(read(one).of_clips(clips), one.temperature), None)


def _ahead(model: "keras.Model") -> Any:
    """Input of the last layer of a network, which is called head, or stands last."""
    heads = [layer for layer in model.layers if layer.name == "head"]
    return (heads or model.layers)[-1].input


def _of_clips(vectors: np.ndarray, clips: int) -> np.ndarray:
    """Vectors (clips, dims), of chunks or segments their mean."""
    return vectors.reshape(clips, -1, vectors.shape[-1]).mean(axis=1)


def held(card: Card, ones: Sequence[FoldModel]) -> Ask:
    """Hold models of a bundle, whose weights are read now, and give a function that asks them.

    Parameters
    ----------
    card : Card
        Card of the bundle.
    ones : sequence of FoldModel
        Those of its models that will be asked.

    Returns
    -------
    callable
        Function as of `asked`, which threads may call at the same time. Its answers differ from
        those by less than 1e-6, for it computes fewer clips at a time.

    Raises
    ------
    InputError
        As of `asked`.
    """
    if card.classical:
        read = {one.file: machines.read(_file(card, one)) for one in ones}
        return _machines(lambda one: read[one.file])
    model, values = _opened(card)
    from pipeline.engine import held

    hold = held.hold(model, _ahead(model), {one.file: values(one) for one in ones})

    def ask(one: FoldModel, clips: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        answers, vectors = hold(one.file, framing.rectangle(clips, card.input_shape))
        return tempered(answers, one.temperature), _of_clips(vectors, len(clips))

    return ask


def models(card: Card) -> "Callable[[FoldModel], keras.Model]":
    """Give a function that loads a network of a bundle; it is compiled once for all of them.

    Loading another one changes the model that was given before.

    Raises
    ------
    InputError
        If a file that the card names is not there, or the code of its model.
    """
    model, values = _opened(card)

    def load(one: FoldModel) -> "keras.Model":
        for variable, value in zip(model.variables, values(one), strict=True):
            variable.assign(value)
        return model

    return load


def _opened(card: Card) -> "tuple[keras.Model, Callable[[FoldModel], list[np.ndarray]]]":
    """Network of a bundle, and what reads the weights of one model, in its variables' order."""
    import keras

    try:
        networks.network(card.model)  # registers its layers
    except InputError as error:
        raise InputError(f"{card.folder}: {error}") from None
    first = _file(card, card.folds[0])
    with _named(first):
        model: Any = keras.models.model_from_json(keras_weights.config(first))
        if not isinstance(model, keras.Model):
            raise InputError(f"{first}: not a model of this run; run dvc repro")

    def own() -> list[np.ndarray]:
        return [keras.ops.convert_to_numpy(variable.value) for variable in model.variables]

    fresh = own()
    with _named(first):
        places = keras_weights.places(first, model.load_weights, own)

    def values(one: FoldModel) -> list[np.ndarray]:
        with _named(path := _file(card, one)):
            arrays = keras_weights.read(path, filter(None, places))
        given = zip(places, fresh, strict=True)
        return [value if place is None else arrays[place] for place, value in given]

    return model, values


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name a model that Keras cannot make of a file."""
    try:
        bundles.check_model(path)
        yield
    except (InputError, OSError, MemoryError):  # they name it, or what the system refuses
        raise
    except Exception as error:  # Keras raises what it meets
        reason = textwrap.shorten(" ".join(str(error).split()), 120)
        raise InputError(f"{path}: not a model of this run ({reason}); run dvc repro") from None


def _file(card: Card, one: FoldModel) -> Path:
    """File of a model; refuses a bundle that was copied or pulled in part, or is damaged."""
    path = card.folder / one.file
    if not path.is_file():
        raise InputError(f"{path}: no such file, but card.json names it; run dvc pull or dvc repro")
    if (card.folder / cards.NAME).is_file():  # else the card was never written
        checked.expect(card.folder / cards.NAME, path)
    return path
