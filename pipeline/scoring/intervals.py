"""How sure a metric is: intervals that know clips of one speaker are alike."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

FEWEST_SPEAKERS = 5
Metric = Callable[[np.ndarray], np.ndarray]  # of added rows, (draws, ...) -> (draws,)
BLOCK = 100  # draws at a time: of 30 000 clips each, 24 MB


def speaker_bootstrap(
    speakers: Sequence[str],
    kinds: np.ndarray,
    sums: np.ndarray,
    metric: Metric,
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of a metric by resampling whole speakers (expanded percentile cluster bootstrap).

    Clips of one speaker are recognised or missed together, so an interval that takes them for
    independent is too narrow. Here as many speakers as there are get drawn with replacement, each
    with all their clips; the metric of each draw is taken over its clips pooled. With fewer than
    five speakers, or a clip whose speaker is unknown, clips are drawn in place of speakers: such
    an interval says nothing about other speakers.

    What it covers is the choice of speakers, with the trained models as they are: not what
    another training seed or other folds would give. How often it holds what it should, on made-up
    data, is in reports/benchmarks/statistics.md.

    The metric must follow from what adds up over clips: a confusion matrix, or sums of ratings
    and of their squares. A draw is then a sum over its speakers.

    Parameters
    ----------
    speakers : sequence of str, shape (clips,), at least one
        ``""`` where unknown.
    kinds : ndarray, shape (clips,), int
        Row of ``sums`` that each clip adds. Clips of one kind are all the same to the metric.
    sums : ndarray, shape (kinds, ...)
        What one clip of each kind adds.
    metric : callable
        Function of added rows, shape (draws, ...) -> (draws,), such as
        ``pipeline.scoring.metrics.uar``.
    resamples : int, at least 1
        Number of draws.
    level : float, 0 < level < 1
        Probability that the interval is to cover.
    seed : int
        Seed of the draws.

    Returns
    -------
    low, high : float
        `quantiles` of the metric over the draws.

    Raises
    ------
    ValueError
        If there are no clips, or ``resamples`` or ``level`` is out of bounds.

    References
    ----------
    Field and Welsh, "Bootstrapping clustered data", J. R. Stat. Soc. B 69 (2007) 369-390.
    """
    if not len(speakers):
        raise ValueError("no predictions to resample")
    if resamples < 1:
        raise ValueError(f"resamples: must be at least 1, got {resamples}")
    if not 0 < level < 1:
        raise ValueError(f"level: must lie between 0 and 1, got {level}")
    if over_speakers(speakers):
        units = by_speaker(speakers, kinds, sums)
        times = np.ones(len(units), int)
    else:
        units, times = sums, np.bincount(kinds, minlength=len(sums))
    flat, generator = units.reshape(len(units), -1), np.random.default_rng(seed)
    drawn = np.concatenate([block @ flat for block in resampled(times, resamples, generator)])
    values = metric(drawn.reshape(resamples, *sums.shape[1:]))  # (resamples,)
    return quantiles(values, int(times.sum()), level)


def over_speakers(speakers: Sequence[str]) -> bool:
    """Whether there are speakers enough to draw them, and each clip's is known."""
    names = set(speakers)
    return len(names) >= FEWEST_SPEAKERS and "" not in names


def by_speaker(speakers: Sequence[str], kinds: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Add up the clips of each speaker.

    Parameters
    ----------
    speakers, kinds, sums
        Arguments as `speaker_bootstrap` takes them.

    Returns
    -------
    ndarray, shape (speakers, ...)
        In the order of their names.
    """
    speaker, names = pd.factorize(np.asarray(speakers), sort=True)
    added = np.zeros((len(names), *sums.shape[1:]), sums.dtype)
    np.add.at(added, speaker, sums[kinds])
    return added


def resampled(
    times: np.ndarray, resamples: int, generator: np.random.Generator
) -> Iterator[np.ndarray]:
    """Draw with replacement from units that occur so often: blocks (draws, units) of counts."""
    total, chances = times.sum(), times / times.sum()
    for start in range(0, resamples, BLOCK):
        yield generator.multinomial(total, chances, size=min(BLOCK, resamples - start))


def quantiles(values: np.ndarray, units: int, level: float) -> tuple[float, float]:
    """Bounds of a bootstrap's draws, set further apart the fewer units were drawn from.

    A bootstrap of few units is too narrow: the percentiles are moved out by what Student's t
    and the lost degree of freedom ask for, to ``Phi(t * sqrt(units / (units - 1)))``.

    References
    ----------
    T. Hesterberg, "What Teachers Should Know About the Bootstrap", Am. Stat. 69 (2015) 371-386,
    section 5.3: the expanded percentile interval.
    """
    from scipy import special  # slow to import, and prediction has no need of it

    tail = (1 - level) / 2
    if units > 1:
        stretch = special.stdtrit(units - 1, tail) * np.sqrt(units / (units - 1))
        tail = float(special.ndtr(stretch))
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
