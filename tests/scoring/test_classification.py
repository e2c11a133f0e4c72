"""Metrics of names and probabilities: worked by hand, and refused where they mean nothing."""

import numpy as np
import pandas as pd
import pytest

from pipeline.scoring import classification

CLASSES = ["angry", "happy", "sad"]


def table(labels, given):
    """Give predictions: the most probable class of each clip."""
    rows = pd.DataFrame(np.array(given, float), columns=[f"p_{name}" for name in CLASSES])
    best = rows.to_numpy().argmax(axis=1)
    named = {"clip": [f"c{i}" for i in range(len(rows))], "label": labels}
    return rows.assign(**named, predicted=[CLASSES[i] for i in best])


FOUR = table(
    ["angry", "angry", "happy", "sad"],
    [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2]],
)


def test_four_clips_worked_by_hand():
    found = classification.scalars(FOUR, CLASSES)
    logs = np.log([0.8, 0.2, 0.6, 0.2])
    assert found["log_loss"] == pytest.approx(-logs.mean())
    squares = [0.04 + 0.01 + 0.01, 0.64 + 0.25 + 0.09, 0.01 + 0.16 + 0.09, 0.25 + 0.09 + 0.64]
    assert found["brier"] == pytest.approx(np.mean(squares))
    assert found["top_2"] == 2 / 4  # not the second, whose happy and sad are above, nor the last
    f1 = {"angry": 2 / (2 + 2), "happy": 2 / (1 + 2), "sad": 0}
    assert found["weighted_f1"] == pytest.approx((2 * f1["angry"] + f1["happy"] + f1["sad"]) / 4)
    # 2 of 4 right; labels 2 1 1, predictions 2 2 0
    s, right, products = 4, 2, 2 * 2 + 1 * 2 + 1 * 0
    spread = (s**2 - (4 + 1 + 1)) * (s**2 - (4 + 4 + 0))
    assert found["mcc"] == pytest.approx((right * s - products) / np.sqrt(spread))
    # confidence 0.8 right, 0.6 right, 0.5 twice wrong
    assert found["ece"] == pytest.approx((0.2 + 0.4 + 2 * 0.5) / 4)


def test_precision_of_a_class_that_is_never_predicted_is_0_and_of_an_absent_one_missing():
    assert classification.precisions(FOUR, CLASSES) == {
        "precision_angry": 1 / 2,
        "precision_happy": 1 / 2,
        "precision_sad": 0.0,
    }
    rows = FOUR[FOUR.label != "happy"]
    assert set(classification.precisions(rows, CLASSES)) == {"precision_angry", "precision_sad"}


def test_the_order_of_the_classes_decides_nothing():
    turned = CLASSES[::-1]
    assert classification.scalars(FOUR, turned) == pytest.approx(
        classification.scalars(FOUR, CLASSES)
    )


def test_sure_and_wrong_costs_much_but_not_everything():
    found = classification.scalars(table(["angry", "sad"], [[0, 1, 0], [0, 0, 1]]), CLASSES)
    assert found["log_loss"] == pytest.approx(-np.log(np.finfo(float).eps) / 2, rel=1e-3)
    assert (found["brier"], found["top_2"], found["ece"]) == (1.0, 0.5, 0.5)


def test_one_class_in_labels_or_predictions_has_no_correlation():
    found = classification.scalars(table(["sad"] * 3, [[0, 1, 0], [0, 0, 1], [1, 0, 0]]), CLASSES)
    assert found["mcc"] == 0
    assert found["weighted_f1"] == pytest.approx(0.5)


def test_of_two_classes_one_of_the_two_is_always_right():
    rows = pd.DataFrame({"clip": ["a", "b"], "label": ["sad", "happy"], "predicted": "sad"})
    found = classification.scalars(rows.assign(p_sad=0.7, p_happy=0.3), ["happy", "sad"])
    assert (found["top_2"], found["brier"]) == (1.0, pytest.approx((0.18 + 0.98) / 2))


def test_rows_that_rounding_moved_are_divided_by_their_sum():
    moved = FOUR.assign(**{f"p_{name}": FOUR[f"p_{name}"] * 1.00001 for name in CLASSES})
    given = classification.probabilities(moved, CLASSES)
    np.testing.assert_allclose(given.sum(axis=1), 1, atol=1e-15)
    assert classification.scalars(moved, CLASSES) == pytest.approx(
        classification.scalars(FOUR, CLASSES)
    )


@pytest.mark.parametrize("wrong", [0.7, np.nan, -0.1, np.inf])
def test_what_is_no_probability_is_refused(wrong):
    rows = FOUR.copy()
    rows.loc[2, "p_sad"] = wrong
    with pytest.raises(ValueError, match="clip c2: the probabilities of its classes do not add up"):
        classification.scalars(rows, CLASSES)
    with pytest.raises(ValueError, match="predictions lack the column 'p_sad'"):
        classification.scalars(FOUR.drop(columns="p_sad"), CLASSES)


def test_a_negative_probability_is_refused_though_all_add_up_to_1():
    rows = FOUR.assign(p_angry=1.2, p_happy=-0.2, p_sad=0.0)
    with pytest.raises(ValueError, match="clip c0: the probabilities of its classes do not"):
        classification.probabilities(rows, CLASSES)
