"""Lengths in samples and in frames: known answers, and librosa's own frame count."""

import librosa
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.features import framing


def centred(signal, samples):
    """Cut and pad around the middle."""
    (piece,) = framing.cut(signal, samples, where="centre")
    return framing.fix_length(piece, samples)


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
    np.testing.assert_array_equal(
        centred(signal, samples), np.array(expected, np.float32), strict=True
    )


def test_trimming_an_odd_signal_starts_at_the_floor():
    np.testing.assert_array_equal(centred(np.arange(7), 4), [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("where", "samples", "expected"),
    [
        ("start", 3, [[0, 1, 2]]),
        ("start", 9, [[0, 1, 2, 3, 4, 5]]),
        ("whole", None, [[0, 1, 2, 3, 4, 5]]),
        ("segments", 3, [[0, 1, 2], [3, 4, 5]]),
        ("segments", 4, [[0, 1, 2, 3], [4, 5]]),
        ("segments", 7, [[0, 1, 2, 3, 4, 5]]),
    ],
)
def test_the_other_policies_cut_and_do_not_pad(where, samples, expected):
    pieces = framing.cut(np.arange(6), samples, where=where)
    assert [piece.tolist() for piece in pieces] == expected


def test_a_length_is_a_sample_at_least():
    with pytest.raises(InputError, match="samples: must be at least 1, got 0"):
        framing.cut(np.zeros(4), 0, where="centre")


def test_unknown_policy_lists_the_known():
    with pytest.raises(InputError, match="length: must be one of centre, start, .*, got 'middle'"):
        framing.cut(np.zeros(4), 4, where="middle")


@pytest.mark.parametrize("centre", (True, False))
@pytest.mark.parametrize("n_fft", (512, 401))
@pytest.mark.parametrize("samples", (512, 639, 640, 641, 5000))
def test_frames_are_as_many_as_librosa_makes(samples, n_fft, centre):
    spectrum = librosa.stft(np.zeros(samples), n_fft=n_fft, hop_length=128, center=centre)
    assert framing.frames(samples, n_fft=n_fft, hop=128, centre=centre) == spectrum.shape[1]


def test_no_frames_in_a_clip_shorter_than_one():
    assert framing.frames(100, n_fft=2048, hop=512, centre=False) == 0
