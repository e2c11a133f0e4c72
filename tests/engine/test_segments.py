"""Two stages: the CNN on segments and then the rest, against the same worked out in numpy."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from pipeline.engine import compiled, loop
from pipeline.engine.dataset import Dataset, Fold
from pipeline.engine.segments import SegmentTask
from pipeline.engine.task import FoldSeed
from pipeline.errors import InputError
from pipeline.models import layers
from pipeline.models.dcnn_blstm import network as dcnn_blstm
from pipeline.models.training import SegmentTraining
from pipeline.scoring.targets import Emotions
from tests.engine.made_up import on_disk

pytestmark = [pytest.mark.backends, pytest.mark.slow]
CLIPS, SEGMENTS, LABELS = 14, 3, ("angry", "happy", "sad")
VALID = np.array([3, 1, 2, 3, 3, 2, 3] * 2)  # own segments
TRUTH = np.arange(CLIPS) % 3
FOLDS = tuple(
    Fold(number, np.setdiff1d(np.arange(CLIPS), [*held, *other]), np.array(held), np.array(other))
    for number, (held, other) in enumerate([((0, 1, 2), (3, 4)), ((5, 6, 7), (8, 9))], start=1)
)
TRAINING = SegmentTraining(
    epochs=4,
    batch=4,
    learning_rate=0.03,
    schedule="steps",
    decay=0.5,
    decay_from=1,
    decay_every=1,
    epsilon=1e-3,  # where a gradient is 0 but for its last digit, a step is too
    segment_epochs=2,
    segment_batch=5,
    segment_rate=0.02,
    segment_decay=0.25,
)
stacked_too = pytest.mark.parametrize(
    "stacked",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                keras.config.backend() != "jax", reason="folds are stacked on JAX alone"
            ),
        ),
    ],
)


def data(folds=FOLDS):
    """Clips of up to three segments, images of 2 x 2 whose colours say something of the label."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(CLIPS, SEGMENTS, 2, 2, 1)) + TRUTH[:, None, None, None, None]
    x[np.arange(SEGMENTS) >= VALID[:, None]] = 0
    return Dataset(
        x.astype(np.float32), TRUTH, Emotions(LABELS), None, folds, {}, valid=VALID
    )  # fmt: skip


def network(seed, *, normalised=True):
    """Build a CNN of one dense layer, whose vectors of the segments are averaged, and a head."""
    image = keras.Input((2, 2, 1), name="image")
    x = keras.layers.Flatten(name="flat")(image)
    x = keras.layers.Dense(4, kernel_initializer=layers.GlorotUniform(seed), name="fc")(x)
    if normalised:
        x = keras.layers.BatchNormalization(name="norm")(x)
    cnn = keras.Model(image, x, name="cnn")
    inputs = keras.Input((SEGMENTS, 2, 2, 1), name="features")
    own = dcnn_blstm.SegmentMask(name="own")(inputs)
    x = cnn(dcnn_blstm.MergeSegments(name="apart")(inputs))
    x = dcnn_blstm.SplitSegments(name="vectors")(x, own)
    x = keras.layers.GlobalAveragePooling1D(name="pooled")(x)
    head = keras.layers.Dense(
        3, activation="softmax", kernel_initializer=layers.GlorotUniform(seed + 1), name="head"
    )
    return keras.Model(inputs, head(x), name="segmented")


def train(folder, given=None, *, build=network, selection="last", stacked=False, **changed):
    """Train; give the folds, and the bytes of each model."""
    folder.mkdir(exist_ok=True)
    given = data() if given is None else given
    training, seeds = replace(TRAINING, **changed), (0,)
    where = {"selection": selection, "seeds": seeds, "stacked": stacked, "folder": folder}
    found = loop.train(build, given, training, **where)
    return found, {one["file"]: (folder / one["file"]).read_bytes() for one in found}


# ---- by hand ---------------------------------------------------------------------------------


