"""The DCNN-BLSTM against arithmetic, Keras's own networks and the golden arrays."""

import sys
import urllib.error
from dataclasses import replace
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.engine import compiled, emotions, loop, objectives
from pipeline.engine.dataset import Dataset, Fold
from pipeline.errors import InputError
from pipeline.features import framing
from pipeline.models.dcnn_blstm import TRAINING, Settings, cnns
from pipeline.models.dcnn_blstm import network as dcnn_blstm
from pipeline.scoring.targets import Emotions
from tests.models import running
from tests.models.running import inside, outputs

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT.parent / "shared" / "golden" / "dcnn_blstm"
SHAPE = (5, 16, 20, 3)  # segments, frames, bins, channels
# A padded clip's sums over segments meet in another order.
CLOSE = {"rtol": 0, "atol": 1e-6}
build = partial(running.build, "dcnn_blstm")
values = partial(running.values, dcnn_blstm)


def small(shape=SHAPE, outputs=3, **settings):
    """Build a network that is quick to run."""
    return build(
        shape, outputs, **{"cnn": "small", "units": 6, "dense": (8, 8), "seed": 1} | settings
    )


def noise(*shape, seed=0):
    """Draw made-up features."""
    return np.random.default_rng(seed).normal(-5, 3, size=shape).astype(np.float32)


def padded(x, segments):
    """Put segments of zeros after clips."""
    more = np.zeros((len(x), segments - x.shape[1], *x.shape[2:]), np.float32)
    return np.concatenate([x, more], axis=1)


def longer(model, segments, **settings):
    """Build the network of other settings for more segments, with the weights of ``model``."""
    other = small((segments, *SHAPE[1:]), **settings)
    dcnn_blstm.set_weights(other, values(model))
    return other


def learn(model, x):
    """Let the engine take a step; give what it left, by place, and the loss."""
    training = replace(TRAINING, learning_rate=1e-2)
    optimiser = objectives.optimiser(training)
    program = emotions.program(model, objectives.loss(training), optimiser, len(x))
    state, targets = compiled.start(model, optimiser), np.eye(3, dtype=np.float32)[[0, 1]]
    order, draws = np.arange(len(x), dtype=np.int32), np.zeros((len(x), 4), np.float32)
    state, (loss, _) = program.epoch(state, program.put(x), program.put(targets), order, draws)
    compiled.assign(model, state)
    return values(model), float(loss)


READINGS = {
    "repetition": {},
    "paper": {"attention": "projected", "scaled": True, "imagenet": True, "resize": 20},
}

# ---- known answers ---------------------------------------------------------------------------


def test_parameters_of_the_repetition():
    model = build((8, 64, 64, 3), 8)
    assert model.count_params() == 25_910_281
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 25_864_841
    parts = {layer.name: layer.count_params() for layer in model.layers if layer.weights}
    assert parts == {
        "cnn": 23_564_800,
        "blstm": 2_229_248,
        "attention": 1,
        "dense1": 65_792,
        "dense2": 32_896,
        "dense3": 16_512,
        "head": 1_032,
    }
    assert model.get_layer("vectors").output.shape == (None, 8, 2048)
    assert model.get_layer("pooled").output.shape == (None, 256)


def test_sizes_of_alexnet():
    cnn = cnns.alexnet((227, 227, 3))
    sizes = [cnn.get_layer(f"pool{i}").output.shape[1:] for i in (1, 2, 5)]
    assert sizes == [(27, 27, 96), (13, 13, 256), (6, 6, 256)]
    assert cnn.output.shape == (None, 4096)
    model = small(cnn="alexnet", resize=67)
    assert model.get_layer("vectors").output.shape == (None, 5, 4096)


def test_clips_and_segments_stay_apart():
    model = small()
    x = noise(3, *SHAPE)
    (whole,) = inside(model, x, "vectors")
    cnn = model.get_layer("cnn")
    for clip, vectors in zip(x, whole, strict=True):
        np.testing.assert_allclose(vectors, outputs(cnn, clip), **CLOSE)


def test_dot_attention():
    model = small()
    dcnn_blstm.role_names(model)["attention.scale"].assign(1.7)
    h, found = inside(model, noise(2, *SHAPE), "blstm", "pooled")
    shares = np.exp(1.7 * np.einsum("bid,bjd->bij", h, h))
    shares /= shares.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(found, (shares @ h).mean(axis=1), **CLOSE)


