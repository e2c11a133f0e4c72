"""Mel bands: known answers for tf.signal's, librosa for the others."""

import librosa
import numpy as np
import pytest

from pipeline.features.mel import Mel, mel_bands

SAMPLE_RATE = 16000


@pytest.mark.parametrize(
    "bounds", ((128, 80.0, 7600.0), (40, 20.0, 8000.0), (64, 0.0, None), (1, 300.0, 500.0))
)
def test_bands_of_tf_signal_are_straight_in_mel(bounds):
    mel = Mel(*bounds, "tf_signal", None)
    bands = mel_bands(mel, SAMPLE_RATE, 1024, "float64").toarray()
    n_mels, fmin, fmax = bounds
    top = 1127 * np.log1p((fmax or 8000) / 700)
    edges = np.linspace(1127 * np.log1p(fmin / 700), top, n_mels + 2)
    bins = 1127 * np.log1p(np.arange(513) * SAMPLE_RATE / 1024 / 700)
    for i, band in enumerate(bands):
        expected = np.interp(bins, edges[i : i + 3], [0, 1, 0], left=0, right=0)
        expected[0] = 0
        np.testing.assert_allclose(band, expected, atol=1e-12)


@pytest.mark.parametrize("norm", ["slaney", None])
@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize(
    ("rate", "n_fft", "n_mels", "limits"),
    [
        *((SAMPLE_RATE, 512, 40, (50.0, 7000.0)), (22050, 2048, 128, (0.0, None))),
        *((48000, 1201, 64, (20.0, 20000.0)), (8000, 256, 13, (300.0, 900.0))),
    ],
)
def test_other_bands_are_librosas_to_the_last_bit(scale, norm, rate, n_fft, n_mels, limits):
    low, high = limits
    limits = {"fmin": low, "fmax": high, "htk": scale == "htk", "norm": norm}
    wanted = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels, dtype=np.float64, **limits)
    found = mel_bands(Mel(n_mels, low, high, scale, norm), rate, n_fft, "float64")
    np.testing.assert_array_equal(found.toarray(), wanted)


def test_bands_without_a_bin_are_warned_of():
    with pytest.warns(UserWarning, match="some of 100 mel bands hold no bin; lower n_mels"):
        mel_bands(Mel(100, 50.0, 4000.0), 8000, 128, "float64")
