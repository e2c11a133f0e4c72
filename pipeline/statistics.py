"""How sure a metric is: intervals that know clips of one speaker are alike."""

from collections.abc import Callable

import numpy as np
import pandas as pd

FEWEST_SPEAKERS = 5


def speaker_bootstrap(
    predictions: pd.DataFrame,
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
    narrow, as any bootstrap of few units is.

    Parameters
    ----------
    predictions : DataFrame
        A row per clip, with ``speaker, label, predicted``.
    metric : callable
        Of confusion matrices, shape (..., classes, classes) -> (...), rows the labels, such as
        ``pipeline.metrics.uar``.
    resamples : int, at least 1
        How many draws.
    level : float, 0 < level < 1
        Probability that the interval is to cover.
    seed : int
        Of the draws.

    Returns
    -------
    low, high : float
        Quantiles ``(1 - level) / 2`` and ``(1 + level) / 2`` of the metric over the draws.

    Raises
    ------
    ValueError
        If there are no predictions, or ``resamples`` or ``level`` is out of bounds.

    References
    ----------
    Field and Welsh, "Bootstrapping clustered data", J. R. Stat. Soc. B 69 (2007) 369-390.
    """
    if predictions.empty:
        raise ValueError("no predictions to resample")
    if resamples < 1:
        raise ValueError(f"resamples: must be at least 1, got {resamples}")
    if not 0 < level < 1:
        raise ValueError(f"level: must lie between 0 and 1, got {level}")
    generator = np.random.default_rng(seed)
    counts = _confusions(predictions)  # (speakers, classes, classes)
    speakers, size, _ = counts.shape
    if speakers < FEWEST_SPEAKERS or (predictions["speaker"] == "").any():
        # clips drawn with replacement are one multinomial draw over the cells of the pooled matrix
        shares = counts.sum(axis=0).ravel() / len(predictions)
        drawn = generator.multinomial(len(predictions), shares, size=resamples)
    else:
        times = generator.multinomial(speakers, np.full(speakers, 1 / speakers), size=resamples)
        drawn = times @ counts.reshape(speakers, -1)  # (resamples, classes**2)
    values = metric(drawn.reshape(resamples, size, size))  # (resamples,)
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _confusions(predictions: pd.DataFrame) -> np.ndarray:
    """Confusion matrix of each speaker, shape (speakers, classes, classes), int."""
    classes = pd.Index(predictions["label"]).union(predictions["predicted"]).unique()
    speaker, names = pd.factorize(predictions["speaker"], sort=True)
    size = len(classes)
    truth = classes.get_indexer(predictions["label"])
    guess = classes.get_indexer(predictions["predicted"])
    cells = (speaker * size + truth) * size + guess  # (clips,)
    counts = np.bincount(cells, minlength=len(names) * size**2)
    return counts.reshape(len(names), size, size)
