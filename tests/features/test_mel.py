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


@pytest.mark.parametrize(("scale", "norm"), (("slaney", "slaney"), ("htk", None)))
def test_other_bands_are_librosas(scale, norm):
    mel = Mel(40, 50.0, 7000.0, scale, norm)
    expected = librosa.filters.mel(
        sr=SAMPLE_RATE, n_fft=512, n_mels=40, fmin=50, fmax=7000, htk=scale == "htk", norm=norm
    )
    bands = mel_bands(mel, SAMPLE_RATE, 512, "float64").toarray()
    np.testing.assert_allclose(bands, expected, atol=1e-7)
