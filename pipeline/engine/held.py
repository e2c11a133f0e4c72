"""Networks held in memory for questions: the weights of several, and one program for them all.

A question is answered in batches of few sizes, so that nothing is compiled again for another number
of clips. `answers` asks in batches of one size, which is what evaluate does; the two differ in the
last digits, by less than 1e-6.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np

BATCH = 16  # clips that cost a CPU as little each as more would
ALONE = 8  # so many clips or fewer cost no more one by one than in a batch that is filled up


def hold(
    model: keras.Model, inner: keras.KerasTensor, weights: Mapping[str, Sequence[np.ndarray]]
) -> Callable[[str, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Hold the weights of networks of one shape.

    Parameters
    ----------
    model : keras.Model
        Network of their shape; its own weights have no part in answers.
    inner : keras.KerasTensor
        What the network makes on its way, and gives as well.
    weights : mapping
        By a name for each network its weights, in the order of ``model.variables``.

    Returns
    -------
    callable
        Function from a name and ``x (clips, frames, ...)``, float32, to answers (clips, outputs)
        and the inner values, as many of each clip as the network has, float32. Threads may call it
        at the same time. The first question of one clip, and the first of more than `ALONE`,
        compile.
    """
    both = keras.Model(model.inputs[0], [model.outputs[0], inner])
    program, put = _program(both)
    states = {name: put(_divided(model, both, held)) for name, held in weights.items()}
    compiled: set[int] = set()
    compiling = threading.Lock()

    def batch(name: str, x: np.ndarray) -> list[np.ndarray]:
        if len(x) not in compiled:
            with compiling:
                program(states[name], x)
                compiled.add(len(x))
        return [np.asarray(one) for one in program(states[name], x)]

    def ask(name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        full = len(x) // BATCH * BATCH
        parts = [batch(name, x[start : start + BATCH]) for start in range(0, full, BATCH)]
        rest = x[full:]
        if len(rest) <= ALONE:
            parts += [batch(name, rest[i : i + 1]) for i in range(len(rest))]
        else:
            padding = [(0, BATCH - len(rest))] + [(0, 0)] * (x.ndim - 1)
            # of each clip there may be several inner values
            parts.append([one[: len(one) // BATCH * len(rest)]
                          for one in batch(name, np.pad(rest, padding))])  # fmt: skip
        answers, inner = (np.concatenate(of_kind) for of_kind in zip(*parts, strict=True))
        return answers, inner

    return ask


def _divided(
    model: keras.Model, both: keras.Model, values: Sequence[np.ndarray]
) -> tuple[list, list]:
    """Weights in the order of a model's variables, as ``stateless_call`` of another takes them."""
    by_variable = {id(v): value for v, value in zip(model.variables, values, strict=True)}
    return (
        [by_variable[id(v)] for v in both.trainable_variables],
        [by_variable[id(v)] for v in both.non_trainable_variables],
    )


def _program(model: keras.Model) -> tuple[Callable, Callable]:
    """Give what answers ``(state, x)``, and compiles when it must, and what puts a state there."""

    def answer(state: tuple, x: Any) -> Any:
        return model.stateless_call(*state, x, training=False)[0]

    if keras.config.backend() == "jax":
        import jax

        return jax.jit(answer), jax.device_put
    import tensorflow as tf

    return tf.function(answer), lambda state: tf.nest.map_structure(tf.constant, state)
