"""Warnings counted."""

import pandas as pd

from pipeline.scoring.unlike import warned


def test_warnings_by_kind_and_how_often_answers_are_right():
    table = pd.DataFrame(
        {
            "unlike": ["", "level vector", "level", None],
            "label": ["sad", "sad", "sad", "sad"],
            "predicted": ["sad", "sad", "angry", "angry"],
        }
    )
    assert warned(table) == {
        "predictions": 4,
        "warned": 2,
        "kinds": {"level": 2, "vector": 1},
        "right": {"like": 0.5, "unlike": 0.5},
    }


def test_without_a_warning_nothing_is_right_or_wrong_among_them():
    table = pd.DataFrame({"unlike": [""], "label": ["sad"], "predicted": ["sad"]})
    assert warned(table)["right"] == {"like": 1.0, "unlike": None}
    assert warned(table)["kinds"] == {}


def test_of_attributes_none_is_right_and_without_limits_nothing_is_known():
    assert "right" not in warned(pd.DataFrame({"unlike": ["level"], "true_arousal": [1.0]}))
    assert warned(pd.DataFrame({"label": ["sad"]})) is None
