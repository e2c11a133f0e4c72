"""What every network promises, for any file in ``pipeline/models``.

Of classical models, tests/engine/test_classical.py asks the same.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline import models
from pipeline.errors import InputError
from tests.models import running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NAMES = [name for name in models.names() if not models.facts(name).classical]
FRAMES = (40, 56)
TRAILING_AXES = [(16,), (39,), (16, 1), (16, 16, 3)]
# where the network of the defaults takes minutes
QUICK = {"dcnn_blstm": {"cnn": "small", "units": 32, "dense": (32,)}}
RATES = {"deep_emo_cluster": 1e-3}  # where 1e-2 is too much
# capsules squash what is far below the size of MFCCs to nothing, and learn slowly under dropout
LEVELS = {"cpac": 30}
SURE = {"cpac": {"dropout": 0, "head_dropout": 0}}
OUTPUTS = 3


def build(name, frames=FRAMES[0], **settings):
    """Build a model for the first of the shapes above whose rank it takes."""
    refusals = []
    for axes in TRAILING_AXES:
        try:
            return running.build(name, (frames, *axes), OUTPUTS, **QUICK.get(name, {}), **settings)
        except InputError as error:
            refusals.append(str(error))
    pytest.fail("; ".join(refusals))


def clips(model, count):
    """Draw made-up clips for a model."""
    shape = (count, *model.input_shape[1:])
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def outputs(model):
    """Run a model on two clips."""
    return model.predict_on_batch(clips(model, 2))


@pytest.fixture(scope="module")
def built():
    """Build every model once."""
    return {name: build(name) for name in NAMES}


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """First outputs of all models on the other backend, from one process of its own."""
    path = tmp_path_factory.mktemp("elsewhere") / "outputs.npz"
    other = "tensorflow" if keras.backend.backend() == "jax" else "jax"
    environment = os.environ | {"KERAS_BACKEND": other, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, __file__, path], env=environment, check=True)
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", NAMES)
def test_output_shape_at_two_lengths(built, name):
    assert built[name].output_shape == (None, OUTPUTS)
    longer = build(name, FRAMES[1])
    assert longer.output_shape == (None, OUTPUTS)
    y = outputs(longer)
    assert y.shape == (2, OUTPUTS)
    assert np.isfinite(y).all()


@pytest.mark.parametrize("name", NAMES)
def test_saved_and_loaded_is_the_same(built, name, tmp_path):
    built[name].save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.to_json() == built[name].to_json()
    np.testing.assert_array_equal(outputs(loaded), outputs(built[name]))


@pytest.mark.parametrize("name", NAMES)
def test_seed_decides_the_first_weights(built, name):
    first, again, other = (
        [weight.numpy() for weight in model.weights]
        for model in (built[name], build(name, seed=0), build(name, seed=1))
    )
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_steps_lower_the_loss_on_eight_clips(name):
    model = build(name, **SURE.get(name, {}))
    x = clips(model, 8) * LEVELS.get(name, 1)
    y = np.eye(OUTPUTS, dtype=np.float32)[np.arange(8) % OUTPUTS]
    optimiser = keras.optimizers.Adam(RATES.get(name, 1e-2))
    model.compile(optimiser, "mean_squared_error")
    losses = model.fit(x, y, batch_size=8, epochs=8, shuffle=False, verbose=0).history["loss"]
    assert losses[-1] < 0.98 * losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_first_outputs_are_the_same_on_another_backend(built, elsewhere, name):
    np.testing.assert_allclose(elsewhere[name], outputs(built[name]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_no_backend_is_named(name):
    imported = set()
    for path in (ROOT / "pipeline" / "models" / name).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.split(".")[0])
    assert not imported & {"tensorflow", "jax", "torch"}


@pytest.mark.parametrize("name", NAMES)
def test_what_was_published_says_of_what_and_where(name):
    for row in models.facts(name).published:
        assert {"corpus", "protocol", "source"} <= row.keys()


if __name__ == "__main__":  # run by the fixture elsewhere
    np.savez(sys.argv[1], **{name: outputs(build(name)) for name in NAMES})
