"""SVR: support-vector regression of attributes on functionals of a feature.

References
----------
H. Drucker, C. J. C. Burges, L. Kaufman, A. Smola and V. Vapnik, "Support vector regression
machines", NIPS 1996.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.models.functionals import Functionals
from pipeline.models.training import AttributeFit
from pipeline.settings import setting


@dataclass(frozen=True)
class Settings:
    """Settings of the machine."""

    functionals: Functionals = Functionals()
    kernel: str = setting("rbf", "Kernel.", choices=("rbf", "linear"))
    c: tuple[float, ...] = setting(
        (1.0,), "Weight of errors; of several the best by inner folds.", above=0
    )
    gamma: tuple[float, ...] = setting(
        (1.0,), "Width of the rbf kernel, in 1 / functionals; of several the best.", above=0
    )
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
