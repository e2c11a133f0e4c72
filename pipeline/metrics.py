"""Metrics of classification: how often the predicted emotion is the labelled one.

Conventions
-----------
Everything starts from a confusion matrix of counts: rows are the labels (the truth), columns the
predictions, both in the order of ``classes``. ``recalls``, ``uar``, ``war`` and ``macro_f1`` take
such matrices of shape (..., classes, classes) and keep the leading axes, so that a metric of
thousands of resampled matrices is one call. Averages over classes are taken over those that occur
among the labels: a fold that lacks a class is averaged over the classes it has.

Metrics
-------
* ``recalls``: per class, the share of its clips that were recognised.
* ``uar``, unweighted average recall: the mean of the recalls; chance is 1 / classes.
* ``war``, weighted average recall: the share of all clips that were recognised, or accuracy.
* ``macro_f1``: the mean over classes of the harmonic mean of precision and recall.
"""

import numpy as np
import pandas as pd

from pipeline.statistics import speaker_bootstrap

COLUMNS = ("clip", "speaker", "fold", "label", "predicted")


def validate(labels, predicted, classes) -> None:
    """Check that labels and predictions can be compared.

    Parameters
    ----------
    labels, predicted : sequence of str, shape (clips,), at least one
        Truth and prediction of each clip.
    classes : sequence of str
        Distinct, in the order of the rows and columns.

    Raises
    ------
    ValueError
        If the lengths differ, there is nothing to compare, ``classes`` repeats itself, or one of
        the names is not among them.
    """
    if len(labels) != len(predicted):
        raise ValueError(f"{len(labels)} labels but {len(predicted)} predictions")
    if len(labels) == 0:
        raise ValueError("no clips to evaluate")
    if len(set(classes)) != len(classes):
        raise ValueError(f"a class is named twice: {', '.join(classes)}")
    for what, names in (("label", labels), ("prediction", predicted)):
        unknown = sorted(set(names) - set(classes))
        if unknown:
            raise ValueError(f"{what} {unknown[0]!r} is no class; classes: {', '.join(classes)}")


def confusion(labels, predicted, classes) -> np.ndarray:
    """Count the clips of each label and prediction.

    Parameters
    ----------
    labels, predicted, classes
        As in ``validate``.

    Returns
    -------
    ndarray, shape (classes, classes), int
        ``[i, j]`` clips labelled ``classes[i]`` were taken for ``classes[j]``.

    Examples
    --------
    >>> confusion(["sad", "sad", "angry"], ["sad", "angry", "angry"], ["angry", "sad"])
    array([[1, 0],
           [1, 1]])
    """
    validate(labels, predicted, classes)
    order = pd.Index(classes)
    size = len(classes)
    cells = order.get_indexer(labels) * size + order.get_indexer(predicted)  # (clips,)
    return np.bincount(cells, minlength=size**2).reshape(size, size)


def recalls(counts: np.ndarray) -> np.ndarray:
    """Share of each class that was recognised.

    Parameters
    ----------
    counts : ndarray, shape (..., classes, classes)
        Confusion matrices.

    Returns
    -------
    ndarray, shape (..., classes)
        From 0 to 1; NaN for a class that no clip is labelled with.

    Examples
    --------
    >>> recalls(np.array([[3, 1], [0, 2]]))
    array([0.75, 1.  ])
    """
    total = counts.sum(axis=-1)
    return _ratio(np.diagonal(counts, axis1=-2, axis2=-1), total)


def uar(counts: np.ndarray) -> np.ndarray:
    """Unweighted average recall, shape (..., classes, classes) -> (...), from 0 to 1.

    >>> float(uar(np.array([[3, 1], [0, 2]])))
    0.875
    """
    return np.nanmean(recalls(counts), axis=-1)


def war(counts: np.ndarray) -> np.ndarray:
    """Weighted average recall (accuracy), shape (..., classes, classes) -> (...), from 0 to 1.

    >>> float(war(np.array([[3, 1], [0, 2]]))) == 5 / 6
    True
    """
    return np.trace(counts, axis1=-2, axis2=-1) / counts.sum(axis=(-2, -1))


