"""The four classical models: what their machines minimise, checked where it can be worked out."""

import numpy as np
import pytest

from pipeline import models
from pipeline.models import logistic_regression, ridge, svm, svr

DRAWS = np.random.default_rng(0)
X = DRAWS.normal(size=(40, 3))
Y = (X @ [1.0, -2.0, 0.5] + DRAWS.normal(size=40) > 0.7).astype(int)  # a third is 1


def weights(balance):
    """Weight of each clip: all 1, or classes alike."""
    return 40 / (2 * np.bincount(Y))[Y] if balance == "weights" else np.ones(40)


def test_all_that_are_fitted_at_once_are_tried_here():
    classical = {name for name in models.names() if models.facts(name).classical}
    assert classical == {"logistic_regression", "ridge", "svm", "svr"}


@pytest.mark.parametrize("balance", ["none", "weights"])
def test_logistic_regression_is_where_its_gradient_is_zero(balance):
    settings = logistic_regression.Settings()
    one = logistic_regression.estimator(settings, {"c": 2.0}, balance, 3).fit(X, Y)
    wrong = weights(balance) * (one.predict_proba(X)[:, 1] - Y)
    np.testing.assert_allclose(one.coef_[0] + 2.0 * wrong @ X, 0, atol=0.02)
    np.testing.assert_allclose(wrong.sum(), 0, atol=0.02)


def test_ridge_is_its_closed_form():
    one = ridge.estimator(ridge.Settings(), {"alpha": 3.0}, "none", 3)
    centred, y = X - X.mean(axis=0), X[:, 0] ** 2
    wanted = np.linalg.solve(centred.T @ centred + 3 * np.eye(3), centred.T @ (y - y.mean()))
    np.testing.assert_allclose(one.fit(X, y).coef_, wanted)


@pytest.mark.parametrize(("c", "weight"), [(0.25, 0.5), (9.0, 1.0)])
def test_an_svm_of_two_clips_is_as_wide_as_its_errors_may_weigh(c, weight):
    """Of -1 and 1 both multipliers are the smaller of c and 1/2, the weight is their sum."""
    settings = svm.Settings(kernel="linear")
    one = svm.estimator(settings, {"c": c, "gamma": 1.0}, "none", 1).fit([[-1.0], [1.0]], [0, 1])
    np.testing.assert_allclose(one.coef_, [[weight]], atol=1e-6)


@pytest.mark.parametrize("make", [svm, svr])
def test_a_kernel_is_as_wide_as_there_are_functionals(make):
    """Two clips twice the root of three apart: the kernel between them is exp(-4 gamma)."""
    x, y = np.array([[-1.0] * 3, [1.0] * 3]), [-1, 1]
    chosen = {"c": 9.0, "gamma": 0.5}
    one = make.estimator(make.Settings(), chosen, "none", 3).fit(x, y)
    step = one.decision_function(x) if make is svm else one.predict(x)
    between = np.exp(-4 * 0.5)
    multiplier = np.abs(one.dual_coef_[0])
    np.testing.assert_allclose(step, multiplier * (1 - between) * np.array([-1, 1]), rtol=1e-6)


def test_a_balanced_svm_lets_errors_of_a_rare_class_weigh_more():
    settings = svm.Settings(kernel="linear")
    y = np.array([0, 0, 0, 1])
    one = svm.estimator(settings, {"c": 1e-3, "gamma": 1.0}, "weights", 1)
    one.fit(np.array([[-1.0], [-1.0], [-1.0], [1.0]]), y)
    # all clips are errors, so that their multipliers are their weights: 4 / (2 * 3) and 4 / 2
    np.testing.assert_allclose(np.abs(one.dual_coef_).sum(), 1e-3 * (2 + 2), rtol=1e-6)


def test_an_svr_leaves_out_what_errs_by_less_than_epsilon():
    """The flattest line within epsilon of -1 and 1 goes through -1 + epsilon and 1 - epsilon."""
    settings = svr.Settings(kernel="linear", epsilon=0.25)
    one = svr.estimator(settings, {"c": 9.0, "gamma": 1.0}, "none", 1)
    found = one.fit([[-1.0], [1.0]], [-1.0, 1.0]).predict([[-1.0], [0.0], [1.0]])
    np.testing.assert_allclose(found, [-0.75, 0, 0.75], atol=1e-3)
