"""Stores: zarr v3 groups of one tensor per clip. The only module that knows zarr.

A store holds, row ``i`` belonging to the ``i``-th usable clip of the corpus's index,

- ``x (clips, ...)`` float32, the values;
- ``valid (clips,)`` int32, how many along the next axis are the clip's own: after them come zeros,
  for clips differ in length and the array does not;
- ``length (clips,)`` int32, samples of the clip before it was cut or padded;
- ``content (clips, 32)`` uint8, the SHA-256 of the sound that the row was made from;

and three attributes: ``spec`` (every setting that decided the values), ``spec_sha256`` and
``clips_sha256`` (of the clip names in order).

Chunks of ``x`` hold 32 clips or more and the others are one chunk each, so that a store stays below
about 200 files, which DVC hashes and pushes quickly. A block of work is one chunk: writers that are
not aligned to chunks lose rows silently, so ``fill`` refuses them. Bytes do not depend on the order
or the number of writers.

What was computed once is used again. A draft that was killed goes on where it was, and rows of the
store that is to be replaced are copied if sound, spec and code are the same: beside a finished
store lies ``.NAME.made``, which says what code made exactly these bytes. It is local; a store that
came from elsewhere has none, and is not drawn upon.
"""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from pipeline.errors import InputError
from pipeline.files import tables

CHUNK_CLIPS = 32
CHUNK_BYTES = 64 * 2**20  # upper bound of a chunk, for long waveforms
STORE_FILES = 180
CODEC = BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=4)
DONE, MARK, REUSE = "done", "mark", "reuse.npy"  # parts of a draft that a store has not


@dataclass(frozen=True)
class Store:
    """An open store, whose arrays are read by indexing them."""

    x: zarr.Array
    valid: zarr.Array
    length: zarr.Array
    content: zarr.Array
    spec: dict
    spec_sha256: str
    clips_sha256: str

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Values of some rows (rows, ...)."""
        return _take(self.x, rows)


@dataclass(frozen=True)
class Draft:
    """A store being written, by any number of writers in any order, in any process."""

    folder: Path
    x: zarr.Array
    old: zarr.Array | None

    def pending(self) -> list[slice]:
        """Rows of each chunk that is not written yet, in order."""
        return [block for block in _blocks(self.x) if not self._done(block).exists()]

    def fill(self, block: slice, compute: Callable[[np.ndarray], tuple]) -> None:
        """Write a chunk: what the old store holds is copied, the rest computed.

        Parameters
        ----------
        block : slice
            One of the chunks.
        compute : callable
            From rows (n,) to their values (n, ...), ``length`` (n,) and ``valid`` (n,).
        """
        if block not in _blocks(self.x):
            raise ValueError(f"{block} is not one of the store's chunks")
        rows = np.arange(block.start, block.stop)
        sources = np.load(self.folder / REUSE, mmap_mode="r")[:, block]  # row there, length, valid
        if self.old is not None and self._is_chunk(sources[0]):
            source = _chunk_path(self.old, sources[0, 0])
            if source.exists():  # a chunk of zeros is no file
                target = _chunk_path(self.x, block.start)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            counts = sources[1:]
        else:
            values = np.empty((len(rows), *self.x.shape[1:]), np.float32)
            counts = np.array(sources[1:])
            known = sources[0] >= 0
            if known.any():
                values[known] = _take(self.old, sources[0, known])
            if not known.all():
                values[~known], *counts[:, ~known] = compute(rows[~known])
            self.x[block] = values
        with tables.replacing(self._done(block)) as aside, aside.open("wb") as file:
            np.save(file, counts)

    def _done(self, block: slice) -> Path:
        """File that says that a chunk is written, and holds the rest of its rows."""
        return self.folder / DONE / f"{block.start}.npy"

    def _is_chunk(self, sources: np.ndarray) -> bool:
        """Whether rows of the old store are exactly one of its chunks."""
        if self.old.chunks != self.x.chunks or sources[0] < 0:
            return False
        chunk = slice(int(sources[0]), int(sources[0]) + len(sources))
        return chunk in _blocks(self.old) and (np.diff(sources) == 1).all()


@contextmanager
def create(
    path: Path,
    shape: tuple[int, ...],
    spec: dict,
    *,
    clips_sha256: str,
    content: np.ndarray,
    code: str,
) -> Iterator[Draft]:
    """Give a draft to fill beside ``path``; move it into place when the block succeeds.

    What was filled when the process was killed is kept for the next one of the same content.

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
    content : ndarray, shape (clips, 32), uint8
        SHA-256 of the sound of each clip.
    code : str
        Hash of the code that computes.
    """
    path = Path(path)
    folder = path.with_name(f".{path.name}.part")
    attributes = {"clips_sha256": clips_sha256, "spec": spec, "spec_sha256": sha256(spec)}
    chunks = (_chunk_clips(shape), *shape[1:])
    facts = [attributes, list(shape), list(chunks), hashlib.sha256(content).hexdigest(), code]
    old = _drawn_upon(path, shape, attributes["spec_sha256"], code)
    if not (folder / MARK).is_file() or (folder / MARK).read_text() != sha256(facts):
        shutil.rmtree(folder, ignore_errors=True)
        group = zarr.create_group(folder, zarr_format=3, attributes=attributes)
        group.create_array("x", shape=shape, chunks=chunks, dtype="float32", compressors=CODEC)
        (folder / MARK).write_text(sha256(facts))
    np.save(folder / REUSE, _sources(old, content))
    try:
        group = zarr.open_group(folder, mode="r+")
        draft = Draft(folder, group["x"], old and old.x)
        yield draft
        done = [np.load(draft._done(block)) for block in _blocks(draft.x)]
        length, valid = np.concatenate(done, axis=1)
        for name, values in {"length": length, "valid": valid, "content": content}.items():
            group.create_array(name, data=values, chunks=values.shape, compressors=CODEC)
        shutil.rmtree(folder / DONE)
        (folder / REUSE).unlink()
        (folder / MARK).unlink()
        shutil.rmtree(path, ignore_errors=True)
        os.replace(folder, path)
        tables.write_json({"code": code, "sha256": _files_sha256(path)}, _made(path))
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def read(path: Path) -> Store:
    """Open a finished store.

    Raises
    ------
    InputError
        If there is none, or it is not one of ours.
    """
    try:
        group = zarr.open_group(path, mode="r", zarr_format=3)
        arrays = {name: group[name] for name in ("x", "valid", "length", "content")}
        return Store(**arrays, **dict(group.attrs))
    except (FileNotFoundError, KeyError, TypeError, ValueError):
        raise InputError(
            f"{path}: not a store of this pipeline; run dvc repro, or dvc pull"
        ) from None


def sha256(data: dict | list) -> str:
    """SHA-256 of plain data, by its canonical JSON."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _drawn_upon(path: Path, shape: tuple[int, ...], spec_sha256: str, code: str) -> Store | None:
    """Store to be replaced, if its rows are what the same code makes of the same sound."""
    try:
        made, old = tables.read_json(_made(path)), read(path)
    except InputError:
        return None
    same = (old.spec_sha256, old.x.shape[1:]) == (spec_sha256, shape[1:])
    return old if same and made == {"code": code, "sha256": _files_sha256(path)} else None


