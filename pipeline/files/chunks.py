"""Arrays of a store, read: each chunk is verified before it is decoded.

zarr gives zeros for a chunk that is missing, takes as much memory as the metadata ask for, and lets
blosc decode whatever it finds, which ends the process if that is damaged. So what was written by
`pipeline.files.stores` through zarr is read here without it: the files are those of one layout, one
that any zarr reader knows. A chunk is the bytes of blosc and their CRC-32C, which is compared with
the bytes, and with that of the store's list, for a whole chunk may be another's.
"""

import json
import math
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import google_crc32c
import numpy as np
from numcodecs.blosc import Blosc

from pipeline.errors import DamagedError

BLOSC = Blosc(cname="lz4")  # decodes any
HEADER = 16  # bytes of blosc's before its values, and no others of what it cannot compress
SMALLEST = 255  # lz4 makes no more bytes of one
METADATA_BYTES = 2**24
CRC_BYTES = 4
OVERHEAD = HEADER + CRC_BYTES
DTYPES = ("float32", "float64", "int32", "uint8")


@dataclass(frozen=True)
class Array:
    """An array of a store, read by rows.

    Attributes
    ----------
    path : Path
        Its folder.
    shape : tuple of int
        ``(rows, ...)``.
    chunk_rows : int
        Rows of a chunk.
    dtype : dtype
    summed : bool
        Whether each chunk ends in its CRC-32C, which stores that were made before have not.
    listed : tuple of int
        CRC-32C of each chunk as the store lists them; empty where it does not.
    """

    path: Path
    shape: tuple[int, ...]
    chunk_rows: int
    dtype: np.dtype
    summed: bool
    listed: tuple[int, ...] = ()

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.shape[0] // self.chunk_rows)

    @property
    def row_bytes(self) -> int:
        """Size of a row."""
        return self.dtype.itemsize * math.prod(self.shape[1:])

    def file(self, chunk: int) -> Path:
        """File of a chunk."""
        return self.path.joinpath("c", str(chunk), *["0"] * (len(self.shape) - 1))

    def read(self, numbers: np.ndarray) -> np.ndarray:
        """Rows (n, ...) by their numbers, in the order of these.

        Raises
        ------
        DamagedError
            If a chunk is missing, or not as it was written.
        """
        parts = list(_by_chunk(numbers, self.chunk_rows))
        for chunk, _ in parts:  # before memory is taken for what the metadata state
            self._check_size(self.file(chunk))
        values = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        held = np.empty(self.chunk_rows * self.row_bytes + OVERHEAD, np.uint8)
        spare = np.empty((self.chunk_rows, *self.shape[1:]), self.dtype)
        for chunk, places in parts:
            file, first = self.file(chunk), int(places[0])
            encoded = self._encoded(file, chunk, held)
            wanted = numbers[places] - chunk * self.chunk_rows
            whole = np.arange(self.chunk_rows)
            if np.array_equal(wanted, whole) and np.array_equal(places, first + whole):
                self._decode(file, encoded, values[first : first + self.chunk_rows])
            else:
                self._decode(file, encoded, spare)
                values[places] = spare[wanted]
        return values

    def sums(self) -> list[int]:
        """CRC-32C that each chunk ends in."""
        found = []
        for chunk in range(self.chunks):
            with self.file(chunk).open("rb") as file:
                file.seek(-CRC_BYTES, os.SEEK_END)
                found.append(int.from_bytes(file.read(CRC_BYTES), "little"))
        return found

    def _check_size(self, path: Path) -> None:
        """Refuse a chunk that is missing, or whose file cannot hold it."""
        wanted = self.chunk_rows * self.row_bytes
        if not path.is_file():
            raise self._damaged(path, "is missing")
        size = path.stat().st_size
        if not wanted / SMALLEST <= size <= wanted + OVERHEAD:
            raise self._damaged(path, f"{size} bytes, for a chunk of {wanted} bytes")

    def _encoded(self, path: Path, chunk: int, held: np.ndarray) -> np.ndarray:
        """Bytes of blosc of a chunk, which are those that were written; they lie in ``held``."""
        try:
            with path.open("rb", buffering=0) as file:
                size = cast(int, file.readinto(held.data))
        except FileNotFoundError:
            raise self._damaged(path, "is missing") from None
        if self.summed:
            size = max(0, size - CRC_BYTES)
            stated = int.from_bytes(held[size : size + CRC_BYTES], "little")
            if stated != google_crc32c.value(held[:size]):
                raise self._damaged(path, "not as it was written (its checksum differs)")
            if self.listed and stated != self.listed[chunk]:
                raise self._damaged(path, "another chunk than the one that was written")
        self._check_header(path, held[:size])
        return held[:size]

    def _check_header(self, path: Path, encoded: np.ndarray) -> None:
        """Compare what blosc will believe with what is there."""
        size, values = len(encoded), self.chunk_rows * self.row_bytes
        if size >= HEADER:
            stated, block, encoded_size = encoded[4:HEADER].view("<u4").tolist()
            blocks = -(-stated // block) if block else 2**32
            copied = encoded[2] & 2  # as it is, without blocks
            table = encoded[HEADER : HEADER + 4 * blocks]
            if (
                (stated, encoded_size, encoded[0]) == (values, size, 2)
                and encoded[3]
                and (size == HEADER + values if copied else len(table) == 4 * blocks)
                and (copied or _inside(table.view("<u4"), size))
            ):
                return
        raise self._damaged(path, "not as it was written (not what blosc makes)")

    def _decode(self, path: Path, encoded: np.ndarray, into: np.ndarray) -> None:
        try:
            BLOSC.decode(encoded, into)
        except (RuntimeError, ValueError):
            raise self._damaged(path, "not as it was written (cannot be decoded)") from None

    def _damaged(self, path: Path, found: str) -> DamagedError:
        return DamagedError(path, found, self.path.parent)


def opened(path: Path, listed: tuple[int, ...] = ()) -> Array:
    """Open an array of a store.

    Parameters
    ----------
    path : Path
        Its folder.
    listed : tuple of int
        CRC-32C of its chunks, if they are known.

    Raises
    ------
    FileNotFoundError, LookupError, TypeError, ValueError
        If there is none, or it is not of the layout that stores have.
    """
    held = metadata(path)
    codecs = [codec["name"] for codec in held["codecs"]]
    shape = tuple(held["shape"])
    chunk = tuple(held["chunk_grid"]["configuration"]["chunk_shape"])
    if (
        (held["node_type"], held["zarr_format"], held["chunk_grid"]["name"])
        != ("array", 3, "regular")
        or held["chunk_key_encoding"]["name"] != "default"
        or codecs not in (["bytes", "blosc"], ["bytes", "blosc", "crc32c"])
        or held["data_type"] not in DTYPES
        or not all(type(size) is int and size > 0 for size in (*shape, *chunk))
        or shape[1:] != chunk[1:]
    ):
        raise ValueError("an array of another layout")
    summed = codecs[-1] == "crc32c"
    return Array(path, shape, chunk[0], np.dtype(held["data_type"]), summed, listed)


def metadata(folder: Path) -> dict[str, Any]:
    """Metadata of a group or an array.

    Raises
    ------
    FileNotFoundError, ValueError
        If there are none.
    """
    path = folder / "zarr.json"
    state = path.stat()
    if not stat.S_ISREG(state.st_mode) or state.st_size > METADATA_BYTES:
        raise ValueError("no file of this size has metadata")
    try:
        held = json.loads(path.read_bytes())
    except RecursionError:
        raise ValueError("metadata too deep") from None
    if not isinstance(held, dict):
        raise ValueError("metadata of another kind")
    return held


def _by_chunk(rows: np.ndarray, chunk_rows: int) -> Iterator[tuple[int, np.ndarray]]:
    """Each chunk that rows lie in, and the places of these rows among all."""
    chunks = rows // chunk_rows
    order = np.argsort(chunks, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(chunks[order])) + 1):
        if len(places):
            yield int(chunks[places[0]]), places


def _inside(starts: np.ndarray, size: int) -> bool:
    """Whether each block of blosc begins after the table of them, and within the bytes."""
    return bool(((starts >= HEADER + 4 * len(starts)) & (starts + 4 <= size)).all())
