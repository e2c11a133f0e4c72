"""GM-TCNet against its formulae worked out with numpy, and against the authors' code."""

from functools import partial
from itertools import product
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.models.gm_tcnet import network as gm_tcnet
from tests.models import running
from tests.models.running import inside, noise

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT.parent / "shared" / "golden" / "gmtcnet"
build = partial(running.build, "gm_tcnet")
values = partial(running.values, gm_tcnet)


def golden(name):
    """Load one archive of golden arrays."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return dict(arrays)


def small(**settings):
    """Build a network that is quick to run."""
    settings = {"blocks": 2, "filters": 4, "seed": 1} | settings
    return build((12, 5), 3, **settings)


def random_weights(model):
    """Draw weights that are nowhere zero, biases among them."""
    rng = np.random.default_rng(5)
    return {
        role: rng.normal(0, 0.5, w.shape).astype(np.float32) for role, w in values(model).items()
    }


# ---- the formulae, frame by frame ------------------------------------------------------------


def convolved(x, weights, role, dilation):
    """Causal convolution of one clip (frames, channels), then ReLU."""
    kernel, bias = weights[f"{role}.kernel"], weights[f"{role}.bias"]
    taps = len(kernel)
    y = np.tile(bias, (len(x), 1)).astype(float)
    for t, tap in product(range(len(x)), range(taps)):
        if (seen := t - (taps - 1 - tap) * dilation) >= 0:
            y[t] += x[seen] @ kernel[tap]
    return np.maximum(y, 0)


def level(x, weights, role, dilation):
    """Mean of the three gated convolutions of one clip."""
    gated = []
    for branch in (1, 2, 3):
        main = convolved(x, weights, f"{role}.branch{branch}.main", dilation)
        gate = convolved(x, weights, f"{role}.branch{branch}.gate", dilation)
        gated.append(main / (1 + np.exp(-gate)))
    return np.mean(gated, axis=0)


def pooled_and_probabilities(x, weights, blocks):
    """The whole network on one clip."""
    h = x @ weights["in.kernel"][0] + weights["in.bias"]
    skips = 0
    for j in range(blocks):
        z = level(h, weights, f"block{j}.level1", 2**j)
        z = level(z, weights, f"block{j}.level2", 2 * 2**j)
        h, skips = h + z, skips + z
    pooled = np.where(skips > 0, skips, 0.05 * skips).mean(axis=0)
    exponentials = np.exp(pooled @ weights["head.kernel"] + weights["head.bias"])
    return pooled, exponentials / exponentials.sum()


@pytest.mark.parametrize("settings", [{}, {"blocks": 1}, {"blocks": 3, "kernel": 3}])
def test_network_is_its_formulae(settings):
    model = small(**settings)
    weights = random_weights(model)
    gm_tcnet.set_weights(model, weights)
    x = noise(2, 12, 5)
    found = zip(*inside(model, x, "pooled", "head"), strict=True)
    for clip, (pooled, y) in zip(x, found, strict=True):
        wanted = pooled_and_probabilities(clip, weights, settings.get("blocks", 2))
        np.testing.assert_allclose(pooled, wanted[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(y, wanted[1], rtol=1e-4, atol=1e-5)


# ---- known answers ---------------------------------------------------------------------------


def test_a_gate_halves_at_least_and_never_silences():
    branches = gm_tcnet.GatedBranches(1, kernel=1, dilation=1, seed=0)
    branches(np.zeros((1, 1, 1)))
    for kernel, weight in zip(branches.kernels, (1, 1, 1, 0, -9, 9), strict=True):
        kernel.assign([[[weight]]])
    y = branches(np.float32([[[2.0], [-2.0]]]))
    strong = 1 / (1 + np.exp(-18))  # gates of one half, one half, almost one
    wanted = [[[2 * (0.5 + 0.5 + strong) / 3], [0]]]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(y), wanted, rtol=1e-6)


def test_a_frame_sees_the_past_alone():
    blocks, frames = 3, 40
    field = 1 + 3 * (2**blocks - 1)  # of a block, 2 ** j and twice that
    model = build((frames, 5), 3, blocks=blocks, filters=4, seed=1)
    x = noise(1, frames, 5)
    struck = x.copy()
    struck[0, 10] += 10
    (before,), (after,) = (inside(model, clip, "skips") for clip in (x, struck))
    changed = np.flatnonzero(np.any(before[0] != after[0], axis=1))
    assert (changed[0], changed[-1]) == (10, 10 + field - 1)


@pytest.mark.parametrize(
    ("classes", "blocks", "parameters"),
    # the last: 1.135 MiB in float32, the size that was published
    [(6, 7, 260_604), (7, 7, 260_644), (8, 7, 260_684), (7, 8, 297_616)],
)
def test_parameter_counts_of_the_authors(classes, blocks, parameters):
    model = build((188, 39), classes, blocks=blocks)
    assert model.count_params() == parameters
    assert not model.non_trainable_weights


def test_roles():
    levels = product(range(2), (1, 2), (1, 2, 3), ("main", "gate"))
    places = [f"block{j}.level{n}.branch{b}.{part}" for j, n, b, part in levels]
    wanted = product(["in", *places, "head"], ("kernel", "bias"))
    assert set(values(small())) == {".".join(role) for role in wanted}


def test_weights_at_the_start():
    weights = values(build((12, 39), 7, seed=3))
    limit = np.sqrt(6 / (2 * (39 + 39)))
    for role in ("block0.level1.branch1.main.kernel", "block6.level2.branch3.gate.kernel"):
        assert 0.99 * limit < np.abs(weights[role]).max() < limit
    assert all(not weights[role].any() for role in weights if role.endswith("bias"))
    kernels = [weights[role].tobytes() for role in weights if role.endswith("kernel")]
    assert len(set(kernels)) == len(kernels)


# ---- the authors' code -----------------------------------------------------------------------


@pytest.mark.backends
@pytest.mark.corpus
@pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden arrays are not here")
def test_outputs_of_the_authors_code():
    model, wanted = build((188, 39), 7), golden("io")
    gm_tcnet.set_weights(model, golden("weights"))
    pooled, y = inside(model, wanted["x"], "pooled", "head")
    np.testing.assert_allclose(y, wanted["y"], rtol=0, atol=1e-5)
    # all but one of a clip's probabilities are below 1e-9, which says little
    np.testing.assert_allclose(np.log(y), np.log(wanted["y"]), rtol=0, atol=1e-4)
    np.testing.assert_allclose(pooled, wanted["gap"], rtol=1e-5)


# ---- errors ----------------------------------------------------------------------------------


def test_takes_two_axes():
    message = r"gm_tcnet takes \(frames, coefficients\); got shape \(184, 40, 1\)"
    with pytest.raises(InputError, match=message):
        build((184, 40, 1), 7)


def test_weights_of_more_blocks():
    message = r"weights: 24 the model has no place for, as block2\.level1\.branch1\.gate\.bias"
    with pytest.raises(InputError, match=message):
        gm_tcnet.set_weights(small(), values(small(blocks=3)))
