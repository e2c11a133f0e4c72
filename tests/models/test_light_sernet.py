"""Light-SERNet against arithmetic and the authors' code."""

import math
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.engine import compiled, emotions, objectives
from pipeline.errors import InputError
from pipeline.models.light_sernet import TRAINING
from pipeline.models.light_sernet import network as light_sernet
from tests.models import running
from tests.models.running import inside, noise, outputs

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT.parent / "shared" / "golden" / "lightsernet"
TARGETS = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
BODY = [f"body{i}.conv.kernel" for i in range(1, 6)]
build = partial(running.build, "light_sernet")
values = partial(running.values, light_sernet)


def golden(name):
    """Load one archive of golden arrays."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return dict(arrays)


def small(**settings):
    """Build a network for clips that are quick to run, of odd sizes ahead of the poolings."""
    return build((17, 7), 3, **{"seed": 1} | settings)


def trained(model, x):
    """Run a model in training as the engine does: its outputs, new statistics and penalties."""
    weights = [variable.value for variable in model.trainable_variables]
    other = [variable.value for variable in model.non_trainable_variables]
    y, other, penalties = model.stateless_call(weights, other, x, training=True, return_losses=True)
    paths = [variable.path for variable in model.non_trainable_variables]
    statistics = {
        path: keras.ops.convert_to_numpy(value)
        for path, value in zip(paths, other, strict=True)
        if "_bn/" in path
    }
    return keras.ops.convert_to_numpy(y), statistics, [float(penalty) for penalty in penalties]


# ---- known answers ---------------------------------------------------------------------------


def test_each_path_sees_its_own_neighbourhood():
    model = build((40, 30), 3, seed=1)
    x = noise(1, 40, 30)
    struck = x.copy()
    struck[0, 20, 15] += 10
    names = [f"path{i}_conv" for i in (1, 2, 3)]
    for wanted, before, after in zip(
        [(11, 1), (1, 9), (3, 3)], inside(model, x, *names), inside(model, struck, *names),
        strict=True,
    ):  # fmt: skip
        changed = np.any(before != after, axis=(0, 3))  # (frames, bins)
        frames, bins = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        assert (len(frames), len(bins)) == wanted
        assert (frames.mean(), bins.mean()) == (20, 15)


def test_pooling_averages_what_a_cell_holds():
    names = ["path1_relu", "path1_pool", "body3_relu", "body3_pool"]
    relu1, pool1, relu3, pool3 = inside(small(), noise(2, 17, 7), *names)
    for x, found, (height, width) in [(relu1, pool1, (2, 2)), (relu3, pool3, (2, 1))]:
        assert x.shape[1] % 2 == 1
        for i in range(found.shape[1]):
            for j in range(found.shape[2]):
                cell = x[:, i * height : (i + 1) * height, j * width : (j + 1) * width]
                np.testing.assert_allclose(found[:, i, j], cell.mean(axis=(1, 2)), atol=1e-6)


def test_paths_are_joined_in_their_order():
    *paths, joined = inside(
        small(), noise(2, 17, 7), *(f"path{i}_pool" for i in (1, 2, 3)), "paths"
    )
    np.testing.assert_array_equal(joined, np.concatenate(paths, axis=-1))


def test_a_channel_axis_changes_nothing():
    flat, deep = small(), build((17, 7, 1), 3, seed=1)
    x = noise(2, 17, 7)
    np.testing.assert_array_equal(outputs(flat, x), outputs(deep, x[..., None]))


@pytest.mark.parametrize(
    ("frames", "halves"), [(184, [92, 46, 23, 12, 6]), (434, [217, 109, 55, 28, 14])]
)
@pytest.mark.parametrize(("bins", "widths"), [(40, [20, 10, 5]), (128, [64, 32, 16]),
                                              (513, [257, 129, 65])])  # fmt: skip
def test_sizes_of_the_authors(frames, halves, bins, widths):
    model = build((frames, bins), 7)
    names = ["path1_pool", *(f"body{i}_pool" for i in (1, 2, 3, 4))]
    shapes = [model.get_layer(name).output.shape for name in names]
    assert [shape[1] for shape in shapes] == halves
    assert [shape[2] for shape in shapes] == [*widths, widths[-1], widths[-1]]
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 461_703
    assert model.count_params() == 463_431


def test_parameters_of_four_classes():
    assert build((184, 40), 4).count_params() == 462_468


def test_any_number_of_frames():
    model = build((None, 7), 3, seed=1)
    x = noise(2, 17, 7)
    np.testing.assert_array_equal(outputs(model, x), outputs(small(), x))
    y = outputs(model, noise(2, 1, 7))
    np.testing.assert_allclose(y.sum(axis=1), 1, atol=1e-6)


def test_weights_at_the_start():
    weights = values(build((12, 40), 7, seed=3))
    limits = {"path1.conv.kernel": 11 * (1 + 32), "body4.conv.kernel": 9 * (128 + 160)}
    for role, fans in limits.items():
        limit = math.sqrt(6 / fans)
        assert 0.98 * limit < np.abs(weights[role]).max() < limit
    biases = [role for role in weights if role.endswith("bias")]
    assert biases == [*(f"path{i}.conv.bias" for i in (1, 2, 3)), "head.bias"]
    assert not any(weights[role].any() for role in biases)
    kernels = [weights[role].tobytes() for role in weights if role.endswith("kernel")]
    assert len(set(kernels)) == len(kernels) == 9


def test_dropout_leaves_the_start_alone():
    dropped, plain = values(small(dropout=0.5)), values(small(dropout=0))
    for role in plain:
        np.testing.assert_array_equal(dropped[role], plain[role])


def test_dropout_acts_in_training_alone():
    model, x = small(dropout=0.5), noise(8, 17, 7)
    same, _, _ = trained(small(dropout=0), x)
    dropped, _, _ = trained(model, x)
    assert np.abs(dropped - same).max() > 1e-3
    np.testing.assert_array_equal(outputs(model, x), outputs(small(dropout=0), x))


def test_penalty_is_of_the_five_body_kernels():
    model = small(l2=0.01)
    weights = values(model)
    _, _, penalties = trained(model, noise(2, 17, 7))
    wanted = [0.01 * np.sum(weights[role].astype(np.float64) ** 2) for role in BODY]
    np.testing.assert_allclose(sorted(penalties), sorted(wanted), rtol=1e-5)


# ---- batch normalisation ---------------------------------------------------------------------


def normalised(x, training):
    """Normalise ``x`` by a fresh layer; give what it gave, and the layer."""
    layer = light_sernet.BatchNormalization()
    layer.build(x.shape)
    layer.gamma.assign([2.0, 3.0])
    layer.beta.assign([-1.0, 1.0])
    return keras.ops.convert_to_numpy(layer(x, training=training)), layer


def test_batch_is_normalised_by_its_own_variance_and_leaves_the_unbiased_one():
    x = 3 + 2 * noise(2, 3, 1, 2)  # 6 values of each channel: 20 % between the two variances
    y, layer = normalised(x, training=True)
    mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
    wanted = (x - mean) / np.sqrt(variance + 1e-3) * [2, 3] + [-1, 1]
    np.testing.assert_allclose(y, wanted, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean.numpy(), 0.01 * mean, rtol=1e-5)
    unbiased = x.var(axis=(0, 1, 2), ddof=1)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.99 + 0.01 * unbiased, rtol=1e-6)


def test_running_statistics_normalise_what_is_not_trained():
    x = noise(2, 3, 1, 2)
    _, layer = normalised(x, training=False)
    layer.moving_mean.assign([1.0, -1.0])
    layer.moving_variance.assign([4.0, 9.0])
    y = keras.ops.convert_to_numpy(layer(x))
    wanted = (x - [1, -1]) / np.sqrt(np.array([4, 9]) + 1e-3) * [2, 3] + [-1, 1]
    np.testing.assert_allclose(y, wanted, atol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), [1, -1])


def test_a_single_value_has_no_variance():
    y, layer = normalised(np.full((1, 1, 1, 2), 5, np.float32), training=True)
    np.testing.assert_allclose(y.ravel(), [-1, 1])
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.99)


# ---- the engine's way, on both backends ------------------------------------------------------


def training_step():
    """Loss and statistics that one step of the engine leaves."""
    model = small(dropout=0, l2=0.01)
    optimiser = objectives.optimiser(TRAINING)
    program = emotions.program(model, objectives.LOSSES["cross_entropy"], optimiser, batch=4)
    x, targets = program.put(noise(4, 17, 7)), program.put(TARGETS)
    order, draws = np.arange(4, dtype=np.int32), np.zeros((4, 4), np.float32)
    state, (loss, _) = program.epoch(compiled.start(model, optimiser), x, targets, order, draws)
    paths = [variable.path for variable in model.non_trainable_variables]
    left = {path: np.array(value) for path, value in zip(paths, state["other"], strict=True)}
    return {"loss": float(loss) / 4} | {path: left[path] for path in paths if "_bn/" in path}


def assert_training_step(found):
    """Compare the engine's step with the same batch run by itself."""
    y, wanted, penalties = trained(small(dropout=0, l2=0.01), noise(4, 17, 7))
    wanted["loss"] = -np.log(y[TARGETS == 1]).mean() + sum(penalties)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