class Adam:
    """Adam as Keras has it, on arrays that are changed in place."""

    def __init__(self, weights):
        self.weights, self.steps = weights, 0
        self.m, self.v = ([np.zeros_like(w) for w in weights] for _ in range(2))

    def step(self, gradients, rate):
        """Take a step."""
        self.steps += 1
        rate *= np.sqrt(1 - TRAINING.beta_2**self.steps) / (1 - TRAINING.beta_1**self.steps)
        for w, m, v, g in zip(self.weights, self.m, self.v, gradients, strict=True):
            m += (g - m) * (1 - TRAINING.beta_1)
            v += (g * g - v) * (1 - TRAINING.beta_2)
            w -= rate * m / (np.sqrt(v) + TRAINING.epsilon)


def softmax(logits):
    """Probabilities."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def by_hand(task, fold_seed, state):
    """Both stages in float64: the mean loss of each epoch, and the weights after the last."""
    x, one_hot = data().x.reshape(CLIPS, SEGMENTS, 4).astype(float), np.eye(3)[TRUTH]
    arrays = [np.array(w, float) for w in state["segments"]["weights"]]
    kernel, bias, head, head_bias = arrays
    adam, losses = Adam(arrays), []
    for epoch, rate in enumerate((0.02, 0.02 * np.exp(-0.25))):
        _, order, draws = task._segments(fold_seed, epoch)
        within, total = draws[:, 4].astype(int), 0
        for first in range(0, len(order), 5):
            rows = order[first : first + 5]
            image, n = x[rows, within[first : first + 5]], len(rows)
            vector = image @ kernel + bias
            p = softmax(vector @ head + head_bias)
            total -= np.log(p[one_hot[rows] > 0]).sum()
            off = (p - one_hot[rows]) / n
            back = off @ head.T
            adam.step([image.T @ back, back.sum(0), vector.T @ off, off.sum(0)], rate)
        losses.append(total / len(order))
    arrays = [np.array(w, float) for w in state["weights"]]
    adam, (head, head_bias) = Adam(arrays), arrays
    pooled = (x @ kernel + bias).mean(axis=1)
    for epoch, rate in enumerate((0.03, 0.03 * np.exp(-0.5))):
        _, order, _ = task._lesson(fold_seed, epoch)
        total = 0
        for first in range(0, len(order), 4):
            rows = order[first : first + 4]
            p = softmax(pooled[rows] @ head + head_bias)
            total -= np.log(p[one_hot[rows] > 0]).sum()
            off = (p - one_hot[rows]) / len(rows)
            adam.step([pooled[rows].T @ off, off.sum(0)], rate)
        losses.append(total / len(order))
    return losses, [kernel, bias, head, head_bias]


def test_both_stages_are_what_they_are_by_hand(tmp_path):
    plain = lambda seed: network(seed, normalised=False)  # noqa: E731
    found, _ = train(tmp_path, data(FOLDS[:1]), build=plain)
    fold_seed = FoldSeed(FOLDS[0], 0, "fold-01")
    task = SegmentTask(plain(0), data(), TRAINING, tmp_path)
    state = compiled.copied(task.start(plain(fold_seed.weights_seed), fold_seed))
    losses, weights = by_hand(task, fold_seed, state)
    assert [row["stage"] for row in found[0]["history"]] == [1, 1, 2, 2]
    assert [row["loss"] for row in found[0]["history"]] == pytest.approx(losses, rel=1e-5)
    model = keras.models.load_model(tmp_path / found[0]["file"], compile=False)
    for weight, wanted in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(weight, wanted, rtol=1e-4, atol=1e-6)


def test_each_own_segment_of_a_training_clip_is_met_once_in_an_epoch(tmp_path):
    task, fold = SegmentTask(network(0), data(), TRAINING, tmp_path), FOLDS[0]
    targets, order, draws = task._segments(FoldSeed(fold, 0, ""), 0)
    met = sorted(zip(order.tolist(), draws[:, 4].astype(int).tolist(), strict=True))
    assert met == [(clip, i) for clip in fold.train.tolist() for i in range(VALID[clip])]
    np.testing.assert_array_equal(targets, np.eye(3)[TRUTH])
    other = task._segments(FoldSeed(fold, 0, ""), 1)
    assert order.tolist() != sorted(order.tolist()) != other[1].tolist() != order.tolist()


def test_the_cnn_and_its_statistics_stay_as_the_first_stage_left_them(tmp_path):
    fold_seed = FoldSeed(FOLDS[0], 0, "fold-01")
    task = SegmentTask(network(0), data(), TRAINING, tmp_path)
    state = task.start(network(fold_seed.weights_seed), fold_seed)
    task.compile([fold_seed], state)
    start = compiled.copied(state)
    for number in range(4):
        state, _ = task.epoch(state, [fold_seed], number)
        if number == 1:
            first = compiled.copied(state)
    last = compiled.copied(state)
    moved = [(a != b).any() for a, b in zip(start["other"], first["other"], strict=True)]
    assert sum(moved) == 6  # kernel, bias, scale, offset, mean, deviation
    for before, after in zip(first["other"], last["other"], strict=True):
        np.testing.assert_array_equal(before, after)
    for before, after in zip(start["weights"], first["weights"], strict=True):
        np.testing.assert_array_equal(before, after)
    assert not np.array_equal(first["weights"][0], last["weights"][0])


# ---- the loop --------------------------------------------------------------------------------


@stacked_too
@pytest.mark.parametrize("done", [1, 3])
def test_what_was_broken_off_in_either_stage_ends_as_if_undisturbed(
    tmp_path, monkeypatch, stacked, done
):
    folds, models = train(tmp_path / "whole", stacked=stacked, selection="leaky")
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    learn, begun = SegmentTask.epoch, []

    def counted(task, *given):
        begun.append(given[-1])
        if len(begun) > done:
            raise KeyboardInterrupt
        return learn(task, *given)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(SegmentTask, "epoch", counted)
        train(tmp_path / "run", stacked=stacked, selection="leaky")
    assert list(tmp_path.glob("run/unfinished/*.npz"))
    assert train(tmp_path / "run", stacked=stacked, selection="leaky") == (folds, models)


def test_stacked_folds_are_those_of_threads(tmp_path):
    if keras.config.backend() != "jax":
        pytest.skip("folds are stacked on JAX alone")
    folds, _ = train(tmp_path / "threads")
    stacked, _ = train(tmp_path / "stacked", stacked=True)
    for one, other in zip(folds, stacked, strict=True):
        for row, wanted in zip(one["history"], other["history"], strict=True):
            assert row == pytest.approx(wanted, rel=1e-5)


def test_segments_read_while_training_give_the_same(tmp_path):
    folds, models = train(tmp_path / "memory")
    disk = replace(data(), x=on_disk(tmp_path / "x.zarr", data().x))
    found, same = train(tmp_path / "disk", disk)
    assert same == models
    for one, other in zip(folds, found, strict=True):
        for row, wanted in zip(one["history"], other["history"], strict=True):
            assert row == pytest.approx(wanted, rel=1e-6)


def test_no_selection_takes_an_epoch_of_the_first_stage_and_patience_counts_after_it(tmp_path):
    still = {"segment_rate": 1e-30, "learning_rate": 1e-30, "epochs": 9, "segment_epochs": 4}
    found, _ = train(tmp_path, selection="best_validation", patience=2, **still)
    for fold in found:
        assert fold["epoch"] == 5  # all are equally good
        assert [row["stage"] for row in fold["history"]] == [1] * 4 + [2] * 3


def test_a_loss_without_bound_in_the_first_stage_names_its_step(tmp_path):
    with pytest.raises(InputError, match=r"fold-01: the loss .* in epoch [12], step \d of 5; low"):
        train(tmp_path, segment_rate=1e12)


# ---- errors ----------------------------------------------------------------------------------


def test_a_network_without_segments_has_no_first_stage(tmp_path):
    def flat(seed):
        inputs = keras.Input((SEGMENTS, 2, 2, 1))
        return keras.Model(inputs, keras.layers.Dense(3, "softmax")(keras.ops.sum(inputs, (1, 2))))

    with pytest.raises(InputError, match="segment_epochs: the network has no layers apart, cnn "):
        train(tmp_path, build=flat)
