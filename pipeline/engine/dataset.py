"""A feature store and the folds of a protocol, joined: what training and evaluation work on."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.features import augmentation
from pipeline.files import stores, tables
from pipeline.protocols.vocabulary import LABELLED, UNLABELED


@dataclass(frozen=True)
class Fold:
    """Rows of one fold's parts, each an integer array in the corpus's order.

    Copies of the ``train`` clips are behind them in that part, and in no other. ``unlabeled`` clips
    may be learnt from, without a label. What is in no part is not touched.
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
    """Everything a run learns from.

    Attributes
    ----------
    x : ndarray or zarr array, shape (rows, frames, ...), float32
        In memory, or on disk if it is too large: read it through ``take``. The clips come first,
        in their order, and then altered copies of them if there are any.
    y : ndarray, shape (rows,), int
        Position in ``labels``; -1 for clips without a label and those that take no part.
    labels : tuple of str
        In the order of a model's outputs; none where attributes are predicted.
    clips : DataFrame
        ``clip, speaker, sex`` and the rest of the index, row for row.
    folds : tuple of Fold
    spec : dict
        Resolved spec of the features.
    ratings : ndarray, shape (rows, attributes), float32
        In the units of the corpus, NaN where a clip has none; no attributes where emotions are
        predicted.
    samples : ndarray, shape (rows,), int
        Length of each clip at the features' rate, before it was cut or padded.
    """

    x: Any
    y: np.ndarray
    labels: tuple[str, ...]
    clips: pd.DataFrame
    folds: tuple[Fold, ...]
    spec: dict
    ratings: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    samples: np.ndarray = field(default_factory=lambda: np.empty(0, int))

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Features of some clips (rows, frames, ...), wherever they lie."""
        return self.x[rows] if isinstance(self.x, np.ndarray) else self.x.oindex[rows]


def load(
    store: Path,
    index: Path,
    folds: Path,
    *,
    memory_mb: int,
    attributes: tuple[str, ...] = (),
) -> Dataset:
    """Read features, index and folds, and hold them against each other.

    Parameters
    ----------
    store, index, folds : Path
        Feature store, ``index.csv``, and ``P.csv`` of the protocol.
    memory_mb : int
        Features of up to this size are read into memory.
    attributes : tuple of str
        Columns of the index that are predicted, in place of emotions. The parts train, validation
        and test then hold the clips that are rated on all of them, and no others.

    Raises
    ------
    InputError
        If the store belongs to another index, the folds name a clip that it does not hold, or a
        fold trains on or tests no clip that is rated.
    """
    clips = tables.read(index)
    clips = clips[clips.status == "ok"].reset_index(drop=True)
    features = stores.read(store)
    copies = features.spec["waveform"].get("copies", 0)
    if features.clips_sha256 != stores.sha256(augmentation.names(list(clips["clip"]), copies)):
        raise InputError(f"{store}: holds other clips than {index}; run dvc repro")
    parts = tables.read(folds)
    rows = parts["clip"].map(pd.Series(clips.index, index=clips["clip"]))
    if rows.isna().any():
        clip = parts["clip"][rows.isna()].iloc[0]
        raise InputError(f"{folds}: clip {clip} is not in {index}; run dvc repro")
    parts = parts.assign(row=rows.astype(int), fold=parts.fold.astype(int))
    ratings = clips[list(attributes)].replace("", "nan").to_numpy(dtype=np.float32)
    if attributes:
        parts = _rated(parts, np.isfinite(ratings).all(axis=1), f"{index}: {', '.join(attributes)}")
    labelled = parts[:0] if attributes else parts[parts.part.isin(LABELLED)]
    labels = tuple(sorted(labelled.label.unique()))
    label_of = labelled.drop_duplicates("row").set_index("row").label
    numbers = label_of.map({label: number for number, label in enumerate(labels)})
    y = np.tile(numbers.reindex(clips.index, fill_value=-1).to_numpy(), copies + 1)
    behind = len(clips) * np.arange(copies + 1)[:, None]  # rows from a clip to its copies
    numbered = parts.groupby("fold")
    return Dataset(
        x=features.x[:] if 4 * features.x.size <= memory_mb * 2**20 else features.x,
        y=y,
        labels=labels,
        ratings=np.tile(ratings, (copies + 1, 1)),
        samples=features.length[:],
        clips=clips,
        folds=tuple(_fold(number, rows, behind) for number, rows in numbered),
        spec=features.spec,
    )


def _rated(parts: pd.DataFrame, rated: np.ndarray, place: str) -> pd.DataFrame:
    """Leave out, of the clips with labels, those without ratings; refuse a fold without any."""
    kept = parts[~parts.part.isin(LABELLED) | rated[parts.row]]
    for fold in parts.fold.unique():
        for part in ("train", "test"):
            if not ((kept.fold == fold) & (kept.part == part)).any():
                raise InputError(
                    f"{place}: fold {fold} has no {part} clip that is rated on them; take other "
                    "attributes, another protocol, or a corpus with ratings"
                )
    return kept


def _fold(number: int, parts: pd.DataFrame, behind: np.ndarray) -> Fold:
    """Rows of one fold by part."""
    by_part = {part: rows.row.to_numpy() for part, rows in parts.groupby("part")}
    none = np.empty(0, dtype=int)
    by_part["train"] = (by_part.get("train", none) + behind).ravel()
    return Fold(number, *(by_part.get(part, none) for part in (*LABELLED, UNLABELED)))