def test_statistics_of_a_training_step():
    model, x = small(dropout=0), 30 * noise(1, 17, 7)
    _, statistics, _ = trained(model, x)
    (convolved,) = inside(model, x, "path2_conv")  # ahead of it nothing depends on training
    values = convolved.reshape(-1, 32)  # (17 * 7, 32)
    wanted = 0.99 + 0.01 * values.var(axis=0, ddof=1)
    np.testing.assert_allclose(statistics["path2_bn/moving_variance"], wanted, rtol=1e-5)
    np.testing.assert_allclose(
        statistics["path2_bn/moving_mean"], 0.01 * values.mean(axis=0), rtol=1e-4, atol=1e-6
    )
    kept = [v.numpy() for v in model.variables if v.path.endswith("moving_mean")]
    assert len(kept) == 8
    assert not any(mean.any() for mean in kept), "the model itself is as it was"


@pytest.mark.backends
def test_training_step_of_the_engine():
    assert_training_step(training_step())


# ---- the authors' code -----------------------------------------------------------------------

authors = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden arrays are not here")


def golden_outputs():
    """Probabilities and clip vectors of the golden clips with the golden weights."""
    model = build((184, 40, 1), 7)
    light_sernet.set_weights(model, golden("weights"))
    return inside(model, golden("io")["x"], "head", "gap")


