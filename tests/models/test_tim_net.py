"""TIM-Net against arithmetic, the authors' code and the authors' weights."""

import csv
from functools import partial
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.models.tim_net import TRAINING
from pipeline.models.tim_net import network as tim_net
from pipeline.models.tim_net.weights import read_published
from tests.models import running
from tests.models.running import inside, noise, outputs

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "timnet"
SHARED = ROOT.parent / "shared"
PUBLISHED_WEIGHTS = SHARED / "weights" / "timnet_ravdess"
RAVDESS = ["angry", "calm", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
build = partial(running.build, "tim_net")
values = partial(running.values, tim_net)


def golden(name):
    """Load one archive of golden arrays."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return dict(arrays)


def small(**settings):
    """Build a network that is quick to run."""
    settings = {"blocks": 2, "filters": 4, "seed": 1} | settings
    return build((12, 5), 3, **settings)


# ---- known answers ---------------------------------------------------------------------------


def test_fusion_is_a_plain_weighted_sum():
    fusion = tim_net.WeightFusion(seed=0)
    blocks = [np.array([[1.0, 2.0]], np.float32), np.array([[10.0, 20.0]], np.float32)]
    fusion(blocks)
    fusion.kernel.assign([[3.0], [-0.5]])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(fusion(blocks)), [[-2.0, -4.0]])


def test_forward_sees_the_past_and_backward_the_future():
    blocks, frames = 3, 40
    field = 2 ** (blocks + 1) - 1  # two convolutions of kernel 2 and dilation 2 ** j in each block
    model = build((frames, 5), 3, blocks=blocks, filters=4, seed=1)
    x = noise(1, frames, 5)
    struck = x.copy()
    struck[0, 10] += 10
    names = [f"{way}_tab{blocks - 1}" for way in ("fwd", "bwd")]
    before = inside(model, x, *names)
    after = inside(model, struck, *names)
    forward, backward = (
        np.flatnonzero(np.any(a[0] != b[0], axis=1)) for a, b in zip(after, before, strict=True)
    )
    assert (forward[0], forward[-1]) == (10, 10 + field - 1)
    reversed_frame = frames - 1 - 10
    assert (backward[0], backward[-1]) == (reversed_frame, frames - 1)


def test_gate_weakens_but_never_silences():
    gates = inside(small(), noise(4, 12, 5), "fwd_tab0_gate", "bwd_tab1_gate")
    for gate in gates:
        assert 0.5 <= gate.min() < gate.max() < 1


def test_reversing_the_clip_swaps_the_two_ways():
    model = small()
    weights = values(model)
    twins = {r: weights[r.replace("bwd", "fwd")] for r in weights}
    tim_net.set_weights(model, twins)
    x = noise(4, 12, 5)
    np.testing.assert_allclose(outputs(model, x), outputs(model, x[:, ::-1]), atol=1e-6)


def test_probabilities():
    y = outputs(small(), noise(4, 12, 5))
    np.testing.assert_allclose(y.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("corpus", "frames", "classes", "blocks", "trainable", "total"),
    [
        ("casia", 172, 6, 8, 104_456, 106_952),
        ("emodb", 188, 7, 8, 104_496, 106_992),
        ("iemocap", 606, 4, 10, 129_650, 132_770),
        ("ravdess", 215, 8, 8, 104_536, 107_032),
        ("savee", 254, 7, 8, 104_496, 106_992),
    ],
)
def test_parameter_counts_of_the_authors(corpus, frames, classes, blocks, trainable, total):
    model = build((frames, 39), classes, blocks=blocks)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == trainable
    assert model.count_params() == total


def test_weights_at_the_start():
    weights = values(build((12, 39), 7, seed=3))
    assert 0.03 < np.abs(weights["fuse.kernel"]).max() < 0.05
    limit = np.sqrt(6 / (2 * (39 + 39)))
    assert 0.99 * limit < np.abs(weights["bwd.tab7.conv2.kernel"]).max() < limit
    assert all(not weights[role].any() for role in weights if role.endswith("bias"))
    kernels = [weights[role].tobytes() for role in weights if role.endswith("kernel")]
    assert len(set(kernels)) == len(kernels)


def test_dropout_leaves_the_start_alone():
    dropped, plain = values(small(dropout=0.5)), values(small(dropout=0))
    for role in plain:
        np.testing.assert_array_equal(dropped[role], plain[role])


# ---- the authors' code -----------------------------------------------------------------------


def golden_outputs():
    """Probabilities and fused vectors of the golden clips with the golden weights."""
    model = build((188, 39), 7)
    tim_net.set_weights(model, golden("weights"))
    return inside(model, golden("io")["x"], "head", "fused")


def assert_golden(y, fused):
    """Compare outputs with those of the authors' code."""
    np.testing.assert_allclose(y, golden("io")["y"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(fused, golden("io")["fused"], rtol=1e-5, atol=1e-7)


@pytest.mark.backends
def test_outputs_of_the_authors_code():
    assert_golden(*golden_outputs())


@pytest.mark.backends
def test_training_steps_of_the_authors_code():
    model = build((188, 39), 7, dropout=0)
    start, batch, wanted = golden("steps_start"), golden("steps_io"), golden("steps_after8")
    tim_net.set_weights(model, start)
    adam = {k: getattr(TRAINING, k) for k in ("learning_rate", "beta_1", "beta_2", "epsilon")}
    model.compile(keras.optimizers.Adam(**adam), "categorical_crossentropy", run_eagerly=True)
    history = model.fit(
        batch["X"], batch["Ysmooth"], batch_size=64, epochs=8, shuffle=False, verbose=0
    )
    np.testing.assert_allclose(history.history["loss"], batch["losses"], rtol=1e-4)
    np.testing.assert_allclose(outputs(model, batch["X"]), batch["y_after8"], rtol=0, atol=2e-4)

    found = values(model)

    def drift(ending, but=()):
        """RMS of the difference, in units of the RMS of the way gone."""
        roles = [role for role in wanted if role.endswith(ending) and role not in but]
        error, way = (
            np.concatenate([(wanted[role] - arrays[role]).ravel() for role in roles])
            for arrays in (found, start)
        )
        return np.sqrt(np.mean(error**2) / np.mean(way**2))

    # Batch normalisation takes the mean away again, so these biases have no gradient but rounding.
    idle = {role for role in wanted if ".tab" in role and role.endswith("bias")}
    for ending in ("kernel", "bias", "gamma", "beta"):
        assert drift(ending, idle) < 2e-2, ending
    assert drift("moving_mean") < 5e-4
    # The unbiased variance of 64 x 188 frames would be 8.3e-5 larger than the biased one.
    gained = {r: found[r] / wanted[r] - 1 for r in wanted if r.endswith("moving_variance")}
    assert abs(np.median(np.concatenate(list(gained.values())))) < 2e-5
    assert drift("moving_variance") < 2e-4


# ---- published weights -----------------------------------------------------------------------


def write_published(path, weights, *, models_before=1, blocks=2):
    """Write weights in the authors' layout, after other models in the same process."""
    halves = [f"{way}.tab{j}" for j in range(blocks) for way in ("fwd", "bwd")]
    made = {
        "conv1d": ["fwd.in", "bwd.in", *(f"{h}.conv{i}" for h in halves for i in (1, 2))],
        "batch_normalization": [f"{h}.bn{i}" for h in halves for i in (1, 2)],
        "weight_layer": ["fuse"],
        "dense": ["head"],
    }
    names = {}
    for kind, roles in made.items():
        for number, role in enumerate(roles, models_before * len(roles)):
            names[role] = f"{kind}_{number}" if number else kind

    def depth(role):
        """Both ways in turns, as Keras 2 writes them."""
        way, *rest = role.split(".")
        return ({"fuse": 2, "head": 3}.get(way, 1), *rest, way)

    order = sorted(names, key=depth)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array(["input_2", *(names[role] for role in order)], "S")
        file.create_group("input_2").attrs["weight_names"] = np.array([], "S1")
        for role in order:
            group = file.create_group(names[role])
            kinds = [r.rsplit(".", 1)[1] for r in weights if r.rsplit(".", 1)[0] == role]
            group.attrs["weight_names"] = np.array(
                [f"{names[role]}/{kind}:0" for kind in kinds], "S"
            )
            for kind in kinds:
                group[f"{names[role]}/{kind}:0"] = weights[f"{role}.{kind}"]


@pytest.mark.parametrize("models_before", [0, 1, 9])
def test_published_layout_is_read_by_the_order_of_making(tmp_path, models_before):
    model = small()
    wanted = {
        role: noise(*array.shape) + n for n, (role, array) in enumerate(values(model).items())
    }
    write_published(tmp_path / "w.hdf5", wanted, models_before=models_before)
    tim_net.set_weights(model, read_published(tmp_path / "w.hdf5"))
    found = values(model)
    assert found.keys() == wanted.keys()
    for role in wanted:
        np.testing.assert_array_equal(found[role], wanted[role], role)


def test_published_weights_of_another_network(tmp_path):
    write_published(tmp_path / "w.hdf5", values(small()))
    with h5py.File(tmp_path / "w.hdf5", "a") as file:
        names = file.attrs["layer_names"]
        file.attrs["layer_names"] = names[names != b"weight_layer_1"]
    message = r"w\.hdf5: found layers .*'dense': 1}; TIM-Net of 2 blocks has .*'weight_layer': 1"
    with pytest.raises(InputError, match=message):
        read_published(tmp_path / "w.hdf5")


def test_weights_of_other_classes():
    weights = values(build((12, 5), 8, blocks=2, filters=4))
    with pytest.raises(InputError, match="weights: a head of 8 classes, the run has 3"):
        tim_net.set_weights(small(), weights)


def test_weights_of_more_blocks():
    with pytest.raises(InputError, match=r"weights: 24 the model has no place for, as bwd\.tab2"):
        tim_net.set_weights(small(), values(small(blocks=3)))


@pytest.mark.corpus
@pytest.mark.skipif(not PUBLISHED_WEIGHTS.is_dir(), reason="the authors' weights are not here")
def test_authors_weights_name_held_out_clips():
    with np.load(SHARED / "golden" / "mfcc" / "ravdess.npz") as arrays:
        clips, features = list(arrays["clip"]), arrays["kaiser_best_022"]
    with (SHARED / "golden" / "folds" / "ravdess_timnet_seed46.csv").open() as file:
        folds = {row["clip"]: row for row in csv.DictReader(file)}
    model = build(features.shape[1:], len(RAVDESS))
    right = []
    for fold in sorted({folds[clip]["fold"] for clip in clips}):
        path = PUBLISHED_WEIGHTS / f"10-fold_weights_best_{fold}.hdf5"
        tim_net.set_weights(model, read_published(path))
        held_out = [i for i, clip in enumerate(clips) if folds[clip]["fold"] == fold]
        y = outputs(model, features[held_out])
        named = [RAVDESS[k] for k in y.argmax(axis=1)]
        right += [folds[clips[i]]["emotion"] == n for i, n in zip(held_out, named, strict=True)]
    print(f"{sum(right)} of {len(right)} held-out clips named rightly")
    assert sum(right) >= 10


# ---- errors ----------------------------------------------------------------------------------


def test_takes_two_axes():
    message = r"tim_net takes \(frames, coefficients\); got shape \(184, 40, 1\)"
    with pytest.raises(InputError, match=message):
        build((184, 40, 1), 7)
