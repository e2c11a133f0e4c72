"""Metrics of what adds up over clips: scikit-learn's, scipy's, or their definitions."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    recall_score,
    root_mean_squared_error,
)

from pipeline.scoring import metrics
from tests.scoring.made_up import CLASSES, ccc_of, guesses, rated


@pytest.mark.parametrize("seed", range(5))
def test_metrics_are_scikit_learns(seed):
    labels, predicted = guesses(seed=seed)
    counts = metrics.confusion(labels, predicted, CLASSES)
    np.testing.assert_array_equal(counts, confusion_matrix(labels, predicted, labels=CLASSES))
    np.testing.assert_allclose(
        metrics.recalls(counts), recall_score(labels, predicted, labels=CLASSES, average=None)
    )
    assert metrics.uar(counts) == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert metrics.war(counts) == pytest.approx(accuracy_score(labels, predicted))
    assert metrics.macro_f1(counts) == pytest.approx(f1_score(labels, predicted, average="macro"))


def test_a_known_confusion():
    counts = np.array([[8, 2], [5, 5]])
    np.testing.assert_allclose(metrics.recalls(counts), [0.8, 0.5])
    assert metrics.uar(counts) == pytest.approx(0.65)
    assert metrics.war(counts) == pytest.approx(13 / 20)
    assert metrics.macro_f1(counts) == pytest.approx((16 / 23 + 10 / 17) / 2)


def test_rows_are_labels_in_the_order_of_classes():
    counts = metrics.confusion(["sad"] * 3, ["sad", "angry", "angry"], ["sad", "angry"])
    np.testing.assert_array_equal(counts, [[1, 2], [0, 0]])


def test_averages_are_over_the_classes_that_occur():
    labels, predicted = ["angry", "angry", "sad"], ["angry", "happy", "sad"]
    counts = metrics.confusion(labels, predicted, CLASSES)
    np.testing.assert_array_equal(metrics.recalls(counts), [0.5, np.nan, np.nan, 1])
    assert metrics.uar(counts) == 0.75
    expected = f1_score(labels, predicted, labels=["angry", "sad"], average="macro")
    assert metrics.macro_f1(counts) == pytest.approx(expected)


def test_metrics_keep_leading_axes():
    counts = np.stack([metrics.confusion(*guesses(seed=seed), CLASSES) for seed in range(6)])
    stacked = counts.reshape(2, 3, 4, 4)
    for metric in (metrics.uar, metrics.war, metrics.macro_f1, metrics.recalls):
        each = np.array([metric(matrix) for matrix in counts])
        np.testing.assert_allclose(metric(stacked), each.reshape(2, 3, *each.shape[1:]))


def test_the_order_of_classes_changes_no_average():
    labels, predicted = guesses()
    for metric in (metrics.uar, metrics.war, metrics.macro_f1):
        forward = metric(metrics.confusion(labels, predicted, CLASSES))
        assert forward == pytest.approx(metric(metrics.confusion(labels, predicted, CLASSES[::-1])))


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="2 labels but 1 predictions"):
        metrics.confusion(["sad", "sad"], ["sad"], CLASSES)
    with pytest.raises(ValueError, match="no clips to evaluate"):
        metrics.confusion([], [], CLASSES)
    with pytest.raises(ValueError, match="a class is named twice: sad, sad"):
        metrics.confusion(["sad"], ["sad"], ["sad", "sad"])
    with pytest.raises(ValueError, match="label 'bored' is no class; classes: angry, happy"):
        metrics.confusion(["bored"], ["sad"], CLASSES)
    with pytest.raises(ValueError, match="prediction 'bored' is no class"):
        metrics.confusion(["sad"], ["bored"], CLASSES)


def ccc(truth, predicted):
    return float(metrics.ccc(metrics.moments(truth, predicted).sum(axis=0)))


@pytest.mark.parametrize("seed", range(5))
def test_ccc_and_rmse_are_their_definitions(seed):
    frame = rated(seed=seed)
    truth, predicted = frame["true_arousal"], frame["predicted_arousal"]
    sums = metrics.moments(truth, predicted).sum(axis=0)
    assert metrics.ccc(sums) == pytest.approx(ccc_of(truth, predicted))
    assert metrics.rmse(sums) == pytest.approx(root_mean_squared_error(truth, predicted))


def test_known_concordances():
    truth = np.array([1.0, 2.5, 4.0, 5.5, 7.0])
    assert ccc(truth, truth) == 1
    assert ccc(truth, 8 - truth) == pytest.approx(-1)
    variance, shift = truth.var(), 2.0
    assert ccc(truth, truth + shift) == pytest.approx(2 * variance / (2 * variance + shift**2))
    assert ccc(truth, truth + shift) == pytest.approx(ccc(truth + shift, truth))
    assert metrics.rmse(metrics.moments(truth, truth + shift).sum(axis=0)) == pytest.approx(2)


@pytest.mark.parametrize("value", [3.3, 0.1 + 0.2, 1e-3])
def test_a_constant_earns_nothing(value):
    truth = np.linspace(1, 7, 13)
    same = np.full(13, value)
    assert ccc(truth, same) == pytest.approx(0, abs=1e-12)
    assert ccc(same, truth) == pytest.approx(0, abs=1e-12)
    assert ccc(same, same) == 0
    assert ccc(same, same + 1) == pytest.approx(0, abs=1e-12)
    assert ccc([0.0], [0.0]) == 0
    for one, other in ((truth, same), (same, truth), (same, same)):
        assert metrics.pearson(metrics.moments(one, other).sum(axis=0)) == 0


@pytest.mark.parametrize("seed", range(5))
def test_pearson_is_scipys(seed):
    frame = rated(seed=seed)
    sums = metrics.moments(frame.true_arousal, frame.predicted_arousal).sum(axis=0)
    r, _ = pearsonr(frame.true_arousal, frame.predicted_arousal)
    assert metrics.pearson(sums) == pytest.approx(r)
    shifted = metrics.moments(frame.true_arousal, 3 - 2 * frame.true_arousal).sum(axis=0)
    assert metrics.pearson(shifted) == pytest.approx(-1)


def test_moments_keep_leading_axes():
    frames = [rated(seed=seed) for seed in range(6)]
    sums = np.stack([metrics.moments(f.true_arousal, f.predicted_arousal).sum(0) for f in frames])
    for metric in (metrics.ccc, metrics.rmse):
        each = [metric(row) for row in sums]
        np.testing.assert_allclose(metric(sums.reshape(2, 3, 6)), np.reshape(each, (2, 3)))


def test_classes_that_nobody_names_have_their_rows():
    np.testing.assert_array_equal(
        metrics.confusion(["angry"], ["happy"], CLASSES), np.eye(4)[[1, 3, 3, 3]] * [0, 1, 0, 0]
    )


@pytest.mark.parametrize("seed", range(3))
def test_cells_of_clips_add_up_to_the_confusion_matrix(seed):
    labels, predicted = guesses(seed=seed)
    kinds, sums = metrics.cells(pd.DataFrame({"label": labels, "predicted": predicted}), CLASSES)
    assert sums.shape == (16, 4, 4)
    whole = metrics.confusion(labels, predicted, CLASSES)
    np.testing.assert_array_equal(sums[kinds].sum(axis=0), whole)


def test_pearson_of_zeros_and_of_large_constants_is_0():
    varied = np.arange(9.0)
    for constant in (np.zeros(9), *(np.full(9, value) for value in (1e5 + 0.1, 123456.7, 1e6 / 3))):
        for pair in ((constant, varied), (varied, constant), (constant, constant)):
            assert metrics.pearson(metrics.moments(*pair).sum(axis=0)) == 0


def test_pearson_is_never_above_1():
    truth = np.random.default_rng(0).normal(size=(500, 3))
    sums = metrics.moments(truth, 0.1 * truth + 0.7).sum(axis=1)
    assert (metrics.pearson(sums) <= 1).all()
    sums = metrics.moments(truth, 0.7 - 0.1 * truth).sum(axis=1)
    assert (metrics.pearson(sums) >= -1).all()
