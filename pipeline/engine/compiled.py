"""One network's training epoch and prediction, compiled once and shared by all folds.

The state of a fold is plain arrays: ``weights``, ``other`` (running statistics, dropout state) and
the optimiser's ``slots``. ``epoch`` and ``predict`` are pure functions of it, so that folds run
at the same time in threads on one compiled program, or stacked in one (JAX).
"""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from pipeline.engine.objectives import Optimiser
from pipeline.engine.program import Program


def program(
    model: keras.Model, objective: Callable, measures: int, optimiser: Optimiser, batch: int
) -> Program:
    """Compile a network for the backend that computes.

    Parameters
    ----------
    model : keras.Model
        What ``predict`` asks; its variables are the state's.
    objective : callable
        ``(weights, other, x, targets, draws) -> (loss, (other, sums))``, a pure function: the mean
        loss of a batch, the statistics after it, and ``sums (measures,)`` over its clips.
    measures : int
    optimiser : Optimiser
    batch : int
        Clips of a step.
    """
    if keras.config.backend() == "jax":
        from pipeline.engine import jax_program as backend
    else:
        from pipeline.engine import tensorflow_program as backend
    return backend.program(model, objective, measures, optimiser, batch)


def divide(model: keras.Model) -> tuple[keras.Model | None, keras.Model]:
    """Divide a network into what is not trained and what is, over the same variables.

    What comes ahead of a layer named ``stem``, up to it, gives the same for a clip in every epoch
    and fold if nothing of it is trained: computing it once is enough. Else the first is None and
    the second all of the network.
    """
    if "stem" in {layer.name for layer in model.layers}:
        stem = keras.Model(model.inputs, model.get_layer("stem").output)
        if not stem.trainable_variables:
            return stem, keras.Model(stem.outputs, model.output)
    return None, model


def start(model: keras.Model, optimiser: Optimiser) -> dict:
    """State of a fold whose weights are those of a fresh model, as numpy arrays."""
    weights = [ops.convert_to_numpy(v.value) for v in model.trainable_variables]
    other = [ops.convert_to_numpy(v.value) for v in model.non_trainable_variables]
    return {"weights": weights, "other": other, "slots": optimiser.start(weights)}


def own(state: dict) -> dict:
    """What of a state the compiled functions know."""
    return {key: state[key] for key in ("weights", "other", "slots")}


def assign(model: keras.Model, state: dict) -> None:
    """Set a model to the weights and statistics of a state."""
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    for variable, value in zip(variables, [*state["weights"], *state["other"]], strict=True):
        variable.assign(value)


def stacked(states: list[dict]) -> dict:
    """One state out of several, with an axis for folds and seeds first; a single one as it is."""
    if len(states) == 1:
        return states[0]
    return keras.tree.map_structure(lambda *leaves: np.stack(leaves), *states)


def member(state: dict, i: int, count: int) -> dict:
    """State of one fold and seed out of a stack; the state itself if there is one alone."""
    return state if count == 1 else keras.tree.map_structure(lambda leaf: leaf[i], state)


def copied(state: dict) -> dict:
    """Copy a state from the device."""
    return keras.tree.map_structure(np.array, state)


def without_softmax(model: keras.Model) -> keras.Model:
    """Network of the same variables in the same order that gives logits, which cannot saturate.

    Keras takes the logarithm of probabilities no lower than 1e-7: where a network is sure and
    wrong, the gradient is zero. (On TensorFlow it goes back to the logits by itself.)
    """

    def same(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if layer is model.layers[-1] and config.get("activation") == "softmax":
            config["activation"] = "linear"
        return type(layer).from_config(config)

    return keras.models.clone_model(model, clone_function=same)


def reordered(model: keras.Model) -> keras.Model:
    """Network with its axes in the order that is fastest to train (`pipeline.engine.frames_last`).

    Weights come in the order of the other's; on TensorFlow and on a GPU it is the network itself.
    """
    if keras.config.backend() == "jax":
        import jax

        if jax.default_backend() == "cpu":
            from pipeline.engine import frames_last

            return frames_last.reordered(model)
    return model