def test_projected_attention():
    model = small(attention="projected")
    h, found = inside(model, noise(2, *SHAPE), "blstm", "pooled")
    w = values(model)
    q, k, v = (h @ w[f"{name}.kernel"] + w[f"{name}.bias"] for name in ("query", "key", "value"))
    shares = np.exp(np.einsum("bid,bjd->bij", q, k) / np.sqrt(12))
    shares /= shares.sum(axis=2, keepdims=True)
    np.testing.assert_allclose(found, (shares @ v).sum(axis=1), rtol=0, atol=1e-5)


def test_scaled_to_one():
    x = noise(2, *SHAPE)
    x[1, 3:] = 0
    x[1, :3, :, :, 2] = 4.0
    (found,) = inside(small(scaled=True), x, "scaled")
    for clip, scaled, own in zip(x, found, (5, 3), strict=True):
        for channel in range(3):
            part = clip[:own, :, :, channel]
            wanted = (part - part.min()) / max(np.ptp(part), 1e-7)
            np.testing.assert_allclose(scaled[:own, :, :, channel], wanted, **CLOSE)
    assert not found[1, 3:].any()
    assert not found[1, :, :, :, 2].any()


def test_normalised_as_imagenet_is():
    x = noise(2, *SHAPE)
    x[1, 3:] = 0
    (scaled,), (found,) = (
        inside(small(scaled=True, imagenet=normal), x, "scaled") for normal in (False, True)
    )
    channels = ((0.485, 0.229), (0.456, 0.224), (0.406, 0.225))
    wanted = [(scaled[..., i] - mean) / std for i, (mean, std) in enumerate(channels)]
    np.testing.assert_allclose(found[0], np.stack(wanted, axis=-1)[0], **CLOSE)
    assert not found[1, 3:].any()  # padding stays zero
    with pytest.raises(InputError, match=r"imagenet: its mean and deviation are of 0\.\.1; set sc"):
        Settings(imagenet=True).check()


def test_dropout_follows_the_first_and_the_last_dense_layer():
    model = small(dense=(4, 5, 6), dropout=0.5)
    drops = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert drops == ["drop1", "drop3"]
    assert small(dense=(4,)).get_layer("drop1").rate == 0.25


def test_orthogonal_rows():
    x = keras.ops.convert_to_numpy(dcnn_blstm.Orthogonal(seed=3)((6, 24)))
    np.testing.assert_allclose(x @ x.T, np.eye(6), atol=1e-6)


# ---- padding ---------------------------------------------------------------------------------


@pytest.mark.parametrize("reading", READINGS)
def test_padding_changes_no_answer(reading):
    settings = READINGS[reading]
    model = small(**settings)
    x = noise(2, *SHAPE)
    y = outputs(model, x)
    np.testing.assert_allclose(outputs(longer(model, 9, **settings), padded(x, 9)), y, **CLOSE)
    unknown = longer(model, None, **settings)
    np.testing.assert_allclose(outputs(unknown, padded(x, 7)), y, **CLOSE)
    assert np.abs(outputs(model, padded(x[:, :3], 5)) - y).max() > 1e-4


def test_a_network_without_masks_is_the_same_where_nothing_is_padded():
    model = small()
    inputs = x = keras.Input(SHAPE)
    x = keras.layers.TimeDistributed(model.get_layer("cnn"))(x)
    for name in ("blstm",):
        x = model.get_layer(name)(x)
    x = model.get_layer("attention")([x, x])
    x = keras.ops.mean(x, axis=1)
    for name in ("dense1", "dense2", "head"):
        x = model.get_layer(name)(x)
    x, clips = keras.Model(inputs, x), noise(2, *SHAPE)
    np.testing.assert_allclose(outputs(model, clips), outputs(x, clips), **CLOSE)


def steps():
    """Learn from two clips, as they are and padded; give all that is left, flat."""
    model, x = small(dropout=0.0), noise(2, *SHAPE)
    other = longer(model, 8, dropout=0.0)
    found = {}
    for name, (weights, loss) in {
        "bare": learn(model, x),
        "padded": learn(other, padded(x, 8)),
    }.items():
        found[f"{name}.loss"] = loss
        found |= {f"{name}.{role}": value for role, value in weights.items()}
    return found


def assert_padding_changes_no_step(found):
    """Compare a training on padded clips with one on bare clips."""
    roles = [name.removeprefix("bare.") for name in found if name.startswith("bare.")]
    moving = [role for role in roles if "moving" in role]
    assert len(moving) == 6
    for role in ["loss", *moving]:
        np.testing.assert_allclose(
            found[f"padded.{role}"], found[f"bare.{role}"], rtol=1e-4, atol=1e-6, err_msg=role
        )
    # Adam's first step is the sign of a gradient: where that is all but zero, it is anything.
    gaps = [np.abs(found[f"padded.{role}"] - found[f"bare.{role}"]).ravel() for role in roles]
    assert np.mean(np.concatenate(gaps) > 1e-4) < 2e-3


