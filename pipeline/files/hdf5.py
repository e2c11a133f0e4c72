"""HDF5 files of others: what they hold lies in them, and takes the memory that the file takes.

A link may lead to another file of the reader, values may lie in one, and a shape may state more
values than there is memory. The only module that knows h5py.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Literal

import h5py

from pipeline.errors import InputError

PACKED = 1100  # gzip makes no more bytes of one
OBJECTS = 100_000
DEPTH = 40


@contextmanager
def opened(
    content: Path | BytesIO, name: Path | str, what: str, mode: Literal["r", "r+"] = "r"
) -> Iterator[h5py.File]:
    """Open a file, whose links and sizes are checked, and name it in what goes wrong.

    Parameters
    ----------
    content : Path or BytesIO
        The file.
    name : Path or str
        Name of it in messages.
    what : str
        What it should be, in messages.
    mode : {"r", "r+"}
        Whether it is only read, or changed.

    Raises
    ------
    InputError
        If it is not HDF5, damaged, leads elsewhere, or states more values than it holds.
    """
    try:
        with h5py.File(content, mode) as file:
            _check(file, name)
            yield file
    except (
        *(ArithmeticError, AttributeError, LookupError, MemoryError, OSError),
        *(RuntimeError, TypeError, ValueError),  # any that h5py makes of damage
    ) as error:
        reason = " ".join(str(error).strip("'\"").split()) or type(error).__name__
        raise InputError(f"{name}: not {what}, or damaged ({reason}); copy it again") from None


def is_array(item: object) -> bool:
    """Whether something in a file is an array."""
    return isinstance(item, h5py.Dataset)


def _check(file: h5py.File, name: Path | str) -> None:
    """Refuse links out of the file, and values that it does not hold."""
    count, groups = 0, [(file["/"], 0)]
    while groups:
        group, depth = groups.pop()
        for key in group:
            count += 1
            if count > OBJECTS or depth > DEPTH:
                raise InputError(f"{name}: too many objects, or links in circles")
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise InputError(f"{name}: {group.name}/{key} is a link; wanted values in the file")
            item = group[key]
            if isinstance(item, h5py.Group):
                groups.append((item, depth + 1))
            elif is_array(item):
                if item.external or item.is_virtual:
                    raise InputError(f"{name}: {item.name}: its values lie in another file")
                if item.nbytes > PACKED * item.id.get_storage_size():
                    raise InputError(f"{name}: {item.name}: states more values than the file holds")
