"""SVR: support-vector regression of attributes on functionals of a feature.

References
----------
H. Drucker, C. J. C. Burges, L. Kaufman, A. Smola and V. Vapnik, "Support vector regression
machines", NIPS 1996.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.models.functionals import Machine
from pipeline.models.training import AttributeFit
from pipeline.settings import setting


@dataclass(frozen=True)
class Settings(Machine):
    """Settings of the machine."""

    epsilon: float = setting(0.1, "Error that costs nothing, in deviations of the ratings.", low=0)


TRAINING = AttributeFit()
SEARCHED = ("c", "gamma")


def estimator(settings: Settings, chosen: Mapping[str, float], balance: str, dims: int) -> Any:
    """Make the machine of scikit-learn, for functionals and ratings of deviation 1."""
    from sklearn.svm import SVR  # slow to import

    return SVR(
        kernel=settings.kernel,
        C=chosen["c"],
        gamma=chosen["gamma"] / dims,  # pyright: ignore[reportArgumentType]
        epsilon=settings.epsilon,
    )
