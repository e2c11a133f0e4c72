"""Words of messages."""

import difflib
import textwrap
from collections.abc import Iterable
from typing import Any


def nearest(word: str, words: list[str] | tuple[str, ...]) -> str:
    """Tail of an error message: the nearest valid name, or all of them."""
    close = difflib.get_close_matches(str(word), words, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(words) or 'none'}"


def shown(value: Any) -> str:
    """A value found, as YAML spells it, and not at any length."""
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else textwrap.shorten(repr(value), 60)


def one_line(error: object) -> str:
    """Message of an error without line breaks, which may come out of a file."""
    return " ".join(str(error).split())


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
