"""Words of messages."""

import difflib
import re
import textwrap
from collections.abc import Iterable
from typing import Any

# Characters that do something, among them what reverses the order of words; halves of characters.
CONTROL = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

FORMULA = ("=", "+", "-", "@")  # how what a spreadsheet computes begins


def nearest(word: str, words: list[str] | tuple[str, ...]) -> str:
    """Tail of an error message: the nearest valid name, or all of them."""
    close = difflib.get_close_matches(str(word), words, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(words) or 'none'}"


def shown(value: Any) -> str:
    """A value found, as YAML spells it, and not at any length."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    words = repr(value)
    short = textwrap.shorten(words, 60)
    return short if short != "[...]" else f"{words[:55]}[...]"  # a single word


def first(words: list[str], shown: int = 3) -> str:
    """Words in a row, but for those that make the row long.

    >>> first(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = f" and {len(words) - shown} more" if len(words) > shown else ""
    return ", ".join(words[:shown]) + more


def one_line(error: object) -> str:
    """Message of an error without line breaks, which may come out of a file."""
    return " ".join(str(error).split())


def printable(words: str) -> str:
    r"""Text whose control characters, and halves of characters, are escaped.

    A terminal obeys them, a table is broken by them, and a half cannot be written at all.

    >>> printable("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    return CONTROL.sub(lambda match: ascii(match[0])[1:-1], words)


def cell(words: str) -> str:
    """Text for a cell of a table that people open: a spreadsheet shows it and computes nothing.

    Text that begins as a formula does gets an apostrophe ahead of it, unless it is a number.

    >>> cell("=1+2"), cell("-1.5"), cell("-")
    ("'=1+2", '-1.5', '-')
    """
    words = printable(words)
    if len(words) == 1 or not words.startswith(FORMULA):
        return words
    try:
        float(words)
    except ValueError:
        return f"'{words}"
    return words


def ranges(numbers: Iterable[int]) -> str:
    """Whole numbers in order, those in a row by the first and the last.

    >>> ranges([1, 2, 3, 4, 7, 9, 10])
    '1 to 4, 7, 9 to 10'
    """
    rows: list[list[int]] = []
    for number in sorted(set(numbers)):
        if rows and number == rows[-1][-1] + 1:
            rows[-1].append(number)
        else:
            rows.append([number])
    return ", ".join(f"{row[0]} to {row[-1]}" if len(row) > 1 else str(row[0]) for row in rows)


def duration(seconds: float) -> str:
    """Format seconds by their two largest units.

    >>> duration(45), duration(130), duration(11430)
    ('45 s', '2 min 10 s', '3 h 10 min')
    """
    seconds = round(seconds)
    minutes, hours = seconds // 60, seconds // 3600
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
