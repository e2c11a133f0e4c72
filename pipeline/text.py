"""Words of messages."""

import difflib


def nearest(word: str, words: list[str] | tuple[str, ...]) -> str:
    """Tail of an error message: the nearest valid name, or all of them."""
    close = difflib.get_close_matches(str(word), words, n=1)
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(words) or 'none'}"
