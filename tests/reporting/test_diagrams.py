"""Figures of confidence and of groups: what they state, and how many groups they show."""

import dataclasses
import re

from pipeline.reporting import diagrams
from pipeline.reporting.results import read_run
from pipeline.scoring.groups import Group, Score
from tests.made_runs import LABELS, write_rated, write_run

NAN = float("nan")


def test_reliability_states_every_bin(tmp_path):
    run = read_run(write_run(tmp_path, "a", right=0.9))
    given = {f"p_{label}": 0.1 for label in LABELS}
    rows = run.predictions.assign(**given)
    rows.loc[rows.index[:60], "p_sad"] = 0.35  # neutral and calm, 27 right of 30 each
    found = diagrams.reliability(dataclasses.replace(run, predictions=rows))
    assert "percent right. 180 at 10: 90; 60 at 35: 90" in found


def test_a_bar_for_each_group_with_its_interval(tmp_path):
    run = read_run(write_run(tmp_path, "a"))
    found = [
        Group("sex", "f", 10, 6, 8, {"uar": Score(0.75, 0.7, 0.8)}),
        Group("sex", "m", 10, 2, 8, {"uar": Score(0.5, NAN, NAN)}),
    ]
    drawn = diagrams.by_group(run, found)
    assert "UAR of a by sex: f 75.0, m 50.0" in drawn
    assert drawn.count("var(--ink)") > 0
    assert ">f</text>" in drawn
    assert ">m</text>" in drawn


def test_of_many_groups_the_lowest_and_the_highest_are_drawn():
    many = [
        Group("speaker", f"s{n}", 1, 1, 1, {"uar": Score(n * 37 % 100 / 100, NAN, NAN)})
        for n in range(100)
    ]
    values = [group.scores["uar"].value for group in diagrams.extremes(many, "uar")]
    assert values == [n / 100 for n in [*range(20), *range(80, 100)]]
    assert diagrams.extremes(many[:40], "uar") == many[:40]


def test_long_names_are_shortened_and_attributes_have_their_scale(tmp_path):
    run = read_run(write_rated(tmp_path, "b", attributes=["valence"]))
    name = "a_sentence_with_a_very_long_name"
    found = [Group("sentence", name, 9, 1, 0, {"ccc_valence": Score(-0.15, NAN, NAN)}),
             Group("sentence", "b", 9, 1, 0, {"ccc_valence": Score(0.5, NAN, NAN)})]  # fmt: skip
    drawn = diagrams.by_group(run, found)
    assert re.search(r">a_sentence_with_a_ver\N{HORIZONTAL ELLIPSIS}</text>", drawn)
    assert ">CCC</text>" in drawn
