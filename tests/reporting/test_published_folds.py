"""Published folds next to ours."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline import models
from pipeline.commands.compare import compare
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.reporting import published_folds
from pipeline.reporting.wording import paired_cells
from pipeline.settings import flat
from pipeline.stages.evaluate import COPIED
from tests.reporting.test_levels import result

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