def macro_f1(counts: np.ndarray) -> np.ndarray:
    """Mean of the classes' F1, shape (..., classes, classes) -> (...), from 0 to 1.

    F1 of a class is twice the clips rightly taken for it, over the clips labelled with it plus
    the clips taken for it; 0 if it was never recognised.

    >>> float(macro_f1(np.array([[2, 0], [0, 2]])))
    1.0
    """
    right = np.diagonal(counts, axis1=-2, axis2=-1)  # (..., classes)
    labelled = counts.sum(axis=-1)
    f1 = _ratio(2 * right, labelled + counts.sum(axis=-2))
    return np.nanmean(np.where(labelled > 0, f1, np.nan), axis=-1)


def evaluate(predictions: pd.DataFrame, classes) -> dict[str, float]:
    """Every metric of one run, flat.

    Parameters
    ----------
    predictions : DataFrame
        A row per held-out clip, with ``clip, speaker, fold, label, predicted``.
    classes : sequence of str
        All classes of the run.

    Returns
    -------
    dict of str to float
        * ``uar``, ``war``, ``macro_f1`` of all folds pooled;
        * ``uar_low``, ``uar_high``, ``war_low``, ``war_high``: 95 % intervals of
          ``pipeline.statistics.speaker_bootstrap``;
        * ``recall_<class>`` for each class that occurs;
        * ``uar_fold_<nn>``, ``war_fold_<nn>``, and over the folds ``uar_fold_mean``,
          ``uar_fold_std``, ``war_fold_mean``, ``war_fold_std`` (of the population, ddof 0);
        * ``clips``, ``speakers``: how many;
        * ``chance_uar``: 1 / classes; ``majority_war``: the share of the commonest label.

    Raises
    ------
    ValueError
        If a column is missing, a clip comes twice, or as in ``validate``.
    """
    missing = [column for column in COLUMNS if column not in predictions]
    if missing:
        raise ValueError(f"predictions lack the column {missing[0]!r}")
    twice = predictions["clip"][predictions["clip"].duplicated()]
    if len(twice):
        raise ValueError(f"clip {twice.iloc[0]} is predicted more than once")

    pooled = confusion(predictions["label"], predictions["predicted"], classes)
    values = {}
    for name, metric in (("uar", uar), ("war", war)):
        values[name] = metric(pooled)
        values[f"{name}_low"], values[f"{name}_high"] = speaker_bootstrap(predictions, metric)
    values["macro_f1"] = macro_f1(pooled)
    for label, recall in zip(classes, recalls(pooled), strict=True):
        if not np.isnan(recall):
            values[f"recall_{label}"] = recall

    by_fold = {
        int(fold): confusion(rows["label"], rows["predicted"], classes)
        for fold, rows in predictions.groupby(predictions["fold"].astype(int))
    }
    for name, metric in (("uar", uar), ("war", war)):
        of_folds = metric(np.stack(list(by_fold.values())))  # (folds,)
        for fold, value in zip(by_fold, of_folds, strict=True):
            values[f"{name}_fold_{fold:02d}"] = value
        values[f"{name}_fold_mean"] = of_folds.mean()
        values[f"{name}_fold_std"] = of_folds.std()

    values["clips"] = len(predictions)
    values["speakers"] = predictions["speaker"].nunique()
    values["chance_uar"] = 1 / len(classes)
    values["majority_war"] = pooled.sum(axis=1).max() / len(predictions)
    return {name: float(value) for name, value in values.items()}


def over_seeds(predictions: pd.DataFrame, classes) -> dict[str, float]:
    """Metrics of a run trained under one seed or several: each the mean over the seeds.

    Parameters
    ----------
    predictions : DataFrame
        As `evaluate` takes it, with a column ``seed``.
    classes : sequence of str
        All classes of the run.

    Returns
    -------
    dict of str to float
        What `evaluate` returns; with several seeds also ``uar_seed_<n>``, ``war_seed_<n>`` and
        their standard deviations ``uar_seeds_std``, ``war_seeds_std`` (ddof 0).
    """
    seeds = {int(seed): evaluate(rows, classes) for seed, rows in predictions.groupby("seed")}
    names = next(iter(seeds.values()))  # the same clips are tested under every seed
    values = {name: float(np.mean([s[name] for s in seeds.values()])) for name in names}
    if len(seeds) > 1:
        for name in ("uar", "war"):
            values |= {f"{name}_seed_{seed}": of_seed[name] for seed, of_seed in seeds.items()}
            values[f"{name}_seeds_std"] = float(np.std([s[name] for s in seeds.values()]))
    return values


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, NaN where ``whole`` is 0."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
