"""Resamplers: librosa and the plain formula as oracles, known answers, bits that never change."""

import os
import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.features import resampling

RATES = ((48000, 22050), (16000, 22050), (44100, 22050), (24414, 22050), (32000, 24000))
# resampy 0.4.3, kaiser_best, 48 000 Hz to 22 050 Hz, of `np.arange(40) % 7 / 7 - 0.4` in float64;
# 0.3.0 gives the same to 1e-8. The last is librosa's padding.
RESAMPY_04 = [
    *(-0.23752314, -0.16542238, 0.32605859, 0.02373790, -0.27354102, 0.26095190, 0.15907753),
    *(-0.30584725, 0.15389354, 0.26315255, -0.26662047, 0.01084499, 0.33804378, -0.18185074),
    *(-0.13283130, 0.37759918, -0.10237417, -0.16489719, 0.0),
]


def noise(samples):
    return np.random.default_rng(samples).normal(scale=0.1, size=samples).astype(np.float32)


def tone(frequency, sample_rate, samples):
    return np.sin(2 * np.pi * frequency * np.arange(samples) / sample_rate).astype(np.float32)


def plain_interpolation(signal, sample_rate, target_rate, method):
    """The arithmetic of resampy, one output and one wing at a time, in float64."""
    ratio = target_rate / sample_rate
    zeros, precision, rolloff, beta = {
        "kaiser_best": (64, 512, 0.9475937167399596, 14.769656459379492),
        "kaiser_best_03": (50, 8192, 0.9173473712608761, 12.984585247040012),
    }[method]
    position = np.arange(zeros * precision + 1)
    window = np.kaiser(2 * zeros * precision + 1, beta)[zeros * precision :]
    table = rolloff * np.sinc(rolloff * position / precision) * window * min(1.0, ratio)
    slope = np.append(np.diff(table), 0.0)
    scale = min(1.0, ratio)
    step = int(scale * precision)

    resampled = np.zeros(int(np.ceil(len(signal) * ratio)))
    added = 0.0
    for output in range(int(len(signal) * ratio)):
        time = added if method == "kaiser_best" else output * (1 / ratio)
        nearest = int(time)
        left = scale * (time - nearest)
        for distance, first, direction, available in (
            (left, nearest, -1, nearest + 1),
            (scale - left, nearest + 1, 1, len(signal) - nearest - 1),
        ):
            offset = int(distance * precision)
            fraction = distance * precision - offset
            for i in range(min(available, (len(table) - offset) // step)):
                weight = table[offset + i * step] + fraction * slope[offset + i * step]
                resampled[output] += signal[first + direction * i] * weight
        added += 1 / ratio
    return resampled


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("samples", (1001, 37))
@pytest.mark.parametrize("method", resampling.TABLES)
def test_interpolation_is_the_plain_formula(method, rates, samples):
    signal = noise(samples)
    ours = resampling.resample(signal, *rates, method=method)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, plain_interpolation(signal, *rates, method), atol=1e-7)


def test_kaiser_best_03_is_what_resampy_gives():
    signal = (np.arange(40) % 7 / 7 - 0.4).astype(np.float32)
    ours = resampling.resample(signal, 48000, 22050, method="kaiser_best_03")
    np.testing.assert_allclose(ours, RESAMPY_04, atol=3e-7)


def test_kaiser_best_keeps_the_time_that_the_original_adds_up():
    # Far into a clip, outputs that fall on an input sample come a hair early: another rounding.
    signal = noise(60000)
    ours = resampling.resample(signal, 48000, 22050, method="kaiser_best")
    time = np.cumsum(np.append(0.0, np.full(len(ours) - 1, 1 / (22050 / 48000))))
    early = [t for t in range(147, 25000, 147) if time[t] < t // 147 * 320]
    assert early
    start = int(time[early[-1]]) - 200
    near = signal[start : start + 400]
    # The output just before input sample 200 of the excerpt, from the formula by hand.
    scale, step, position = 0.459375, 235, np.arange(64 * 512 + 1)
    window = np.kaiser(2 * 64 * 512 + 1, 14.769656459379492)[64 * 512 :]
    table = scale * 0.9475937167399596 * np.sinc(0.9475937167399596 * position / 512) * window
    left = np.arange(235.2, 64 * 512, step)
    right = np.arange(0, 64 * 512 - step, step)
    by_hand = near[200 - np.arange(len(left))] @ np.interp(left, position, table)
    by_hand += near[201 + np.arange(len(right))] @ table[right]
    assert ours[early[-1]] == pytest.approx(by_hand, abs=1e-7)


@pytest.mark.parametrize("rates", RATES)
@pytest.mark.parametrize("samples", (1, 160, 4801))
def test_soxr_hq_is_librosa(rates, samples):
    signal = noise(samples)
    ours = resampling.resample(signal, *rates, method="soxr_hq")
    expected = librosa.resample(signal, orig_sr=rates[0], target_sr=rates[1], res_type="soxr_hq")
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize("method", resampling.METHODS)
def test_length_is_that_of_the_time_rounded_up(method):
    for samples in (1, 2, 319, 320, 321, 48000):
        resampled = resampling.resample(noise(samples), 48000, 22050, method=method)
        assert resampled.shape == (-(-samples * 22050 // 48000),)


@pytest.mark.parametrize("method", resampling.METHODS)
@pytest.mark.parametrize("rates", RATES)
def test_a_tone_keeps_its_frequency_level_and_time(method, rates):
    resampled = resampling.resample(tone(1000, rates[0], rates[0] // 4), *rates, method=method)
    expected = tone(1000, rates[1], len(resampled))
    inner = slice(300, -300)
    np.testing.assert_allclose(resampled[inner], expected[inner], atol=3e-3)


@pytest.mark.parametrize("method", resampling.METHODS)
def test_a_tone_above_the_new_range_vanishes(method):
    resampled = resampling.resample(tone(15000, 48000, 12000), 48000, 22050, method=method)
    assert np.abs(resampled[300:-300]).max() < 2e-4


@pytest.mark.parametrize("method", resampling.METHODS)
def test_equal_rates_change_nothing(method):
    signal = noise(100)
    np.testing.assert_array_equal(
        resampling.resample(signal, 22050, 22050, method=method), signal, strict=True
    )


@pytest.mark.parametrize("method", resampling.METHODS)
def test_silence_stays_silent(method):
    resampled = resampling.resample(np.zeros(500, np.float32), 48000, 22050, method=method)
    assert resampled.tobytes() == bytes(4 * 230)


def test_kaiser_best_does_not_depend_on_the_level():
    signal = noise(3000)
    loud = resampling.resample(1024 * signal, 48000, 22050, method="kaiser_best")
    quiet = resampling.resample(signal, 48000, 22050, method="kaiser_best")
    np.testing.assert_array_equal(loud, 1024 * quiet)


@pytest.mark.parametrize("rates", (*RATES, (192000, 3000), (8000, 48000)))
@pytest.mark.parametrize("table", resampling.TABLES.values(), ids=resampling.TABLES)
def test_sums_of_interpolation_are_exact(table, rates):
    bank = resampling.filter_bank(*rates, table)
    sums = [np.abs(weights).sum(axis=0).max() for _, _, weights in bank.blocks]
    sums.append(np.abs(bank.early).sum())
    assert max(sums) < 2**53 / 2**resampling.SIGNAL_BITS
    assert all((weights == np.rint(weights)).all() for _, _, weights in bank.blocks)


def test_bits_do_not_depend_on_blas():
    program = """
import hashlib, numpy as np
from pipeline.features import resampling
digest = hashlib.sha256()
signal = np.random.default_rng(0).normal(scale=0.1, size=150000).astype(np.float32)
for rates in ((48000, 22050), (24414, 22050)):
    digest.update(resampling.resample(signal, *rates, method="kaiser_best"))
print(digest.hexdigest())
"""
    cpu = Path("/proc/cpuinfo")
    wide = cpu.exists() and "avx512f" in cpu.read_text()  # kernels for others end the process
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "OPENBLAS_CORETYPE": kernels},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads, kernels in (
            ("1", "Haswell"),
            ("2", "Haswell"),
            ("2", "SkylakeX" if wide else "Sandybridge"),
        )
    }
    assert len(digests) == 1


@pytest.mark.parametrize("target_rate", (749, 0, -1))
def test_target_rate_far_below_the_clip(target_rate):
    with pytest.raises(InputError, match=r"target_rate: must be at least 750 Hz .* got"):
        resampling.resample(noise(10), 48000, target_rate, method="soxr_hq")
