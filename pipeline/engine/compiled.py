"""One network's training epoch and prediction, compiled once and shared by all folds.

The state of a fold is plain arrays: ``weights``, ``other`` (running statistics, dropout state) and
the optimiser's ``slots``. ``epoch`` and ``predict`` are pure functions of it, so that folds run
beside each other in threads on one compiled program, or stacked in one (JAX).
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from pipeline.engine.objectives import Optimiser


class Program(NamedTuple):
    """Compiled functions of one network.

    Attributes
    ----------
    put : callable
        ``arrays -> arrays`` on the device: one, or a dictionary of them.
    prepare : callable
        ``(state, x, targets, draws, sizes) -> None``: compile steps over batches of these sizes out
        of an ``x`` of this shape.
    epoch : callable
        ``(state, x, targets, order, draws) -> (state, sums)``: an optimiser step for every batch of
        ``order``, which indexes ``x (clips, ...)`` and ``targets``, each ``(clips, ...)``; the last
        batch may be smaller. ``draws (order, ...)`` are what the objective takes for each place of
        the order; ``sums (measures,)`` what it measured, the loss first, summed over the clips.
    stacked_epoch : callable or None
        The same for several folds at once: all but x with a first axis of folds.
    predict : callable
        ``(state, x) ->`` what the network gives, ``(clips, ...)``.
    """

    put: Callable
    prepare: Callable
    epoch: Callable
    stacked_epoch: Callable | None
    predict: Callable


def program(
    model: keras.Model, objective: Callable, measures: int, optimiser: Optimiser, batch: int
) -> Program:
    """Compile a network for the backend at hand.

    Parameters
    ----------
    model : keras.Model
        What ``predict`` asks; its variables are the state's.
    objective : callable
        ``(weights, other, x, targets, draws) -> (loss, (other, sums))``, a pure function: the mean
        loss of a batch, the statistics behind it, and ``sums (measures,)`` over its clips.
    measures : int
    optimiser : Optimiser
    batch : int
        Clips of a step.
    """
    make = {"jax": _jax, "tensorflow": _tensorflow}[keras.config.backend()]
    return make(objective, measures, model, optimiser, batch)


def divide(model: keras.Model) -> tuple[keras.Model | None, keras.Model]:
    """Part a network into what is not trained and what is; the two share its variables.

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


def assign(model: keras.Model, state: dict) -> None:
    """Set a model to the weights and statistics of a state."""
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    for variable, value in zip(variables, [*state["weights"], *state["other"]], strict=True):
        variable.assign(value)


