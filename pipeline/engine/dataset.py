"""A feature store and the folds of a protocol, joined: what training and evaluation work on."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.features import augmentation
from pipeline.files import stores, tables
from pipeline.files.index import Index
from pipeline.files.spec import Spec
from pipeline.protocols.vocabulary import LABELLED, UNLABELED
from pipeline.scoring.target import Target


@dataclass(frozen=True)
class Fold:
    """Rows of one fold's parts, each an integer array in the corpus's order.

    Copies of the ``train`` clips come after them in that part, and in no other. ``unlabeled`` clips
    may be trained on, without a label. What is in no part is not touched.
    """

    number: int
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    unlabeled: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=int))

    def pool(self, seed: int, most: int) -> np.ndarray:
        """Draw at most so many of the clips without a label, the same ones for a seed."""
        drawn = np.random.default_rng([seed, self.number]).permutation(self.unlabeled)
        return np.sort(drawn[:most])


@dataclass(frozen=True)
class Dataset:
    """Everything a run is trained on.

    Attributes
    ----------
    x : ndarray or Values of a store, shape (rows, frames, ...), float32
        Features in memory, or on disk if it is too large: read it through ``take``. The clips come
        first, in their order, and then altered copies of them if there are any.
    truth : ndarray, shape (rows,), int, or (rows, outputs), float32
        What is true of each clip, as ``target.truth`` gives it.
    target : Target
        What is predicted.
    clips : DataFrame
        ``clip, speaker, sex`` and the rest of the index, row for row.
    folds : tuple of Fold
    spec : Spec
        What made the features.
    samples : ndarray, shape (rows,), int
        Length of each clip at the features' rate, before it was cut or padded.
    valid : ndarray, shape (rows,), int
        How many entries of the first axis of each clip are its own; zeros come after them.
    sums : ndarray or None, shape (rows, 3, bins), float64
        `framing.sums` of each clip's frames, of a feature cut into chunks.
    """

    x: Any
    truth: np.ndarray
    target: Target
    clips: pd.DataFrame
    folds: tuple[Fold, ...]
    spec: Spec
    samples: np.ndarray = field(default_factory=lambda: np.empty(0, int))
    valid: np.ndarray = field(default_factory=lambda: np.empty(0, int))
    sums: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Features of some clips (rows, frames, ...), wherever they lie."""
        return self.x[rows]

    def each(self, rows: np.ndarray) -> list[np.ndarray]:
        """Features of some clips, each of its own length (frames, ...)."""
        values = self.take(rows)
        return [clip[:own] for clip, own in zip(values, self.valid[rows], strict=True)]


def load(store: Path, index: Path, folds: Path, *, target: Target, memory_mb: int) -> Dataset:
    """Read features, index and folds, and check that they belong together.

    Parameters
    ----------
    store, index, folds : Path
        Feature store, ``index.csv``, and ``P.csv`` of the protocol.
    target : Target
        What is predicted; emotions need not be named. Of attributes, the parts train, validation
        and test hold the clips that are rated on all of them, and no others.
    memory_mb : int
        Features of up to this size are read into memory.

    Raises
    ------
    InputError
        If the store belongs to another index, the folds name a clip that it does not hold, or a
        fold trains on or tests no clip that is rated.
    """
    usable = Index.read(index).usable()
    clips = usable.clips
    features = stores.read(store)
    try:
        spec = Spec.from_json(features.spec)
    except InputError as error:
        raise InputError(f"{store}: {error}; run dvc repro") from None
    copies = spec.waveform.copies
    if features.clips_sha256 != tables.sha256(augmentation.names(usable.names, copies)):
        raise InputError(f"{store}: holds other clips than {index}; run dvc repro")
    parts = tables.read(folds)
    rows = parts["clip"].map(pd.Series(clips.index, index=clips["clip"]))
    if rows.isna().any():
        clip = parts["clip"][rows.isna()].iloc[0]
        raise InputError(f"{folds}: clip {clip} is not in {index}; run dvc repro")
    parts = parts.assign(row=rows.astype(int), fold=parts.fold.astype(int))
    try:
        target, truth, kept = target.truth(usable, parts, parts.part.isin(LABELLED).to_numpy())
    except InputError as error:
        raise InputError(f"{index}: {error}") from None
    offsets = len(clips) * np.arange(copies + 1)[:, None]  # rows from a clip to its copies
    numbered = parts[kept].groupby("fold")
    return Dataset(
        x=features.x[:] if 4 * features.x.size <= memory_mb * 2**20 else features.x,
        truth=np.concatenate([truth] * (copies + 1)),
        target=target,
        samples=features.length,
        valid=features.valid,
        sums=features.sums,
        clips=clips,
        folds=tuple(_fold(number, rows, offsets) for number, rows in numbered),
        spec=spec,
    )


def _fold(number: Any, parts: pd.DataFrame, offsets: np.ndarray) -> Fold:
    """Rows of one fold by part."""
    by_part = {part: rows.row.to_numpy() for part, rows in parts.groupby("part")}
    none = np.empty(0, dtype=int)
    by_part["train"] = (by_part.get("train", none) + offsets).ravel()
    return Fold(number, *(by_part.get(part, none) for part in (*LABELLED, UNLABELED)))
