"""Steps of the engine against Keras's own and the authors'; states, alone and stacked.

These are the tests of ``program``, ``jax_program`` and ``tensorflow_program`` as well: they are
marked and so run on both backends.
"""

from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.engine import compiled, emotions, objectives
from pipeline.models import tim_net
from pipeline.models.tim_net import network
from tests.engine.made_up import CLIPS, COEFFICIENTS, FRAMES, LABELS, TRAINING, clips, perceptron
from tests.models.running import outputs, values

pytestmark = pytest.mark.backends
GOLDEN = Path(__file__).parents[1] / "golden" / "timnet"


def small():
    """Build a small TIM-Net, the same each time."""
    shape = {"blocks": 1, "filters": 4, "dropout": 0.0}
    return network.build((FRAMES, COEFFICIENTS), len(LABELS), tim_net.Settings(**shape), 3)


def test_epochs_are_those_of_keras():
    x, y = clips()
    targets = objectives.targets(y, len(LABELS), 0.1)
    batch, order = 30, np.random.default_rng(1).permutation(CLIPS).astype(np.int32)
    settings = {
        key: getattr(TRAINING, key) for key in ("learning_rate", "beta_1", "beta_2", "epsilon")
    }
    optimiser = objectives.adam(**settings)
    ours, theirs = small(), small()
    program = emotions.program(ours, objectives.LOSSES["cross_entropy"], optimiser, batch)
    theirs.compile(keras.optimizers.Adam(**settings), "categorical_crossentropy")
    state, draws = compiled.start(ours, optimiser), np.zeros((CLIPS, 4), np.float32)
    losses, wanted = [], []
    for _ in range(3):
        state, (loss, _) = program.epoch(state, program.put(x), program.put(targets), order, draws)
        losses.append(float(loss))
        wanted.append(0.0)
        for first in range(0, CLIPS, batch):
            rows = order[first : first + batch]
            wanted[-1] += len(rows) * theirs.train_on_batch(x[rows], targets[rows])
            theirs.reset_metrics()
    np.testing.assert_allclose(losses, wanted, rtol=1e-6)
    assert losses[0] > losses[-1]
    compiled.assign(ours, state)
    start, found = values(network, small()), values(network, ours)
    for role, weights in values(network, theirs).items():
        if not role.endswith(("conv1.bias", "conv2.bias")):  # only rounding moves them
            way = np.abs(weights - start[role]).max()
            assert np.abs(found[role] - weights).max() < 1e-2 * way, role


def test_losses_of_the_authors_code():
    """Eight steps on one batch."""
    with np.load(GOLDEN / "steps_io.npz") as held:
        x, smoothed, wanted = held["X"], held["Ysmooth"], held["losses"]
    model = network.build(x.shape[1:], smoothed.shape[1], tim_net.Settings(dropout=0.0), 0)
    with np.load(GOLDEN / "steps_start.npz") as weights:
        network.set_weights(model, dict(weights))
    optimiser = objectives.optimiser(tim_net.TRAINING)
    loss = objectives.LOSSES[tim_net.TRAINING.loss]
    program = emotions.program(model, loss, optimiser, len(x))
    state, losses = compiled.start(model, optimiser), []
    order, draws = np.arange(len(x), dtype=np.int32), np.zeros((len(x), 4), np.float32)
    x, smoothed = program.put(x), program.put(smoothed)
    for _ in wanted:
        state, (value, _) = program.epoch(state, x, smoothed, order, draws)
        losses.append(float(value) / len(order))
    np.testing.assert_allclose(losses, wanted, rtol=1e-4)


def test_a_network_is_asked_with_the_weights_of_a_state():
    """Of a state that was started from another model, and assigned back to it."""
    x, model, other = clips()[0], perceptron(0), perceptron(1)
    optimiser = objectives.optimiser(TRAINING)
    program = emotions.program(model, objectives.LOSSES["cross_entropy"], optimiser, 30)
    state = compiled.start(other, optimiser)
    wanted = outputs(other, x)
    np.testing.assert_allclose(program.predict(state, program.put(x)), wanted, atol=1e-6)
    assert np.abs(outputs(model, x) - wanted).max() > 1e-3
    compiled.assign(model, state)
    np.testing.assert_allclose(outputs(model, x), wanted, atol=1e-6)


def test_states_are_stacked_and_come_apart_again():
    states = [{"weights": [np.full((2, 3), i)], "slots": {"rate": np.float32(i)}} for i in range(3)]
    both = compiled.stacked(states)
    assert both["weights"][0].shape == (3, 2, 3)
    for i, state in enumerate(states):
        found = compiled.copied(compiled.member(both, i, 3))
        np.testing.assert_array_equal(found["weights"][0], state["weights"][0])
        assert found["slots"]["rate"] == state["slots"]["rate"]
    assert compiled.stacked(states[:1]) is states[0]
    assert compiled.member(states[0], 0, 1) is states[0]


def test_logits_are_the_network_without_its_last_softmax():
    model, x = perceptron(0), clips()[0]
    logits = compiled.without_softmax(model)
    assert [v.shape for v in logits.variables] == [v.shape for v in model.variables]
    compiled.assign(logits, compiled.start(model, objectives.optimiser(TRAINING)))
    powers = np.exp(outputs(logits, x))
    found = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, outputs(model, x), atol=1e-6)


def test_a_network_is_divided_behind_what_is_not_trained():
    inputs = keras.Input((4,))
    stem = keras.layers.Dense(3, trainable=False, name="stem")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name="head")(stem))
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    before, after = compiled.divide(model)
    found = after.predict_on_batch(before.predict_on_batch(x))
    np.testing.assert_allclose(found, outputs(model, x), atol=1e-6)
    assert len(after.trainable_variables) == len(model.trainable_variables) == 2
    assert not before.trainable_variables
    model.get_layer("stem").trainable = True
    assert compiled.divide(model) == (None, model)
