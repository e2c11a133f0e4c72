"""Weights in the ``.keras`` files of a bundle, read in a tenth of the time that Keras takes.

Where Keras puts the arrays of a file is found out once, with a file whose arrays hold their own
numbers in place of weights: no rule of Keras for their names is needed.
"""

import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from pipeline.errors import InputError

CONFIG, WEIGHTS = "config.json", "model.weights.h5"  # in a .keras file
FIRST = 1001  # of the numbers in place of weights: no variable begins with such values


def config(path: Path) -> str:
    """Configuration of the network of a file, JSON as ``keras.models.model_from_json`` takes it.

    Raises
    ------
    InputError
        If the file is none that Keras wrote.
    """
    return _member(path, CONFIG).decode()


def read(path: Path) -> list[np.ndarray]:
    """Read the arrays of a file, sorted by their places in it.

    Raises
    ------
    InputError
        If the file is none that Keras wrote.
    """
    with _opened(path, "r") as file:
        return [array[()] for array in _arrays(file)]


def places(
    path: Path, load: Callable[[Path], None], values: Callable[[], list[np.ndarray]]
) -> list[int | None]:
    """Find out which array of a file each variable of a network takes; it is left with numbers.

    Parameters
    ----------
    path : Path
        File with weights of the network.
    load : callable
        ``model.load_weights``.
    values : callable
        Gives what the variables hold.

    Returns
    -------
    list of int or None
        For each variable the index of its array in `read`; None of what no file holds, as the state
        of dropout.

    Raises
    ------
    InputError
        If the file is none that Keras wrote.
    """
    held = io.BytesIO(_member(path, WEIGHTS))
    with h5py.File(held, "r+") as file:
        arrays = _arrays(file)
        for index, array in enumerate(arrays):
            array[...] = FIRST + index
    with tempfile.TemporaryDirectory() as folder:
        numbered = Path(folder) / "numbers.weights.h5"
        numbered.write_bytes(held.getvalue())
        load(numbered)
    numbers = range(FIRST, FIRST + len(arrays))
    same = [set(np.unique(value).tolist()) for value in values()]  # a number each, or anything
    return [numbers.index(*one) if len(one) == 1 and one <= {*numbers} else None for one in same]


def _arrays(file: h5py.File) -> list[h5py.Dataset]:
    """Arrays of a file, sorted by their places."""
    found: list[h5py.Dataset] = []
    file.visititems(lambda _, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
    return sorted(found, key=lambda array: array.name)


def _opened(path: Path, mode: str) -> h5py.File:
    """Open the weights of a file."""
    content = _member(path, WEIGHTS)
    try:
        return h5py.File(io.BytesIO(content), mode)
    except OSError:
        raise InputError(f"{path}: not a model of this pipeline; run dvc repro") from None


def _member(path: Path, name: str) -> bytes:
    """Content of a part of a file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)
    except (zipfile.BadZipFile, KeyError, EOFError):
        raise InputError(f"{path}: not a model of this pipeline; run dvc repro") from None
