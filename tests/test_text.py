"""Words of messages (`nearest` is tried in test_plugins)."""

import pytest

from pipeline import text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "nothing"),
        (True, "true"),
        (False, "false"),
        ("sad", "'sad'"),
        (1.5, "1.5"),
        ([1, 2], "[1, 2]"),
    ],
)
def test_a_value_is_shown_as_yaml_spells_it(value, words):
    assert text.shown(value) == words


def test_a_long_value_is_shortened():
    assert len(text.shown(["word"] * 100)) <= 60


def test_line_breaks_do_not_reach_a_message():
    assert text.one_line(ValueError("one\n  two\tthree ")) == "one two three"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min")],
)
def test_a_duration_has_two_units(seconds, words):
    assert text.duration(seconds) == words