@pytest.mark.backends
def test_padding_changes_no_step_of_training():
    assert_padding_changes_no_step(steps())


@pytest.mark.parametrize("reading", READINGS)
def test_a_clip_of_nothing_has_an_answer(reading):
    model = small(**READINGS[reading])
    assert np.isfinite(outputs(model, np.zeros((2, *SHAPE), np.float32))).all()


# ---- the CNN's weights -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Give a small CNN of random weights and statistics, and files of them."""
    folder = tmp_path_factory.mktemp("cnn")
    cnn, rng = cnns.small(SHAPE[1:]), np.random.default_rng(5)
    cnn.set_weights([rng.uniform(0.1, 0.3, w.shape) for w in cnn.get_weights()])
    files = [folder / name for name in ("cnn.weights.h5", "cnn.h5")]
    cnn.save_weights(files[0])
    cnn.save(files[1])
    return cnn, files


def test_cnn_starts_from_a_file(trained):
    cnn, files = trained
    x = noise(4, *SHAPE[1:])
    for file in files:
        found = small(cnn_weights=str(file)).get_layer("cnn")
        np.testing.assert_allclose(outputs(found, x), outputs(cnn, x), rtol=1e-5)


def test_resnet_is_that_of_keras(tmp_path):
    resnet = keras.applications.ResNet50V2(
        include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    )
    rng = np.random.default_rng(5)
    for variable in resnet.weights:
        spread = 0.05 if variable.name == "kernel" else 0.5
        variable.assign(
            rng.uniform(spread - 0.05, spread, variable.shape) - (spread == 0.05) * 0.025
        )
    file = tmp_path / "resnet.h5"
    resnet.save(file)
    found = build((2, 32, 32, 3), 3, cnn_weights=str(file)).get_layer("cnn")
    x = noise(2, 32, 32, 3)
    wanted = outputs(resnet, x)
    assert wanted.std() > 0
    np.testing.assert_allclose(outputs(found, x), wanted, rtol=1e-4)


def test_frozen_cnn_stays_as_it_was(trained):
    model = small(cnn_weights=str(trained[1][0]), freeze=True)
    trained_roles = {
        role
        for role, variable in dcnn_blstm.role_names(model).items()
        if any(variable is other for other in model.trainable_variables)
    }
    before = values(model)
    assert trained_roles == {role for role in before if not role.startswith("cnn.")}
    learn(model, noise(2, *SHAPE))
    for role, value in values(model).items():
        assert np.array_equal(value, before[role]) == role.startswith("cnn."), role


def test_no_such_file():
    with pytest.raises(InputError, match=r"cnn_weights: nowhere\.h5: no such file; known: imagene"):
        small(cnn_weights="nowhere.h5")


def test_file_of_another_network(trained, tmp_path):
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    other.save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "text.h5").write_text("no weights")
    for file in tmp_path.iterdir():
        with pytest.raises(InputError, match=r"cnn_weights: .*h5: not of this CNN \("):
            small(cnn_weights=str(file))


def test_imagenet_without_a_network(monkeypatch, tmp_path):
    def half(origin, target, *_):
        Path(target).write_bytes(b"half")
        raise urllib.error.URLError("Name or service not known")

    module = sys.modules[keras.utils.get_file.__module__]
    monkeypatch.setattr(module, "urlretrieve", half)
    monkeypatch.setattr(module.config, "keras_home", lambda: str(tmp_path))
    with pytest.raises(
        InputError, match=r"imagenet cannot be downloaded .*not known.*; go online"
    ) as found:
        build((2, 32, 32, 3), 3, cnn_weights="imagenet")
    assert "\n" not in str(found.value)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


# ---- weights ---------------------------------------------------------------------------------


@pytest.mark.parametrize("reading", READINGS)
def test_weights_set_are_the_weights_read(reading):
    model, other = small(**READINGS[reading]), small(**READINGS[reading] | {"seed": 2})
    wanted = {role: array + 1 for role, array in values(other).items()}
    assert len(wanted) == len(model.weights)
    dcnn_blstm.set_weights(model, wanted)
    for role, found in values(model).items():
        np.testing.assert_array_equal(found, wanted[role], role)


