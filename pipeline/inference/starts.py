"""Trainings that start from the weights of a bundle."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import InputError
from pipeline.inference import cards
from pipeline.inference.cards import Card
from pipeline.protocols import leakage
from pipeline.scoring.targets import Target

if TYPE_CHECKING:
    import keras

    from pipeline.engine.task import FoldSeed

SEEN = ("pretrained_on", "leaks")  # keys of cards, and settings of runs and features


def origin(
    bundle: Path, model: str, settings: Mapping[str, Any], certificate: str, target: Target
) -> tuple[Card, bool]:
    """Card of a bundle that a run starts from, and whether its folds are those of the run.

    Parameters
    ----------
    bundle : Path
    model : str
        Model of the run.
    settings : mapping
        Settings of its network.
    certificate : str
        SHA-256 of its protocol's certificate.
    target : Target
        What it predicts.

    Raises
    ------
    InputError
        If the bundle is of another network, predicts other attributes, or has seen the test clips.
    """
    held = cards.read(bundle)
    same = held.certificate == certificate
    if (held.model, dict(held.settings)) != (model, dict(settings)):
        raise InputError(f"start_from: {bundle} holds another network than this run's")
    if same and held.selection == "leaky":
        raise InputError(
            f"start_from: the epochs of {bundle} were picked on the test clips of these folds"
        )
    if held.target.to_json()["attributes"] != target.to_json()["attributes"]:
        raise InputError(f"start_from: {bundle} predicts other attributes than this run")
    return held, same


def seen(
    bundle: Path, model: str, settings: Mapping[str, Any], certificate: str, target: Target
) -> dict[str, tuple[str, ...]]:
    """Give what the weights of a bundle have seen, by the names of ``SEEN``.

    Parameters
    ----------
    bundle, model, settings, certificate, target
        As of `origin`.

    Returns
    -------
    dict
        Corpora that it was trained on, its own among them unless its folds are those of the run;
        and leaks, if they are.

    Raises
    ------
    InputError
        As of `origin`.
    """
    held, same = origin(bundle, model, settings, certificate, target)
    if same:
        return {"pretrained_on": held.pretrained_on, "leaks": held.leaks}
    return {"pretrained_on": (*held.pretrained_on, held.corpus), "leaks": ()}


def undeclared(
    pretrained_on: Collection[str], leaks: Collection[str], own: tuple[str, ...], allow: list[str]
) -> str:
    """Say what feature and first weights have seen that a protocol does not allow.

    Parameters
    ----------
    pretrained_on, leaks : collection of str
        Corpora that they were trained on, and leaks that they state.
    own : tuple of str
        Names and parsers of the run's corpus.
    allow : list of str
        Kinds of leak that the protocol declares.

    Returns
    -------
    str
        The first of them, and what is to be added; or ``""``.

    Examples
    --------
    >>> undeclared(["demo"], ["transductive"], ("demo",), ["pretraining"])
    'feature or first weights state transductive; to declare it add transductive'
    """
    found = {kind: f"feature or first weights state {kind}" for kind in sorted(leaks)}
    if leakage.pretraining(pretrained_on, own):
        words = f"feature or first weights were trained on {', '.join(sorted(pretrained_on))}"
        if {*pretrained_on} == {"unknown"}:
            words = "nothing states what feature or first weights were trained on (pretrained_on)"
        found = {"pretraining": words} | found
    said = (f"{words}; to declare it add {kind}" for kind, words in found.items()
            if kind not in allow)  # fmt: skip
    return next(said, "")


def start(bundle: Path, card: Card) -> Callable[["keras.Model", "FoldSeed"], None]:
    """Give a function that sets an untrained model to the weights of a bundle.

    Where the folds are the same each starts from its own model, which has not seen its test clips;
    else all start from the first. The last layer of a network of other emotions stays untrained.

    Parameters
    ----------
    bundle : Path
    card : Card
        Card of the run.

    Raises
    ------
    InputError
        As of `origin`; of the function, if a weight has another shape.
    """
    from pipeline.inference.models import models

    given = card.model, card.settings, str(card.certificate), card.target
    held, same = origin(bundle, *given)
    load: Any = models(held)

    def begin(model: "keras.Model", fold_seed: "FoldSeed") -> None:
        trained = load(held.of_fold(fold_seed.fold.number if same else None)[0])
        count = len(model.layers) - (held.target != card.target)
        for layer, other in zip(model.layers[:count], trained.layers, strict=False):
            for weight, value in zip(layer.weights, other.weights, strict=True):
                if weight.shape != value.shape:
                    raise InputError(
                        f"start_from: {bundle}: weight {value.path} has shape {value.shape}, the "
                        f"run's {weight.shape}; its features are others"
                    )
                weight.assign(value)

    return begin
