"""A short part of `make faults`: nothing lost, no tracebacks; and that the counts would show it."""

import random

import pytest

from tests.faults import Tally, mutants, mutations, of_command, of_error
from tests.faults.__main__ import NAMES
from tests.faults.equivalent import EQUIVALENT

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


SOURCE = """
def of(a, b: int = 1):
    \'\'\'Docstring, 1.\'\'\'
    if not a < b and b:
        raise ValueError(f"{a + 1}")
    return list(zip(a[-1], b - 2, strict=True))
"""


def test_each_sign_of_code_is_altered_once_and_no_message_or_type():
    found = list(mutants.mutants("made.up", SOURCE))
    assert [mutant.change.partition(": ")[2] for mutant in found] == [
        "1 -> 2",
        "not a < b and b -> not a < b or b",
        "not a < b and b -> not not a < b and b",
        "not a < b -> not a <= b",
        "return list(zip(a[-1], b - 2, strict=True)) -> return None",
        "-1 -> -2",
        "zip(a[-1], b - 2, strict=True) -> zip(a[-1], b + 2, strict=True)",
        "b - 2 -> b - 3",
    ]
    assert len({mutant.code for mutant in found}) == len(found)


@pytest.mark.parametrize("module", mutants.MODULES)
def test_what_is_listed_as_equivalent_is_a_mutant(module):
    assert set(EQUIVALENT.get(module, ())) <= {one.change for one in mutants.mutants(module)}
    assert not set(EQUIVALENT) - set(mutants.MODULES)
