"""Words of messages."""

import pytest

from pipeline import text


def test_nearest_offers_the_likeliest_name_or_all_of_them():
    assert text.nearest("epoch", ["batch", "epochs"]) == "did you mean epochs?"
    assert text.nearest("zzz", ("batch", "epochs")) == "known: batch, epochs"
    assert text.nearest(3, []) == "known: none"


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


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("=HYPERLINK(0)", "'=HYPERLINK(0)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-1.5", "-1.5"),
        ("+1e-3", "+1e-3"),
        ("-inf", "-inf"),
        ("-", "-"),  # standard input
        ("", ""),
        ("a=b", "a=b"),
        ("\t=1", r"\t=1"),
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
    ],
)
def test_a_spreadsheet_computes_no_cell(words, shown):
    assert text.cell(words) == shown
