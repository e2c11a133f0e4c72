"""Metrics of predicted emotions that scikit-learn computes: of the names, and of probabilities.

Conventions
-----------
Of classes: averages are over those that occur among the labels, so that a fold that lacks a class
is scored on the classes it has; probability that a model gives to a class without a clip is
probability that it did not give to the right one.

Metrics
-------
* ``precision_<class>``: of the clips that were taken for the class, the fraction that it is; 0 if
  none was.
* ``weighted_f1``: mean of the F1 of the classes, each by the number of its clips.
* ``mcc``, Matthews correlation coefficient: correlation of labels and predictions, from -1 to 1; 0
  for guesses, and where all labels or all predictions are one class.
* ``top_2``: fraction of the clips whose class is one of the two most probable; 1 of two classes.
* ``log_loss``: mean of the negative natural logarithm of the probability of the right class; one of
  0 counts as the smallest step of a float64, 2e-16, hence as 36.
* ``brier``: mean over clips of the summed squared differences between the probabilities and 1 for
  the right class, 0 for the others; from 0 to 2.
* ``ece``, expected calibration error: see `pipeline.scoring.calibration`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pipeline.scoring import calibration

SCALARS = ("weighted_f1", "mcc", "top_2", "log_loss", "brier", "ece")


def probabilities(predictions: pd.DataFrame, classes: Sequence[str]) -> np.ndarray:
    """Give the probabilities of predictions.csv, each row divided by its sum, which rounding moved.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``p_<class>``.
    classes : sequence of str

    Returns
    -------
    ndarray, shape (clips, classes), float64

    Raises
    ------
    ValueError
        If a column is missing, or a row holds what is no probability.
    """
    columns = [f"p_{name}" for name in classes]
    if missing := [column for column in columns if column not in predictions]:
        raise ValueError(f"predictions lack the column {missing[0]!r}")
    found = predictions[columns].to_numpy(float)
    total = found.sum(axis=1, keepdims=True)
    wrong = ~(np.isfinite(found) & (found >= 0)).all(axis=1) | ~(np.abs(total[:, 0] - 1) < 1e-3)
    if wrong.any():
        clip = predictions["clip"].to_numpy()[wrong][0]
        raise ValueError(f"clip {clip}: the probabilities of its classes do not add up to 1")
    return found / total


def precisions(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    """``precision_<class>`` of each class that occurs among the labels.

    Parameters
    ----------
    predictions : DataFrame
        Columns ``label`` and ``predicted``.
    classes : sequence of str

    Examples
    --------
    >>> rows = pd.DataFrame({"label": ["sad", "sad", "happy"], "predicted": ["sad"] * 3})
    >>> precisions(rows, ["angry", "happy", "sad"])
    {'precision_happy': 0.0, 'precision_sad': 0.6666666666666666}
    """
    from sklearn.metrics import precision_score  # slow to import

    occur = [name for name in classes if (predictions["label"] == name).any()]
    found = precision_score(
        *_numbered(predictions, classes),
        labels=[classes.index(name) for name in occur],
        average=None,
        zero_division=0,
    )
    return {f"precision_{name}": float(value) for name, value in zip(occur, found, strict=True)}


def scalars(predictions: pd.DataFrame, classes: Sequence[str]) -> dict[str, float]:
    """Every metric of `SCALARS`.

    Parameters
    ----------
    predictions : DataFrame, at least one row
        ``clip, label, predicted, p_<class>...``.
    classes : sequence of str, at least two

    Raises
    ------
    ValueError
        If probabilities are missing or wrong, see `probabilities`.
    """
    from sklearn import metrics  # slow to import

    given, every = probabilities(predictions, classes), [*range(len(classes))]
    truth, guessed = _numbered(predictions, classes)
    top_2 = metrics.top_k_accuracy_score(truth, given, labels=every) if len(every) > 2 else 1.0
    return {
        "weighted_f1": float(metrics.f1_score(truth, guessed, average="weighted", zero_division=0)),
        "mcc": float(metrics.matthews_corrcoef(truth, guessed)),
        "top_2": float(top_2),
        "log_loss": float(metrics.log_loss(truth, given, labels=every)),
        "brier": float(metrics.brier_score_loss(truth, given, labels=every, scale_by_half=False)),
        "ece": calibration.error(truth == guessed, given.max(axis=1)),
    }


def _numbered(predictions: pd.DataFrame, classes: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and predictions as positions in ``classes``, each (clips,)."""
    order = pd.Index(classes)
    return (
        order.get_indexer(pd.Index(predictions["label"])),
        order.get_indexer(pd.Index(predictions["predicted"])),
    )