def test_roles_outlive_saving(tmp_path):
    model = small()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    wanted, found = values(model), values(loaded)
    assert found.keys() == wanted.keys()
    for role, value in found.items():
        np.testing.assert_array_equal(value, wanted[role], role)


def test_halves_of_the_lstm_start_apart():
    w = values(small())
    assert not np.array_equal(w["blstm.forward.kernel"], w["blstm.backward.kernel"])
    for way in ("forward", "backward"):
        np.testing.assert_array_equal(w[f"blstm.{way}.bias"][6:12], 1)  # the gate that forgets


def test_weights_of_other_classes():
    with pytest.raises(InputError, match="weights: a head of 8 classes, the run has 3"):
        dcnn_blstm.set_weights(small(), values(small(outputs=8)))


# ---- the repetition's code -------------------------------------------------------------------

GOLDEN_ROLES = {
    "attention.scale": "attention.scale",
    **{
        f"blstm.{way}.{name}": f"bidirectional.{way}_lstm.lstm_cell.{name}"
        for way in ("forward", "backward")
        for name in ("kernel", "recurrent_kernel", "bias")
    },
    **{
        f"{mine}.{name}": f"{theirs}.{name}"
        for mine, theirs in [("dense1", "dense"), ("dense2", "dense_1"), ("dense3", "dense_2"),
                             ("head", "dense_3")]
        for name in ("kernel", "bias")
    },
}  # fmt: skip
GOLDEN_OUTPUTS = {"blstm": "bilstm", "attention": "attention", "pooled": "mean", "head": "logits"}


def golden_outputs(padded_by=0):
    """All after the CNN of the golden clips with the golden weights, segments padded at the end."""
    with np.load(GOLDEN / "head.npz") as arrays:
        held = dict(arrays)
    weights = {role: held.pop(theirs) for role, theirs in GOLDEN_ROLES.items()}
    model = build((None, 64, 64, 3), 8)
    dcnn_blstm.set_weights(model, values(model) | weights)
    model.get_layer("head").activation = keras.activations.linear
    starts = [model.get_layer(name).output for name in ("vectors", "own")]
    ends = {name: model.get_layer(mine).output for mine, name in GOLDEN_OUTPUTS.items()}
    vectors = np.pad(held["ev.conv"], [(0, 0), (0, padded_by), (0, 0)])
    own = np.arange(vectors.shape[1]) < held["ev.conv"].shape[1]
    found = keras.Model(starts, ends)([vectors, np.stack([own, own])], training=False)
    return {name: keras.ops.convert_to_numpy(value) for name, value in found.items()}


def assert_golden(found):
    """Compare outputs with those of the repetition's code."""
    with np.load(GOLDEN / "head.npz") as held:
        for name in GOLDEN_OUTPUTS.values():
            wanted, here = held[f"ev.{name}"], found[name]
            here = here[:, : wanted.shape[1]]  # without what stands for padding
            print(f"{name} to {np.abs(here - wanted).max():.1e}")
            np.testing.assert_allclose(here, wanted, rtol=0, atol=1e-4, err_msg=name)


authors = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the golden arrays are not here")


@pytest.mark.backends
@pytest.mark.corpus
@authors
@pytest.mark.parametrize("padded_by", [0, 3])
def test_outputs_of_the_repetitions_code(padded_by):
    assert_golden(golden_outputs(padded_by))


@pytest.mark.corpus
@authors
def test_a_clip_of_fewer_segments_is_padded():
    with np.load(GOLDEN / "frontend.npz") as held:
        clips = [held[f"{clip}/segments"] for clip in "abc"]
    assert [len(clip) for clip in clips] == [8, 8, 6]
    model = small((None, 64, 64, 3))
    y = outputs(model, framing.rectangle(clips, (8, 64, 64, 3)))
    for clip, found in zip(clips, y, strict=True):
        np.testing.assert_allclose(found, outputs(model, clip[None])[0], **CLOSE)


# ---- a frozen CNN ----------------------------------------------------------------------------


def train_frozen(folder, weights, **more):
    """Train two epochs of one fold with a frozen CNN; the history, and what the model answers."""
    folder.mkdir(exist_ok=True)
    x = np.random.default_rng(3).normal(size=(14, *SHAPE)).astype(np.float32)
    x[::3, 2:] = 0  # clips of two segments
    rows = np.arange(14)
    fold = Fold(1, rows[:10], rows[:0], rows[10:])
    data = Dataset(x, rows % 3, Emotions(("a", "b", "c")), None, (fold,), {})
    training = replace(TRAINING, **{"epochs": 2, "batch": 4, "learning_rate": 1e-2} | more)
    settings = {"cnn_weights": str(weights), "freeze": True, "dropout": 0.0}
    (unit,) = loop.train(
        lambda seed: small(**settings, seed=seed),
        data,
        training,
        **{"selection": "last", "seeds": (0,), "stacked": False, "folder": folder},
    )
    model = keras.models.load_model(folder / unit["file"], compile=False)
    return unit["history"], outputs(model, x)


