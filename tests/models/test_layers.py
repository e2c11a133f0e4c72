"""Initialisers and weight setting."""

import keras
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.models import layers


def draw(initializer, shape):
    """Draw as numpy."""
    return keras.ops.convert_to_numpy(initializer(shape))


def test_uniform_fills_its_range():
    x = draw(layers.Uniform(0.05, seed=7), (100, 100))
    assert x.dtype == np.float32
    assert 0.0499 < np.abs(x).max() <= 0.05
    assert abs(x.mean()) < 1e-3
    np.testing.assert_array_equal(x, draw(layers.Uniform(0.05, seed=7), (100, 100)))


@pytest.mark.parametrize("shape", [(300, 100), (2, 120, 60), (3, 3, 40, 80)])
def test_glorot_spreads_as_keras_does(shape):
    x = draw(layers.GlorotUniform(seed=7), shape)
    oracle = draw(keras.initializers.GlorotUniform(seed=7), shape)
    np.testing.assert_allclose(x.std(), oracle.std(), rtol=0.02)
    np.testing.assert_allclose(np.abs(x).max(), np.abs(oracle).max(), rtol=0.002)


def test_initializers_survive_their_configuration():
    for initializer in (layers.Uniform(0.05, seed=7), layers.GlorotUniform(seed=7)):
        config = keras.saving.serialize_keras_object(initializer)
        again = keras.saving.deserialize_keras_object(config)
        np.testing.assert_array_equal(draw(again, (4, 5)), draw(initializer, (4, 5)))


def test_reverse_turns_time_alone():
    x = np.arange(6, dtype=np.float32).reshape(1, 3, 2)
    y = keras.ops.convert_to_numpy(layers.ReverseTime()(x))
    np.testing.assert_array_equal(y, [[[4, 5], [2, 3], [0, 1]]])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"a": np.ones(2)}, "weights: 1 missing, the first b"),
        ({"a": np.ones(2), "b": np.ones(3), "c": np.ones(1)}, "1 the model has no place for, as c"),
        ({"a": np.ones(2), "b": np.ones(2)}, r"b: found shape \(2,\), the model has \(3,\)"),
    ],
)
def test_assign_sets_all_or_nothing(weights, message):
    variables = {"a": keras.Variable(np.zeros(2)), "b": keras.Variable(np.zeros(3))}
    with pytest.raises(InputError, match=message):
        layers.assign(variables, weights)
    assert not variables["a"].numpy().any()


def test_assign_sets_each_role():
    variables = {"a": keras.Variable(np.zeros(2)), "b": keras.Variable(np.zeros(3))}
    layers.assign(variables, {"b": np.full(3, 2.0), "a": np.full(2, 1.0)})
    np.testing.assert_array_equal(variables["a"].numpy(), [1, 1])
    np.testing.assert_array_equal(variables["b"].numpy(), [2, 2, 2])
