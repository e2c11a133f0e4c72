"""A feature store and the folds of a protocol, joined: what training and evaluation work on."""

from dataclasses import dataclass
from pathlib import Path

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
    x : ndarray, shape (clips, frames, ...), float32
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

    x: np.ndarray
    y: np.ndarray
    labels: tuple[str, ...]
    clips: pd.DataFrame
    folds: tuple[Fold, ...]
    spec: dict


def load(store: Path, index: Path, folds: Path) -> Dataset:
    """Read features, index and folds, and hold them against each other.

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
    if rows.isna().any():
        raise InputError(f"{folds}: holds other clips than {index}; run dvc repro")
    parts = parts.assign(row=rows.astype(int), fold=parts.fold.astype(int))
    labels = tuple(sorted(parts.label.unique()))
    label_of = parts.drop_duplicates("row").set_index("row").label
    y = label_of.reindex(clips.index).map(labels.index).to_numpy()
    numbered = parts.groupby("fold")
    return Dataset(
        x=features.x[:],
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
