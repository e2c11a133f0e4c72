"""What is minimised, and how: losses, targets and optimisers by the names that models use."""

import keras
import numpy as np

LOSSES = {"cross_entropy": keras.losses.CategoricalCrossentropy}
OPTIMISERS = {"adam": keras.optimizers.Adam}


def compile(model: keras.Model, training: dict) -> None:
    """Give a model its loss and its optimiser.

    Parameters
    ----------
    model : keras.Model
        Outputs probabilities (batch, classes).
    training : dict
        ``loss``, ``optimiser``, ``learning_rate``, ``beta_1``, ``beta_2``, ``epsilon``.
    """
    optimiser = OPTIMISERS[training["optimiser"]](
        learning_rate=training["learning_rate"],
        beta_1=training["beta_1"],
        beta_2=training["beta_2"],
        epsilon=training["epsilon"],
    )
    model.compile(optimizer=optimiser, loss=LOSSES[training["loss"]](), metrics=["accuracy"])
    optimiser.build(model.trainable_variables)


def targets(y: np.ndarray, classes: int, smoothing: float = 0.0) -> np.ndarray:
    """One-hot targets (clips, classes): ``(1 - smoothing) one_hot + smoothing / classes``.

    >>> targets(np.array([1]), 2, 0.1)
    array([[0.05, 0.95]], dtype=float32)
    """
    one_hot = np.eye(classes)[y]
    return ((1 - smoothing) * one_hot + smoothing / classes).astype(np.float32)