def test_a_frozen_cnn_sees_each_clip_once_and_what_is_learnt_is_the_same(
    trained, tmp_path, monkeypatch
):
    history, answers = train_frozen(tmp_path / "once", trained[1][0])
    monkeypatch.setattr(compiled, "divide", lambda model: (None, model))
    stated, wanted = train_frozen(tmp_path / "always", trained[1][0])
    for row, other in zip(history, stated, strict=True):
        assert row == pytest.approx(other, rel=1e-4)
    np.testing.assert_allclose(answers, wanted, atol=1e-5)
    assert history[0]["loss"] != history[1]["loss"]


def test_a_resumed_run_takes_what_the_frozen_cnn_gave(trained, tmp_path, monkeypatch):
    history, answers = train_frozen(tmp_path / "run", trained[1][0])
    for left in tmp_path.glob("run/unfinished/fold*"):
        left.unlink()
    monkeypatch.setattr(emotions.answers, "predict", None)  # the CNN is not asked again
    again, same = train_frozen(tmp_path / "run", trained[1][0])
    assert again == history
    np.testing.assert_array_equal(same, answers)


def test_masks_and_a_frozen_cnn(trained, tmp_path):
    with pytest.raises(InputError, match="mask_bins: a frozen CNN sees each clip once; set them"):
        train_frozen(tmp_path / "run", trained[1][0], mask_bins=2)


# ---- two stages ------------------------------------------------------------------------------


def train_staged(folder, padded_by):
    """Train a fold in two stages, of clips with 2 or 5 segments of their own; history, weights."""
    folder.mkdir()
    rows, own = np.arange(14), np.where(np.arange(14) % 3, 5, 2)
    x = noise(14, *SHAPE, seed=3)
    x[np.arange(5) >= own[:, None]] = 0
    x = padded(x, 5 + padded_by)
    fold = Fold(1, rows[:10], rows[:0], rows[10:])
    data = Dataset(x, rows % 3, Emotions(("a", "b", "c")), None, (fold,), {}, valid=own)
    rates = {"learning_rate": 1e-2, "segment_rate": 1e-2, "epsilon": 1e-3}
    sizes = {"epochs": 4, "batch": 4, "segment_epochs": 2, "segment_batch": 8}
    (unit,) = loop.train(
        lambda seed: small(x.shape[1:], **READINGS["paper"], dropout=0.0, seed=seed),
        data,
        replace(TRAINING, **rates, **sizes),
        **{"selection": "last", "seeds": (0,), "stacked": False, "folder": folder},
    )
    return unit["history"], values(keras.models.load_model(folder / unit["file"], compile=False))


@pytest.mark.backends
def test_padding_changes_no_step_of_either_stage(tmp_path):
    history, weights = train_staged(tmp_path / "bare", 0)
    more, same = train_staged(tmp_path / "padded", 3)
    assert [row["stage"] for row in history] == [1, 1, 2, 2]
    for row, wanted in zip(more, history, strict=True):
        assert row == pytest.approx(wanted, rel=1e-4)
    for name, weight in weights.items():
        np.testing.assert_allclose(same[name], weight, rtol=1e-3, atol=1e-4, err_msg=name)


# ---- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 64, 64), (8, 64, 64, 1), (8, None, 64, 3), (64, 64, 3)])
def test_takes_segments_of_three_channels(shape):
    with pytest.raises(
        InputError, match=r"dcnn_blstm takes \(segments, frames, bins, 3\); got shape \("
    ):
        build(shape, 8)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cnn": "alexnet"}, ": alexnet takes images of 67 x 67 or more, got 16 x 20; set resize"),
        ({"resize": 8}, ": small takes images of 16 x 16 or more, got 8 x 8; set resize"),
        (
            {"cnn_weights": "imagenet"},
            ".cnn_weights: imagenet has none of small; take cnn resnet50",
        ),
        ({"freeze": True}, ".freeze: a CNN of random weights learns nothing; set cnn_weights"),
        ({"dense": ()}, r".dense: wanted one layer or more, got \[\]"),
    ],
)
def test_settings_that_lead_to_no_network(settings, message):
    with pytest.raises(InputError, match=f"dcnn_blstm{message}"):
        small(**settings)
