"""A network compiled by TensorFlow: graphs, in which any size of batch runs in one trace."""

from collections.abc import Callable, Iterable

import keras
import tensorflow as tf

from pipeline.engine.objectives import Optimiser
from pipeline.engine.program import Program


def program(
    model: keras.Model, objective: Callable, measures: int, optimiser: Optimiser, batch: int
) -> Program:
    """Compile a network.

    Parameters
    ----------
    model : keras.Model
    objective : callable
    measures : int
    optimiser : Optimiser
    batch : int
        All as `compiled.program` takes them.
    """

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

    return Program(batch, put, prepare, epoch, None, predict)
