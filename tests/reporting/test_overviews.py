"""Tables over many runs."""

import json
import re

from pipeline.reporting.overviews import costs
from pipeline.reporting.page import page
from pipeline.reporting.results import read_run
from pipeline.reporting.summary import summary
from tests.made_runs import (
    APART,
    RUNS,
    SHARED,
    leak,
    report,
    text_of,
    write_rated,
    write_run,
)

MINUS = "\N{MINUS SIGN}"
DASH = "\N{EN DASH}"


def test_runs_on_the_same_folds_are_compared_and_others_are_not(reports):
    report(reports, RUNS)
    seen = text_of((reports / "index.html").read_text())
    rows = re.findall(r"(\S+) (\S+) (UAR|WAR) (\S+) \[\S+, \S+\] \S+", seen)
    pairs = [(first, second) for first, second, measure, _ in rows if measure == "UAR"]
    assert ("tim_net-ravdess-authors", "tim_net-ravdess") in pairs
    assert "Run against run" in seen


def test_cost_of_the_leak_pairs_leaky_with_honest(reports):
    runs = [read_run(reports / name) for name in RUNS]
    pairs = [(leaky.name, honest.name) for leaky, honest in costs(runs)]
    assert pairs == [("tim_net-ravdess-authors", "tim_net-ravdess")]
    assert f"90.0 60.0 {MINUS}30.0" in text_of(page(runs, []))


def test_leaks_cost_what_both_runs_measure(tmp_path):
    leaky = read_run(write_rated(tmp_path, "a", ccc=0.8, selection="leaky"))
    honest = read_run(write_rated(tmp_path, "b", attributes=["valence"], ccc=0.7))
    other = read_run(write_rated(tmp_path, "c", attributes=["arousal"], leaks=SHARED))
    assert costs([leaky, honest, other]) == [(leaky, honest)]
    seen = text_of(page([leaky, honest], []))
    assert f"0.800 {DASH} {DASH} 0.700 {DASH} {DASH} 0.600 0.500 {MINUS}0.100" in seen
    assert "(the epoch was picked on it)" in seen


def test_others_stand_next_to_runs_on_their_folds(tmp_path):
    listed = {"kind": "listed_speakers", "list": "ravdess", "allow": ["sentence"]}
    whole = APART | {"clip": leak(0, 1440)}
    write_run(tmp_path, "a", protocol_settings=listed, leaks=whole)
    write_run(tmp_path, "b")
    report(tmp_path, ["a", "b"])
    *_, others, _, _, _ = (tmp_path / "summary.md").read_text().split("\n\n")
    rows = [row.split(" | ")[:4] for row in others.splitlines()]
    assert [row for row in rows if row[0] in {"| a", "| b"}] == [["| a", "80.0", "80.0", DASH]]
    assert ["| GResNet", DASH, DASH, "59.7"] in rows
    assert "| 62.3 ± 1.2 | UAR or accuracy | by its released notebook hyperparameters" in others
    seen = text_of((tmp_path / "index.html").read_text())
    assert f"a tim_net on ravdess 80.0 80.0 {DASH} {DASH}" in seen
    assert "GResNet README of ResLSTM-SA" in seen
    report(tmp_path, ["b"])
    for name in ("index.html", "summary.md"):
        assert "GResNet" not in (tmp_path / name).read_text()


def test_the_spread_over_seeds_stands_apart_from_the_interval(tmp_path):
    folder = write_run(tmp_path, "seeds", seeds=[0, 1, 2])
    for name, column in (("predictions.csv", 4), ("history.csv", 1)):
        head, *rows = [row.split(",") for row in (folder / name).read_text().splitlines()]
        all_seeds = [[*row[:column], s, *row[column + 1 :]] for s in "012" for row in rows]
        (folder / name).write_text("\n".join(",".join(row) for row in [head, *all_seeds]) + "\n")
    metrics = json.loads((folder / "metrics.json").read_text())
    metrics |= {"uar_seeds_std": 0.0123, "war_seeds_std": 0.0456}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    run = read_run(folder)
    assert "80.0 [75.7, 83.7]" in text_of(page([run], []))
    for words in ("s.d. 1.2 over 3 seeds", "s.d. 4.6 over 3 seeds"):
        assert words in text_of(page([run], []))
        assert words in summary([run], [])
    assert "seeds" not in summary([read_run(write_run(tmp_path, "one"))], [])
