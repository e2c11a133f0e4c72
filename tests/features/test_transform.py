"""What all spectral features share: settings, frames, mel bands, bits that never change."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import scipy.signal

from pipeline import settings
from pipeline.errors import InputError
from pipeline.features import functions, transform

SAMPLE_RATE = 16000
FEATURES = ("cepstral.mfcc", "spectral.log_mel", "spectral.mel", "spectral.spectrogram")
WITH_BANDS = FEATURES[:3]
WITH_LOGARITHM = FEATURES[:2]
SMALL = {"n_fft": 512, "hop": 128}

every_feature = pytest.mark.parametrize("name", FEATURES)


def feature(name, signals, **line):
    """Compute a feature with settings as params.yaml has them."""
    function = functions.load(name)
    return function.of(signals, SAMPLE_RATE, settings.read(function.record, line, "here"))


def clips(samples=6000):
    """Noise, quiet noise in silence, a click, silence, a tone: the batch whose maxima differ."""
    rng = np.random.default_rng(0)
    signals = np.zeros((5, samples), np.float32)
    signals[0] = rng.normal(scale=0.3, size=samples)
    middle = slice(samples // 3, samples // 2)
    signals[1, middle] = rng.normal(scale=1e-3, size=middle.stop - middle.start)
    signals[2, samples // 2] = 1.0
    signals[4] = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(samples) / SAMPLE_RATE)
    return signals


def test_settings_of_one_name_have_one_default():
    defaults = {}
    for function in FEATURES:
        for name, default in settings.flat(functions.load(function).record()).items():
            assert defaults.setdefault(name, default) == default, name
    assert defaults["n_fft"] == 2048 and defaults["precision"] == "float64"


# ---- frames ----------------------------------------------------------------------------------


@every_feature
def test_a_clip_is_the_same_alone_and_in_a_batch(name):
    signals = clips(40000)
    together = feature(name, signals)
    for clip, features in zip(signals, together, strict=True):
        assert feature(name, clip[None])[0].tobytes() == features.tobytes()


@every_feature
def test_silence_around_a_clip_changes_no_bit_of_it(name):
    # Frames in silence are not computed, so the others are grouped otherwise.
    signal = clips(70000)[0]
    padded = np.pad(signal, (512 * 10, 512 * 5))
    alone = feature(name, signal[None])[0]
    features = feature(name, padded[None])[0]
    assert features[12 : 10 + len(alone) - 2].tobytes() == alone[2:-2].tobytes()


@every_feature
@pytest.mark.parametrize("win_length", (None, 400))
def test_a_clip_shorter_than_a_frame_gets_zeros_behind(name, win_length):
    line = {"centre": False, "win_length": win_length, **SMALL}
    signal = clips()[:1, :300]
    padded = np.pad(signal, ((0, 0), (0, (win_length or 512) - 300)))
    features = feature(name, signal, **line)
    assert features.shape[1] == 1
    assert features.tobytes() == feature(name, padded, **line).tobytes()


@pytest.mark.parametrize("samples", (1, 399, 400, 519, 520, 3000))
def test_without_centre_frames_are_as_long_as_the_window(samples):
    line = {"centre": False, "win_length": 400, "hop": 120, "n_fft": 512, "power": 1}
    signal = clips()[:1, :samples]
    features = feature("spectral.spectrogram", signal, **line)[0]
    assert len(features) == 1 + max(0, samples - 400) // 120
    padded = np.pad(signal[0].astype(np.float64), (0, 400))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    for i, frame in enumerate(features):
        expected = np.abs(np.fft.rfft(padded[120 * i : 120 * i + 400] * window, 512))
        np.testing.assert_allclose(frame, expected, rtol=1e-5, atol=1e-5)


def test_a_window_is_periodic_or_symmetric():
    impulse = np.zeros((1, 551), np.float32)
    impulse[0, 275] = 1  # the middle of an odd length: where a symmetric window is 1
    line = {"n_fft": 1024, "win_length": 551, "centre": False, "power": 1}
    symmetric = feature("spectral.spectrogram", impulse, periodic=False, **line)
    periodic = feature("spectral.spectrogram", impulse, periodic=True, **line)
    np.testing.assert_allclose(symmetric, 1, rtol=1e-6)
    np.testing.assert_allclose(periodic, np.sin(np.pi * 275 / 551) ** 2, rtol=1e-6)


@every_feature
@pytest.mark.parametrize("window", ("hann", "hamming"))
def test_float32_is_close_to_float64(name, window):
    line = {"window": window, **SMALL}
    exact = feature(name, clips(), **line)
    fast = feature(name, clips(), precision="float32", **line)
    assert fast.dtype == np.float32
    scale = np.abs(exact).max(axis=(1, 2), keepdims=True) + 1e-30
    np.testing.assert_allclose(fast / scale, exact / scale, rtol=0, atol=1e-4)
    assert fast.tobytes() != exact.tobytes()


@every_feature
def test_what_comes_out_is_finite_float32_in_one_piece(name):
    for precision in ("float64", "float32"):
        features = feature(name, clips() * 1e-20, precision=precision)
        assert features.dtype == np.float32 and features.flags.c_contiguous
        assert np.isfinite(features).all()


def test_bits_depend_neither_on_blas_nor_on_vector_instructions():
    program = """
