"""Held networks: each answers with its own weights, in batches of any number of clips."""

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from pipeline.engine import answers, held
from tests.engine.made_up import COEFFICIENTS, FRAMES, LABELS, perceptron

pytestmark = pytest.mark.backends


def weights(model):
    return [keras.ops.convert_to_numpy(variable.value) for variable in model.variables]


def hold(networks):
    model = perceptron(7)
    held_weights = {name: weights(one) for name, one in networks.items()}
    return held.hold(model, model.get_layer("head").input, held_weights)


@pytest.fixture(scope="module")
def networks():
    return {name: perceptron(seed) for seed, name in enumerate(("first", "second"))}


@pytest.fixture(scope="module")
def ask(networks):
    return hold(networks)


def clips(count):
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, FRAMES, COEFFICIENTS)).astype(np.float32)


@pytest.mark.parametrize("count", [1, held.ALONE, held.ALONE + 1, held.BATCH, 2 * held.BATCH + 2])
def test_each_network_answers_with_its_own_weights(networks, ask, count):
    found = {name: ask(name, clips(count)) for name in networks}
    for name, model in networks.items():
        answer, inner = found[name]
        assert (answer.shape, answer.dtype) == ((count, len(LABELS)), np.float32)
        wanted = answers.predict(model, clips(count))
        np.testing.assert_allclose(answer, wanted, rtol=0, atol=1e-6)
        ahead = keras.Model(model.input, model.get_layer("head").input)
        np.testing.assert_allclose(inner, answers.predict(ahead, clips(count)), atol=1e-5)
    assert np.abs(found["first"][0] - found["second"][0]).max() > 1e-3


def test_threads_ask_at_the_same_time(networks):
    ask = hold(networks)
    questions = [(name, clips(count)) for count in (1, 20) for name in networks] * 8
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda question: ask(*question), questions))
    for question, answer in zip(questions, found, strict=True):
        for one, again in zip(answer, ask(*question), strict=True):
            np.testing.assert_array_equal(one, again)


def test_layers_one_after_another_are_held_too():
    layers = [keras.Input((FRAMES, COEFFICIENTS)), keras.layers.Flatten()]
    built = keras.Sequential([*layers, keras.layers.Dense(4), keras.layers.Dense(2, name="head")])
    model = keras.models.model_from_json(built.to_json())  # as it is read, it was never called
    ask = held.hold(model, model.get_layer("head").input, {"one": weights(built)})
    answer, inner = ask("one", clips(3))
    np.testing.assert_allclose(answer, answers.predict(built, clips(3)), rtol=0, atol=1e-5)
    assert inner.shape == (3, 4)
