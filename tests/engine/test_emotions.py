"""The task of emotions: scores worked out by hand, on a network that gives what it is given."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from pipeline.engine.dataset import Dataset, Fold
from pipeline.engine.emotions import EmotionTask
from pipeline.engine.task import FoldSeed
from pipeline.scoring.targets import Emotions
from tests.engine.made_up import TRAINING

pytestmark = pytest.mark.backends
TRUTH = np.array([0, 0, 0, 1, 2])
LOGARITHMS = np.log(np.array([[8, 1, 1], [8, 1, 1], [1, 8, 1], [1, 8, 1], [5, 1, 4]]) / 10)
ROWS = np.arange(5)
FOLD = Fold(1, ROWS[[4, 2, 0]], ROWS[3:4], ROWS[1:2])
STILL = replace(TRAINING, learning_rate=1e-30, batch=2, label_smoothing=0.0)


def task(folder, x=LOGARITHMS, **training):
    """Make a task whose network gives probabilities of their logarithms, and its state."""
    inputs = keras.Input((1, 3), name="features")
    flat = keras.layers.Flatten(name="flat")(inputs)
    outputs = keras.layers.Dense(
        3, "softmax", kernel_initializer=keras.initializers.Identity(), name="head"
    )(flat)
    model = keras.Model(inputs, outputs)
    x = x[:, None].astype(np.float32)
    data = Dataset(x, TRUTH, Emotions(("angry", "happy", "sad")), None, (FOLD,), {})
    made = EmotionTask(model, data, replace(STILL, **training), folder)
    fold_seed = FoldSeed(FOLD, 0, "fold-01")
    return made, fold_seed, made.start(model, fold_seed)


def test_clips_of_validation_are_scored_by_hits_recalls_and_cross_entropy(tmp_path):
    made, _, state = task(tmp_path)
    found = made.score(state, ROWS, "validation")
    assert found == pytest.approx(
        {
            "validation_loss": -np.log([0.8, 0.8, 0.1, 0.8, 0.4]).mean(),
            "validation_accuracy": 3 / 5,
            "validation_uar": (2 / 3 + 1 + 0) / 3,
        },
        rel=1e-5,
    )
    of_test = made.score(state, ROWS[:4], "test")  # nobody is sad there
    assert of_test == pytest.approx({"test_accuracy": 3 / 4, "test_uar": (2 / 3 + 1) / 2})


def test_answers_that_are_no_numbers_have_no_score(tmp_path):
    made, _, state = task(tmp_path, np.where(TRUTH[:, None] == 2, np.nan, LOGARITHMS))
    found = made.score(state, ROWS, "validation")
    assert list(found) == ["validation_accuracy"] and np.isnan(found["validation_accuracy"])


def test_an_epoch_measures_loss_and_hits_of_the_clips_it_is_trained_on(tmp_path):
    made, fold_seed, state = task(tmp_path)
    made.compile([fold_seed], state)
    after, (row,) = made.epoch(state, [fold_seed], 0)
    wanted = {"loss": -np.log([0.4, 0.1, 0.8]).mean(), "accuracy": 1 / 3}
    assert row == pytest.approx(wanted, rel=1e-5)
    np.testing.assert_allclose(after["weights"][0], np.eye(3), atol=1e-6)  # of a rate of nothing


def test_classes_count_alike_where_that_is_asked(tmp_path):
    """Two clips of angry and one of sad, none of happy: each class counts for a half of three."""
    made, fold_seed, state = task(tmp_path, balance="weights")
    _, (row,) = made.epoch(state, [fold_seed], 0)
    wanted = -(0.75 * np.log(0.8) + 0.75 * np.log(0.1) + 1.5 * np.log(0.4)) / 3
    assert row["loss"] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("key", ["accuracy", "uar"])
def test_epochs_are_compared_by_what_the_training_says(tmp_path, key):
    made, _, _ = task(tmp_path, select_by=key)
    row = {"validation_accuracy": 0.25, "validation_uar": 0.5, "test_uar": 1.0}
    assert made.merit(row, "validation") == row[f"validation_{key}"]


def test_a_fold_rests_on_nothing_but_training_and_selection():
    assert EmotionTask.uses(FOLD, (0,), STILL) == {}
