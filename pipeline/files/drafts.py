"""Stores being written. The only module that knows zarr.

Chunks of ``x`` hold 32 clips or more and the others are one chunk each, so that a store stays below
about 200 files, which DVC hashes and pushes quickly. A block of work is one chunk: writers that are
not aligned to chunks lose rows silently, so ``fill`` refuses them. Bytes do not depend on the order
or the number of writers.

What was computed once is used again. A draft that was left goes on where it was. Rows of the store
that was made here before are copied if content, spec and code are the same and the values are those
that were written: DVC deletes a store before it is made again, so ``.NAME.made`` next to it keeps
its files (as links, which take no space) and says what code made them. It is local: of a store that
came from elsewhere there is none.
"""

import hashlib
import math
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr
from zarr.codecs import BloscCodec, Crc32cCodec

from pipeline.errors import DamagedError, InputError
from pipeline.files import chunks, tables
from pipeline.files.stores import FACTS, SUMS, Store, checksum, opened, row_hash

CHUNK_CLIPS = 32
CHUNK_BYTES = 64 * 2**20  # upper bound of a chunk, for long waveforms
STORE_FILES = 180
# Chosen by measurement (`make bench BENCH=features`). Unshuffled is a tenth larger, and written and
# read four times as fast.
CODECS = {
    shuffle: BloscCodec(cname="lz4", clevel=5, shuffle=shuffle, typesize=4)
    for shuffle in ("shuffle", "noshuffle")
}
# "empty" too: else every chunk is searched for something that is not zero, and may be left out
WHOLE = {"write_empty_chunks": True}


