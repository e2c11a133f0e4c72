"""Weights in Keras 2 HDF5 files."""

from pathlib import Path

import h5py
import numpy as np

from pipeline.errors import InputError


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
    if not h5py.is_hdf5(path):
        raise InputError(f"{path}: not an HDF5 file; wanted Keras 2 weights, copy it again")
    try:
        with h5py.File(path, "r") as file:
            layers = {name: _weights(file[name]) for name in _names(file, "layer_names")}
    except (KeyError, OSError) as error:  # OSError: cut short
        reason = str(error).strip("'\"")
        raise InputError(f"{path}: not Keras 2 weights, or damaged ({reason})") from None
    return {name: weights for name, weights in layers.items() if weights}


def _names(group: h5py.Group, attribute: str) -> list[str]:
    """Decode a list of names; h5py gives bytes or str as they were written."""
    return [n.decode() if isinstance(n, bytes) else str(n) for n in group.attrs[attribute]]


def _weights(layer: h5py.Group) -> dict[str, np.ndarray]:
    """Read one layer; ``conv1d_34/kernel:0`` becomes ``kernel``."""
    return {
        name.rsplit("/", 1)[-1].removesuffix(":0"): layer[name][()]
        for name in _names(layer, "weight_names")
    }
