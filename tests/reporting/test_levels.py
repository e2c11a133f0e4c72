"""Levels: last epoch, mean of the last ones, best epoch."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.reporting import levels
from pipeline.reporting.results import DASH, Result
from pipeline.reporting.wording import level_cells, optimism_words
from pipeline.scoring import targets
from tests.reporting.test_comparison import FACTS, RAVDESS

EMOTIONS = targets.of((), RAVDESS)
WAR = EMOTIONS.measures[1]


def result(curves, clips, target=EMOTIONS, column="test_accuracy", seeds=(0,)):
    """Result with these curves on test, by fold, and so many test clips in each."""
    rows = [
        {"fold": fold, "seed": seed, "epoch": epoch, "loss": 1.0, "accuracy": 0.5, column: value}
        for fold, curve in curves.items()
        for seed in seeds
        for epoch, value in enumerate(curve, start=1)
    ]
    tested = [fold for fold, n in clips.items() for _ in range(n)] * len(seeds)
    facts = FACTS | {"seeds": list(seeds), "folds": len(curves), "published": []}
    history, predictions = pd.DataFrame(rows), pd.DataFrame({"fold": map(str, tested)})
    return Result("one", facts, target, {}, history=history, predictions=predictions)


def test_the_level_of_a_fold_is_over_a_tenth_of_its_epochs_and_forty_at_most():
    up = np.arange(1, 501) / 1000
    one = levels.of_folds(result({1: up}, {1: 10}), WAR)[1]
    assert (one.last, one.epochs) == (0.5, 40)
    assert one.level == pytest.approx(np.mean(up[-40:]))
    assert one.spread == pytest.approx(np.std(up[-40:]))
    assert levels.of_folds(result({1: up[:60]}, {1: 10}), WAR)[1].epochs == 6
    assert levels.of_folds(result({1: up[:8]}, {1: 10}), WAR)[1].epochs == 1


def test_the_best_epoch_is_each_fold_s_own_and_folds_count_by_their_clips():
    found = result({1: [0.2, 0.9, 0.5], 2: [0.4, 0.3, 0.8]}, {1: 30, 2: 10})
    first, second = levels.of_folds(found, WAR).values()
    assert (first.best, first.best_epoch, second.best, second.best_epoch) == (0.9, 2, 0.8, 3)
    ((measure, over),) = levels.of_run(found)
    assert measure == WAR
    assert over.last == pytest.approx((30 * 0.5 + 10 * 0.8) / 40)
    assert over.best == pytest.approx((30 * 0.9 + 10 * 0.8) / 40)
    assert over.best_epoch is None


def test_what_choosing_on_test_adds_is_said_in_words():
    found = result({1: [*[0.2] * 10, 0.9, *[0.2] * 8, 0.5]}, {1: 10})
    assert level_cells(found) == [
        ["WAR %", "50.0", "35.0 ± 15.0 over the last 2 epochs", "90.0", "+40.0"]
    ]
    assert optimism_words(found) == [
        "WAR %: last epoch 50.0, mean 35.0 ± 15.0 over the last 2 epochs; the best epoch of each "
        "test fold would have printed 90.0: +40.0 points of optimism."
    ]


def test_attributes_are_each_a_row():
    rated = targets.of(("arousal",))
    found = result({1: [0.1, 0.25]}, {1: 10}, rated, "test_ccc_arousal")
    assert level_cells(found) == [["CCC arousal", "0.250", DASH, "0.250", "+0.000"]]


def test_seeds_are_averaged():
    found = result({1: [0.2, 0.4]}, {1: 10}, seeds=(1, 2))
    found.history.loc[found.history.seed == 2, "test_accuracy"] = [0.8, 0.6]
    one = levels.of_folds(found, WAR)[1]
    assert (one.last, one.best, one.best_epoch) == (0.5, pytest.approx(0.6), None)
    assert found.clips_of_folds == {1: 10}


@pytest.mark.parametrize("more", [(), ("loss",)])
def test_without_a_history_on_test_there_is_no_level(more):
    history = pd.DataFrame(columns=["fold", "seed", "epoch", *more])
    found = replace(result({1: [0.1]}, {1: 10}), history=history)
    assert level_cells(found) == optimism_words(found) == []
