"""Every metric of a run, flat: of its emotions or its attributes, over folds and seeds.

No training depends on this: a metric that is added here trains nothing again.
"""

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import Any

import numpy as np
import pandas as pd

from pipeline.scoring import classification
from pipeline.scoring.intervals import speaker_bootstrap
from pipeline.scoring.metrics import (
    ccc,
    cells,
    confusion,
    macro_f1,
    moments,
    pearson,
    recalls,
    rmse,
    uar,
    war,
)
from pipeline.scoring.target import Target
from pipeline.scoring.targets import Attributes, Emotions

KEYS = ("clip", "speaker", "fold")
# Keys of metrics.json that are of a whole run, besides its measures, by kind of target.
METRICS = {Emotions.KIND: ("macro_f1", *classification.SCALARS), Attributes.KIND: ()}


@singledispatch
def scores(target: Target, predictions: pd.DataFrame) -> dict[str, float]:
    """Every metric of a run, flat: the mean over its seeds.

    Parameters
    ----------
    target : Target
    predictions : DataFrame
        ``clip, speaker, fold, seed`` and what ``target.predictions`` gives, of all folds.

    Returns
    -------
    dict of str to float
        Metrics of `emotions_over_seeds` or `attributes_over_seeds`.
    """
    raise TypeError(f"no metrics of {type(target).__name__}")


@scores.register(Emotions)
def _of_emotions(target: Emotions, predictions: pd.DataFrame) -> dict[str, float]:
    return emotions_over_seeds(predictions, target.labels)


@scores.register(Attributes)
def _of_attributes(target: Attributes, predictions: pd.DataFrame) -> dict[str, float]:
    return attributes_over_seeds(predictions, target.names)


