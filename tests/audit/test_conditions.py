"""Conditions of a recording: known answers of tones, noise and silence."""

import numpy as np
import pytest

from pipeline.audit.conditions import Conditions, conditions, silence

RATE = 16000
TIME = np.arange(2 * RATE) / RATE


def tone(amplitude, hertz=1000):
    return (amplitude * np.sin(2 * np.pi * hertz * TIME)).astype(np.float32)


def test_a_tone_then_silence():
    signal = tone(0.1)
    signal[: RATE // 2] = 0
    found = conditions(signal, RATE)
    assert found.seconds == 2
    assert found.level == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.02)
    assert found.noise == -120
    assert 1000 <= found.bandwidth <= 1120


def test_ten_times_quieter_is_20_db_less_and_no_noisier():
    noisy = tone(0.5) * (np.sin(2 * np.pi * TIME) > 0)
    noisy = (noisy + np.random.default_rng(0).normal(0, 1e-3, len(TIME))).astype(np.float32)
    loud, quiet = (conditions(noisy * gain, RATE) for gain in (np.float32(1), np.float32(0.1)))
    assert loud.level - quiet.level == pytest.approx(20, abs=0.05)
    assert loud.noise == pytest.approx(quiet.noise, abs=0.05)
    assert -52.5 < loud.noise < -50  # 1e-3 under 0.5 / sqrt 2: -51 dB
    assert loud.bandwidth == quiet.bandwidth


def test_steady_noise_has_no_quiet_frames_and_reaches_half_the_rate():
    found = conditions(np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32), RATE)
    assert -2 < found.noise < 0
    assert found.bandwidth == 8000


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_the_shortest_clip_has_conditions(rate):
    found = conditions(np.full(rate // 10, 0.5, np.float32), rate)
    assert np.isfinite([*vars(found).values()]).all()


def test_quiet_speech_is_no_silence_and_steady_hiss_is():
    hiss = np.random.default_rng(0).normal(0, 3e-4, RATE).astype(np.float32)
    assert silence(conditions(hiss, RATE)) == "silence: steady noise at -70 dB and nothing above it"
    assert silence(conditions(hiss * np.float32(100), RATE)) == ""  # loud: a matter of limits
    quiet = tone(1e-4) * (np.sin(2 * np.pi * TIME) > 0)
    assert silence(conditions(quiet, RATE)) == ""
    assert silence(Conditions(1.0, -59.0, 0.0, 8000.0)) == ""