@dataclass(frozen=True)
class Draft:
    """A store being written, by any number of writers in any order, in any process.

    Attributes
    ----------
    x : zarr array
        Its values.
    done : Path
        Folder with a file for each chunk that is written, which holds the rest of its rows.
    old : Store, optional
        The store that was made before.
    sources : ndarray, shape (clips,), int
        The row of ``old`` that was made from the same, or -1.
    """

    x: zarr.Array
    done: Path
    old: Store | None
    sources: np.ndarray

    def pending(self) -> list[slice]:
        """Rows of each chunk that is not written yet, in order."""
        return [block for block in _blocks(self.x) if not self._facts(block).exists()]

    def fill(self, block: slice, compute: Callable[[np.ndarray], tuple]) -> None:
        """Write a chunk: what the old store holds is copied, the rest computed.

        A chunk that is written is left as it is: of a worker that died, dask has all done again.

        Parameters
        ----------
        block : slice
            One of the chunks.
        compute : callable
            Function from rows (n,) to their values (n, ...), zeros after the valid ones, ``length``
            (n,) and ``valid`` (n,); after these come ``sums`` (n, 3, bins) where a store has them.

        Raises
        ------
        InputError
            If the draft is out of sight: on a machine with other disks.
        """
        if block not in _blocks(self.x):
            raise ValueError(f"{block} is not one of the store's chunks")
        if not self.done.is_dir():
            raise InputError(
                f"{self.done}: a worker does not see this folder; engine.workers need the "
                "project's folder under the same path"
            )
        if self._facts(block).exists():
            return
        values, facts = self._rows(block, compute)
        self.x[block] = values
        # no other writer's, not even one of a lost process
        temporary = self.done / uuid.uuid4().hex
        with temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, **facts)
        os.replace(temporary, self._facts(block))

    def facts(self) -> dict[str, np.ndarray]:
        """``length``, ``valid`` and ``hash`` of all rows, and ``sums`` where there are any.

        Raises
        ------
        InputError
            If a chunk is not written.
        """
        if missing := self.pending():
            raise InputError(
                f"{self.done}: {len(missing)} chunks are not here, for workers wrote elsewhere; "
                "engine.workers need the project's folder, shared"
            )
        parts = [np.load(self._facts(block)) for block in _blocks(self.x)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0].files}

    def _rows(self, block: slice, compute: Callable) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Values of a chunk and the facts of its rows."""
        rows = np.arange(block.start, block.stop)
        found = list(self._found(block))
        hashes = np.zeros((len(rows), 16), np.uint8)
        new = np.ones(len(rows), bool)
        new[[i for i, *_ in found]] = False
        if new.all():  # as a rule: then nothing of it is copied
            values, length, valid, *sums = compute(rows)
        else:
            values = np.zeros((len(rows), *self.x.shape[1:]), np.float32)
            length, valid = np.zeros((2, len(rows)), np.int32)
            sums = [np.zeros((len(rows), *held.shape[1:])) for held in self._sums()]
            if new.any():
                values[new], length[new], valid[new], *some = compute(rows[new])
                for held, computed in zip(sums, some, strict=True):
                    held[new] = computed
        for i, row, value, *facts in found:
            values[i, : len(value)] = value
            length[i], valid[i], hashes[i] = facts
            for held, old in zip(sums, self._sums(), strict=True):
                held[i] = old[row]
        for i in np.flatnonzero(new):
            hashes[i] = row_hash(values[i], length[i], valid[i])
        made = {"length": length.astype(np.int32), "valid": valid.astype(np.int32), "hash": hashes}
        return values, made | dict(zip([SUMS], sums, strict=False))

    def _sums(self) -> list[np.ndarray]:
        """``sums`` of the old store, if it has them."""
        return [] if self.old is None or self.old.sums is None else [self.old.sums]

    def _found(self, block: slice) -> Iterator[tuple]:
        """Rows of the old store that are as they were written, each after its place here."""
        places = np.flatnonzero(self.sources[block] >= 0)
        if self.old is None or len(places) == 0:
            return
        rows = self.sources[block][places]
        try:
            found = self.old.x[rows]
        except DamagedError:
            return
        facts = [getattr(self.old, name)[rows] for name in FACTS]
        for place, row, value, *stated in zip(places, rows, found, *facts, strict=True):
            yield place, row, value[: stated[1]], *stated

    def _facts(self, block: slice) -> Path:
        """File that says that a chunk is written."""
        return self.done / f"{block.start}.npz"


@contextmanager
def create(
    path: Path,
    shape: tuple[int, ...],
    spec: dict,
    *,
    clips_sha256: str,
    content: np.ndarray,
    code: str,
    shuffle: bool = True,
) -> Iterator[Draft]:
    """Give a draft to fill next to ``path``; move it into place when the block succeeds.

    What an interrupted or failed block filled is kept for the next one of the same content. A draft
    is named after its content, so that a writer who does not know yet that all is over cannot spoil
    another one.

    Parameters
    ----------
    path : Path
        Place of the finished store; what is there is replaced.
    shape : tuple of int
        ``(clips, n, ...)``.
    spec : dict
        Resolved settings, plain JSON values.
    clips_sha256 : str
        ``sha256`` of the clip names in row order.
    content : ndarray, shape (clips, n), uint8
        Hash of what each row is made from; with spec and code it decides the row.
    code : str
        Hash of the code that computes.
    shuffle : bool
        Whether bytes are shuffled before they are compressed: for what remotes hold.

    Raises
    ------
    InputError
        If chunks were not written.
    """
    path = Path(path)
    codec = [CODECS["shuffle" if shuffle else "noshuffle"], Crc32cCodec()]
    attributes = {"clips_sha256": clips_sha256, "spec": spec, "spec_sha256": tables.sha256(spec)}
    chunk = (chunk_clips(shape), *shape[1:])
    layout = [list(shape), list(chunk), shuffle, "crc32c"]
    decisive = [attributes, layout, hashlib.sha256(content.tobytes()).hexdigest(), code]
    folder = path.with_name(f".{path.name}.{tables.sha256(decisive)[:16]}.part")
    for other in path.parent.glob(f".{path.name}.*.part"):
        if other != folder:
            shutil.rmtree(other, ignore_errors=True)
    store, done = folder / "store", folder / "done"
    if not (store.is_dir() and done.is_dir()):
        shutil.rmtree(folder, ignore_errors=True)
        group = zarr.create_group(store, zarr_format=3, attributes=attributes)
        group.create_array("x", shape=shape, chunks=chunk, dtype="float32", compressors=codec)
        done.mkdir()
    group = zarr.open_group(store, mode="r+")
    old = _drawn_upon(_made_path(path), attributes["spec_sha256"], code)
    x = zarr.open_array(store / "x", mode="r+").with_config(WHOLE)
    draft = Draft(x, done, old, _sources(old, content))
    yield draft
    facts = draft.facts() | {"content": content}
    for name, values in facts.items():
        form = {"chunks": values.shape, "compressors": codec, "config": WHOLE}
        group.create_array(name, data=values, overwrite=True, **form)
    attributes["chunks"] = chunks.opened(store / "x").sums()
    group.update_attributes(attributes | {"checksum": checksum(store, attributes, facts)})
    for litter in store.rglob("*.partial"):  # of a writer that was killed
        litter.unlink()
    kept = folder / "made"
    shutil.rmtree(kept, ignore_errors=True)
    shutil.copytree(store, kept / "store", copy_function=_link)
    made = _made(attributes["spec_sha256"], content, facts["hash"], code)
    tables.write_json(made, kept / "made.json")
    shutil.rmtree(_made_path(path), ignore_errors=True)
    os.replace(kept, _made_path(path))
    if path.exists():
        shutil.rmtree(folder / "old", ignore_errors=True)
        os.replace(path, folder / "old")
    os.replace(store, path)
    shutil.rmtree(folder)


def _drawn_upon(kept: Path, spec_sha256: str, code: str) -> Store | None:
    """Store that was made before, if its rows are what the same code makes of the same content."""
    try:
        made, old = tables.read_json(kept / "made.json"), opened(kept / "store")
    except InputError:
        return None
    return old if made == _made(spec_sha256, old.content, old.hash, code) else None


def _sources(old: Store | None, content: np.ndarray) -> np.ndarray:
    """For each row, the row of the old store that was made from the same, or -1."""
    rows = {} if old is None else {key.tobytes(): row for row, key in enumerate(old.content)}
    return np.array([rows.get(key.tobytes(), -1) for key in content], np.int32)


def _link(source: str, target: str) -> None:
    """Give a file a second name; where the disk cannot, copy it."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _made_path(path: Path) -> Path:
    """Folder next to a store that keeps it, and says what code made it."""
    return path.with_name(f".{path.name}.made")


def _made(spec_sha256: str, content: np.ndarray, hashes: np.ndarray, code: str) -> dict:
    """What is said of a store: who made it, and which rows these are."""
    digest = hashlib.sha256(spec_sha256.encode())
    digest.update(content.tobytes() + hashes.tobytes())
    return {"code": code, "rows": digest.hexdigest()}


def _blocks(x: zarr.Array) -> list[slice]:
    """Rows of each chunk, in order."""
    clips, step = x.shape[0], x.chunks[0]
    return [slice(start, min(start + step, clips)) for start in range(0, clips, step)]


def chunk_clips(shape: tuple[int, ...]) -> int:
    """Clips per chunk: 32, more for large corpora, fewer only where clips are very large.

    A power of two, so that chunks of waveforms and of features align, and a corpus that grows a
    little keeps its chunks.
    """
    clip_bytes = 4 * math.prod(shape[1:])
    wanted = 2 ** math.ceil(math.log2(max(CHUNK_CLIPS, shape[0] / STORE_FILES)))
    largest = 2 ** math.floor(math.log2(max(CHUNK_CLIPS, CHUNK_BYTES / clip_bytes)))
    return max(1, min(wanted, largest, shape[0]))
