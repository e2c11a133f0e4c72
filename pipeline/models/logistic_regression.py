"""Logistic regression of emotions on functionals of a feature, with a ridge penalty.

References
----------
D. R. Cox, "The regression analysis of binary sequences", Journal of the Royal Statistical Society B
20 (1958) 215-242.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.models.functionals import Functionals
from pipeline.models.training import EmotionFit
from pipeline.settings import setting


@dataclass(frozen=True)
class Settings:
    """Settings of the regression."""

    functionals: Functionals = Functionals()
    c: tuple[float, ...] = setting(
        (1.0,), "Weight of errors against the penalty; of several the best by inner folds.", above=0
    )


TRAINING = EmotionFit()
SEARCHED = ("c",)


def estimator(settings: Settings, chosen: Mapping[str, float], balance: str, dims: int) -> Any:
    """Make the regression of scikit-learn."""
    from sklearn.linear_model import LogisticRegression  # slow to import

    return LogisticRegression(
        C=chosen["c"],
        class_weight="balanced" if balance == "weights" else None,
        max_iter=10_000,
    )
