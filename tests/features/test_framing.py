"""Lengths in samples and in frames: known answers, and librosa's own frame count."""

import librosa
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.features import framing


@pytest.mark.parametrize(
    ("samples", "expected"),
    (
        (1, [2]),
        (2, [2, 3]),
        (3, [1, 2, 3]),
        (4, [1, 2, 3, 4]),
        (5, [1, 2, 3, 4, 0]),
        (6, [0, 1, 2, 3, 4, 0]),
        (7, [0, 1, 2, 3, 4, 0, 0]),
    ),
)
def test_centre_puts_the_odd_zero_behind_and_trims_the_odd_sample_there(samples, expected):
    signal = np.array([1, 2, 3, 4], np.float32)
    fixed = framing.fix_length(signal, samples, where="centre")
    np.testing.assert_array_equal(fixed, np.array(expected, np.float32), strict=True)


def test_trimming_an_odd_signal_starts_at_the_floor():
    fixed = framing.fix_length(np.arange(7), 4, where="centre")
    np.testing.assert_array_equal(fixed, [1, 2, 3, 4])


def test_fix_length_needs_a_sample():
    with pytest.raises(InputError, match="samples: must be at least 1, got 0"):
        framing.fix_length(np.zeros(4), 0, where="centre")


def test_unknown_policy_lists_the_known():
    with pytest.raises(InputError, match="where: must be one of centre, got 'middle'"):
        framing.fix_length(np.zeros(4), 4, where="middle")


@pytest.mark.parametrize("centre", (True, False))
@pytest.mark.parametrize("n_fft", (512, 401))
@pytest.mark.parametrize("samples", (512, 639, 640, 641, 5000))
def test_frames_are_as_many_as_librosa_makes(samples, n_fft, centre):
    spectrum = librosa.stft(np.zeros(samples), n_fft=n_fft, hop_length=128, center=centre)
    assert framing.frames(samples, n_fft=n_fft, hop=128, centre=centre) == spectrum.shape[1]


def test_no_frames_in_a_clip_shorter_than_one():
    assert framing.frames(100, n_fft=2048, hop=512, centre=False) == 0
