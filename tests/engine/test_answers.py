"""Answers of a network: in batches of one shape, so that a clip gets one answer."""

import keras
import numpy as np
import pytest

from pipeline.engine import answers
from tests.engine.made_up import COEFFICIENTS, FRAMES, LABELS, perceptron

pytestmark = pytest.mark.backends


@pytest.mark.parametrize("clips", [1, answers.BATCH, 2 * answers.BATCH + 2])
def test_every_clip_is_answered_in_order_whatever_its_batch(clips):
    model = perceptron(0)
    x = np.random.default_rng(0).normal(size=(clips, FRAMES, COEFFICIENTS)).astype(np.float32)
    found = answers.predict(model, x)
    assert (found.shape, found.dtype) == ((clips, len(LABELS)), np.float32)
    wanted = keras.ops.convert_to_numpy(model(x, training=False))
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(answers.predict(model, x[-1:]), found[-1:])  # to the last digit


def test_inner_values_come_with_the_same_answers_and_as_many_as_a_clip_has():
    model, clips = perceptron(0), answers.BATCH + 3
    x = np.random.default_rng(1).normal(size=(clips, FRAMES, COEFFICIENTS)).astype(np.float32)
    frames = keras.ops.reshape(model.inputs[0], (-1, COEFFICIENTS))
    found, inner = answers.both(keras.Model(model.inputs[0], [model.outputs[0], frames]), x)
    np.testing.assert_array_equal(found, answers.predict(model, x))
    np.testing.assert_array_equal(inner, x.reshape(-1, COEFFICIENTS))
