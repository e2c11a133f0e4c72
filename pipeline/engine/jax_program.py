"""A network compiled by JAX: XLA programs, one for each size of batch."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import jax
import keras
import numpy as np

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
        batch=batch,
        put=jax.device_put,
        prepare=prepare if on_cpu else lambda *_: None,
        epoch=stepwise if on_cpu else jax.jit(scanned),
        stacked_epoch=jax.jit(stacked),
        predict=jax.jit(predict),
    )
