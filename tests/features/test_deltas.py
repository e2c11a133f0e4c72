"""Deltas: librosa as oracle, known answers."""

import librosa
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.features import deltas


@pytest.mark.parametrize("frames", (9, 10, 17, 40))
def test_regression_is_librosas(frames):
    values = np.random.default_rng(frames).normal(scale=100, size=(3, frames, 5))
    values = values.astype(np.float32)
    stacked = deltas.stack(values, kind="regression")
    assert stacked.dtype == np.float32
    np.testing.assert_array_equal(stacked[..., 0], values)
    exact = values.astype(np.float64)
    for order in (1, 2):
        expected = librosa.feature.delta(exact, order=order, axis=1)
        np.testing.assert_allclose(stacked[..., order], expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("frames", (1, 2, 12))
def test_regression_over_5_frames_repeats_the_ends(frames):
    values = np.random.default_rng(frames).normal(size=(1, frames, 2)).astype(np.float32)

    def slopes(x):
        at = [x[min(max(t, 0), frames - 1)] for t in range(-2, frames + 2)]  # from frame -2
        return [np.polyfit(range(-2, 3), np.stack(at[t : t + 5]), 1)[0] for t in range(frames)]

    stacked = deltas.stack(values, kind="regression5")[0]
    first = slopes(values[0].astype(float))
    np.testing.assert_allclose(stacked[..., 1], first, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(stacked[..., 2], slopes(first), rtol=1e-5, atol=1e-6)


def test_slope_and_curvature_of_a_parabola():
    frames = np.arange(20)
    values = (3 * frames**2 - 5 * frames + 7).astype(np.float32)[None, :, None]
    stacked = deltas.stack(values, kind="regression")[0, :, 0]
    np.testing.assert_array_equal(stacked[4:-4, 1], 6 * frames[4:-4] - 5)
    np.testing.assert_array_equal(stacked[:, 2], 6)


def test_what_does_not_change_has_deltas_of_exactly_0():
    values = np.full((1, 12, 2), -13.8155, np.float32)
    for kind in deltas.KINDS[1:]:
        assert deltas.stack(values, kind=kind)[..., 1:].tobytes() == bytes(4 * 12 * 2 * 2)


def test_difference_is_to_the_next_frame_and_the_last_to_the_first():
    values = np.array([1, 4, 9, 16], np.float32)[None, :, None]
    stacked = deltas.stack(values, kind="difference")[0, :, 0]
    np.testing.assert_array_equal(stacked[:, 1], [-3, -5, -7, 15])
    np.testing.assert_array_equal(stacked[:, 2], [2, 2, -22, 18])


def test_a_clip_is_the_same_alone_and_in_a_batch():
    values = np.random.default_rng(0).normal(size=(3, 30, 4)).astype(np.float32)
    for kind in deltas.KINDS[1:]:
        together = deltas.stack(values, kind=kind)
        assert deltas.stack(values[1:2], kind=kind).tobytes() == together[1].tobytes()


def test_regression_needs_9_frames():
    with pytest.raises(InputError, match="deltas: regression needs 9 frames, the clip has 8"):
        deltas.stack(np.zeros((1, 8, 2), np.float32), kind="regression")


@pytest.mark.parametrize("shape", ((1, 9), (1, 9, 2, 2)))
def test_deltas_of_other_axes(shape):
    with pytest.raises(InputError, match=r"^deltas: need \(clips, frames, bins\), the feature is"):
        deltas.stack(np.zeros(shape, np.float32), kind="difference")
