"""What is minimised, and how: losses, targets and optimisers by the names that models use.

An optimiser is two pure functions, so that its state is plain arrays which can be stacked over
folds, stored and set back.
"""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

LOSSES = {"cross_entropy": keras.losses.categorical_crossentropy}


class Optimiser(NamedTuple):
    """``start(weights) -> slots`` and ``update(slots, gradients, weights) -> (slots, weights)``."""

    start: Callable
    update: Callable


def adam(*, learning_rate: float, beta_1: float, beta_2: float, epsilon: float) -> Optimiser:
    """Adam in Keras's form: ``epsilon`` is added to the root of the raw second moment.

    ``w -= learning_rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)``

    References
    ----------
    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 2, last
    paragraph (the form with epsilon hat).
    """

    def start(weights: list[np.ndarray]) -> dict:
        zeros = [np.zeros_like(weight) for weight in weights]
        return {"steps": np.zeros((), np.float32), "m": zeros, "v": [zero.copy() for zero in zeros]}

    def update(slots: dict, gradients: list, weights: list) -> tuple[dict, list]:
        steps = slots["steps"] + 1
        rate = learning_rate * ops.sqrt(1 - ops.power(beta_2, steps))
        rate = rate / (1 - ops.power(beta_1, steps))
        pairs = list(zip(gradients, slots["m"], slots["v"], strict=True))
        m = [m + (gradient - m) * (1 - beta_1) for gradient, m, _ in pairs]
        v = [v + (gradient * gradient - v) * (1 - beta_2) for gradient, _, v in pairs]
        moved = [
            weight - rate * first / (ops.sqrt(second) + epsilon)
            for weight, first, second in zip(weights, m, v, strict=True)
        ]
        return {"steps": steps, "m": m, "v": v}, moved

    return Optimiser(start, update)


OPTIMISERS = {"adam": (adam, ("learning_rate", "beta_1", "beta_2", "epsilon"))}


def optimiser(training: dict) -> Optimiser:
    """Make the optimiser that a model's training settings name."""
    make, settings = OPTIMISERS[training["optimiser"]]
    return make(**{name: training[name] for name in settings})


def targets(y: np.ndarray, classes: int, smoothing: float = 0.0) -> np.ndarray:
    """One-hot targets (clips, classes): ``(1 - smoothing) one_hot + smoothing / classes``.

    >>> targets(np.array([1]), 2, 0.1)
    array([[0.05, 0.95]], dtype=float32)
    """
    one_hot = np.eye(classes)[y]
    return ((1 - smoothing) * one_hot + smoothing / classes).astype(np.float32)
