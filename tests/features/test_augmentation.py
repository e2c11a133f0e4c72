"""Altered copies: drawn for each clip and copy alone, within their bounds."""

import re

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.features import augmentation

RATE = 16000
TONE = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE).astype(np.float32)


def altered(augment, signal=TONE, copy=1, content=b"clip"):
    """Alter a signal (samples,)."""
    draws = augmentation.generator(content, copy)
    return augmentation.apply(signal, RATE, augment, draws)


def loudest(signal):
    """Frequency of the largest bin, in hertz."""
    return np.abs(np.fft.rfft(signal)).argmax() * RATE / len(signal)


def test_copies_differ_and_each_is_the_same_every_time():
    augment = {"noise": [10, 30], "shift": [-0.1, 0.1]}
    first = altered(augment)
    np.testing.assert_array_equal(altered(augment), first)
    assert first.dtype == np.float32
    assert (altered(augment, copy=2) != first).any()
    assert (altered(augment, content=b"another") != first).any()


def test_noise_lies_so_far_below_the_clip():
    noise = altered({"noise": [20, 20]}) - TONE
    ratio = 10 * np.log10(np.mean(TONE**2) / np.mean(noise**2))
    assert ratio == pytest.approx(20, abs=0.2)


@pytest.mark.parametrize(("seconds", "samples"), [(0.25, 4000), (-0.25, -4000), (9, RATE)])
def test_a_shift_lets_zeros_in(seconds, samples):
    found = altered({"shift": [seconds, seconds]})
    wanted = np.zeros_like(TONE)
    if samples > 0:
        wanted[samples:] = TONE[: len(TONE) - samples]
    else:
        wanted[:samples] = TONE[-samples:]
    np.testing.assert_array_equal(found, wanted)


def test_pitch_moves_frequencies_and_not_length():
    found = altered({"pitch": [12, 12]})
    assert len(found) == len(TONE)
    assert loudest(found) == pytest.approx(880, rel=0.02)


def test_tempo_changes_length_and_not_frequencies():
    found = altered({"tempo": [0.8, 0.8]})
    assert len(found) == pytest.approx(len(TONE) / 0.8, abs=1)
    assert loudest(found) == pytest.approx(440, rel=0.02)


@pytest.mark.filterwarnings("ignore:n_fft=2048 is too large:UserWarning")  # librosa pads
def test_one_sample_survives_everything():
    augment = {"noise": [0, 9], "pitch": [-2, 2], "shift": [-1, 1], "tempo": [0.9, 1.1]}
    assert np.isfinite(altered(augment, TONE[:1])).all()


@pytest.mark.parametrize(
    ("augment", "copies", "message"),
    [
        ({}, 1, "copies: goes with augment"),
        ({"noise": [1, 2]}, 0, "copies: goes with augment"),
        ({"echo": [1, 2]}, 1, "augment.echo: no such key; known: noise, pitch, shift, tempo"),
        ({"noise": [2, 1]}, 1, "augment.noise: wanted two numbers, the lower first, got [2.0, 1.0"),
        ({"pitch": [1]}, 1, "augment.pitch: wanted two numbers"),
        ({"pitch": []}, 1, "augment.pitch: wanted two numbers"),
        ({"pitch": None}, 1, "augment.pitch: wanted a list, got nothing"),
        ({"pitch": ["a", "b"]}, 1, "augment.pitch: wanted a number, got 'a'"),
        ({"tempo": [0.1, 1]}, 1, "augment.tempo: must be at least 0.5 times as fast and at most 2"),
    ],
)
def test_what_cannot_be_drawn(augment, copies, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        augmentation.check(augment, copies)