def without_softmax(model: keras.Model) -> keras.Model:
    """Network of the same variables in the same order that gives logits, which cannot saturate.

    Keras takes the logarithm of probabilities no lower than 1e-7: where a network is sure and
    wrong, nothing is learnt. (On TensorFlow it goes back to the logits by itself.)
    """

    def same(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        if layer is model.layers[-1] and config.get("activation") == "softmax":
            config["activation"] = "linear"
        return type(layer).from_config(config)

    return keras.models.clone_model(model, clone_function=same)


def _jax(
    objective: Callable, measures: int, model: keras.Model, optimiser: Optimiser, batch: int
) -> Program:
    """XLA programs, one for each size of batch."""
    import jax

    differentiate = jax.value_and_grad(objective, has_aux=True)

    def step(carry: tuple, x, targets, rows, draws):
        state, sums = carry
        (_, (other, more)), gradients = differentiate(
            state["weights"],
            state["other"],
            x[rows],
            jax.tree.map(lambda target: target[rows], targets),
            draws,
        )
        slots, weights = optimiser.update(state["slots"], gradients, state["weights"])
        return {"weights": weights, "other": other, "slots": slots}, sums + more

    def scanned(state: dict, x, targets, order, draws):
        full = len(order) // batch * batch
        carry = (state, np.zeros(measures, np.float32))
        batches = [part[:full].reshape(-1, batch, *part.shape[1:]) for part in (order, draws)]
        carry, _ = jax.lax.scan(
            lambda carry, some: (step(carry, x, targets, *some), None), carry, tuple(batches)
        )
        if full == len(order):
            return carry
        return step(carry, x, targets, order[full:], draws[full:])

    steps: dict[tuple, Callable] = {}  # by clips of x and of the batch
    compiler = jax.jit(step)

    def prepare(state: dict, x, targets, draws, sizes: Iterable[int]) -> None:
        sizes, carry = sorted(set(sizes)), (state, np.zeros(measures, np.float32))
        shapes = [(np.zeros(size, np.int32), np.resize(draws, (size, *draws.shape[1:])))
                  for size in sizes]  # fmt: skip
        lowered = [compiler.lower(carry, x, targets, *some) for some in shapes]
        with ThreadPoolExecutor() as pool:  # compiling leaves the interpreter free
            compiled = pool.map(lambda program: program.compile(), lowered)
        steps.update(((len(x), size), f) for size, f in zip(sizes, compiled, strict=True))

    def stepwise(state: dict, x, targets, order, draws):
        carry = (state, np.zeros(measures, np.float32))
        for first in range(0, len(order), batch):
            rows, some = order[first : first + batch], draws[first : first + batch]
            carry = steps.get((len(x), len(rows)), compiler)(carry, x, targets, rows, some)
        return carry

    def predict(state: dict, x):
        return model.stateless_call(state["weights"], state["other"], x, training=False)[0]

    # XLA's loops run convolutions ten times slower on a CPU; on a GPU they save the launches.
    on_cpu = jax.default_backend() == "cpu"
    stacked = jax.vmap(scanned, in_axes=(0, None, 0, 0, 0))
    return Program(
        put=jax.device_put,
        prepare=prepare if on_cpu else lambda *_: None,
        epoch=stepwise if on_cpu else jax.jit(scanned),
        stacked_epoch=jax.jit(stacked),
        predict=jax.jit(predict),
    )


def _tensorflow(
    objective: Callable, measures: int, model: keras.Model, optimiser: Optimiser, batch: int
) -> Program:
    """Graphs; any size of batch runs in one trace."""
    import tensorflow as tf

    def put(arrays):
        return tf.nest.map_structure(tf.constant, arrays)

    def step(carry: tuple, x, targets, draws):
        state, sums = carry
        with tf.GradientTape() as tape:
            tape.watch(state["weights"])
            value, (other, more) = objective(state["weights"], state["other"], x, targets, draws)
        gradients = tape.gradient(value, state["weights"], unconnected_gradients="zero")
        slots, weights = optimiser.update(state["slots"], gradients, state["weights"])
        stepped = {"weights": weights, "other": other, "slots": slots}
        for new, old in zip(tf.nest.flatten(stepped), tf.nest.flatten(state), strict=True):
            new.set_shape(old.shape)  # of a gradient that was summed it may be forgotten
        return stepped, sums + more

    @tf.function(reduce_retracing=True)
    def epoch(state: dict, x, targets, order, draws):
        def body(first, carry):
            rows, some = order[first : first + batch], draws[first : first + batch]
            here = tf.nest.map_structure(lambda target: tf.gather(target, rows), targets)
            return first + batch, step(carry, tf.gather(x, rows), here, some)

        def more(first, _):
            return first < tf.shape(order)[0]

        carry = (0, (state, tf.zeros(measures)))
        return tf.while_loop(more, body, carry, parallel_iterations=1)[1]

    @tf.function(reduce_retracing=True)
    def predict(state: dict, x):
        return model.stateless_call(state["weights"], state["other"], x, training=False)[0]

    def prepare(state: dict, x, targets, draws, sizes: Iterable[int]) -> None:
        some = tf.TensorSpec([None, *draws.shape[1:]], draws.dtype)
        epoch.get_concrete_function(state, x, targets, tf.TensorSpec([None], tf.int32), some)

    return Program(put, prepare, epoch, None, predict)
