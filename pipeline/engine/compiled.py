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

from pipeline.engine.objectives import Optimiser, whole


class Program(NamedTuple):
    """Compiled functions of one network.

    Attributes
    ----------
    put : callable
        ``array -> array`` on the device.
    prepare : callable
        ``(state, x, targets, sizes) -> None``: compile steps over batches of these sizes out of
        an ``x`` of this shape.
    epoch : callable
        ``(state, x, targets, order, draws) -> (state, loss, hits)``: an optimiser step for every
        batch of ``order``, which indexes ``x (clips, ...)`` and ``targets (clips, classes)``; the
        last batch may be smaller; loss and hits are sums over the clips. ``draws (order, 4)``, 0 to
        1, say where each clip is masked.
    stacked_epoch : callable or None
        The same for several folds at once: all but x with a first axis of folds.
    predict : callable
        ``(state, x) -> (clips, classes)``.
    """

    put: Callable
    prepare: Callable
    epoch: Callable
    stacked_epoch: Callable | None
    predict: Callable


def program(
    model: keras.Model, loss: Callable, optimiser: Optimiser, batch: int, mask: Callable = whole
) -> Program:
    """Compile a network for the backend at hand; ``mask(x, draws)`` alters what it learns from."""
    make = {"jax": _jax, "tensorflow": _tensorflow}[keras.config.backend()]
    return make(_objective(model, loss, mask), model, optimiser, batch)


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


def _objective(model: keras.Model, loss: Callable, mask: Callable) -> Callable:
    """Mean loss of a batch as a pure function of the weights, and what else came of it."""
    network = _without_softmax(model)

    def objective(weights: list, other: list, x, targets, draws):
        outputs, other, penalties = network.stateless_call(
            weights, other, mask(x, draws), training=True, return_losses=True
        )
        value = ops.mean(loss(targets, outputs)) + sum(penalties)
        hits = ops.equal(ops.argmax(outputs, axis=-1), ops.argmax(targets, axis=-1))
        return value, (other, ops.sum(ops.cast(hits, "float32")))

    return objective


def _without_softmax(model: keras.Model) -> keras.Model:
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


def _jax(objective: Callable, model: keras.Model, optimiser: Optimiser, batch: int) -> Program:
    """XLA programs, one for each size of batch."""
    import jax

    differentiate = jax.value_and_grad(objective, has_aux=True)

    def step(carry: tuple, x, targets, rows, draws):
        state, total, correct = carry
        (value, (other, hits)), gradients = differentiate(
            state["weights"], state["other"], x[rows], targets[rows], draws
        )
        slots, weights = optimiser.update(state["slots"], gradients, state["weights"])
        state = {"weights": weights, "other": other, "slots": slots}
        return state, total + value * len(rows), correct + hits

    def scanned(state: dict, x, targets, order, draws):
        full = len(order) // batch * batch
        carry = (state, 0.0, 0.0)
        carry, _ = jax.lax.scan(
            lambda carry, some: (step(carry, x, targets, *some), None),
            carry,
            (order[:full].reshape(-1, batch), draws[:full].reshape(-1, batch, 4)),
        )
        if full == len(order):
            return carry
        return step(carry, x, targets, order[full:], draws[full:])

    steps: dict[tuple, Callable] = {}  # by clips of x and of the batch
    compiler = jax.jit(step)

    def prepare(state: dict, x, targets, sizes: Iterable[int]) -> None:
        zero = np.float32(0)
        sizes = sorted(set(sizes))
        shapes = [(np.zeros(size, np.int32), np.zeros((size, 4), np.float32)) for size in sizes]
        lowered = [compiler.lower((state, zero, zero), x, targets, *some) for some in shapes]
        with ThreadPoolExecutor() as pool:  # compiling leaves the interpreter free
            compiled = pool.map(lambda program: program.compile(), lowered)
        steps.update(((len(x), size), f) for size, f in zip(sizes, compiled, strict=True))

    def stepwise(state: dict, x, targets, order, draws):
        carry = (state, np.float32(0), np.float32(0))
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
    objective: Callable, model: keras.Model, optimiser: Optimiser, batch: int
) -> Program:
    """Graphs; any size of batch runs in one trace."""
    import tensorflow as tf

    def step(carry: tuple, x, targets, draws):
        state, total, correct = carry
        with tf.GradientTape() as tape:
            tape.watch(state["weights"])
            value, (other, hits) = objective(state["weights"], state["other"], x, targets, draws)
        gradients = tape.gradient(value, state["weights"])
        slots, weights = optimiser.update(state["slots"], gradients, state["weights"])
        stepped = {"weights": weights, "other": other, "slots": slots}
        for new, old in zip(tf.nest.flatten(stepped), tf.nest.flatten(state), strict=True):
            new.set_shape(old.shape)  # of a gradient that was summed it may be forgotten
        return stepped, total + value * tf.cast(tf.shape(x)[0], "float32"), correct + hits

    @tf.function(reduce_retracing=True)
    def epoch(state: dict, x, targets, order, draws):
        def body(first, carry):
            rows, some = order[first : first + batch], draws[first : first + batch]
            return first + batch, step(carry, tf.gather(x, rows), tf.gather(targets, rows), some)

        def more(first, _):
            return first < tf.shape(order)[0]

        return tf.while_loop(more, body, (0, (state, 0.0, 0.0)), parallel_iterations=1)[1]

    @tf.function(reduce_retracing=True)
    def predict(state: dict, x):
        return model.stateless_call(state["weights"], state["other"], x, training=False)[0]

    def prepare(state: dict, x, targets, sizes: Iterable[int]) -> None:
        anything = tf.TensorSpec([None], tf.int32), tf.TensorSpec([None, 4], tf.float32)
        epoch.get_concrete_function(state, x, targets, *anything)

    return Program(tf.constant, prepare, epoch, None, predict)
