"""Trainings that start from the weights of a bundle."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import InputError
from pipeline.inference import cards
from pipeline.inference.cards import Card
from pipeline.scoring.targets import Target

if TYPE_CHECKING:
    import keras

    from pipeline.engine.task import FoldSeed


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
