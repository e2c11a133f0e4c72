"""The confidence of a run's answers, as they are and as they were before their temperature."""

from dataclasses import dataclass

import numpy as np

from pipeline.reporting.results import Result
from pipeline.scoring import calibration


@dataclass(frozen=True)
class Confidence:
    """Predictions of a run on emotions.

    Attributes
    ----------
    right : ndarray, shape (predictions,), bool
    now, before : ndarray, shape (predictions,)
        Probability of what was predicted, with the temperature and without it.
    temperatures : tuple of float
        Of each model; all are 1 where none was fitted.
    """

    right: np.ndarray
    now: np.ndarray
    before: np.ndarray
    temperatures: tuple[float, ...]

    @property
    def fitted(self) -> bool:
        """Whether there are temperatures that were fitted."""
        return any(one != 1 for one in self.temperatures)

    @property
    def error_before(self) -> float:
        """Expected calibration error without the temperature."""
        return calibration.error(self.right, self.before)


def of(result: Result) -> Confidence:
    """Give the confidence of a result on emotions, which has predictions.

    Parameters
    ----------
    result : Result
    """
    rows = result.predictions
    given = rows[[f"p_{label}" for label in result.target.outputs]].to_numpy(float)
    fitted = {
        (int(one["fold"]), int(one["seed"])): float(one["temperature"])
        for one in result.facts.get("temperatures", ())
    }
    folds, seeds = (rows[name].astype(int).to_numpy() for name in ("fold", "seed"))
    before = given.copy()
    for (fold, seed), temperature in fitted.items():
        own = (folds == fold) & (seeds == seed)
        before[own] = calibration.tempered(given[own], 1 / temperature)
    right = (rows["label"] == rows["predicted"]).to_numpy()
    return Confidence(right, given.max(axis=1), before.max(axis=1), tuple(fitted.values()))


def words(result: Result) -> str:
    """Say by which temperatures a result is tempered, and what they mend; nothing without any."""
    found = of(result)
    if not found.fitted:
        return ""
    ends = sorted({f"{one:.2f}" for one in (min(found.temperatures), max(found.temperatures))})
    error = f"{100 * found.error_before:.1f} %"
    return (
        f"Probabilities are tempered by {' to '.join(ends)}, fitted on the validation clips of "
        f"each fold; without that the calibration error would be {error}."
    )
