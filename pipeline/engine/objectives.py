"""What is minimised, and how: losses, targets, optimisers and schedules by the names in a training.

An optimiser is two pure functions, so that its state is plain arrays which can be stacked over
folds, stored and set back. Its ``slots`` hold the learning rate, ``rate``, which the loop sets
before each epoch: a schedule is a function of the epoch and compiles nothing again.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from pipeline.models.training import EmotionTraining

# ---- losses ----------------------------------------------------------------------------------


def cross_entropy(targets, logits):
    """Cross-entropy of each clip: ``-sum_k t_k ln p_k`` with ``p = softmax(logits)``.

    Parameters
    ----------
    targets, logits : tensor, shape (clips, classes)
        Target probabilities, and what the network's softmax takes.

    Returns
    -------
    tensor, shape (clips,)
    """
    return keras.losses.categorical_crossentropy(targets, logits, from_logits=True)


def focal(targets, logits):
    """Focal loss of each clip, ``gamma = 2``: ``sum_k t_k (1 - p_k)^2 (-ln p_k)``.

    Parameters
    ----------
    targets, logits : tensor, shape (clips, classes)
        Target probabilities, and what the network's softmax takes; probabilities count as 1e-7 at
        least.

    Returns
    -------
    tensor, shape (clips,)

    References
    ----------
    Lin et al., "Focal loss for dense object detection", ICCV 2017, eq. 4.
    """
    p = ops.clip(ops.softmax(logits), 1e-7, 1.0)
    return -ops.sum(targets * ops.square(1 - p) * ops.log(p), axis=-1)


def margin(targets, logits):
    """Margin loss: ``sum_k t_k max(0, 0.9 - p_k)^2 + 0.5 (1 - t_k) max(0, p_k - 0.1)^2``.

    Parameters
    ----------
    targets, logits : tensor, shape (clips, classes)
        Target probabilities, and what the network's softmax takes.

    Returns
    -------
    tensor, shape (clips,)

    References
    ----------
    Sabour, Frosst and Hinton, "Dynamic routing between capsules", NeurIPS 2017, eq. 4.
    """
    p = ops.softmax(logits)
    missed, wrong = ops.maximum(0.9 - p, 0.0), ops.maximum(p - 0.1, 0.0)
    terms = targets * ops.square(missed) + 0.5 * (1 - targets) * ops.square(wrong)
    return ops.sum(terms, axis=-1)


LOSSES = {
    "cross_entropy": cross_entropy,
    "focal": focal,
    "margin": margin,
}


def loss(training: EmotionTraining) -> Callable:
    """Loss that a training names."""
    return LOSSES[training.loss]


# ---- optimisers ------------------------------------------------------------------------------


class Optimiser(NamedTuple):
    """``start(weights) -> slots`` and ``update(slots, gradients, weights) -> (slots, weights)``."""

    start: Callable
    update: Callable


def adam(*, learning_rate: float, beta_1: float, beta_2: float, epsilon: float) -> Optimiser:
    """Adam in Keras's form: ``epsilon`` is added to the root of the raw second moment.

    ``w -= rate sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)``

    References
    ----------
    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, section 2, last
    paragraph (the form with epsilon hat).
    """

    def start(weights: list[np.ndarray]) -> dict:
        zeros = [np.zeros_like(weight) for weight in weights]
        scalars = {
            "rate": np.full((), learning_rate, np.float32),
            "steps": np.zeros((), np.float32),
        }
        return scalars | {"m": zeros, "v": [zero.copy() for zero in zeros]}

    def update(slots: dict, gradients: list, weights: list) -> tuple[dict, list]:
        steps = slots["steps"] + 1
        rate = slots["rate"] * ops.sqrt(1 - ops.power(beta_2, steps))
        rate = rate / (1 - ops.power(beta_1, steps))
        pairs = list(zip(gradients, slots["m"], slots["v"], strict=True))
        m = [m + (gradient - m) * (1 - beta_1) for gradient, m, _ in pairs]
        v = [v + (gradient * gradient - v) * (1 - beta_2) for gradient, _, v in pairs]
        moved = [
            weight - rate * first / (ops.sqrt(second) + epsilon)
            for weight, first, second in zip(weights, m, v, strict=True)
        ]
        return {"rate": slots["rate"], "steps": steps, "m": m, "v": v}, moved

    return Optimiser(start, update)


def adamw(*, weight_decay: float, **settings: float) -> Optimiser:
    """Adam with decoupled weight decay: ``w -= rate weight_decay w``, then `adam` on the rest.

    All weights decay, biases and scales among them.

    References
    ----------
    Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2.
    """
    start, step = adam(**settings)

    def update(slots: dict, gradients: list, weights: list) -> tuple[dict, list]:
        kept = 1 - slots["rate"] * weight_decay
        return step(slots, gradients, [weight * kept for weight in weights])

    return Optimiser(start, update)


def clipped(optimiser: Optimiser, norm: float) -> Optimiser:
    """Optimiser of gradients whose norm, of all together, is brought down to ``norm`` if above."""

    def update(slots: dict, gradients: list, weights: list) -> tuple[dict, list]:
        found = ops.sqrt(sum(ops.sum(ops.square(gradient)) for gradient in gradients))
        scale = norm / ops.maximum(found, norm)
        return optimiser.update(slots, [gradient * scale for gradient in gradients], weights)

    return Optimiser(optimiser.start, update)


_ADAM = ("learning_rate", "beta_1", "beta_2", "epsilon")
OPTIMISERS = {"adam": (adam, _ADAM), "adamw": (adamw, (*_ADAM, "weight_decay"))}


def optimiser(training: EmotionTraining) -> Optimiser:
    """Make the optimiser that a training names."""
    make, settings = OPTIMISERS[training.optimiser]
    made = make(**{name: getattr(training, name) for name in settings})
    return clipped(made, training.clip_norm) if training.clip_norm else made


# ---- schedules -------------------------------------------------------------------------------


def constant(epoch: int) -> float:
    """One, in every epoch."""
    return 1.0


def steps(epoch: int, *, decay: float, decay_from: int, decay_every: int) -> float:
    """``exp(-decay)`` to the power of the epochs gone by that ``decay_every`` divides.

    Parameters
    ----------
    epoch : int >= 0
        The first is 0.
    decay : float
        Decay in the exponent, of one step.
    decay_from : int >= 1
        Earlier epochs do not count.
    decay_every : int >= 1
        Epochs between two steps.

    Examples
    --------
    >>> [round(steps(e, decay=0.15, decay_from=50, decay_every=20), 3) for e in (59, 60, 80)]
    [1.0, 0.861, 0.741]
    """
    count = max(0, epoch // decay_every - (decay_from - 1) // decay_every)
    return math.exp(-decay * count)


def cosine(epoch: int, *, epochs: int) -> float:
    """Half a period of the cosine: ``(1 + cos(pi epoch / epochs)) / 2``, from 1 towards 0.

    >>> [round(cosine(epoch, epochs=4), 3) for epoch in range(4)]
    [1.0, 0.854, 0.5, 0.146]
    """
    return (1 + math.cos(math.pi * epoch / epochs)) / 2


SCHEDULES = {
    "constant": (constant, ()),
    "steps": (steps, ("decay", "decay_from", "decay_every")),
    "cosine": (cosine, ("epochs",)),
}


def rate(training: EmotionTraining, epoch: int) -> float:
    """Learning rate of an epoch, the first being 0."""
    factor, settings = SCHEDULES[training.schedule]
    return training.learning_rate * factor(
        epoch, **{name: getattr(training, name) for name in settings}
    )


# ---- what is trained on ----------------------------------------------------------------------


def masked(x, draws, *, frames: int, bins: int):
    """Replace some frames in a row, and some bins, by each bin's mean over the frames.

    Parameters
    ----------
    x : tensor, shape (clips, frames, bins, ...) or (clips, segments, frames, bins, channels)
    draws : tensor, shape (clips, 4)
        Draws evenly from 0 to 1: how many frames and where, how many bins and where.
    frames, bins : int >= 0
        Upper bounds of both numbers, and no more than there are.

    Returns
    -------
    tensor
        Array like ``x``.

    References
    ----------
    Park et al., "SpecAugment: a simple data augmentation method for automatic speech recognition",
    Interspeech 2019, section 2; masked values are the mean there too.
    """
    axis = 2 if len(x.shape) == 5 else 1
    mean = ops.mean(x, axis=axis, keepdims=True)
    for place, most, first in ((axis, frames, 0), (axis + 1, bins, 2)):
        size = x.shape[place]
        width = ops.floor(draws[:, first] * (min(most, size) + 1))
        start = ops.floor(draws[:, first + 1] * (size - width + 1))
        places = ops.arange(size, dtype="float32")
        hidden = (places >= start[:, None]) & (places < (start + width)[:, None])  # (clips, size)
        shape = [-1] + [size if at == place else 1 for at in range(1, len(x.shape))]
        x = ops.where(ops.reshape(hidden, shape), mean, x)
    return x


def whole(x, draws):
    """Replace nothing."""
    return x


def mask(training: EmotionTraining) -> Callable:
    """``(x, draws) -> x`` that a training asks for."""
    most = {"frames": training.mask_frames, "bins": training.mask_bins}
    return partial(masked, **most) if any(most.values()) else whole


def class_weights(y: np.ndarray) -> np.ndarray:
    """What each clip counts so that all classes count alike, 1 in the mean.

    Parameters
    ----------
    y : ndarray, shape (clips,), int
        Their classes.

    Returns
    -------
    ndarray, shape (clips,), float32

    Examples
    --------
    >>> class_weights(np.array([0, 0, 0, 1])).astype(float).round(2).tolist()
    [0.67, 0.67, 0.67, 2.0]
    """
    _, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
    return (len(y) / (len(counts) * counts[inverse])).astype(np.float32)


# ---- targets ---------------------------------------------------------------------------------


def targets(y: np.ndarray, classes: int, smoothing: float = 0.0) -> np.ndarray:
    """One-hot targets (clips, classes): ``(1 - smoothing) one_hot + smoothing / classes``.

    >>> targets(np.array([1]), 2, 0.1)
    array([[0.05, 0.95]], dtype=float32)
    """
    one_hot = np.eye(classes)[y]
    return ((1 - smoothing) * one_hot + smoothing / classes).astype(np.float32)


def compounded(
    y: np.ndarray, classes: int, smoothing: float, trained_on: list[np.ndarray]
) -> list[np.ndarray]:
    """Targets of each fold, where every fold smooths its training clips in one array, in place.

    A clip that fold 3 trains on, and the two before it did, is smoothed three times there.

    Parameters
    ----------
    y : ndarray, shape (clips,), int
        Their classes.
    classes : int
    smoothing : float
    trained_on : list of ndarray of int
        Training clips of each fold, in the order of the folds.

    Returns
    -------
    list of ndarray, shape (clips, classes), float32
        One for each fold.

    Examples
    --------
    >>> y, both = np.array([0, 0]), np.array([0, 1])
    >>> compounded(y, 2, 0.1, [both, both[:1], both])[2].astype(float).round(4).tolist()
    [[0.8645, 0.1355], [0.905, 0.095]]
    """
    smoothed, found = np.eye(classes)[y], []
    for rows in trained_on:
        smoothed[rows] = (1 - smoothing) * smoothed[rows] + smoothing / classes
        found.append(smoothed.astype(np.float32))
    return found
