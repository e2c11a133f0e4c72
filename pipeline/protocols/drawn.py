"""Kinds of protocol that draw clips at random, or by their names, and ignore who speaks."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from pipeline.errors import InputError
from pipeline.lazy import np
from pipeline.protocols.groups import leave_one_out, tested_in

if TYPE_CHECKING:
    import pandas as pd


def kfold(clips: pd.DataFrame, *, folds: int, seed: int) -> np.ndarray:
    """Draw clips at random: scikit-learn's shuffled ``KFold``.

    Folds differ by one clip at most; the order of the clips and the seed decide them.
    """
    return tested_in(_kfold(clips, folds, seed))


def kfold_pairs(clips: pd.DataFrame, *, folds: int, seed: int) -> np.ndarray:
    """Test random pairs of the folds of `kfold`: as many pairs as folds, no pair twice.

    The numbers of Light-SERNet's paper rest on it: 20 % are tested in each of ten folds, so that
    the confusion matrices hold every clip twice on average, some more often, some never. How the
    authors drew the pairs is not known; here the seed draws them from all pairs in order.
    """
    fold_of = _kfold(clips, folds, seed)
    pairs = np.array(list(combinations(range(1, folds + 1), 2)))
    drawn = np.random.RandomState(seed).permutation(len(pairs))[:folds]
    return np.where([np.isin(fold_of, pair) for pair in pairs[drawn]], "test", "train")


def enough_for_pairs(*, folds: int, seed: int) -> None:
    """Refuse two folds of `kfold_pairs`: their one pair leaves nothing to train on."""
    if folds < 3:
        raise InputError(f"folds: kfold_pairs needs 3 or more, got {folds}")


def random_split(clips: pd.DataFrame, *, share: float, seed: int) -> np.ndarray:
    """Test a fraction of the clips, drawn at random: scikit-learn's ``ShuffleSplit``, one fold."""
    from sklearn.model_selection import ShuffleSplit  # slow to import

    draw = ShuffleSplit(1, test_size=share, random_state=seed)
    try:
        ((_, drawn),) = draw.split(clips)
    except ValueError:  # nothing to train on
        raise InputError(f"share: {share} of {len(clips)} clips leaves none") from None
    return np.where(np.isin(np.arange(len(clips)), drawn), "test", "train")[None]


def leave_one_prefix_out(
    clips: pd.DataFrame, *, prefix: int, seed: int | None = None
) -> np.ndarray:
    """Hold out the clips whose names start alike; with a seed, names are dealt out again before.

    Light-SERNet's released code means to hold speakers out by the first characters of the file
    names (EMO-DB: 2, IEMOCAP: 6, where they name the actor with the markers and not the speaker),
    after it dealt the names out to the files of each class at random. It sets no seed for that.
    Where it picks improvised clips it does so by the new names, here by the true ones.
    """
    prefixes = np.array([clip[:prefix] for clip in clips["clip"]], dtype=object)
    if seed is not None:
        generator = np.random.RandomState(seed)
        for label in sorted(set(clips["label"])):
            rows = np.flatnonzero(clips["label"] == label)
            prefixes[rows] = prefixes[generator.permutation(rows)]
    return leave_one_out(prefixes, "prefix", "prefixes")


def _kfold(clips: pd.DataFrame, folds: int, seed: int) -> np.ndarray:
    """Fold from 1 that each clip is drawn for (clips,)."""
    if folds > len(clips):
        raise InputError(f"folds: {folds} of {len(clips)} clips; take fewer folds")
    from sklearn.model_selection import KFold  # slow to import

    fold_of = np.empty(len(clips), dtype=int)
    draw = KFold(folds, shuffle=True, random_state=seed)
    for fold, (_, drawn) in enumerate(draw.split(clips), start=1):
        fold_of[drawn] = fold
    return fold_of
