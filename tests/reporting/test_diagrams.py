"""Figures of confidence and of groups: what they state, and how many groups they show."""

import dataclasses
import re

import numpy as np

from pipeline.files import tables
from pipeline.reporting import diagrams, drawing, maps
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


def mapped(folder, columns):
    """Give the run of a folder with a map of its first fold."""
    rows = tables.read(folder / "predictions.csv")
    first = rows[rows["fold"] == "1"][["clip", "fold", "seed"]].reset_index(drop=True)
    draw = np.random.default_rng(0)
    places = {name: draw.normal(size=len(first)).round(3) for name in columns}
    tables.write(first.assign(**places), folder / "map.csv")
    return read_run(folder)


def test_each_emotion_has_its_colour_and_its_name_on_both_maps(tmp_path):
    assert diagrams.vector_maps(read_run(write_run(tmp_path, "none"))) == []
    run = mapped(write_run(tmp_path, "a"), maps.PLACES[3:])
    found = diagrams.vector_maps(run)
    assert [name for name, _ in found] == ["PCA", "t-SNE"]
    for name, drawn in found:
        assert f"Map of 40 held-out clips of fold 1 of a by {name}" in drawn
        for place, label in enumerate(LABELS):
            assert f">{label}</text>" in drawn
            assert drawn.count(f"stroke: var(--class-{place})") == 1
    assert found[0][1] != found[1][1]


def test_a_rated_clip_is_the_darker_the_higher(tmp_path):
    run = mapped(write_rated(tmp_path, "b"), maps.PLACES[3:])
    (_, drawn), _ = diagrams.vector_maps(run)
    found = re.findall(r"stroke-opacity: ([\d.]+)|opacity: ([\d.]+)", drawn)
    assert len(found) >= 4  # one of five is whole
    assert "</text>" not in drawn


def test_colours_of_classes_are_seen_on_paper():
    for light, dark in drawing.CLASSES.values():
        assert contrast(light, drawing.LIGHT["paper"]) >= 3
        assert contrast(dark, drawing.DARK["paper"]) >= 3
    assert len({light for light, _ in drawing.CLASSES.values()} | {*drawing.LIGHT.values()}) == 16


def contrast(one, other):
    """Contrast of two colours, as WCAG 2 defines it."""
    shares = []
    for colour in (one, other):
        values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]
        shares.append(float(np.dot(linear, [0.2126, 0.7152, 0.0722])) + 0.05)
    return max(shares) / min(shares)
