"""CPAC against its formulae worked out with numpy, from its specification."""

from functools import partial

import keras
import numpy as np
import pytest

from pipeline.engine import compiled, emotions, objectives
from pipeline.errors import InputError
from pipeline.models.cpac import TRAINING
from pipeline.models.cpac import network as cpac
from tests.models import running
from tests.models.running import inside, noise

build = partial(running.build, "cpac")
values = partial(running.values, cpac)


def small(shape=(45, 39), **settings):
    """Build a network that is quick to run."""
    return build(shape, 3, **{"filters": 4, "capsules": 2, "seed": 1} | settings)


def random_weights(model):
    """Draw weights that are nowhere zero; the statistics stay as they are."""
    rng = np.random.default_rng(5)
    return {
        role: w if "moving" in role else rng.normal(0, 0.5, w.shape).astype(np.float32)
        for role, w in values(model).items()
    }


# ---- the formulae, one clip at a time --------------------------------------------------------


def convolved(x, weights, role):
    """Convolution of one image (frames, bins, channels), without zeros around it."""
    kernel, bias = weights[f"{role}.kernel"], weights[f"{role}.bias"]
    frames, bins = x.shape[0] - 2, x.shape[1] - 2
    y = np.zeros((frames, bins, len(bias))) + bias
    for i in range(3):
        for j in range(3):
            y += x[i : i + frames, j : j + bins] @ kernel[i, j]
    return y


def pooled(x):
    """Means of cells of 2 x 2; what is left over at the end is dropped."""
    frames, bins = x.shape[0] // 2, x.shape[1] // 2
    cells = x[: 2 * frames, : 2 * bins].reshape(frames, 2, bins, 2, -1)
    return cells.mean(axis=(1, 3))


def squashed(v):
    """Vectors whose lengths are below 1."""
    square = (v**2).sum(axis=-1, keepdims=True)
    return square / (1 + square) * v / np.sqrt(square + 1e-7)


def softmax(x, axis):
    """Exponentials that add up to 1 along an axis."""
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def routed(x, kernel, capsules, routings):
    """Capsules of the clip, from those of its steps (n, channels)."""
    u = (x @ kernel).reshape(len(x), capsules, -1)
    b = np.zeros((len(x), capsules))
    for r in range(routings):
        c = softmax(b, axis=1)
        o = (c[..., None] * u).sum(axis=0)
        if r < routings - 1:
            o = o / np.linalg.norm(o, axis=-1, keepdims=True)
            b = (o * u).sum(axis=-1)
    return squashed(o)


