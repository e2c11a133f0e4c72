"""Names of the places where blocks of work are computed, as ``engine.workers`` states them.

`pipeline.parallel` says what each is, and computes there.
"""

import re

LOCAL = ("threads", "processes")
ADDRESS = re.compile(r"tcp://.+:\d+")


def known(where: str) -> bool:
    """Whether ``where`` is a place to work at: one of ``LOCAL``, or the address of a scheduler."""
    return where in LOCAL or remote(where)


def remote(where: str) -> bool:
    """Whether ``where`` is the address of a dask scheduler."""
    return bool(ADDRESS.fullmatch(where))
