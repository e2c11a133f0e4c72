"""Stores: zarr v3 groups of one tensor per clip. The only module that knows zarr.

A store holds ``x (clips, ...)`` float32 and ``length (clips,)`` int32, row ``i`` belonging to the
``i``-th usable clip of the corpus's index, and three attributes: ``spec`` (every setting that
decided the values), ``spec_sha256`` and ``clips_sha256`` (of the clip names in order).

Chunks of ``x`` hold 32 clips or more and ``length`` is one chunk, so that a store stays below about
200 files, which DVC hashes and pushes quickly. A block of work is one chunk: writers that are not
aligned to chunks lose rows silently, so ``write`` refuses them. Bytes do not depend on the order or
the number of writers.
"""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from pipeline.errors import InputError

CHUNK_CLIPS = 32
CHUNK_BYTES = 64 * 2**20  # upper bound of a chunk, for long waveforms
STORE_FILES = 180


@dataclass(frozen=True)
class Store:
    """An open store. ``x`` and ``length`` are zarr arrays: index them to read.

    While a store is written, ``length`` is kept in memory, for its one chunk has many writers.
    """

    x: zarr.Array
    length: zarr.Array | np.ndarray
    spec: dict
    spec_sha256: str
    clips_sha256: str

    def blocks(self) -> list[slice]:
        """Rows of each chunk, in order."""
        clips, step = self.x.shape[0], self.x.chunks[0]
        return [slice(start, min(start + step, clips)) for start in range(0, clips, step)]

    def write(self, block: slice, x: np.ndarray, length: np.ndarray) -> None:
        """Write whole chunks: values (clips of the block, ...) and lengths."""
        if block not in self.blocks():
            raise ValueError(f"{block} is not one of the store's chunks")
        self.x[block] = x
        self.length[block] = length


@contextmanager
def create(path: Path, shape: tuple[int, ...], spec: dict, clips_sha256: str) -> Iterator[Store]:
    """Give a store to write beside ``path``; move it into place when the block succeeds.

    Parameters
    ----------
    path : Path
        Where the finished store will be; what is there is replaced.
    shape : tuple of int
        ``(clips, ...)``.
    spec : dict
        Resolved settings, plain JSON values.
    clips_sha256 : str
        ``sha256`` of the clip names in row order.
    """
    path = Path(path)
    aside = path.with_name(f".{path.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    rows = _chunk_clips(shape)
    group = zarr.create_group(
        aside,
        zarr_format=3,
        attributes={
            "clips_sha256": clips_sha256,
            "spec": spec,
            "spec_sha256": sha256(spec),
        },
    )
    codec = BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=4)
    x = group.create_array(
        "x", shape=shape, chunks=(rows, *shape[1:]), dtype="float32", compressors=codec
    )
    lengths = np.zeros(shape[0], np.int32)
    try:
        yield Store(x, lengths, spec, sha256(spec), clips_sha256)
        group.create_array("length", data=lengths, chunks=lengths.shape, compressors=codec)
        shutil.rmtree(path, ignore_errors=True)
        os.replace(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read(path: Path) -> Store:
    """Open a finished store.

    Raises
    ------
    InputError
        If there is none, or it is not one of ours.
    """
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
        attributes = dict(group.attrs)
        return Store(group["x"], group["length"], **attributes)
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        raise InputError(
            f"{path}: not a store of this pipeline; run dvc repro, or dvc pull"
        ) from None


def sha256(data: dict | list) -> str:
    """SHA-256 of plain data, by its canonical JSON."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _chunk_clips(shape: tuple[int, ...]) -> int:
    """Clips per chunk: 32, more for large corpora, fewer only where clips are very large."""
    clip_bytes = 4 * math.prod(shape[1:])
    wanted = max(CHUNK_CLIPS, math.ceil(shape[0] / STORE_FILES))
    return max(1, min(wanted, max(CHUNK_CLIPS, CHUNK_BYTES // clip_bytes), shape[0]))
