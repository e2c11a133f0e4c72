"""Words of messages."""

import difflib
import textwrap
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