def assert_golden(y, gap):
    """Compare outputs with those of the authors' code."""
    wanted = golden("io")
    print(
        f"y to {np.abs(y - wanted['y']).max():.1e}, gap to {np.abs(gap - wanted['gap']).max():.1e}"
    )
    np.testing.assert_allclose(y, wanted["y"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(gap, wanted["gap"], rtol=1e-5, atol=1e-5)


@pytest.mark.backends
@pytest.mark.corpus
@authors
def test_outputs_of_the_authors_code():
    assert_golden(*golden_outputs())


@pytest.mark.corpus
@authors
def test_focal_loss_of_the_authors_code():
    held = golden("focal")
    targets = objectives.targets(held["labels"], held["probs"].shape[1])
    logits = np.log(held["probs"])  # whose softmax they are
    found = keras.ops.convert_to_numpy(objectives.LOSSES["focal"](targets, logits))
    np.testing.assert_allclose(found, held["per_sample"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.mean(), held["mean"], rtol=0, atol=1e-6)


def test_schedule_of_the_authors():
    rates = [objectives.rate(TRAINING, epoch) for epoch in range(300)]
    falls = [epoch for epoch in range(1, 300) if rates[epoch] < rates[epoch - 1]]
    assert falls == list(range(60, 300, 20))
    assert rates[0] == 1e-4
    assert rates[-1] == pytest.approx(1.653e-5, rel=1e-3)


# ---- weights ---------------------------------------------------------------------------------


def test_weights_set_are_the_weights_read():
    model, other = small(), small(seed=2)
    wanted = {role: array + 1 for role, array in values(other).items()}
    light_sernet.set_weights(model, wanted)
    for role, found in values(model).items():
        np.testing.assert_array_equal(found, wanted[role], role)


def test_weights_of_other_classes():
    weights = values(build((17, 7), 8))
    with pytest.raises(InputError, match="weights: a head of 8 classes, the run has 3"):
        light_sernet.set_weights(small(), weights)


# ---- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(184,), (184, 40, 3), (2, 184, 40, 1)])
def test_takes_one_channel(shape):
    with pytest.raises(
        InputError, match=r"takes \(frames, bins\) or \(frames, bins, 1\); got shape"
    ):
        build(shape, 7)
