"""Levels: known answers, and what Light-SERNet's authors read back from 16-bit files."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.features import levels

SHARED = Path(__file__).resolve().parents[3] / "shared"
LIGHT_SERNET = SHARED / "golden" / "lightsernet" / "features.npz"


def noise(samples=1001):
    return np.random.default_rng(0).normal(scale=0.1, size=samples).astype(np.float32)


def test_peak_is_full_scale():
    np.testing.assert_array_equal(
        levels.normalise(np.array([0.1, -0.25, 0], np.float32), by="peak"),
        np.array([0.4, -1, 0], np.float32),
        strict=True,
    )


def test_percentile_lies_between_two_samples_and_cuts_off_the_rest():
    # Of 501 magnitudes 0..500 the 99.9th percentile is at rank 0.999 * 500 = 499.5.
    signal = np.arange(501, dtype=np.float32) / 1000
    signal[::2] *= -1
    normalised = levels.normalise(signal, by="percentile")
    np.testing.assert_allclose(normalised[:500], signal[:500] / 0.4995, rtol=1e-6)
    assert normalised[500] == -1
    assert normalised.dtype == np.float32


def test_none_changes_nothing():
    signal = noise()
    np.testing.assert_array_equal(levels.normalise(signal, by="none"), signal, strict=True)


@pytest.mark.parametrize("by", levels.NORMALISATIONS)
def test_silence_stays_silent(by):
    silence = np.zeros(100, np.float32)
    np.testing.assert_array_equal(levels.normalise(silence, by=by), silence, strict=True)


@pytest.mark.parametrize("by", ("peak", "percentile"))
def test_level_before_changes_nothing_after(by):
    signal = noise()
    np.testing.assert_allclose(
        levels.normalise(signal, by=by), levels.normalise(signal / 16, by=by), rtol=1e-6
    )


def test_pre_emphasis_is_a_difference_equation():
    signal = noise()
    raised = levels.pre_emphasise(signal, coefficient=0.97)
    assert raised.dtype == np.float32
    assert raised[0] == signal[0]
    for i in (1, 2, 1000):
        assert raised[i] == pytest.approx(float(signal[i]) - 0.97 * float(signal[i - 1]), rel=1e-7)


def test_pre_emphasis_of_0_changes_nothing():
    signal = noise()
    np.testing.assert_array_equal(levels.pre_emphasise(signal, coefficient=0), signal, strict=True)


def test_16_bits_round_halves_away_from_zero_and_stop_at_full_scale():
    steps = np.array([0.4, 0.5, 1.5, 2.5, -0.4, -0.5, -2.5, 32767.4, 32768, -32768, 60000, -60000])
    rounded = levels.pcm16((steps / 2**15).astype(np.float32))
    expected = [0, 1, 2, 3, 0, -1, -3, 32767, 32767, -32768, 32767, -32768]
    np.testing.assert_array_equal(rounded * 2**15, expected)
    assert rounded.dtype == np.float32


def test_16_bits_twice_are_16_bits_once():
    once = levels.pcm16(noise())
    np.testing.assert_array_equal(levels.pcm16(once), once, strict=True)


@pytest.mark.corpus
@pytest.mark.skipif(not LIGHT_SERNET.exists(), reason="../shared/golden/lightsernet not found")
@pytest.mark.parametrize("name", ("anger", "boredom", "sadness"))
def test_16_bits_are_those_of_light_sernet(name):
    golden = np.load(LIGHT_SERNET)
    np.testing.assert_array_equal(
        levels.pcm16(golden[f"{name}_dataset.seg_float"]),
        golden[f"{name}_dataset.wave_after_pcm16"],
        strict=True,
    )
