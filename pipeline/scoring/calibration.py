"""Calibration: whether answers given with 80 % confidence are right in 80 of 100 cases.

The confidence of an answer is the probability of the predicted class. Clips are put into ten bins
of confidence, (0, 0.1] to (0.9, 1]; in each the mean confidence stands against the fraction of
clips that were right.

A temperature makes all answers of a model less sure (above 1) or surer (below 1) and changes no
answer: probabilities are raised to the power of 1 / temperature, and divided by their sum.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

BINS = 10
COLDEST, HOTTEST = 0.05, 20.0  # temperatures: beyond it is none that some clips can say


@dataclass(frozen=True)
class Bin:
    """Answers of about the same confidence.

    Attributes
    ----------
    clips : int
        Number of them, at least one.
    confidence : float
        Mean of the probabilities of what was predicted.
    accuracy : float
        Fraction that was right.
    """

    clips: int
    confidence: float
    accuracy: float


def bins(right: ArrayLike, confidence: ArrayLike) -> list[Bin]:
    """Put answers into bins of confidence; those that no answer falls into are left out.

    Parameters
    ----------
    right : sequence of bool, shape (clips,)
        Whether each answer was right.
    confidence : sequence of float, shape (clips,)
        From 0 to 1.

    Examples
    --------
    >>> bins([True, False, True], [0.55, 0.6, 0.9])
    [Bin(clips=2, confidence=0.575, accuracy=0.5), Bin(clips=1, confidence=0.9, accuracy=1.0)]
    """
    right, confidence = np.asarray(right, float), np.asarray(confidence, float)
    place = np.searchsorted(np.linspace(0, 1, BINS + 1), confidence - 1e-12) - 1  # (low, high]
    found = [place == n for n in np.unique(place)]
    return [
        Bin(int(own.sum()), float(confidence[own].mean()), float(right[own].mean()))
        for own in found
    ]


def error(right: ArrayLike, confidence: ArrayLike) -> float:
    """Expected calibration error: mean of ``|accuracy - confidence|`` of the bins, by their clips.

    0 where confidence is as it should be. Of few clips it lies above 0 even then, so that it is
    compared between runs on the same clips.

    Parameters
    ----------
    right, confidence
        Arguments as `bins` takes them, at least one.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017,
    section 2.

    Examples
    --------
    >>> round(error([True, False, True], [0.55, 0.6, 0.9]), 3)  # (2 * 0.075 + 0.1) / 3
    0.083
    """
    found = bins(right, confidence)
    total = sum(one.clips for one in found)
    return sum(one.clips * abs(one.accuracy - one.confidence) for one in found) / total


def temperature(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Fit the temperature by which the answers to some clips have the lowest log-loss.

    Parameters
    ----------
    truth : ndarray, shape (clips,), int
        Position of the right class; clips that a model was neither trained nor is tested on.
    probabilities : ndarray, shape (clips, classes)

    Returns
    -------
    float
        From 0.05 to 20; 1 without any clip.

    References
    ----------
    Guo et al., ICML 2017, section 4.2: temperature scaling.
    """
    from scipy.optimize import minimize_scalar  # slow to import

    if not len(truth):
        return 1.0
    rows, logs = np.arange(len(truth)), _logs(probabilities)

    def loss(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        return float(np.mean(_log_sums(scaled) - scaled[rows, truth]))

    bounds = (np.log(COLDEST), np.log(HOTTEST))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-4})
    return round(float(np.exp(found.x)), 4)


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Apply a temperature; that of 1 changes no bit.

    Parameters
    ----------
    probabilities : ndarray, shape (clips, classes)
    temperature : float, above 0

    Examples
    --------
    >>> tempered(np.array([[0.8, 0.2]]), 2.0).round(3)
    array([[0.667, 0.333]])
    """
    if temperature == 1:
        return probabilities
    scaled = _logs(probabilities) / temperature
    return np.exp(scaled - _log_sums(scaled)[:, None]).astype(probabilities.dtype)


def _logs(probabilities: np.ndarray) -> np.ndarray:
    """Logarithms, of 0 that of the smallest number there is in float32."""
    return np.log(np.maximum(probabilities, np.finfo(np.float32).tiny).astype(float))


def _log_sums(logs: np.ndarray) -> np.ndarray:
    """Logarithm of the sum of what logarithms (clips, classes) are of."""
    from scipy.special import logsumexp

    return np.asarray(logsumexp(logs, axis=1))
