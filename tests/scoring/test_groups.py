"""Measures by speaker, sex, sentence, session and length: known answers, and what is left out."""

import math

import numpy as np
import pandas as pd
import pytest

from pipeline.scoring import evaluation, groups
from pipeline.scoring.targets import Attributes, Emotions

TARGET = Emotions(("angry", "sad"))


def table(**columns):
    """Give 24 clips of six speakers, the odd ones male; of women all are right, of men half."""
    rows = pd.DataFrame({"clip": [f"c{n}" for n in range(24)]})
    rows["speaker"] = [f"s{n % 6 + 5}" for n in range(24)]  # s5 ... s10
    rows["sex"] = np.where(np.arange(24) % 2, "m", "f")
    rows["label"] = ["angry"] * 12 + ["sad"] * 12
    right = (np.arange(24) % 2 == 0) | (rows.label == "angry")
    rows["predicted"] = np.where(right, rows.label, "angry")
    rows["seconds"] = [0.5, 1.0, 1.99, 12.0] * 6
    return rows.assign(fold="1", seed="0", sentence="", session="1", **columns)


def test_sexes():
    f, m = groups.of(TARGET, table(), "sex")
    assert (f.value, f.clips, f.speakers, f.classes) == ("f", 12, 3, 2)
    assert f.scores["uar"].value == f.scores["war"].value == 1
    assert m.scores["uar"].value == m.scores["war"].value == 0.5
    assert math.isnan(m.scores["uar"].low)  # three speakers


def test_speakers_in_their_natural_order():
    found = groups.of(TARGET, table(), "speaker")
    assert [group.value for group in found] == ["s5", "s6", "s7", "s8", "s9", "s10"]
    assert [group.scores["war"].value for group in found] == [1, 0.5] * 3
    assert {(group.clips, group.speakers) for group in found} == {(4, 1)}


def test_five_speakers_have_an_interval_as_the_whole_has():
    rows = pd.concat([table(), table(sex="f")], ignore_index=True)
    rows["clip"] = [f"c{n}" for n in range(48)]
    women, _ = groups.of(TARGET, rows, "sex")
    assert women.speakers == 6
    assert women.scores["uar"].low < women.scores["uar"].value < women.scores["uar"].high
    own = rows[rows.sex == "f"].assign(p_angry=0.5, p_sad=0.5)
    wanted = evaluation.scores(TARGET, own)
    assert women.scores["uar"].low == wanted["uar_low"]
    assert women.scores["uar"].value == wanted["uar"]


def test_lengths_are_put_into_buckets_from_short_to_long():
    found = groups.of(TARGET, table().assign(seconds=["12.0", "0.5", "1.0", ""] * 6), "length")
    names = [(group.value, group.clips) for group in found]
    assert names == [("under 1 s", 6), ("1 to 2 s", 6), ("10 s and more", 6)]


def test_a_group_that_lacks_a_class_says_so_and_is_averaged_over_the_others():
    rows = table()
    rows = rows[(rows.sex == "f") | (rows.label == "sad")]
    _, m = groups.of(TARGET, rows, "sex")
    assert (m.classes, m.scores["uar"].value) == (1, 0)


def test_seeds_are_averaged():
    again = table().assign(seed="1")
    again["predicted"] = again["label"]
    _, m = groups.of(TARGET, pd.concat([table(), again]), "sex")
    assert (m.clips, m.scores["war"].value) == (12, 0.75)


@pytest.mark.parametrize("kind", ["sentence", "session"])
def test_what_the_corpus_does_not_say_or_has_once_makes_no_groups(kind):
    assert groups.of(TARGET, table(), kind) == []


def test_groups_of_a_clip_each_are_left_out_and_so_are_columns_that_older_runs_lack():
    rows = table().assign(sentence=[f"t{n}" for n in range(24)])
    assert groups.of(TARGET, rows, "sentence") == []
    assert groups.of(TARGET, rows.drop(columns="session"), "session") == []
    assert groups.of(TARGET, rows[:0], "sex") == []


def test_a_clip_of_no_known_speaker_counts_in_its_sex():
    rows = table()
    rows.loc[0, "speaker"] = ""
    f, _ = groups.of(TARGET, rows, "sex")
    assert (f.clips, f.speakers) == (12, 0)


def test_attributes_have_groups_too():
    rows = table().drop(columns=["label", "predicted"])
    rows["true_valence"] = np.arange(24) % 7
    rows["predicted_valence"] = np.where(rows.sex == "f", rows.true_valence, 3.0)
    f, m = groups.of(Attributes(("valence",)), rows, "sex")
    assert (f.classes, f.scores["ccc_valence"].value) == (0, 1)
    assert m.scores["ccc_valence"].value == pytest.approx(0, abs=1e-9)
