"""Scaling: scikit-learn as oracle, known answers, and no look at other clips."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from pipeline.errors import InputError
from pipeline.features import scaling


def clips():
    """Three clips of different length and of bins of different level and size."""
    rng = np.random.default_rng(0)
    size, level = np.array([0.1, 1, 100]), np.array([5, -800, 1000])
    return [
        (rng.normal(size=(frames, 3)) * size + level).astype(np.float32) for frames in (4, 50, 7)
    ]


def test_statistics_and_scores_are_scikit_learns():
    oracle = StandardScaler().fit(np.concatenate(clips()).astype(np.float64))
    mean, std = scaling.fit(clips())
    assert mean.dtype == std.dtype == np.float64
    np.testing.assert_allclose(mean, oracle.mean_, rtol=1e-12)
    np.testing.assert_allclose(std, oracle.scale_, rtol=1e-9)
    scores = scaling.apply(clips()[0], mean, std, clip=None)
    assert scores.dtype == np.float32
    expected = oracle.transform(clips()[0].astype(np.float64))
    np.testing.assert_allclose(scores, expected, rtol=1e-5, atol=1e-6)


def test_training_frames_have_mean_0_and_deviation_1():
    mean, std = scaling.fit(clips())
    scores = scaling.apply(np.concatenate(clips()), mean, std, clip=None).astype(np.float64)
    np.testing.assert_allclose(scores.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scores.std(axis=0), 1, atol=1e-5)


def test_no_number_becomes_0_and_the_rest_is_cut_off():
    values = np.array([[[np.nan, 50.0], [12.0, -50.0]]], np.float32)
    scores = scaling.apply(values, np.array([10.0, 0.0]), np.array([2.0, 1.0]), clip=3.0)
    np.testing.assert_array_equal(scores, np.array([[[0, 3], [1, -3]]], np.float32), strict=True)


def test_a_bin_that_never_changed_in_training_becomes_0():
    mean, std = scaling.fit([np.full((5, 1), -100.0, np.float32)])
    scores = scaling.apply(np.array([[-100.0], [-20.0]], np.float32), mean, std, clip=None)
    np.testing.assert_array_equal(scores, np.zeros((2, 1), np.float32), strict=True)


def test_what_is_scaled_is_left_as_it_was():
    values = clips()[0]
    scaling.apply(values, *scaling.fit(clips()), clip=1.0)
    np.testing.assert_array_equal(values, clips()[0])


@pytest.mark.parametrize("values", ([], [np.zeros((0, 3), np.float32)]))
def test_nothing_to_fit_on(values):
    with pytest.raises(InputError, match="scaling: wanted one frame or more to fit on, got none"):
        scaling.fit(values)


def test_clip_is_above_0():
    with pytest.raises(InputError, match="clip: must be above 0, or null, got 0"):
        scaling.apply(clips()[0], *scaling.fit(clips()), clip=0)
