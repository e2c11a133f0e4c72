"""XLA against its own operations one by one: compiling a program must not change what it gives.

Each is run in a process of its own, set up as a training is; a fault may end it.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline import models

ROOT = Path(__file__).parents[2]
SHAPES = [(215, 39), (7, 62, 32), (3, 32, 32, 3)]  # the first that a network takes
CLIPS, OUTPUTS = 33, 3
NETWORKS = [name for name in models.names() if not models.facts(name).classical]
SMALL = {
    "dcnn_blstm": {"cnn": "small", "units": 16, "dense": (16,)},
    "gm_tcnet": {"blocks": 2},
    "tim_net": {"blocks": 2},
}


@pytest.fixture
def run(environment):
    """Give ``run(name, *arguments)``: what a function of this file returns in a new process."""

    def in_new_process(name, *arguments):
        done = subprocess.run(
            [sys.executable, __file__, name, *map(str, arguments)],
            env=environment | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{done.returncode} {done.stderr}"
        return json.loads(done.stdout.splitlines()[-1])

    return in_new_process


@pytest.mark.parametrize(("dtype", "rows"), [("float64", 16385), ("float32", 32769)])
def test_the_last_row_of_many(run, dtype, rows):
    """jax issue 39103: 2 ** 28 or 2 ** 30 here, less where it is wrong."""
    assert run("squares", dtype, rows) == [float((rows - 1) ** 2)] * 2


@pytest.mark.parametrize("program", ["degenerate", "observations"])
def test_products_of_many_axes(run, program):
    """jax issues 40412 and 39257, which end the process on some processors."""
    found, wanted = run(program)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_of_every_network(run, name):
    found = run("gradients", name)
    assert found["compiled loss"] == pytest.approx(found["loss"], rel=1e-5)
    assert max(found["ways"]) > 0
    whole = np.linalg.norm(found["ways"])
    for way, difference in zip(found["ways"], found["differences"], strict=True):
        assert difference < 5e-3 * way + 1e-5 * whole


# ---- in the new process ----------------------------------------------------------------------


def squares(dtype, rows):
    """Square and sum the rows (i, 0, 0) after a product with the unit matrix; give the last."""
    import jax

    jax.config.update("jax_enable_x64", True)
    x = np.zeros((int(rows), 3), dtype)
    x[:, 0] = np.arange(int(rows))
    unit = np.eye(3, dtype=dtype)

    def program(x):
        return jax.vmap(lambda row: jax.numpy.sum((unit @ row) ** 2))(x)

    return [float(jax.jit(program)(x)[-1]), float(program(jax.numpy.asarray(x))[-1])]


def degenerate():
    """Multiply and sum along an axis, where another is of length one."""
    a, b = np.random.default_rng(0).normal(size=(2, 3, 1, 2, 2, 8, 8, 8)).astype(np.float32)
    return _first_and_sum(lambda a, b: (a * b).sum(axis=3), a, b)


def observations():
    """Multiply a few axes with many and sum along one of them."""
    a, b = np.ones((10, 4, 6), np.float32), np.ones((10, 4, 6, 9, 9, 9, 9, 9), np.float32)
    return _first_and_sum(lambda a, b: (a[..., None, None, None, None, None] * b).sum(axis=2), a, b)


def _first_and_sum(program, a, b):
    import jax

    given = jax.numpy.asarray(a), jax.numpy.asarray(b)
    results = np.asarray(jax.jit(program)(*given)), np.asarray(program(*given))
    return [[float(np.abs(found).sum()), float(np.abs(found[0, 0]).max())] for found in results]


def gradients(name):
    """Norms of each weight's gradient, of what compiling changes in it, and the two losses."""
    import jax

    from pipeline.engine import compiled, objectives
    from pipeline.errors import InputError
    from tests.models import running

    for shape in SHAPES:
        try:
            model = running.build(name, shape, OUTPUTS, **SMALL.get(name, {}))
            break
        except InputError:
            continue
    model = compiled.reordered(compiled.without_softmax(model))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(CLIPS, *shape)).astype(np.float32)
    targets = objectives.targets(rng.integers(OUTPUTS, size=CLIPS), OUTPUTS)

    def loss(weights, other):
        outputs, _ = model.stateless_call(weights, other, x, training=True)
        return jax.numpy.mean(objectives.cross_entropy(targets, outputs))

    weights = [v.value for v in model.trainable_variables]
    other = [v.value for v in model.non_trainable_variables]
    differentiate = jax.value_and_grad(loss)
    wanted, eager = differentiate(weights, other)
    found, fused = jax.jit(differentiate)(weights, other)
    return {
        "loss": float(wanted),
        "compiled loss": float(found),
        "ways": [float(np.linalg.norm(e)) for e in eager],
        "differences": [float(np.linalg.norm(e - f)) for e, f in zip(eager, fused, strict=True)],
    }


if __name__ == "__main__":
    from pipeline.engine import backend

    backend.choose("jax")
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
