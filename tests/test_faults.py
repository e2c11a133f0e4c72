"""A short part of `make faults`: nothing lost, no tracebacks; and that the counts would show it."""

import random

import pytest

from tests.faults import Tally, mutations, of_command, of_error
from tests.faults.__main__ import NAMES

CASES = {"store": 150, "tables": 80, "params": 60}


@pytest.mark.parametrize("name", CASES)
def test_mutated_files_are_refused_in_a_line_or_read_as_they_were(name):
    tally = Tally(NAMES[name])
    mutations.mutated(name, tally, 1, CASES[name])
    assert tally.counts.total() == CASES[name]
    assert tally.counts["refused"] > CASES[name] / 4
    assert (tally.counts["lost"], tally.counts["traceback"]) == (0, 0)


def test_what_is_lost_or_ends_in_a_traceback_is_counted(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"123")
    tally = Tally("bytes")
    subject = mutations.Subject([path], path.read_bytes)  # notices nothing
    mutations.tried(subject, tally, random.Random(0), 40)
    assert path.read_bytes() == b"123"
    assert tally.counts["lost"] > 10 and tally.counts.total() == 40
    assert tally.counts["refused"] > 0  # the file is gone

    def broken():
        return int(path.read_text())

    tally = Tally("numbers")
    mutations.tried(mutations.Subject([path], broken), tally, random.Random(0), 40)
    assert tally.counts["traceback"] > 0
    assert tally.row[:2] == ["numbers", 40]


def test_a_process_that_ends_is_counted(monkeypatch):
    tally = Tally("unknown")
    mutations.mutated("no such kind", tally, 1, 3)
    assert tally.counts == {"traceback": 1}


def test_a_line_is_told_from_a_traceback():
    assert of_error(ValueError("x")) == "traceback"
    assert of_error(MemoryError()) == "refused"
    assert of_command(1, "check: a line\n") == "refused"
    assert of_command(-11, "") == "traceback"
    assert of_command(1, "Traceback (most recent call last)") == "traceback"
