"""Ridge: linear regression of attributes on functionals of a feature, with a penalty.

References
----------
A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems",
Technometrics 12 (1970) 55-67.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.models.functionals import Functionals
from pipeline.models.training import AttributeFit
from pipeline.settings import setting


@dataclass(frozen=True)
class Settings:
    """Settings of the regression."""

    functionals: Functionals = Functionals()
    alpha: tuple[float, ...] = setting(
        (1.0,), "Weight of the penalty; of several the best by inner folds.", above=0
    )


TRAINING = AttributeFit()
SEARCHED = ("alpha",)


def estimator(settings: Settings, chosen: Mapping[str, float], balance: str, dims: int) -> Any:
    """Make the regression of scikit-learn."""
    from sklearn.linear_model import Ridge  # slow to import

    return Ridge(alpha=chosen["alpha"], solver="cholesky")