def steps(x, weights, capsules, routings):
    """The whole network on one clip: primary capsules, those of the clip, and probabilities."""
    x = x[..., None].astype(float)
    for i in (1, 2, 3):
        x = convolved(x, weights, f"block{i}.conv")
        x = weights[f"block{i}.bn.gamma"] * x / np.sqrt(1.001) + weights[f"block{i}.bn.beta"]
        x = pooled(np.where(x > 0, x, np.expm1(x)))
    x = convolved(x, weights, "primary.conv")
    primary = squashed(x.reshape(-1, x.shape[-1] // capsules))
    scores = softmax(weights["attention.scale"] * primary @ primary.T, axis=1)
    attended = primary * (scores @ primary)
    of_clip = routed(attended, weights["capsules.kernel"], capsules, routings)
    y = softmax(of_clip.mean(axis=0) @ weights["head.kernel"] + weights["head.bias"], axis=0)
    return primary, of_clip, y


@pytest.mark.parametrize(
    ("shape", "settings"),
    [((45, 39), {}), ((70, 39), {"routings": 1}), ((38, 48), {"capsules": 3, "routings": 2})],
)
def test_network_is_its_formulae(shape, settings):
    settings = {"capsules": 2, "routings": 3} | settings
    model = small(shape, **settings)
    weights = random_weights(model)
    weights["capsules.kernel"] *= 5  # so that the capsules of the clip are far from zero
    cpac.set_weights(model, weights)
    x = noise(2, *shape)
    found = zip(*inside(model, x, "primary", "capsules", "head"), strict=True)
    for clip, layers in zip(x, found, strict=True):
        for layer, wanted in zip(layers, steps(clip, weights, **settings), strict=True):
            assert np.abs(wanted).max() > 0.1
            np.testing.assert_allclose(layer, wanted, rtol=1e-4, atol=1e-5)


# ---- known answers ---------------------------------------------------------------------------


def test_lengths_and_parameters_of_the_specification():
    model = build((215, 39), 6)
    trained = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert (model.count_params(), trained) == (321_799, 321_415)
    assert [model.get_layer(f"block{i}_pool").output.shape[1:3] for i in (1, 2, 3)] == [
        (106, 18), (52, 8), (25, 3)
    ]  # fmt: skip
    assert model.get_layer("primary_conv").output.shape[1:] == (23, 1, 384)
    assert model.get_layer("primary").output.shape[1:] == (138, 64)
    assert model.get_layer("capsules").output.shape[1:] == (6, 64)
    assert build((215, 39), 8).get_layer("capsules").output.shape[1:] == (6, 64)


def test_frames_may_be_left_open():
    fixed, open_ended = small((45, 39)), small((None, 39))
    x = noise(2, 45, 39)
    np.testing.assert_array_equal(running.outputs(open_ended, x), running.outputs(fixed, x))


def test_training_changes_no_statistics():
    model = small()
    state = [[v.value for v in model.trainable_variables],
             [v.value for v in model.non_trainable_variables]]  # fmt: skip
    y, other = model.stateless_call(*state, noise(4, 45, 39), training=True)
    moving = [
        keras.ops.convert_to_numpy(value)
        for variable, value in zip(model.non_trainable_variables, other, strict=True)
        if "moving" in variable.path
    ]
    assert {tuple(np.unique(value)) for value in moving} == {(0.0,), (1.0,)}
    assert np.isfinite(keras.ops.convert_to_numpy(y)).all()


def test_a_capsule_of_zeros_has_a_gradient_that_is_a_number():
    """Silence: all that the blocks give may be zero."""
    model = small()
    optimiser = objectives.optimiser(TRAINING)
    program = emotions.program(model, objectives.loss(TRAINING), optimiser, 2)
    x, targets = np.zeros((2, 45, 39), np.float32), np.eye(3, dtype=np.float32)[:2]
    order, draws = np.arange(2, dtype=np.int32), np.zeros((2, 4), np.float32)
    state, (loss, _) = program.epoch(
        compiled.start(model, optimiser), program.put(x), program.put(targets), order, draws
    )
    assert np.isfinite(loss)
    assert all(np.isfinite(weight).all() for weight in state["weights"])


def test_roles():
    blocks = [f"block{i}" for i in (1, 2, 3)]
    wanted = {
        f"{b}.bn.{w}" for b in blocks for w in "gamma beta moving_mean moving_variance".split()
    }
    layers = [*(f"{b}.conv" for b in blocks), "primary.conv", "head"]
    wanted |= {f"{layer}.{w}" for layer in layers for w in ("kernel", "bias")}
    assert set(values(small())) == wanted | {"attention.scale", "capsules.kernel"}


def test_weights_at_the_start():
    weights = values(build((45, 39), 7, seed=3))
    limit = np.sqrt(6 / (64 + 384))
    assert 0.99 * limit < np.abs(weights["capsules.kernel"]).max() < limit
    assert weights["attention.scale"] == 1
    assert all(not weights[role].any() for role in weights if role.endswith("bias"))
    kernels = [weights[role].tobytes() for role in weights if role.endswith("kernel")]
    assert len(set(kernels)) == len(kernels)


# ---- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(184, 40, 1), (37, 39), (184, 37)])
def test_takes_two_axes_that_leave_a_capsule(shape):
    found = str(shape).replace("(", r"\(").replace(")", r"\)")
    message = rf"cpac takes \(frames, coefficients\), at least 38 of each; got shape {found}"
    with pytest.raises(InputError, match=message):
        build(shape, 7)


def test_weights_of_more_capsules():
    message = r"weights: primary\.conv\.kernel: found shape \(3, 3, 4, 12\), the model has"
    with pytest.raises(InputError, match=message):
        cpac.set_weights(small(), values(small(capsules=3)))