import hashlib, numpy as np
from pipeline.features import cepstral, deltas, levels, spectral
from pipeline.features.mel import Mel
from pipeline.features.transform import Limited, Logarithm, Stft
signals = np.random.default_rng(0).normal(scale=0.1, size=(4, 40000)).astype(np.float32)
signals[1, :20000] = 0
signals = np.stack([levels.normalise(signal, by="percentile") for signal in signals])
short = spectral.Spectrogram(Stft(512, win_length=400, power=1.0))
stft, mel = Stft(centre=False, power=1.0), Mel(mel_scale="tf_signal", mel_norm=None)
tf = {"stft": stft, "mel": mel, "logarithm": Logarithm("ln")}
features = [
    cepstral.mfcc(signals, 22050),
    cepstral.mfcc(signals, 22050, cepstral.Mfcc(dct_norm="tf_signal", **tf)),
    spectral.spectrogram(signals, 22050, short),
    spectral.mel(signals, 22050),
    spectral.log_mel(signals, 22050),
    spectral.log_mel(signals, 22050, spectral.LogMel(**tf)),
]
features.append(deltas.stack(features[0], kind="regression"))
print([hashlib.sha256(values).hexdigest()[:8] for values in features])
"""
    digests = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | settings,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for settings in (
            {"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Haswell"},
            {"OPENBLAS_NUM_THREADS": "2", "OPENBLAS_CORETYPE": "SkylakeX"},
            {"NPY_DISABLE_CPU_FEATURES": "X86_V4 X86_V3"},
        )
    }
    assert len(digests) == 1


# ---- bounds ----------------------------------------------------------------------------------


def refused(features, line, message):
    for name in features:
        with pytest.raises(InputError, match=message) as error:
            feature(name, np.zeros((1, 5000), np.float32), **line)
        assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    (
        ({"n_fft": 0}, r"here\.n_fft: must be at least 1 samples, got 0"),
        ({"hop": 0}, r"here\.hop: must be at least 1 samples, got 0"),
        ({"hop": 2049}, r"here\.hop: must be at most n_fft \(2048\), got 2049"),
        ({"win_length": 0}, r"here\.win_length: must be at least 1 samples, got 0"),
        ({"win_length": 2049}, r"here\.win_length: must be at most n_fft \(2048\), got 2049"),
        ({"pad_mode": "wrap"}, r"here\.pad_mode: no 'wrap'; known: constant, edge, reflect, symm"),
        ({"power": 0.5}, r"here\.power: no 0\.5; known: 1, 2"),
        ({"precision": "float16"}, r"here\.precision: no 'float16'; did you mean float64\?"),
        ({"window": "hannn"}, r"here\.window: no 'hannn'; did you mean hann\?"),
        ({"window": "kaiser"}, r"here\.window: no 'kaiser'; known: hann, hamming"),
    ),
)
def test_settings_of_frames_out_of_bounds(line, message):
    refused(FEATURES, line, message)


@pytest.mark.parametrize(
    ("line", "message"),
    (
        ({"n_mels": 0}, r"here\.n_mels: must be at least 1, got 0"),
        ({"fmax": 8001.0}, r"^fmax: must be at most 8000 Hz, half the rate, got 8001"),
        ({"fmin": 8000.0}, r"^fmin: must be below 8000 Hz, half the rate, got 8000"),
        ({"fmax": 0.0}, r"here\.fmax: must be above 0 Hz, got 0"),
        ({"fmin": -1.0}, r"here\.fmin: must be at least 0 Hz, got -1"),
        ({"fmin": 500.0, "fmax": 400.0}, r"here\.fmin: must be below fmax \(400 Hz\), got 500"),
        ({"mel_scale": "bark"}, r"here\.mel_scale: no 'bark'; known: slaney, htk, tf_signal"),
        ({"mel_norm": "area"}, r"here\.mel_norm: no 'area'; known: slaney, null"),
        (
            {"mel_scale": "tf_signal"},
            r"here\.mel_norm: must be null where mel_scale is tf_signal, got 'slaney'",
        ),
    ),
)
def test_settings_of_bands_out_of_bounds(line, message):
    refused(WITH_BANDS, line, message)


@pytest.mark.parametrize(
    ("line", "message"),
    (
        ({"log": "log2"}, r"here\.log: no 'log2'; known: db, ln"),
        ({"amin": 0.0}, r"here\.amin: must be at least 1e-30, got 0"),
        ({"top_db": -1.0}, r"here\.top_db: must be at least 0 dB, got -1"),
        ({"log_offset": 0.0}, r"here\.log_offset: must be at least 1e-30, got 0"),
        ({"clip": 0.0}, r"here\.clip: must be above 0, got 0"),
    ),
)
def test_settings_of_logarithms_out_of_bounds(line, message):
    refused(WITH_LOGARITHM, line, message)


@every_feature
@pytest.mark.parametrize("shape", ((5000,), (2, 3, 5000)))
def test_signals_of_another_shape_are_refused(name, shape):
    message = (
        rf"^signals: wanted an array of shape \(clips, samples\); .*, got {re.escape(str(shape))}"
    )
    with pytest.raises(InputError, match=message):
        feature(name, np.zeros(shape, np.float32))


@pytest.mark.parametrize("window", transform.WINDOWS)
def test_every_window_is_one(window):
    assert transform.window(window, 16, periodic=True).shape == (16,)


def test_windows_are_those_of_scipy_that_need_no_parameter():
    for window in set(scipy.signal.windows.__all__) - set(transform.WINDOWS):
        with pytest.raises(ValueError, match=r"must have parameters|Invalid window name"):
            scipy.signal.get_window(window, 16)
