"""Bytes of a file that is not decoded yet: read at any place, counted, and refused."""

import io

import pytest

from pipeline.errors import InputError
from pipeline.files.containers import contents


def test_bytes_are_read_at_any_place():
    file = io.BytesIO(b"0123456789")
    assert contents.length(file) == 10
    assert contents.at(file, 7, 2) == b"78"
    assert contents.at(file, 8, 5) == b"89"
    assert contents.at(file, 99, 5) == contents.at(file, contents.FARTHEST + 1, 5) == b""


def test_fewer_bytes_than_promised_are_a_cut():
    contents.held(100, 100)
    contents.held(100, 101)
    with pytest.raises(InputError, match=r"^cut short: 99 of 100 bytes of sound are there; copy"):
        contents.held(100, 99)
    with pytest.raises(InputError, match="cut short: 0 of 100 bytes"):
        contents.held(100, -8)


@pytest.mark.parametrize(
    ("rest", "padding"),
    [
        *((b"", True), (bytes(9), True), (b"\xff" * 9, True), (bytes(8) + b"\1", False)),
        (bytes(contents.BLOCK) + b"\1", False),
    ],
    ids="nothing zeros ones sound later".split(),
)
def test_zeros_and_ones_to_the_end_are_padding(rest, padding):
    assert contents.is_padding(io.BytesIO(b"sound" + rest), 5) == padding


def test_rates_of_speech():
    for hertz in (2000, 16000, 768000):
        contents.check_rate(hertz)
    for hertz in (0, 1999, 768001):
        with pytest.raises(InputError, match=f"a sample rate of {hertz} Hz; wanted 2000 to 768000"):
            contents.check_rate(hertz)
