"""Weights in the ``.keras`` files of a bundle, read in a tenth of the time that Keras takes.

Where Keras puts the arrays of a file is found out once, with a file whose arrays hold their own
numbers in place of weights: no rule of Keras for their names is needed.
"""

import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.files import hdf5
from pipeline.files.bundles import CONFIG, WEIGHTS

WHAT = "weights of Keras"
FIRST = 1001  # of the numbers in place of weights: no variable begins with such values
NO_MODEL = "not a model of this pipeline; run dvc repro"


def config(path: Path) -> str:
    """Configuration of the network of a file, JSON as ``keras.models.model_from_json`` takes it.

    Raises
    ------
    InputError
        If the file is none that Keras wrote.
    """
    return _member(path, CONFIG).decode()


def read(path: Path, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Read arrays of a file by their names.

    Raises
    ------
    InputError
        If the file is none that Keras wrote, or lacks one of them.
    """
    content = io.BytesIO(_member(path, WEIGHTS))
    with hdf5.opened(content, path, WHAT) as file:
        return {name: file[name][()] for name in names}


def places(
    path: Path, load: Callable[[Path], None], values: Callable[[], list[np.ndarray]]
) -> list[str | None]:
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
    list of str or None
        For each variable the name of its array; None of what no file holds, as the state of
        dropout.

    Raises
    ------
    InputError
        If the file is none that Keras wrote.
    """
    held = io.BytesIO(_member(path, WEIGHTS))
    names: list[str] = []
    with hdf5.opened(held, path, WHAT, "r+") as file:
        file.visititems(lambda name, item: names.append(name) if hdf5.is_array(item) else None)
        for number, name in enumerate(names, FIRST):
            file[name][...] = number
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "numbers.weights.h5"
        file.write_bytes(held.getvalue())
        load(file)
    numbered = dict(enumerate(names, FIRST))
    same = [np.unique(value).tolist() for value in values()]  # one number each, or anything
    return [numbered.get(one[0]) if len(one) == 1 else None for one in same]


def _member(path: Path, name: str) -> bytes:
    """Content of a part of a file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.read(name)
    except (zipfile.BadZipFile, KeyError, EOFError):
        raise InputError(f"{path}: {NO_MODEL}") from None
