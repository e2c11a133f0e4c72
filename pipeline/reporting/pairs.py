"""Two runs on the same folds: how far apart they are, and whether speakers could make that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    if first.predictions.empty or second.predictions.empty:
        return "predictions of one of them were not kept"
    if first.target != second.target:
        return "they predict different things"
    here, there = (_tested(run) for run in (first, second))
    if not here.index.equals(there.index):
        return "they were not tested on the same clips in the same folds"
    truth = [c for c in first.target.columns if c.startswith(("label", "true_"))]
    if not here[truth].equals(there[truth]):
        return "their clips have different labels"
    return ""


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
        for first, second in combinations(runs, 2)
        if not alike(first, second)
        for measure in first.measures
    ]
    adjusted: dict[int, float] = {}
    for key in {pair.measure.key for pair in pairs}:
        places = [n for n, pair in enumerate(pairs) if pair.measure.key == key]
        values = [_p_value(pairs[n]) for n in places]
        adjusted |= dict(zip(places, paired.holm(values), strict=True))
    return [replace(pair, adjusted=adjusted[n]) for n, pair in enumerate(pairs)]


def _pair(first: Result, second: Result, measure: Measure) -> Pair:
    """Compare two runs by one measure."""
    speakers = _tested(first)["speaker"].tolist()
    found = None
    if over_speakers(speakers):
        (metric, here), (_, there) = (_added(run, measure) for run in (first, second))
        found = paired.difference(here, there, metric)
    return Pair(first, second, measure, found, np.nan, _mcnemar(first, second, measure))


def _p_value(pair: Pair) -> float:
    """P-value of the test over speakers, NaN without one."""
    return pair.difference.p_value if pair.difference else np.nan


def _tested(run: Result, seed: int = 0) -> pd.DataFrame:
    """Predictions of one of the seeds, in an order that the runs of the same folds share."""
    seeds = list(dict.fromkeys(run.predictions["seed"]))
    rows = run.predictions[run.predictions["seed"] == seeds[seed]]
    return rows.set_index(["fold", "clip"]).sort_index()


def _added(run: Result, measure: Measure) -> tuple[Metric, np.ndarray]:
    """Give a measure, and what the clips of each speaker add up to, (seeds, speakers, ...)."""
    metrics, sums = [], []
    for seed in range(run.predictions["seed"].nunique()):
        rows = _tested(run, seed)
        metric, kinds, single = run.target.added(rows, measure.key)
        metrics.append(metric)
        sums.append(by_speaker(rows["speaker"].tolist(), kinds, single))
    return metrics[0], np.stack(sums)


def _mcnemar(first: Result, second: Result, measure: Measure) -> float:
    """P-value over clips, where both runs have one seed, and folds share speakers."""
    once = all(run.predictions["seed"].nunique() == 1 for run in (first, second))
    if not once or measure.key != "war" or state(first.facts["leaks"]["speaker"]) != "shared":
        return np.nan
    right = [(rows["label"] == rows["predicted"]) for rows in map(_tested, (first, second))]
    return paired.mcnemar(*right)
