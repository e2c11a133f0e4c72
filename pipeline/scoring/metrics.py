"""Metrics: how often the predicted emotion is the labelled one, how closely ratings are met.

Conventions
-----------
Every metric follows from what adds up over clips, so that one of thousands of resampled sets of
clips is one call: leading axes are kept.

* Of emotions that is a confusion matrix of counts, shape (..., classes, classes): rows are the
  labels (the truth), columns the predictions, both in the order of ``classes``. Averages over
  classes are taken over those that occur among the labels: a fold that lacks a class is averaged
  over the classes it has.
* Of attributes (arousal, dominance, valence) it is ``moments``, shape (..., 6): sums of ratings and
  predictions, in the units of the corpus.

Metrics
-------
* ``recalls``: per class, the fraction of its clips that were recognised.
* ``uar``, unweighted average recall: the mean of the recalls; chance is 1 / classes.
* ``war``, weighted average recall: the fraction of all clips that were recognised, or accuracy.
* ``macro_f1``: the mean over classes of the harmonic mean of precision and recall.
* ``ccc``, concordance correlation coefficient: 1 where prediction and rating agree, 0 for a
  constant.
* ``pearson``, correlation coefficient: how nearly prediction and rating lie on any rising line.
* ``rmse``, root mean square error: in the units of the corpus.

Those of single sets of clips, among them all that ask for probabilities, are in ``classification``
and ``calibration``.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


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
        Arguments as in ``validate``.

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


def cells(predictions: pd.DataFrame, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Give each clip its cell of the confusion matrix, as the bootstraps take it.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``label`` and ``predicted``, names of classes.
    classes : sequence of str
        All classes of the run.

    Returns
    -------
    kinds : ndarray, shape (clips,), int
        Cell of each clip.
    sums : ndarray, shape (cells, classes, classes), int
        What one clip of each cell adds to a confusion matrix.
    """
    order, size = pd.Index(classes), len(classes)
    kinds = order.get_indexer(pd.Index(predictions["label"])) * size
    kinds += order.get_indexer(pd.Index(predictions["predicted"]))
    return kinds, np.eye(size**2, dtype=int).reshape(-1, size, size)


def recalls(counts: np.ndarray) -> np.ndarray:
    """Fraction of each class that was recognised.

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


def moments(truth: ArrayLike, predicted: ArrayLike) -> np.ndarray:
    """Of each clip what adds up over clips, for ``ccc`` and ``rmse``.

    Parameters
    ----------
    truth, predicted : sequence of float, shape (clips,)
        Rating and prediction, in one unit.

    Returns
    -------
    ndarray, shape (clips, 6), float64
        1, the rating, the prediction, the squares of both and of their difference.
    """
    true, found = np.asarray(truth, float), np.asarray(predicted, float)
    squares = true**2, found**2, (true - found) ** 2
    return np.stack([np.ones_like(true), true, found, *squares], axis=-1)


def ccc(sums: np.ndarray) -> np.ndarray:
    """Concordance correlation coefficient, with moments of the population (ddof 0).

    ``2 cov(t, p) / (var(t) + var(p) + (mean(t) - mean(p))**2)``, which is 1 less the mean squared
    difference over the same denominator. Unlike a correlation it falls when predictions are
    shifted or scaled.

    Parameters
    ----------
    sums : ndarray, shape (..., 6)
        ``moments`` added over clips, at least one.

    Returns
    -------
    ndarray, shape (...)
        From -1 to 1. 0 where prediction or rating is constant, even if both are the same constant:
        nothing is known then of whether one follows the other.

    References
    ----------
    L. I.-K. Lin, "A concordance correlation coefficient to evaluate reproducibility", Biometrics 45
    (1989) 255-268.

    Examples
    --------
    >>> sums = moments([1, 2, 3], [2, 3, 4]).sum(axis=0)  # right but for a shift by 1
    >>> round(float(ccc(sums)), 3)
    0.571
    """
    truth, predicted, truths, predictions, difference = _means(sums)
    spread = truths - truth**2 + predictions - predicted**2 + (truth - predicted) ** 2
    varies = spread > 1e-12 * (truths + predictions)  # below it is what rounding leaves
    return np.where(varies, 1 - difference / np.where(varies, spread, 1), 0.0)


def pearson(sums: np.ndarray) -> np.ndarray:
    """Pearson's correlation, shape (..., 6) -> (...), from -1 to 1; 0 where one is constant.

    It needs no sum but those of ``moments``: the product of rating and prediction is half of their
    squares less the square of their difference. Unlike ``ccc`` it forgives a shift and a scale.

    >>> round(float(pearson(moments([1, 2, 3], [3, 5, 7]).sum(axis=0))), 9)
    1.0
    """
    truth, predicted, truths, predictions, difference = _means(sums)
    together = (truths + predictions - difference) / 2 - truth * predicted
    apart = (truths - truth**2, predictions - predicted**2)
    # below it is what rounding leaves
    varies = (apart[0] > 1e-12 * truths) & (apart[1] > 1e-12 * predictions)
    both = np.sqrt(np.where(varies, apart[0] * apart[1], 1))
    return np.where(varies, np.clip(together / both, -1, 1), 0.0)


def rmse(sums: np.ndarray) -> np.ndarray:
    """Root mean square error, shape (..., 6) -> (...), in the units of the ratings.

    >>> float(rmse(moments([1, 2, 3], [2, 3, 4]).sum(axis=0)))
    1.0
    """
    *_, difference = _means(sums)
    return np.sqrt(difference)


def concordance(truth: ArrayLike, predicted: ArrayLike) -> float:
    """``ccc`` of some clips.

    >>> concordance([1, 2, 3], [1, 2, 3])
    1.0
    """
    return float(ccc(moments(truth, predicted).sum(axis=0)))


def _means(sums: np.ndarray) -> np.ndarray:
    """Means of what ``moments`` gives, shape (..., 6) -> (5, ...), without the ones."""
    return np.moveaxis(sums[..., 1:] / sums[..., :1], -1, 0)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, NaN where ``whole`` is 0."""
    return np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0)
