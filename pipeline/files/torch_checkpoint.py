"""Weights in PyTorch checkpoints, read without PyTorch and without running what is pickled there.

A checkpoint is a pickle, and a pickle may name any function to be called. Here only those names are
known that make a tensor, and each stands for a record of numbers: nothing is imported, nothing of
the file is run.

Both layouts are read. The older is a row of pickles (a magic number, the version, the machine, the
object, the keys of the storages) with the storages after it, each led by its count of values. The
newer is a zip archive with the object in ``NAME/data.pkl`` and a storage in each ``NAME/data/KEY``.
"""

import io
import math
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from pipeline.errors import InputError

MAGIC = 0x1950A86A20F9469CFC6C  # first of the pickles of the older layout
VERSION = 1001
DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


def read_state(path: Path, keys: tuple[str, ...] = ("state_dict",)) -> dict[str, np.ndarray]:
    """Read the ``state_dict`` of a checkpoint.

    Parameters
    ----------
    path : Path
        Written by ``torch.save({"state_dict": network.state_dict(), ...}, path)``; tensors of
        float32 and int64, of any device.
    keys : tuple of str
        Names that the weights may have there; the first that is there.

    Returns
    -------
    dict of str to ndarray
        Tensors by the names that stand there, in the file's order.

    Raises
    ------
    InputError
        If the file is missing, cut short, or holds anything but tensors and plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with path.open("rb") as file:
            newer = zipfile.is_zipfile(file)
            file.seek(0)
            held, storages = (_read_archive if newer else _read_row)(file, path)
        state = held[next((key for key in keys if key in held), keys[0])]
        return {str(name): _array(tensor, storages) for name, tensor in state.items()}
    except (
        *(pickle.UnpicklingError, struct.error, zipfile.BadZipFile, EOFError, OSError, MemoryError),
        *(ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError),
    ) as error:  # any that a damaged pickle may raise
        reason = str(error).strip("'\"") or type(error).__name__
        raise InputError(
            f"{path}: not a PyTorch checkpoint with a state_dict of tensors, or damaged "
            f"({reason}); copy it again"
        ) from None


# ---- layouts ---------------------------------------------------------------------------------


def _read_row(file: BinaryIO, path: Path) -> tuple[Any, dict[str, np.ndarray]]:
    """Object and storages of the older layout."""
    if (_unpickle(file, path), _unpickle(file, path)) != (MAGIC, VERSION):
        raise ValueError("another kind of pickle")
    if not _unpickle(file, path)["little_endian"]:
        raise ValueError("written by a big-endian machine")
    types: dict[str, str] = {}
    held = _unpickle(file, path, types)
    storages = {}
    for key in _unpickle(file, path):
        dtype = np.dtype(types[key])
        count = int.from_bytes(_exactly(file, 8), "little")
        storages[key] = np.frombuffer(_exactly(file, count * dtype.itemsize), dtype)
    return held, storages


def _read_archive(file: BinaryIO, path: Path) -> tuple[Any, dict[str, np.ndarray]]:
    """Object and storages of the newer layout."""
    with zipfile.ZipFile(file) as archive:
        if any(member.compress_type for member in archive.infolist()):
            raise ValueError("compressed, which torch.save does not")
        (name,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        folder = name.removesuffix(".pkl")
        types: dict[str, str] = {}
        held = _unpickle(io.BytesIO(archive.read(name)), path, types)
        storages = {
            key: np.frombuffer(archive.read(f"{folder}/{key}"), dtype)
            for key, dtype in types.items()
        }
    return held, storages


def _exactly(file: BinaryIO, size: int) -> bytes:
    """So many bytes, or an error."""
    if size > os.fstat(file.fileno()).st_size:  # no memory is taken for what is not there
        raise EOFError("states more values than the file holds")
    found = file.read(size)
    if len(found) != size:
        raise EOFError("ran out of bytes")
    return found


# ---- pickles ---------------------------------------------------------------------------------


class _Tensor(NamedTuple):
    """Where the values of a tensor lie in a storage."""

    key: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Mapping(dict):
    """An OrderedDict of the pickle; unlike a dict it may be given attributes, as torch does."""


class _Unpickler(pickle._Unpickler):  # the one in C takes gigabytes where a struck byte asks so
    """Knows the names that make a tensor, and no others."""

    def __init__(self, file: BinaryIO, path: Path, types: dict[str, str]):
        super().__init__(file)
        self.path, self.types = path, types

    def find_class(self, module: str, name: str) -> Any:
        """Give what a name stands for here."""
        if module == "torch" and name in DTYPES:
            return name
        if (module, name) == ("collections", "OrderedDict"):
            return _Mapping
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda key, offset, shape, strides, *_: _Tensor(key, offset, shape, strides)
        raise InputError(
            f"{self.path}: asks for {module}.{name}, which is no part of a tensor and is not run; "
            f"wanted weights alone, of float32 and int64"
        )

    def persistent_load(self, pid: Any) -> str:
        """Record the type of a storage; give its key."""
        kind, storage, key, *_ = pid
        if kind != "storage" or not isinstance(key, str):
            raise ValueError("holds something other than storages")
        self.types[key] = DTYPES[storage]
        return key


def _unpickle(file: BinaryIO, path: Path, types: dict[str, str] | None = None) -> Any:
    """Read one pickle; storages are known by their keys, their types put into ``types``."""
    return _Unpickler(file, path, {} if types is None else types).load()


def _array(tensor: _Tensor, storages: dict[str, np.ndarray]) -> np.ndarray:
    """Copy the values of a tensor out of its storage."""
    if not isinstance(tensor, _Tensor):
        raise ValueError(f"a {type(tensor).__name__} among the tensors")
    values, shape = storages[tensor.key], tensor.shape
    count = math.prod(shape)
    last = tensor.offset + sum(
        (n - 1) * step for n, step in zip(shape, tensor.strides, strict=True)
    )
    if min((tensor.offset, *shape, *tensor.strides)) < 0 or (
        count and (count > len(values) or last >= len(values))
    ):
        raise ValueError("a tensor larger than its storage")
    steps = [step * values.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(values[tensor.offset :], shape, steps).copy()
