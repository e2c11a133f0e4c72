"""Packed sound: small, the same each time, and the sound that it was."""

import base64
import io

import numpy as np
import soundfile

from pipeline.files import compressed

TONE = np.float32(0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * compressed.RATE) / compressed.RATE))


def test_a_tone_is_a_tone_and_ten_times_smaller():
    packed = compressed.mp3(TONE)
    assert packed == compressed.mp3(TONE)
    assert len(packed) < len(TONE) * 2 / 10
    found, rate = soundfile.read(io.BytesIO(packed))
    assert rate == compressed.RATE
    assert np.abs(np.fft.rfft(found)).argmax() * rate / len(found) == np.float64(440).round(0)


def test_what_is_too_loud_is_clipped():
    found, _ = soundfile.read(io.BytesIO(compressed.mp3(10 * TONE)))
    assert np.abs(found).max() < 1.3


def test_an_address_holds_it_all():
    head, _, content = compressed.address(b"sound").partition(",")
    assert head == "data:audio/mpeg;base64"
    assert base64.b64decode(content) == b"sound"
