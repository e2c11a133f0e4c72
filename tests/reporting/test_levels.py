"""Levels: last epoch, mean of the last ones, best epoch; and published folds next to ours."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline import models
from pipeline.commands.compare import compare
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.reporting import levels, published_folds
from pipeline.reporting.results import DASH, Result
from pipeline.reporting.wording import level_cells, optimism_words, paired_cells
from pipeline.scoring import targets
from pipeline.settings import flat
from pipeline.stages.evaluate import COPIED
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


# ---- published folds -------------------------------------------------------------------------

THEIRS = [88.19, 93.06, 91.67, 94.44, 86.11, 90.28, 88.19, 90.97, 87.50, 90.28]
LEVEL = [87.05, 92.85, 90.55, 93.35, 85.45, 88.60, 86.80, 88.70, 87.65, 91.30]


def authors(folds, **facts):
    """TIM-Net, one point above its authors in the last epoch, two below in the 39 before."""
    curves = {n: [0.5] * 460 + [LEVEL[n - 1] / 100 - 0.02] * 39 for n in folds}
    found = result(
        {n: [*c, THEIRS[n - 1] / 100 + 0.01] for n, c in curves.items()}, dict.fromkeys(folds, 144)
    )
    model = models.facts("tim_net")
    own = {"settings": flat(model.settings()), "training": flat(model.training)}
    (line,) = (
        one
        for one in model.published
        if one["corpus"] == "ravdess" and one["conditions"]["selection"] == "last"
    )
    spec = {"settings": line["conditions"]["feature"], "waveform": {}}
    own |= {"model": "tim_net", "published": [line], "spec": spec, "folds": 10}
    return replace(found, facts=found.facts | own | {"tested_folds": list(folds)} | facts)


def test_folds_are_paired_with_the_authors():
    last, level = published_folds.paired(authors(range(1, 11)))
    assert (last.what, level.what) == ("last epoch", "mean of the last 40 epochs")
    assert last.theirs == tuple(THEIRS)
    assert np.mean(last.theirs) == pytest.approx(90.07, abs=0.005)
    assert level.theirs == tuple(LEVEL)
    assert last.difference == pytest.approx(1)
    assert last.interval == pytest.approx((1, 1))
    wanted = (39 * -2 + np.subtract(THEIRS, LEVEL).mean() + 1) / 40
    assert level.difference == pytest.approx(wanted)
    low, high = level.interval
    assert low < level.difference < high


def test_folds_of_another_training_are_not_paired():
    facts = authors([1]).facts
    for otherwise in (
        {"training": facts["training"] | {"epochs": 60}},
        {"protocol_settings": facts["protocol_settings"] | {"seed": 1}},
        {"model": "gm_tcnet"},
        {"published": []},
    ):
        assert published_folds.paired(authors([1], **otherwise)) == []


def test_the_report_pairs_whole_runs_only():
    whole, part = authors(range(1, 11)), authors([3, 4])
    assert paired_cells(whole)[0][:4] == [
        "last epoch",
        "91.1",
        "90.1",
        "+1.0 [+1.0, +1.0]",
    ]
    assert len(published_folds.paired(part)) == 2
    assert paired_cells(part) == []


def test_a_run_of_some_folds_is_compared_by_hand(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    given = authors([4, 2])
    folder = tmp_path / "reports" / "recorded" / "tim"
    facts = dict.fromkeys([*COPIED, "clips", "speakers", "quality"]) | given.facts
    length = {"policy": "centre"}
    leaks = dict.fromkeys("clip pcm near speaker sentence utterance session parent".split())
    facts |= {
        "attributes": [],
        "leaks": leaks | facts["leaks"],
        "length": length,
        "corpus": "ravdess",
    }
    tables.write_json(facts, folder / "run.json")
    scores = {f"{key}{end}": 0.5 for key in ("uar", "war") for end in ("", "_low", "_high")}
    tables.write_json(scores | {"chance_uar": 0.1, "majority_war": 0.1}, folder / "metrics.json")
    how = "hardware cores backend seconds command commit date note".split()
    tables.write_json(dict.fromkeys(how, ""), folder / "how.json")
    tables.write(given.history, folder / "history.csv")
    found = given.predictions.assign(label="sad", predicted="sad", clip="c", speaker="s", seed="0")
    found = found.assign(**{f"p_{label}": 0.125 for label in facts["labels"]})
    tables.write(found, folder / "predictions.csv")
    compare("tim")
    said = capsys.readouterr().out.splitlines()
    assert said[:5] == [
        "last epoch, WAR %",
        "  fold   ours  theirs  difference",
        "     2   94.1    93.1        +1.0",
        "     4   95.4    94.4        +1.0",
        "  mean difference +1.0 [+1.0, +1.0], 2 folds",
    ]
    assert said[5] == "mean of the last 40 epochs, WAR %"
    with pytest.raises(InputError, match=r"tom: no such run; did you mean tim\?"):
        compare("tom")
    tables.write_json(facts | {"published": []}, folder / "run.json")
    with pytest.raises(InputError, match="tim: no accuracies of single folds are known that were"):
        compare("tim")
