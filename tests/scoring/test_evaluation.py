"""Every metric of a run: named, flat, over folds and seeds."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    recall_score,
)

from pipeline.scoring import evaluation
from tests.scoring.made_up import CLASSES, ccc_of, predictions, rated

SCALARS = ["uar", "war", *evaluation.METRICS["emotions"]]
FOLDS = [f"_fold_{n}" for n in ("01", "02", "03", "04", "mean", "std")]


def test_evaluate_names_every_metric():
    frame = predictions()
    values = evaluation.evaluate_emotions(frame, CLASSES)
    assert set(values) == (
        {"uar_low", "uar_high", "war_low", "war_high"}
        | {f"{what}_{label}" for label in CLASSES for what in ("recall", "precision")}
        | {f"{m}{end}" for m in SCALARS for end in ["", *FOLDS]}
        | {"clips", "speakers", "chance_uar", "majority_war"}
    )
    assert all(type(value) is float for value in values.values())
    json.dumps(values, allow_nan=False)
    labels, predicted = frame["label"], frame["predicted"]
    assert values["uar"] == pytest.approx(balanced_accuracy_score(labels, predicted))
    assert values["recall_sad"] == pytest.approx(
        recall_score(labels, predicted, labels=["sad"], average=None)[0]
    )
    folds = [rows for _, rows in frame.groupby("fold")]
    uars = [balanced_accuracy_score(rows["label"], rows["predicted"]) for rows in folds]
    wars = [accuracy_score(rows["label"], rows["predicted"]) for rows in folds]
    assert values["uar_fold_03"] == pytest.approx(uars[2])
    assert values["war_fold_mean"] == pytest.approx(np.mean(wars))
    assert values["uar_fold_std"] == pytest.approx(np.std(uars))
    assert values["war_low"] < values["war"] < values["war_high"]
    assert values["chance_uar"] == 0.25
    assert values["majority_war"] == pytest.approx(labels.value_counts().max() / 400)
    assert (values["clips"], values["speakers"]) == (400, 10)


def test_perfect_predictions_score_one():
    frame = predictions(right=1.0)
    values = evaluation.evaluate_emotions(frame, CLASSES)
    perfect = ("uar", "war", "recall", "precision", "macro_f1", "weighted_f1", "mcc")
    ones = {name for name in values if name.startswith(perfect)}
    spread = {name for name in ones if name.endswith("_std")}
    assert [values[name] for name in ones - spread] == pytest.approx([1.0] * len(ones - spread))
    assert [values[name] for name in spread] == pytest.approx([0.0] * len(spread))


def test_the_order_of_the_clips_changes_nothing():
    frame = predictions()
    shuffled = frame.sample(frac=1, random_state=1)
    values, again = (
        evaluation.evaluate_emotions(frame, CLASSES),
        evaluation.evaluate_emotions(shuffled, CLASSES),
    )
    assert again == pytest.approx(values)
    assert list(again) == list(values)


def test_folds_are_numbers_even_as_text():
    values = evaluation.evaluate_emotions(predictions(folds=12), CLASSES)
    folds = [name for name in values if name.startswith("uar_fold_")]
    assert folds == [f"uar_fold_{number:02d}" for number in range(1, 13)] + [
        "uar_fold_mean",
        "uar_fold_std",
    ]


def test_a_class_without_a_clip_has_no_recall():
    frame = predictions().assign(p_bored=0.0)
    values = evaluation.evaluate_emotions(frame, [*CLASSES, "bored"])
    assert not {"recall_bored", "precision_bored"} & set(values)
    assert values["chance_uar"] == 0.2
    without = evaluation.evaluate_emotions(frame, CLASSES)
    of_all = [name for name in SCALARS if name != "chance_uar"]
    assert [values[name] for name in of_all] == pytest.approx([without[name] for name in of_all])


def test_a_class_absent_from_a_fold_is_left_out_of_that_folds_averages():
    """Fold 2 has no clip that is sad, though one is taken for it."""
    frame = predictions(8, folds=2, speakers=5)
    frame["label"] = ["angry", "happy", "sad", "angry", "sad", "happy", "happy", "angry"]
    frame["predicted"] = ["angry", "happy", "sad", "angry", "angry", "sad", "happy", "angry"]
    values = evaluation.evaluate_emotions(frame, CLASSES)
    assert values["uar_fold_02"] == pytest.approx((1 + 1 / 2) / 2)  # angry 2 of 2, happy 1 of 2
    assert values["macro_f1_fold_02"] == pytest.approx((1 + 2 / 3) / 2)
    assert values["weighted_f1_fold_02"] == pytest.approx((2 * 1 + 2 * 2 / 3) / 4)
    assert values["war_fold_02"] == 3 / 4
    assert values["uar_fold_mean"] == pytest.approx((0.75 + (1 + 1 + 1 / 2) / 3) / 2)
    assert all(np.isfinite(value) for value in values.values())


def test_predictions_must_be_whole():
    with pytest.raises(ValueError, match="predictions lack the column 'fold'"):
        evaluation.evaluate_emotions(predictions().drop(columns="fold"), CLASSES)
    twice = pd.concat([predictions(), predictions().tail(1)])
    with pytest.raises(ValueError, match="clip c399 is predicted more than once in a fold"):
        evaluation.evaluate_emotions(twice, CLASSES)


def test_a_clip_tested_in_two_folds_counts_in_both():
    once = predictions()
    again = once.head(100).assign(fold="9")
    values = evaluation.evaluate_emotions(pd.concat([once, again]), CLASSES)
    assert values["clips"] == len(once)
    right = (once["label"] == once["predicted"]).sum()
    right += (again["label"] == again["predicted"]).sum()
    assert values["war"] == pytest.approx(right / (len(once) + 100))


def test_evaluate_attributes_names_every_metric():
    frame = rated()
    values = evaluation.evaluate_attributes(frame, ["arousal", "valence"])
    both, metrics_ = ("arousal", "valence"), ("ccc", "pearson", "rmse")
    assert set(values) == (
        {f"{m}_{a}{end}" for m in metrics_ for a in both for end in ["", *FOLDS]}
        | {f"ccc_{a}_{end}" for a in both for end in ("low", "high")}
        | {"clips", "speakers"}
    )
    r, _ = pearsonr(frame.true_valence, frame.predicted_valence)
    assert values["pearson_valence"] == pytest.approx(r)
    assert all(type(value) is float for value in values.values())
    json.dumps(values, allow_nan=False)
    assert values["ccc_valence"] == pytest.approx(
        ccc_of(frame.true_valence, frame.predicted_valence)
    )
    by_fold = [ccc_of(f.true_arousal, f.predicted_arousal) for _, f in frame.groupby("fold")]
    assert values["ccc_arousal_fold_03"] == pytest.approx(by_fold[2])
    assert values["ccc_arousal_fold_mean"] == pytest.approx(np.mean(by_fold))
    assert values["ccc_arousal_fold_std"] == pytest.approx(np.std(by_fold))
    assert values["ccc_arousal_low"] < values["ccc_arousal"] < values["ccc_arousal_high"]
    assert (values["clips"], values["speakers"]) == (400, 10)


def test_seeds_are_averaged_and_told():
    frames = [rated(seed=seed).assign(seed=seed) for seed in (3, 5)]
    wanted = [evaluation.evaluate_attributes(frame, ["arousal"]) for frame in frames]
    values = evaluation.attributes_over_seeds(pd.concat(frames), ["arousal"])
    seeds = [one["ccc_arousal"] for one in wanted]
    assert [values["ccc_arousal_seed_3"], values["ccc_arousal_seed_5"]] == pytest.approx(seeds)
    assert values["ccc_arousal"] == pytest.approx(np.mean(seeds))
    assert values["ccc_arousal_seeds_std"] == pytest.approx(np.std(seeds))
    assert values["rmse_arousal"] == pytest.approx(np.mean([one["rmse_arousal"] for one in wanted]))
    assert evaluation.attributes_over_seeds(frames[0], ["arousal"]) == wanted[0]


def test_ratings_must_be_whole():
    frame = rated()
    with pytest.raises(ValueError, match="predictions lack the column 'true_dominance'"):
        evaluation.evaluate_attributes(frame, ["dominance"])
    with pytest.raises(ValueError, match="no clips to evaluate"):
        evaluation.evaluate_attributes(frame[:0], ["arousal"])
    with pytest.raises(ValueError, match="clip c399 is predicted more than once in a fold"):
        evaluation.evaluate_attributes(pd.concat([frame, frame.tail(1)]), ["arousal"])
    frame.loc[7, "predicted_arousal"] = np.nan
    with pytest.raises(ValueError, match="clip c007: predicted_arousal is NaN"):
        evaluation.evaluate_attributes(frame, ["arousal"])
