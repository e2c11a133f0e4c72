import json

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

from pipeline.scoring import evaluation, metrics

SCALARS = ["uar", "war", *evaluation.METRICS["emotions"]]
FOLDS = [f"_fold_{n}" for n in ("01", "02", "03", "04", "mean", "std")]
CLASSES = ["angry", "happy", "neutral", "sad"]


def guesses(clips=400, seed=0, right=0.6, classes=CLASSES):
    """Labels of uneven frequency, and predictions that are right so often."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(classes, clips, p=np.arange(1, len(classes) + 1) / 10)
    predicted = np.where(generator.random(clips) < right, labels, generator.choice(classes, clips))
    return labels, predicted


def predictions(clips=400, folds=4, speakers=10, seed=0, **settings):
    """Return a frame of predictions."""
    labels, predicted = guesses(clips, seed, **settings)
    given = np.random.default_rng(seed).dirichlet(np.ones(len(CLASSES)), clips)
    probabilities = {f"p_{name}": column for name, column in zip(CLASSES, given.T, strict=True)}
    return pd.DataFrame(
        {
            "clip": [f"c{number:03d}" for number in range(clips)],
            "speaker": [f"s{number % speakers}" for number in range(clips)],
            "sex": "",
            "fold": [str(1 + number % folds) for number in range(clips)],
            "label": labels,
            "predicted": predicted,
        }
        | probabilities
    )


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


# ---- attributes ------------------------------------------------------------------------------


def rated(clips=400, folds=4, speakers=10, seed=0, attributes=("arousal", "valence")):
    """Return a frame of ratings from 1 to 7, and predictions that follow them."""
    generator = np.random.default_rng(seed)
    frame = predictions(clips, folds, speakers).drop(columns=["label", "predicted"])
    for attribute in attributes:
        true = generator.uniform(1, 7, clips)
        frame[f"true_{attribute}"] = true
        frame[f"predicted_{attribute}"] = 1 + 0.6 * true + generator.normal(0, 1, clips)
    return frame


def ccc_of(truth, predicted):
    """Concordance as its definition says it, from the correlation."""
    r = np.corrcoef(truth, predicted)[0, 1]
    both = np.var(truth) + np.var(predicted) + (np.mean(truth) - np.mean(predicted)) ** 2
    return 2 * r * np.std(truth) * np.std(predicted) / both


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
