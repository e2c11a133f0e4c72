"""Clips of one take: equal samples under several names, or near-duplicates."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipeline.audit import fingerprints
from pipeline.audit.fingerprints import Fingerprint
from pipeline.files import audio
from pipeline.order import natural


@dataclass(frozen=True)
class Takes:
    """Which clips hold the same take.

    Attributes
    ----------
    recording : list of str
        First clip of the same take, for every clip.
    duplicates : list of list of str
        Clips of equal samples.
    near_duplicates : list of dict
        ``clips`` of one take in different samples, and the lowest ``correlation`` that joined them.
    surplus : int
        Recordings in different samples that hold a take of an earlier one.
    compared : int
        Recordings in different samples long enough to be compared.
    """

    recording: list[str]
    duplicates: list[list[str]]
    near_duplicates: list[dict]
    surplus: int
    compared: int


def of_clips(usable: pd.DataFrame, raw: Path, prints: list[Fingerprint]) -> Takes:
    """Find the clips that hold one take.

    Parameters
    ----------
    usable : DataFrame
        Clips that can be used: ``clip, path, pcm_hash``.
    raw : Path
        Folder of the corpus; clips that may be alike are read again.
    prints : list of Fingerprint
        Fingerprint of each clip.
    """
    names, paths = usable["clip"].tolist(), usable["path"].tolist()
    position = pd.Series(range(len(usable)), usable.index)
    first = position.groupby(usable.pcm_hash).transform("first").tolist()  # of equal samples
    distinct = sorted({*first})

    @lru_cache(8)  # one clip stands in several pairs, one after another
    def low(i: int) -> np.ndarray:
        signal, sample_rate = audio.read(raw / paths[distinct[i]])
        return fingerprints.low_rate(audio.mono(signal), sample_rate)

    pairs = fingerprints.near_duplicates([prints[i] for i in distinct], low)
    pairs = [(distinct[i], distinct[j], value) for i, j, value in pairs]
    links = np.array([*enumerate(first), *((i, j) for i, j, _ in pairs)]).T
    graph = coo_array((np.ones(links.shape[1]), links), shape=(len(first), len(first)))
    _, group = connected_components(graph, directed=False)
    members = {}
    for i, label in enumerate(group.tolist()):
        members.setdefault(label, []).append(i)
    correlation = {}
    for i, _, value in pairs:
        correlation[group[i]] = min(value, correlation.get(group[i], 1.0))
    same = pd.Series(names).groupby(first)
    return Takes(
        recording=[names[members[label][0]] for label in group.tolist()],
        duplicates=sorted(sorted(clips) for _, clips in same if len(clips) > 1),
        near_duplicates=[
            {"clips": [names[i] for i in members[label]], "correlation": correlation[label]}
            for label in sorted(correlation, key=lambda label: members[label])
        ],
        surplus=len(distinct) - len(members),
        compared=sum(len(prints[i].words) > 0 for i in distinct),
    )


def contradictions(usable: pd.DataFrame) -> list[dict]:
    """Find recordings that are labelled with more than one emotion: one of the labels is wrong.

    Parameters
    ----------
    usable : DataFrame
        Clips that can be used: ``clip, emotion, recording``; an emotion is ``""`` if not known.

    Returns
    -------
    list of dict
        ``clips`` and ``emotions`` of each such recording.
    """
    labelled = usable[usable.emotion != ""]
    several = labelled.groupby("recording").emotion.transform("nunique") > 1
    return [
        {"clips": natural(of_one["clip"]), "emotions": natural(set(of_one.emotion))}
        for _, of_one in labelled[several].groupby("recording", sort=False)
    ]
