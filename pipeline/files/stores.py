"""Stores: zarr v3 groups of one tensor per clip, as `pipeline.files.drafts` writes them.

A store holds, row ``i`` belonging to the ``i``-th usable clip of the corpus's index,

- ``x (clips, ...)`` float32, the values;
- ``valid (clips,)`` int32, how many along the next axis are the clip's own: after them come zeros,
  for clips differ in length and the array does not;
- ``length (clips,)`` int32, samples of the clip before it was cut or padded;
- ``content (clips, n)`` uint8, the hash of what the row was made from;
- ``hash (clips, 16)`` uint8, the XXH3 hash of the row: of its length and its valid values;
- ``sums (clips, 3, bins)`` float64, only of a feature that is cut into a fixed number of chunks,
  which leave frames out: over all its frames, how many there are, the values and their squares;

and the attributes ``spec`` (every setting that decided the values), ``spec_sha256``,
``clips_sha256`` (of the clip names in order), ``chunks`` (the CRC-32C of each chunk of ``x``) and
``checksum`` (the SHA-256 of these attributes, of the metadata of the arrays, and of all but ``x``).

What is read is what was written, or the reader stops: at a chunk that is missing, damaged or
another one's. Of stores that were made before there were checksums, each row that is read is
compared with its hash.
"""

import hashlib
import json
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import xxhash

from pipeline.errors import DamagedError, InputError
from pipeline.files import chunks, tables

FACTS = ("length", "valid", "hash")  # of each row, next to its values
SUMS = "sums"  # and of some stores
ATTRIBUTES = {"spec": dict, "spec_sha256": str, "clips_sha256": str}
log = logging.getLogger("pipeline")


@dataclass(frozen=True)
class Values:
    """Values of the rows of a store, read and verified when they are asked for.

    Attributes
    ----------
    array : Array
        Where they lie.
    facts : dict of str to ndarray
        ``length``, ``valid`` and ``hash`` of all rows.
    """

    array: chunks.Array
    facts: dict[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, ...]:
        """``(clips, ...)``."""
        return self.array.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def chunk_clips(self) -> int:
        """Rows of a chunk, the cheapest to be read at once."""
        return self.array.chunk_rows

    def __getitem__(self, rows: int | slice | np.ndarray) -> np.ndarray:
        """Values of some rows (n, ...), or of one (...), float32.

        Raises
        ------
        DamagedError
            If they are not as they were written.
        """
        numbers = np.arange(self.shape[0])[rows]
        values = self.array.read(np.atleast_1d(numbers))
        if not self.array.summed:
            self._check(np.atleast_1d(numbers), values)
        return values.reshape(*numbers.shape, *self.shape[1:])

    def _check(self, numbers: np.ndarray, values: np.ndarray) -> None:
        """Compare rows with their hashes."""
        facts = (self.facts[name][numbers] for name in FACTS)
        for number, value, length, valid, wanted in zip(numbers, values, *facts, strict=True):
            if not (wanted == row_hash(value, length, valid)).all():
                path = self.array.file(int(number) // self.chunk_clips)
                raise DamagedError(
                    path, f"not as it was written (row {number})", self.array.path.parent
                )


@dataclass(frozen=True)
class Store:
    """An open store.

    Attributes
    ----------
    x : Values
        Read by indexing it with a slice or an array of rows.
    valid, length : ndarray, shape (clips,), int32
    content : ndarray, shape (clips, n), uint8
    hash : ndarray, shape (clips, 16), uint8
    spec : dict
    spec_sha256, clips_sha256 : str
    sums : ndarray or None, shape (clips, 3, bins), float64
    """

    x: Values
    valid: np.ndarray
    length: np.ndarray
    content: np.ndarray
    hash: np.ndarray
    spec: dict
    spec_sha256: str
    clips_sha256: str
    sums: np.ndarray | None = None


def read(path: Path) -> Store:
    """Open a finished store.

    Raises
    ------
    InputError
        If there is none, it is not one of ours, or not as it was written.
    """
    path = Path(path)
    store = opened(path)
    if not store.x.array.summed:
        _say_unsummed(path)
    return store


@cache  # once
def _say_unsummed(path: Path) -> None:
    log.warning("%s: made before stores had checksums; rows are compared with their hashes", path)


def opened(path: Path) -> Store:
    """Open a store, and verify all of it but its values.

    Raises
    ------
    InputError
        If there is none, it is not one of ours, or not as it was written.
    """
    attributes = _attributes(path)
    listed = tuple(attributes.get("chunks", ()))
    arrays = {}
    summed = (SUMS,) if (path / SUMS).is_dir() else ()
    for name in ("x", "content", *FACTS, *summed):
        try:
            arrays[name] = chunks.opened(path / name, listed if name == "x" else ())
        except (FileNotFoundError, LookupError, TypeError, ValueError):
            raise DamagedError(path / name / "zarr.json", "not as it was written", path) from None
    x = arrays.pop("x")
    clips = x.shape[0]
    wanted = {"length": (clips,), "valid": (clips,), "hash": (clips, 16)}
    if summed:
        wanted[SUMS] = (clips, 3, x.shape[-1])
    if (
        any(arrays[name].shape != shape for name, shape in wanted.items())
        or (x.dtype, len(arrays["content"].shape)) != (np.float32, 2)
        or (listed and len(listed) != x.chunks)
    ):
        raise DamagedError(path / "zarr.json", "not as it was written (other shapes)", path)
    facts = {name: array.read(np.arange(array.shape[0])) for name, array in arrays.items()}
    stated = {key: attributes[key] for key in attributes if key != "checksum"}
    if x.summed and attributes.get("checksum") != checksum(path, stated, facts):
        raise DamagedError(path / "zarr.json", "not as it was written (its checksum differs)", path)
    values = Values(x, {name: facts[name] for name in FACTS})
    return Store(values, **facts, **{key: attributes[key] for key in ATTRIBUTES})


def _attributes(path: Path) -> dict:
    """Attributes of a group that is a store."""
    try:
        attributes = chunks.metadata(path)["attributes"]
        if all(isinstance(attributes[key], kind) for key, kind in ATTRIBUTES.items()):
            return attributes
    except json.JSONDecodeError:
        raise DamagedError(path / "zarr.json", "not as it was written (not JSON)", path) from None
    except (FileNotFoundError, NotADirectoryError, LookupError, TypeError, ValueError):
        pass
    raise InputError(f"{path}: not a store of this pipeline; run dvc repro, or dvc pull")


def checksum(path: Path, attributes: dict, facts: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of all of a store but its values, whose CRC-32C its attributes list.

    Parameters
    ----------
    path : Path
        The store.
    attributes : dict
        Its attributes but this one.
    facts : mapping of str to ndarray
        Its arrays but ``x``.
    """
    held = {name: hashlib.sha256(values.tobytes()).hexdigest() for name, values in facts.items()}
    arrays = {name: chunks.metadata(path / name) for name in ("x", *facts)}
    return tables.sha256({"attributes": attributes, "arrays": arrays, "facts": held})


def row_hash(values: np.ndarray, length: int, valid: int) -> np.ndarray:
    """Hash of a row (16,), uint8: of its length and its valid values.

    Parameters
    ----------
    values : ndarray, shape (n, ...), float32
    length : int
    valid : int
        How many of the values are the clip's own.
    """
    digest = xxhash.xxh3_128(f"{length} {valid} ".encode())
    digest.update(np.ascontiguousarray(values[:valid], "<f4").data)
    return np.frombuffer(digest.digest(), np.uint8)
