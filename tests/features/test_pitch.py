"""Pitch of sound whose pitch is known."""

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.features.pitch import Pyin, pyin

RATE = 16000


def test_a_voice_of_one_pitch_between_silences():
    time = np.arange(RATE) / RATE
    harmonics = sum(np.sin(2 * np.pi * 150 * k * time) / k for k in range(1, 6))
    silence = np.zeros(RATE // 2)
    signal = np.concatenate([silence, 0.1 * harmonics, silence]).astype(np.float32)
    found = pyin(np.stack([signal, 0 * signal]), RATE, Pyin(frame=1024, hop=160))
    assert found.shape == (2, 201, 3)
    inside, outside = found[0, 60:140], np.delete(found[0], slice(40, 160), axis=0)
    np.testing.assert_allclose(inside[:, 0], 150, rtol=0.01)
    assert (inside[:, 1] == 1).all() and (inside[:, 2] > 0.5).all()
    assert not outside[:, :2].any()
    assert not found[1, :, :2].any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fmax": 9000.0}, r"fmax: must be at most half the sample rate \(8000 Hz\), got 9000"),
        ({"frame": 400}, r"frame: must be at least two periods of fmin \(492 samples\), got 400"),
    ],
)
def test_a_range_that_does_not_fit_is_one_line(settings, message):
    with pytest.raises(InputError, match=message):
        pyin(np.zeros((1, RATE), np.float32), RATE, Pyin(**settings))
