"""SVM: a support-vector machine on functionals of a feature.

Every pair of emotions has a machine that votes; the votes, and within them the margins, are the
scores of a clip, whose softmax stands where networks give probabilities: in their order, not
calibrated.

References
----------
C. Cortes and V. Vapnik, "Support-vector networks", Machine Learning 20 (1995) 273-297.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.models.functionals import Machine
from pipeline.models.training import EmotionFit


@dataclass(frozen=True)
class Settings(Machine):
    """Settings of the machine."""


TRAINING = EmotionFit()
SEARCHED = ("c", "gamma")


def estimator(settings: Settings, chosen: Mapping[str, float], balance: str, dims: int) -> Any:
    """Make the machine of scikit-learn, for functionals that are scaled to deviation 1."""
    from sklearn.svm import SVC  # slow to import

    return SVC(
        kernel=settings.kernel,
        C=chosen["c"],
        gamma=chosen["gamma"] / dims,  # pyright: ignore[reportArgumentType]
        class_weight="balanced" if balance == "weights" else None,
        break_ties=True,
    )
