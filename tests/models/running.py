"""Models and their weights as numpy arrays: what the tests of all networks need."""

import keras
import numpy as np

from pipeline import models
from pipeline.settings import read


def build(name, shape, outputs, *, seed=0, **settings):
    """Build a model with some settings other than its paper's."""
    record = read(models.facts(name).settings, settings, name)
    return models.network(name).build(shape, outputs, record, seed)


def values(file, model):
    """Copy the weights of a model, by the roles that its file names."""
    roles = file.role_names(model)
    return {role: keras.ops.convert_to_numpy(variable) for role, variable in roles.items()}


def outputs(model, x):
    """Run a model."""
    return keras.ops.convert_to_numpy(model(x, training=False))


def inside(model, x, *names):
    """Run a model; give the outputs of the named layers."""
    tensors = {name: model.get_layer(name).output for name in names}
    found = keras.Model(model.input, tensors)(x, training=False)
    return [keras.ops.convert_to_numpy(found[name]) for name in names]


def noise(*shape):
    """Draw made-up features."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)
