"""Measures of groups of clips: by speaker, sex, sentence, session and length of the clip.

A group's UAR is the mean recall of the classes that it has clips of, which may be fewer than the
run has; how many is said. Of a group with five known speakers or more there is an interval, as of
the whole: `intervals.speaker_bootstrap`.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.order import natural
from pipeline.scoring.intervals import over_speakers, speaker_bootstrap
from pipeline.scoring.target import Target

KINDS = ("speaker", "sex", "sentence", "session", "length")
LENGTHS = (1, 2, 3, 5, 10)  # seconds: clips are put into buckets between these


@dataclass(frozen=True)
class Score:
    """A measure of a group, the mean over the seeds.

    Attributes
    ----------
    value, low, high : float
        The bounds are NaN of fewer than five speakers.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Group:
    """Clips that have something in common.

    Attributes
    ----------
    kind : str, one of ``KINDS``
    value : str
        What they have in common: a name of the corpus, or ``1 to 2 s``.
    clips, speakers : int
        How many; 0 speakers where one of them is not known.
    classes : int
        How many classes occur among the labels; 0 of attributes.
    scores : dict of str to Score
        By key of the measures.
    """

    kind: str
    value: str
    clips: int
    speakers: int
    classes: int
    scores: dict[str, Score]


def of(target: Target, predictions: pd.DataFrame, kind: str) -> list[Group]:
    """Score the groups of one kind.

    Parameters
    ----------
    target : Target
    predictions : DataFrame
        Table as ``evaluation.scores`` takes it, with the column that clips are grouped by, which
        of length is ``seconds``.
    kind : str, one of ``KINDS``

    Returns
    -------
    list of Group
        In the order of their names, lengths from short to long; empty where the corpus does not
        say, where it has one value for all clips, and where most clips have one of their own.
    """
    column = "seconds" if kind == "length" else kind
    if column not in predictions or predictions.empty:
        return []
    values = _buckets(predictions[column]) if kind == "length" else predictions[column]
    known = values != ""
    names = natural(set(values[known]))
    if kind == "length":
        names = [name for name in _names() if name in names]
    if not 1 < len(names) <= max(2, predictions["clip"].nunique() // 2):
        return []
    return [_group(target, predictions[values == name], kind, name) for name in names]


def _group(target: Target, rows: pd.DataFrame, kind: str, value: str) -> Group:
    """Score one group."""
    speakers = set(rows["speaker"])
    return Group(
        kind,
        value,
        rows["clip"].nunique(),
        0 if "" in speakers else len(speakers),
        rows["label"].nunique() if "label" in rows else 0,
        {measure.key: _score(target, rows, measure.key) for measure in target.measures},
    )


def _score(target: Target, rows: pd.DataFrame, key: str) -> Score:
    """One measure of a group with its interval, the mean over the seeds."""
    found = []
    for _, of_seed in rows.groupby("seed", sort=False):
        metric, kinds, sums = target.added(of_seed, key)
        speakers = of_seed["speaker"].tolist()
        ends = np.nan, np.nan
        if over_speakers(speakers):
            ends = speaker_bootstrap(speakers, kinds, sums, metric)
        found.append([float(metric(sums[kinds].sum(axis=0))), *ends])
    return Score(*np.mean(found, axis=0).tolist())


def _buckets(seconds: pd.Series) -> pd.Series:
    """Name of the bucket of each length; ``""`` where it is not known."""
    numbers = pd.to_numeric(seconds, errors="coerce")
    names = np.array([*_names(), ""])
    place = np.searchsorted(LENGTHS, numbers.fillna(0), side="right")
    return pd.Series(names[np.where(numbers.isna(), -1, place)], seconds.index)


def _names() -> list[str]:
    """Names of all buckets from short to long.

    >>> _names()[:2], _names()[-1]
    (['under 1 s', '1 to 2 s'], '10 s and more')
    """
    between = [f"{low} to {high} s" for low, high in pairwise(LENGTHS)]
    return [f"under {LENGTHS[0]} s", *between, f"{LENGTHS[-1]} s and more"]
