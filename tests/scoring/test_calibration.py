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


# ---- temperature -----------------------------------------------------------------------------


def answers(clips=2000, classes=4, sharper=1.0, seed=0):
    """Give truth, drawn by the probabilities, and the probabilities made so much sharper."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 1.5, (clips, classes))
    honest = calibration.tempered(_softmax(logits), 1.0)
    truth = np.array([generator.choice(classes, p=row) for row in honest])
    return truth, _softmax(sharper * logits)


def _softmax(logits):
    exact = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exact / exact.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("sharper", [0.5, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(sharper):
    truth, given = answers(sharper=sharper)
    found = calibration.temperature(truth, given)
    assert found == pytest.approx(sharper, rel=0.1)
    mended = calibration.tempered(given, found)
    np.testing.assert_array_equal(mended.argmax(axis=1), given.argmax(axis=1))
    np.testing.assert_allclose(mended.sum(axis=1), 1)
    right = given.argmax(axis=1) == truth
    assert calibration.error(right, mended.max(axis=1)) < 0.05
    if sharper != 1:
        assert calibration.error(right, given.max(axis=1)) > 0.1


def test_a_temperature_goes_both_ways():
    _, given = answers(50)
    back = calibration.tempered(calibration.tempered(given, 2.5), 1 / 2.5)
    np.testing.assert_allclose(back, given, rtol=1e-9)
    assert calibration.tempered(given, 1.0) is given
    single = given.astype(np.float32)
    assert calibration.tempered(single, 2.0).dtype == np.float32


def test_sure_answers_stay_finite_and_none_give_no_temperature():
    given = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    found = calibration.temperature(np.array([0, 1, 1]), given)
    assert found == pytest.approx(calibration.HOTTEST, rel=1e-3)
    assert np.isfinite(calibration.tempered(given, found)).all()
    assert calibration.temperature(np.array([0, 0, 1]), given) < 1  # all of them right
    assert calibration.temperature(np.array([], int), given[:0]) == 1.0
