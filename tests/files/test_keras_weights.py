"""Weights read past Keras are those that Keras reads."""

import zipfile

import keras
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.files import keras_weights


def network(seed):
    """Build a network of layers in layers, of equal names and shapes, with a state of dropout."""
    keras.utils.set_random_seed(seed)
    inputs = x = keras.Input((6, 4))
    for _ in range(3):
        x = keras.layers.Conv1D(4, 2, padding="same")(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Dropout(0.5)(x)
    x = keras.layers.Bidirectional(keras.layers.GRU(3))(x)
    return keras.Model(inputs, keras.layers.Dense(2)(x))


def values(model):
    return [keras.ops.convert_to_numpy(variable.value) for variable in model.variables]


def test_every_variable_gets_its_own_array(tmp_path):
    model, path = network(0), tmp_path / "a.keras"
    rng = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    model.save(path)
    other = keras.models.model_from_json(keras_weights.config(path))
    places = keras_weights.places(path, other.load_weights, lambda: values(other))
    arrays = keras_weights.read(path, filter(None, places))
    assert len(arrays) == len(set(places) - {None}) == len([p for p in places if p is not None])
    for variable, place, wanted in zip(model.variables, places, values(model), strict=True):
        if "seed" in variable.path:
            assert place is None
        else:
            np.testing.assert_array_equal(arrays[place], wanted, strict=True)


def test_a_file_of_another_network_is_refused(tmp_path):
    network(0).save(tmp_path / "a.keras")
    with pytest.raises(InputError, match=r"a\.keras: not weights of Keras, or damaged \(.*'7'"):
        keras_weights.read(tmp_path / "a.keras", ["layers/dense/vars/7"])


@pytest.mark.parametrize("content", ["text", "other", "damaged"])
def test_what_is_no_file_of_keras_is_refused(tmp_path, content):
    path = tmp_path / "a.keras"
    if content == "text":
        path.write_text("no model")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            name = {"other": "a.txt", "damaged": "model.weights.h5"}[content]
            archive.writestr(name, b"no weights")
    wanted = "weights of Keras, or damaged" if content == "damaged" else "a model of this pipeline"
    with pytest.raises(
        InputError, match=rf"a\.keras: not {wanted}.*; (copy it again|run dvc repro)$"
    ):
        keras_weights.read(path, ["vars/0"])
