import numpy as np
import pytest

from pipeline.scoring import calibration


def test_answers_that_are_right_as_often_as_they_claim_have_no_error():
    right = np.arange(100) % 10 < 8
    assert calibration.error(right, np.full(100, 0.8)) == pytest.approx(0)
    assert calibration.error(right, np.full(100, 0.95)) == pytest.approx(0.15)
    assert calibration.error([True], [1.0]) == 0
    assert calibration.error([False], [1.0]) == 1


def test_bins_are_weighted_by_their_clips_and_may_be_wrong_in_both_directions():
    confidence = [0.55] * 4 + [0.95] * 6
    right = [True] * 4 + [True] * 3 + [False] * 3
    low, high = calibration.bins(right, confidence)
    assert (low.clips, low.accuracy, low.confidence) == (4, 1.0, pytest.approx(0.55))
    assert (high.clips, high.accuracy) == (6, 0.5)
    assert calibration.error(right, confidence) == pytest.approx((4 * 0.45 + 6 * 0.45) / 10)


@pytest.mark.parametrize("edge", np.arange(1, 10) / 10)
def test_an_edge_belongs_to_the_bin_below_it(edge):
    assert len(calibration.bins([True, True], [edge, edge - 0.05])) == 1
    assert len(calibration.bins([True, True], [edge, edge + 0.05])) == 2


def test_a_reference_computed_bin_by_bin():
    generator = np.random.default_rng(0)
    confidence, right = generator.uniform(0.2, 1, 500), generator.random(500) < 0.5
    wanted = 0.0
    for low in np.arange(10) / 10:
        own = (confidence > low) & (confidence <= low + 0.1)
        if own.any():
            wanted += own.mean() * abs(right[own].mean() - confidence[own].mean())
    assert calibration.error(right, confidence) == pytest.approx(wanted)