def _sources(old: Store | None, content: np.ndarray) -> np.ndarray:
    """For each row, the row of the old store with its sound (or -1), and length and valid there."""
    sources = np.full((3, len(content)), -1, np.int32)
    if old is not None:
        length, valid = old.length[:], old.valid[:]
        rows = {sound.tobytes(): row for row, sound in enumerate(old.content[:])}
        for i, sound in enumerate(content):
            row = rows.get(sound.tobytes())
            if row is not None:
                sources[:, i] = row, length[row], valid[row]
    return sources


def _take(x: zarr.Array, rows: np.ndarray) -> np.ndarray:
    """Rows of an array; such that follow on each other are read at once."""
    if len(rows) and (np.diff(rows) == 1).all():
        return x[int(rows[0]) : int(rows[-1]) + 1]
    return x.oindex[np.asarray(rows)]


def _made(path: Path) -> Path:
    """File beside a store that says what code made it."""
    return path.with_name(f".{path.name}.made")


def _files_sha256(folder: Path) -> str:
    """SHA-256 over the files of a folder, by name and content."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return sha256([[str(path.relative_to(folder)), tables.file_sha256(path)] for path in files])


def _blocks(x: zarr.Array) -> list[slice]:
    """Rows of each chunk, in order."""
    clips, step = x.shape[0], x.chunks[0]
    return [slice(start, min(start + step, clips)) for start in range(0, clips, step)]


def _chunk_path(x: zarr.Array, row: int) -> Path:
    """File of the chunk that begins with a row."""
    key = x.metadata.encode_chunk_key((row // x.chunks[0], *[0] * (x.ndim - 1)))
    return Path(x.store.root) / x.path / key


def _chunk_clips(shape: tuple[int, ...]) -> int:
    """Clips per chunk: 32, more for large corpora, fewer only where clips are very large.

    A power of two, so that chunks of waveforms and of features align, and a corpus that grows a
    little keeps its chunks.
    """
    clip_bytes = 4 * math.prod(shape[1:])
    wanted = 2 ** math.ceil(math.log2(max(CHUNK_CLIPS, shape[0] / STORE_FILES)))
    largest = 2 ** math.floor(math.log2(max(CHUNK_CLIPS, CHUNK_BYTES / clip_bytes)))
    return max(1, min(wanted, largest, shape[0]))
