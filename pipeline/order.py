"""Order of names as people read them: ``s2`` before ``s10``."""

from collections.abc import Callable, Iterable
from typing import Any


def natural(names: Iterable, key: Callable[[Any], Any] | None = None) -> list:
    """Sort names, numbers within them by value.

    Parameters
    ----------
    names : iterable
    key : callable, optional
        Gives what an item is sorted by: a name, or a tuple of them.

    Examples
    --------
    >>> natural(["s10", "s2"])
    ['s2', 's10']
    """
    from natsort import natsorted  # slow to import

    return natsorted(names, key=key)