def evaluate_emotions(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    """Every metric of one training that predicts emotions, flat.

    Parameters
    ----------
    predictions : DataFrame
        A row per held-out clip, with ``clip, speaker, fold, label, predicted, p_<class>...``.
    classes : sequence of str, at least two
        All classes of the run.

    Returns
    -------
    dict of str to float
        * ``uar``, ``war``, ``macro_f1`` and those of ``classification.SCALARS``, of all folds
          pooled;
        * ``uar_low``, ``uar_high``, ``war_low``, ``war_high``: 95 % intervals of
          ``pipeline.scoring.intervals.speaker_bootstrap``;
        * ``recall_<class>``, ``precision_<class>`` for each class that occurs among the labels;
        * of each of those but intervals and classes ``<metric>_fold_<nn>``, and over the folds
          ``<metric>_fold_mean``, ``<metric>_fold_std`` (of the population, ddof 0); in a fold that
          lacks a class, averages are over the classes it has;
        * ``clips``, ``speakers``: how many;
        * ``chance_uar``: 1 / classes; ``majority_war``: the fraction of the commonest label.

    Raises
    ------
    ValueError
        If a column is missing, a fold has a clip twice, or as in ``validate`` and
        ``classification.probabilities``.
    """
    _whole(predictions, ["label", "predicted"])
    pooled = confusion(predictions["label"], predictions["predicted"], classes)
    values = {}
    for name, metric in (("uar", uar), ("war", war)):
        values |= _scores(name, metric, predictions, *cells(predictions, classes))
    values |= _without_interval(predictions, [*classes])
    values |= classification.precisions(predictions, [*classes])
    for label, recall in zip(classes, recalls(pooled), strict=True):
        if not np.isnan(recall):
            values[f"recall_{label}"] = recall
    values["chance_uar"] = 1 / len(classes)
    values["majority_war"] = pooled.sum(axis=1).max() / len(predictions)
    return _counted(predictions, values)


def evaluate_attributes(predictions: pd.DataFrame, attributes: Sequence[str]) -> dict[str, float]:
    """Every metric of one training that predicts attributes, flat.

    Parameters
    ----------
    predictions : DataFrame
        A row per held-out clip, with ``clip, speaker, fold`` and per attribute ``true_<attribute>,
        predicted_<attribute>``, in the units of the corpus.
    attributes : sequence of str, at least one
        Names such as ``arousal``.

    Returns
    -------
    dict of str to float
        For each attribute:

        * ``ccc_<attribute>``, ``pearson_<attribute>``, ``rmse_<attribute>`` of all folds pooled;
        * ``ccc_<attribute>_low``, ``ccc_<attribute>_high``: 95 % interval of
          ``pipeline.scoring.intervals.speaker_bootstrap``;
        * of each of the three ``<metric>_fold_<nn>``, and over the folds ``<metric>_fold_mean``,
          ``<metric>_fold_std`` (of the population, ddof 0);

        and ``clips``, ``speakers``: how many.

    Raises
    ------
    ValueError
        If a column is missing, a fold has a clip twice, there is no clip, or a rating or
        prediction is NaN.
    """
    columns = [f"{what}_{name}" for name in attributes for what in ("true", "predicted")]
    _whole(predictions, columns)
    if predictions.empty:
        raise ValueError("no clips to evaluate")
    for column in columns:
        wrong = ~np.isfinite(predictions[column].to_numpy(float))
        if wrong.any():
            raise ValueError(f"clip {predictions['clip'][wrong].iloc[0]}: {column} is NaN")
    values, each = {}, np.arange(len(predictions))
    for name in attributes:
        of_clips = moments(predictions[f"true_{name}"], predictions[f"predicted_{name}"])
        values |= _scores(f"ccc_{name}", ccc, predictions, each, of_clips)
        for key, metric in ((f"pearson_{name}", pearson), (f"rmse_{name}", rmse)):
            values[key] = metric(of_clips.sum(axis=0))
            values |= _of_folds(key, _by_fold(predictions, each, of_clips, metric))
    return _counted(predictions, values)


def emotions_over_seeds(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    """Metrics of a run on emotions, trained under one seed or several: the mean over the seeds.

    Parameters
    ----------
    predictions : DataFrame
        Table as `evaluate_emotions` takes it, with a column ``seed``.
    classes : sequence of str
        All classes of the run.

    Returns
    -------
    dict of str to float
        What `evaluate_emotions` returns; with several seeds also ``uar_seed_<n>``, ``war_seed_<n>``
        and their standard deviations ``uar_seeds_std``, ``war_seeds_std`` (ddof 0).
    """
    seeds = {n: evaluate_emotions(rows, classes) for n, rows in predictions.groupby("seed")}
    return _over_seeds(seeds, ["uar", "war"])


def attributes_over_seeds(predictions: pd.DataFrame, attributes: Sequence[str]) -> dict[str, float]:
    """Metrics of a run on attributes, trained under one seed or several: the mean over the seeds.

    Parameters
    ----------
    predictions : DataFrame
        Table as `evaluate_attributes` takes it, with a column ``seed``.
    attributes : sequence of str, at least one
        Names such as ``arousal``.

    Returns
    -------
    dict of str to float
        What `evaluate_attributes` returns; with several seeds also ``ccc_<attribute>_seed_<n>`` and
        their standard deviation ``ccc_<attribute>_seeds_std`` (ddof 0).
    """
    seeds = {n: evaluate_attributes(rows, attributes) for n, rows in predictions.groupby("seed")}
    return _over_seeds(seeds, [f"ccc_{name}" for name in attributes])


def _whole(predictions: pd.DataFrame, columns: list[str]) -> None:
    """Refuse predictions that lack a column or have a clip twice in a fold.

    Some published protocols test a clip in several folds: pooled, it counts in each.
    """
    missing = [column for column in (*KEYS, *columns) if column not in predictions]
    if missing:
        raise ValueError(f"predictions lack the column {missing[0]!r}")
    twice = predictions["clip"][predictions.duplicated(["fold", "clip"])]
    if len(twice):
        raise ValueError(f"clip {twice.iloc[0]} is predicted more than once in a fold")


def _scores(
    name: str,
    metric: Callable[[np.ndarray], np.ndarray],
    predictions: pd.DataFrame,
    kinds: np.ndarray,
    sums: np.ndarray,
) -> dict[str, float]:
    """One metric of all clips, with its interval, and of each fold; clips as to the bootstrap."""
    values: dict[str, Any] = {name: metric(sums[kinds].sum(axis=0))}
    low, high = speaker_bootstrap(predictions["speaker"].tolist(), kinds, sums, metric)
    values |= {f"{name}_low": low, f"{name}_high": high}
    return values | _of_folds(name, _by_fold(predictions, kinds, sums, metric))


def _without_interval(predictions: pd.DataFrame, classes: list[str]) -> dict[str, float]:
    """Metrics of emotions that have no interval, of all clips and of each fold."""

    def scored(rows: pd.DataFrame) -> dict[str, float]:
        counts = confusion(rows["label"], rows["predicted"], classes)
        return {"macro_f1": float(macro_f1(counts)), **classification.scalars(rows, classes)}

    numbers = predictions["fold"].to_numpy(int)
    by_fold = {n: scored(predictions[numbers == n]) for n in np.unique(numbers)}
    values = scored(predictions)
    for name in tuple(values):
        values |= _of_folds(name, {n: found[name] for n, found in by_fold.items()})
    return values


def _by_fold(
    predictions: pd.DataFrame,
    kinds: np.ndarray,
    sums: np.ndarray,
    metric: Callable[[np.ndarray], np.ndarray],
) -> dict[int, Any]:
    """One metric of each fold; clips as to the bootstrap."""
    fold = predictions["fold"].to_numpy(int)
    return {n: metric(sums[kinds[fold == n]].sum(axis=0)) for n in np.unique(fold)}


def _of_folds(name: str, by_fold: dict[int, Any]) -> dict[str, Any]:
    """One metric of each fold under its key, and their mean and deviation."""
    values, found = {f"{name}_fold_{n:02d}": v for n, v in by_fold.items()}, [*by_fold.values()]
    return values | {f"{name}_fold_mean": np.mean(found), f"{name}_fold_std": np.std(found)}


def _counted(predictions: pd.DataFrame, values: dict) -> dict[str, float]:
    """Metrics with the numbers of clips and speakers, all as plain numbers."""
    values |= {"clips": predictions["clip"].nunique(), "speakers": predictions["speaker"].nunique()}
    return {name: float(value) for name, value in values.items()}


def _over_seeds(seeds: dict[Any, dict[str, float]], names: list[str]) -> dict[str, float]:
    """Mean of every metric over the seeds; of those named also each seed's, and their spread."""
    keys = next(iter(seeds.values()))  # the same clips are tested under every seed
    values = {key: float(np.mean([of_seed[key] for of_seed in seeds.values()])) for key in keys}
    if len(seeds) > 1:
        for name in names:
            values |= {f"{name}_seed_{seed}": of_seed[name] for seed, of_seed in seeds.items()}
            values[f"{name}_seeds_std"] = float(np.std([s[name] for s in seeds.values()]))
    return values
