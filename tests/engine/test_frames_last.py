"""Networks with frames last: what they compute is what the others do."""

import jax
import keras
import numpy as np
import pytest

from pipeline.engine import compiled, frames_last, objectives
from pipeline.models.tim_net import TRAINING
from tests.models import running

SHAPE, CLIPS, OUTPUTS = (3, 6), 16, 3  # fewer frames than the longest dilation
X = np.random.default_rng(0).normal(size=(CLIPS, *SHAPE)).astype(np.float32)


def trained(model, weights, other):
    """Answers, statistics after, and gradients of a step."""

    def loss(weights):
        y, after = model.stateless_call(weights, other, X, training=True)
        return (y**2 * X[:, :OUTPUTS, 0]).sum(), (y, after)

    (_, (y, after)), gradients = jax.jit(jax.value_and_grad(loss, has_aux=True))(weights)
    return y, after, gradients


def assert_same_step(model):
    """Check that a network is computed in another way, to the same values."""
    other = frames_last.reordered(model)
    assert other is not model
    assert [v.path.split("/")[-2:] for v in other.trainable_variables] == [
        v.path.split("/")[-2:] for v in model.trainable_variables
    ]
    state = compiled.start(model, objectives.optimiser(TRAINING))
    (y, after, gradients), (y2, after2, gradients2) = (
        trained(one, state["weights"], state["other"]) for one in (model, other)
    )
    np.testing.assert_allclose(y, y2, rtol=1e-4, atol=1e-5)
    for a, b in zip(after, after2, strict=True):
        np.testing.assert_allclose(np.asarray(a, float), np.asarray(b, float), rtol=1e-4, atol=1e-5)
    largest = max(np.abs(gradient).max() for gradient in gradients)  # a bias ahead of bn has none
    for a, b in zip(gradients, gradients2, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-4 * largest)


@pytest.mark.parametrize("name", ["tim_net", "gm_tcnet"])
def test_steps_of_networks_over_time_are_the_same(name):
    assert_same_step(running.build(name, SHAPE, OUTPUTS, blocks=3))  # dilations up to 4


def test_layers_that_mind_the_order_of_axes_keep_it():
    keras.utils.set_random_seed(0)
    inputs = keras.Input(SHAPE)
    x = keras.layers.Conv1D(4, 3, padding="causal", dilation_rate=2, name="causal")(inputs)
    x = keras.layers.BatchNormalization(name="bn")(x)
    twice = keras.layers.Conv1D(4, 1, name="twice")
    x = twice(twice(x))
    x = keras.layers.Activation("softmax", name="over_channels")(x)
    x = keras.layers.Conv1D(4, 3, padding="same", name="same")(x)
    x = keras.layers.Multiply(name="gate")([x, keras.layers.Conv1D(1, 1, name="narrow")(x)])
    x = keras.layers.LayerNormalization(name="ln")(x)
    x = keras.layers.Conv1D(5, 1, activation="relu", name="with_relu")(x)
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    x = keras.layers.BatchNormalization(name="bn_of_vectors")(x)
    model = keras.Model(inputs, keras.layers.Dense(OUTPUTS, name="head")(x))
    assert_same_step(model)
    kinds = {layer.name: type(layer).__module__ for layer in frames_last.reordered(model).layers}
    ours = {name for name, module in kinds.items() if module == frames_last.__name__}
    assert {"causal", "bn", "narrow", "mean"} <= ours
    assert ours.isdisjoint({"same", "over_channels", "ln", "with_relu", "bn_of_vectors"})


def test_a_network_that_gains_nothing_or_hides_frames_stays_itself():
    sequential = keras.Sequential([keras.Input(SHAPE), keras.layers.GlobalAveragePooling1D()])
    image = running.build("cpac", (50, 39), OUTPUTS)
    inputs = keras.Input(SHAPE)
    x = keras.layers.Masking()(keras.layers.Conv1D(4, 1)(inputs))
    masked = keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(x))
    for model in (sequential, image, masked):
        assert frames_last.reordered(model) is model


def test_on_a_gpu_the_network_stays_itself(monkeypatch):
    model = running.build("tim_net", SHAPE, OUTPUTS)
    assert compiled.reordered(model) is not model
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert compiled.reordered(model) is model
