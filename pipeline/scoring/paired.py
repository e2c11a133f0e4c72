"""Two runs on the same folds: their difference, its interval, and whether chance would make it.

Clips of one speaker are recognised or missed together, so what is resampled and exchanged here is
whole speakers, the same ones for both runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from pipeline.scoring.intervals import Metric, quantiles, resampled

EXHAUSTIVE = 12  # speakers: all 4096 exchanges are tried, not a sample of them


@dataclass(frozen=True)
class Difference:
    """How far a metric of one run lies above that of another.

    Attributes
    ----------
    value : float
        Mean over the seeds of the first run, less that of the second.
    low, high : float
        Bounds of the paired bootstrap.
    p_value : float
        Probability of a difference at least that large if runs were named at random for each
        speaker; NaN if the runs have unequal numbers of seeds.
    """

    value: float
    low: float
    high: float
    p_value: float


def difference(
    first: np.ndarray,
    second: np.ndarray,
    metric: Metric,
    *,
    resamples: int = 2000,
    exchanges: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
) -> Difference:
    """Compare a metric of two runs, with an interval and a test over speakers.

    The interval is a paired cluster bootstrap: each draw takes the same speakers for both runs. Of
    several seeds every pair gives its draws, and all are pooled into one interval, which so covers
    the choice of seeds as well. The test is a paired permutation test: if the runs were equally
    good, either could have given the answers on any one speaker, so they are exchanged speaker by
    speaker; up to 12 speakers in all ways, above that in ways drawn at random.

    Parameters
    ----------
    first, second : ndarray, shape (seeds, speakers, ...)
        What each speaker's clips add up to under each seed, as ``metric`` takes it. Speakers in
        one order, at least two.
    metric : callable
        Function of added rows, shape (draws, ...) -> (draws,), such as ``metrics.uar``.
    resamples, exchanges : int, at least 1
        Draws of the bootstrap, and of the test above 12 speakers.
    level : float, 0 < level < 1
        Probability that the interval is to cover.
    seed : int
        Seed of the draws.

    Raises
    ------
    ValueError
        If the runs differ in their speakers, or there are fewer than two.

    References
    ----------
    P. Good, "Permutation, Parametric and Bootstrap Tests of Hypotheses", 3rd ed., Springer 2005;
    Field and Welsh, J. R. Stat. Soc. B 69 (2007) 369-390.
    """
    if first.shape[1:] != second.shape[1:] or first.shape[1] < 2:
        raise ValueError(f"runs of shapes {first.shape} and {second.shape} cannot be paired")
    generator = np.random.default_rng(seed)
    both = np.concatenate([first, second]).swapaxes(0, 1)  # (speakers, seeds of both, ...)
    times = resampled(np.ones(len(both), int), resamples, generator)
    values = np.concatenate([_of_seeds(metric, _added(block, both)) for block in times])
    here, there = values[:, : len(first)], values[:, len(first) :]
    low, high = quantiles((here[:, :, None] - there[:, None, :]).ravel(), len(both), level)
    return Difference(
        _gap(first, second, metric),
        low,
        high,
        _exchanged(first, second, metric, exchanges, generator),
    )


def mcnemar(first: ArrayLike, second: ArrayLike) -> float:
    """Exact test of two runs on single clips, which it takes for independent of each other.

    That holds where the folds share speakers, for other clips of those speakers; it says nothing
    of other speakers.

    Parameters
    ----------
    first, second : sequence of bool, shape (clips,)
        Whether each run named the clip rightly.

    Returns
    -------
    float
        Two-sided p-value of the clips that one run alone named rightly; 1.0 if there are none.

    References
    ----------
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947) 153-157; exact by the binomial distribution.

    Examples
    --------
    >>> mcnemar([True] * 6 + [False], [False] * 6 + [False])
    0.03125
    """
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    one, other = int((first & ~second).sum()), int((second & ~first).sum())
    return float(stats.binomtest(one, one + other).pvalue) if one + other else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust the p-values of one table, so that one false finding in it is rare.

    Parameters
    ----------
    p_values : sequence of float
        Values from 0 to 1; NaN, a test that was not made, stays and is not counted.

    References
    ----------
    S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979)
    65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, float)
    made = np.flatnonzero(~np.isnan(values))
    order = made[np.argsort(values[made], kind="stable")]
    adjusted = values.copy()
    left = len(order) - np.arange(len(order))  # tests that are not yet decided
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * left), 1)
    return adjusted.tolist()


def _added(times: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Add up rows as often as drawn, (draws, units) and (units, ...) -> (draws, ...)."""
    return (times @ units.reshape(len(units), -1)).reshape(len(times), *units.shape[1:])


def _of_seeds(metric: Metric, sums: np.ndarray) -> np.ndarray:
    """Metric of each draw and seed, (draws, seeds, ...) -> (draws, seeds)."""
    draws, seeds = sums.shape[:2]
    return metric(sums.reshape(draws * seeds, *sums.shape[2:])).reshape(draws, seeds)


def _gap(first: np.ndarray, second: np.ndarray, metric: Metric) -> float:
    """Difference of the means over seeds."""
    return float(metric(first.sum(axis=1)).mean() - metric(second.sum(axis=1)).mean())


def _exchanged(
    first: np.ndarray,
    second: np.ndarray,
    metric: Metric,
    exchanges: int,
    generator: np.random.Generator,
) -> float:
    """P-value of the permutation test."""
    if len(first) != len(second):
        return float("nan")
    speakers = first.shape[1]
    if speakers <= EXHAUSTIVE:
        ways = np.arange(2**speakers)[:, None] >> np.arange(speakers) & 1
    else:  # the first is what was found: the p-value of a sample is never 0
        ways = generator.integers(0, 2, size=(exchanges, speakers))
        ways[0] = 0
    base, change = second.sum(axis=1), (first - second).swapaxes(0, 1)  # change: (speakers, ...)
    gaps = np.concatenate(
        [
            _of_seeds(metric, base + _added(1 - block, change)).mean(axis=1)
            - _of_seeds(metric, base + _added(block, change)).mean(axis=1)
            for block in np.array_split(ways, -(-len(ways) // 1000))
        ]
    )
    return float(np.mean(np.abs(gaps) >= np.abs(gaps[0]) - 1e-12))
