"""Two runs on the same folds: how far apart they are, and whether speakers could make that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd

from pipeline.reporting.results import Result, state
from pipeline.scoring import paired
from pipeline.scoring.intervals import Metric, by_speaker, over_speakers
from pipeline.scoring.paired import Difference
from pipeline.scoring.targets import Measure

RARE = 0.05  # a p-value below it, adjusted over its table, supports a difference


@dataclass(frozen=True)
class Pair:
    """Two runs on the same clips in the same folds, by one measure.

    Attributes
    ----------
    first, second : Result
    measure : Measure
    difference : Difference or None
        None below five speakers, or where a speaker is not known.
    adjusted : float
        P-value, adjusted over all pairs of its table; NaN without a test.
    mcnemar : float
        P-value of McNemar's test over clips; NaN where folds do not share speakers, for
        attributes, and for runs of several seeds.
    """

    first: Result
    second: Result
    measure: Measure
    difference: Difference | None
    adjusted: float
    mcnemar: float

    @property
    def supported(self) -> bool:
        """Whether the test supports that one of the two is better."""
        return self.adjusted < RARE

    @property
    def gap(self) -> float:
        """The measure of the first, less that of the second."""
        key = self.measure.key
        return self.first.metrics[key] - self.second.metrics[key]


def alike(first: Result, second: Result) -> str:
    """Say why two runs cannot be compared clip by clip; empty if they can."""
    return _alike(_Tested(first), _Tested(second))


def compared(runs: Sequence[Result]) -> list[Pair]:
    """Compare every two of some runs that can be compared, by each of their measures.

    Parameters
    ----------
    runs
        Results, in the order of the table.

    Returns
    -------
    list of Pair
        Pairs in that order; p-values are adjusted over all of them by Holm's procedure, for each
        measure by itself.
    """
    pairs = [
        _pair(first, second, measure)
        for first, second in combinations(map(_Tested, runs), 2)
        if not _alike(first, second)
        for measure in first.run.measures
    ]
    adjusted: dict[int, float] = {}
    for key in {pair.measure.key for pair in pairs}:
        places = [n for n, pair in enumerate(pairs) if pair.measure.key == key]
        values = [_p_value(pairs[n]) for n in places]
        adjusted |= dict(zip(places, paired.holm(values), strict=True))
    return [replace(pair, adjusted=adjusted[n]) for n, pair in enumerate(pairs)]


class _Tested:
    """What a run was tested on, put in order once for all the pairs that it is in."""

    def __init__(self, run: Result) -> None:
        self.run = run

    @cached_property
    def of_seeds(self) -> list[pd.DataFrame]:
        """Predictions of each seed, in an order that the runs of the same folds share."""
        rows = self.run.predictions.set_index(["fold", "clip"]).sort_index()
        return [rows[rows["seed"] == seed] for seed in dict.fromkeys(self.run.predictions["seed"])]

    @cached_property
    def added(self) -> dict[str, tuple[Metric, np.ndarray]]:
        """Each measure, and what the clips of each speaker add up to, (seeds, speakers, ...)."""
        found = {}
        for key in (measure.key for measure in self.run.measures):
            parts = [self.run.target.added(rows, key) for rows in self.of_seeds]
            sums = [
                by_speaker(rows["speaker"].tolist(), kinds, single)
                for rows, (_, kinds, single) in zip(self.of_seeds, parts, strict=True)
            ]
            found[key] = parts[0][0], np.stack(sums)
        return found


def _alike(first: _Tested, second: _Tested) -> str:
    """Say why two runs cannot be compared clip by clip; empty if they can."""
    if first.run.predictions.empty or second.run.predictions.empty:
        return "predictions of one of them were not kept"
    target = first.run.target
    if target != second.run.target:
        return "they predict different things"
    here, there = first.of_seeds[0], second.of_seeds[0]
    if not here.index.equals(there.index):
        return "they were not tested on the same clips in the same folds"
    truth = [c for c in target.columns if c.startswith(("label", "true_"))]
    if not here[truth].equals(there[truth]):
        return "their clips have different labels"
    return ""


def _pair(first: _Tested, second: _Tested, measure: Measure) -> Pair:
    """Compare two runs by one measure."""
    found = None
    if over_speakers(first.of_seeds[0]["speaker"].tolist()):
        metric, here = first.added[measure.key]
        found = paired.difference(here, second.added[measure.key][1], metric)
    return Pair(first.run, second.run, measure, found, np.nan, _mcnemar(first, second, measure))


def _p_value(pair: Pair) -> float:
    """P-value of the test over speakers, NaN without one."""
    return pair.difference.p_value if pair.difference else np.nan


def _mcnemar(first: _Tested, second: _Tested, measure: Measure) -> float:
    """P-value over clips, where both runs have one seed, and folds share speakers."""
    once = len(first.of_seeds) == len(second.of_seeds) == 1
    leak = first.run.facts["leaks"]["speaker"]
    if not once or measure.key != "war" or state(leak) != "shared":
        return np.nan
    rows = [one.of_seeds[0] for one in (first, second)]
    return paired.mcnemar(*(one["label"] == one["predicted"] for one in rows))
