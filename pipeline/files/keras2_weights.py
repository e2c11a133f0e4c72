"""Weights in Keras 2 HDF5 files."""

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import InputError
from pipeline.files import hdf5


def read_keras2(path: Path) -> dict[str, dict[str, np.ndarray]]:
    """Read a file written by ``Model.save_weights`` of Keras 2.

    Parameters
    ----------
    path : Path
        HDF5, weights only.

    Returns
    -------
    dict of str to dict of str to ndarray
        Layer name to weight name (``kernel``, ``bias``, ``moving_mean``, ...) to array, in the
        file's order. Layers without weights are left out.

    Raises
    ------
    InputError
        If the file is missing, not HDF5, or not of that layout.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with hdf5.opened(path, path, "Keras 2 weights") as file:
        layers = {name: _weights(file[name]) for name in _names(file, "layer_names")}
    return {name: weights for name, weights in layers.items() if weights}


def _names(group: Any, attribute: str) -> list[str]:
    """Decode a list of names; h5py gives bytes or str as they were written."""
    return [n.decode() if isinstance(n, bytes) else str(n) for n in group.attrs[attribute]]


def _weights(layer: Any) -> dict[str, np.ndarray]:
    """Read one layer; ``conv1d_34/kernel:0`` becomes ``kernel``."""
    return {
        name.rsplit("/", 1)[-1].removesuffix(":0"): layer[name][()]
        for name in _names(layer, "weight_names")
    }
