"""Natural order of names."""

from pipeline.order import natural


def test_numbers_count_by_value():
    assert natural({"s10", "s2", "s1"}) == ["s1", "s2", "s10"]
    assert natural(["b1", "a10", "a9"]) == ["a9", "a10", "b1"]


def test_a_key_may_be_of_several_names():
    rows = [("sad", "x10"), ("angry", "x9"), ("sad", "x9")]
    assert natural(rows, key=lambda row: row) == [rows[1], rows[2], rows[0]]
