"""A feature store and the folds of a protocol, joined: what training and evaluation work on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.files import stores, tables


@dataclass(frozen=True)
class Fold:
    """Rows of one fold's parts, each an integer array in the corpus's order."""

    number: int
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Dataset:
    """Everything a run learns from.

    Attributes
    ----------
    x : ndarray or zarr array, shape (clips, frames, ...), float32
        In memory, or on disk if it is too large: read it through ``take``.
    y : ndarray, shape (clips,), int
        Position in ``labels``.
    labels : tuple of str
        In the order of a model's outputs.
    clips : DataFrame
        ``clip, speaker, sex`` and the rest of the index, row for row.
    folds : tuple of Fold
    spec : dict
        Resolved spec of the features.
    """

    x: Any
    y: np.ndarray
    labels: tuple[str, ...]
    clips: pd.DataFrame
    folds: tuple[Fold, ...]
    spec: dict

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Features of some clips (rows, frames, ...), wherever they lie."""
        return self.x[rows] if isinstance(self.x, np.ndarray) else self.x.oindex[rows]


def load(store: Path, index: Path, folds: Path, *, memory_mb: int) -> Dataset:
    """Read features, index and folds, and hold them against each other.

    Parameters
    ----------
    store, index, folds : Path
        Feature store, ``index.csv``, and ``P.csv`` of the protocol.
    memory_mb : int
        Features of up to this size are read into memory.

    Raises
    ------
    InputError
        If the store or the folds belong to another index.
    """
    clips = tables.read(index)
    clips = clips[clips.status == "ok"].reset_index(drop=True)
    features = stores.read(store)
    if features.clips_sha256 != stores.sha256(list(clips["clip"])):
        raise InputError(f"{store}: holds other clips than {index}; run dvc repro")
    parts = tables.read(folds)
    rows = parts["clip"].map(pd.Series(clips.index, index=clips["clip"]))
    if set(rows) != set(clips.index):  # a clip that only one of them has
        raise InputError(f"{folds}: holds other clips than {index}; run dvc repro")
    parts = parts.assign(row=rows.astype(int), fold=parts.fold.astype(int))
    labels = tuple(sorted(parts.label.unique()))
    label_of = parts.drop_duplicates("row").set_index("row").label
    y = label_of.reindex(clips.index).map(labels.index).to_numpy()
    numbered = parts.groupby("fold")
    return Dataset(
        x=features.x[:] if 4 * features.x.size <= memory_mb * 2**20 else features.x,
        y=y,
        labels=labels,
        clips=clips,
        folds=tuple(_fold(number, rows) for number, rows in numbered),
        spec=features.spec,
    )


def _fold(number: int, parts: pd.DataFrame) -> Fold:
    """Rows of one fold by part."""
    by_part = {part: rows.row.to_numpy() for part, rows in parts.groupby("part")}
    none = np.empty(0, dtype=int)
    return Fold(number, *(by_part.get(part, none) for part in ("train", "validation", "test")))
