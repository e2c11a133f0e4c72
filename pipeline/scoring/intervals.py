"""How sure a metric is: intervals that know clips of one speaker are alike."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

FEWEST_SPEAKERS = 5
BLOCK = 100  # draws at a time: of 30 000 clips each, 24 MB


def speaker_bootstrap(
    speakers: Sequence[str],
    kinds: np.ndarray,
    sums: np.ndarray,
    metric: Callable[[np.ndarray], np.ndarray],
    *,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Interval of a metric by resampling whole speakers (percentile cluster bootstrap).

    Clips of one speaker are recognised or missed together, so an interval that takes them for
    independent is too narrow. Here as many speakers as there are get drawn with replacement, each
    with all their clips; the metric of each draw is taken over its clips pooled. With fewer than
    five speakers, or a clip whose speaker is unknown, clips are drawn in place of speakers: such
    an interval says nothing about other speakers.

    What it covers is the choice of speakers, with the trained models as they are: not what
    another training seed or other folds would give. With ten speakers or so it is somewhat too
    narrow, as any bootstrap of few speakers is.

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
        Quantiles ``(1 - level) / 2`` and ``(1 + level) / 2`` of the metric over the draws.

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
    generator = np.random.default_rng(seed)
    speaker, names = pd.factorize(np.asarray(speakers), sort=True)
    flat = sums.reshape(len(sums), -1)
    if len(names) < FEWEST_SPEAKERS or "" in names:
        units, times = flat, np.bincount(kinds, minlength=len(sums))
    else:
        units, times = np.zeros((len(names), flat.shape[1]), flat.dtype), np.ones(len(names), int)
        np.add.at(units, speaker, flat[kinds])  # (speakers, ...)
    total, chances = times.sum(), times / times.sum()
    drawn = np.concatenate(
        [
            generator.multinomial(total, chances, size=min(BLOCK, resamples - start)) @ units
            for start in range(0, resamples, BLOCK)
        ]
    )
    values = metric(drawn.reshape(resamples, *sums.shape[1:]))  # (resamples,)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
