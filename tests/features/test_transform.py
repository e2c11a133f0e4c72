"""What all spectral features share: settings, frames, mel bands, bits that never change."""

import os
import subprocess
import sys

import librosa
import numpy as np
import pytest

from pipeline import plugins
from pipeline.errors import InputError
from pipeline.features import cepstral, spectral, transform

SAMPLE_RATE = 16000
FEATURES = (cepstral.mfcc, spectral.spectrogram, spectral.mel, spectral.log_mel)
WITH_BANDS = (cepstral.mfcc, spectral.mel, spectral.log_mel)
WITH_LOGARITHM = (cepstral.mfcc, spectral.log_mel)
SMALL = {"n_fft": 512, "hop": 128}

every_feature = pytest.mark.parametrize("feature", FEATURES, ids=lambda f: f.__name__)


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


def test_all_of_them_are_tested_here():
    names = {f"{f.__module__.removeprefix('pipeline.features.')}.{f.__name__}" for f in FEATURES}
    assert names == set(plugins.functions("features"))
    assert "transform" not in plugins.names("features")


def test_settings_of_one_name_have_one_default():
    defaults = {}
    for function in plugins.functions("features"):
        for name, default in plugins.defaults("features", *function.split(".")).items():
            assert defaults.setdefault(name, default) == default, name
    assert defaults["n_fft"] == 2048 and defaults["precision"] == "float64"


# ---- frames ----------------------------------------------------------------------------------


@every_feature
def test_a_clip_is_the_same_alone_and_in_a_batch(feature):
    signals = clips(40000)
    together = feature(signals, SAMPLE_RATE)
    for clip, features in zip(signals, together, strict=True):
        assert feature(clip[None], SAMPLE_RATE)[0].tobytes() == features.tobytes()


@every_feature
def test_silence_around_a_clip_changes_no_bit_of_it(feature):
    # Frames in silence are not computed, so the others are grouped otherwise.
    signal = clips(70000)[0]
    padded = np.pad(signal, (512 * 10, 512 * 5))
    alone = feature(signal[None], SAMPLE_RATE)[0]
    features = feature(padded[None], SAMPLE_RATE)[0]
    assert features[12 : 10 + len(alone) - 2].tobytes() == alone[2:-2].tobytes()


@every_feature
@pytest.mark.parametrize("win_length", (None, 400))
def test_a_clip_shorter_than_a_frame_gets_zeros_behind(feature, win_length):
    settings = {"centre": False, "win_length": win_length, **SMALL}
    signal = clips()[:1, :300]
    padded = np.pad(signal, ((0, 0), (0, (win_length or 512) - 300)))
    features = feature(signal, SAMPLE_RATE, **settings)
    assert features.shape[1] == 1
    assert features.tobytes() == feature(padded, SAMPLE_RATE, **settings).tobytes()


@pytest.mark.parametrize("samples", (1, 399, 400, 519, 520, 3000))
def test_without_centre_frames_are_as_long_as_the_window(samples):
    settings = {"centre": False, "win_length": 400, "hop": 120, "n_fft": 512}
    signal = clips()[:1, :samples]
    features = spectral.spectrogram(signal, SAMPLE_RATE, power=1.0, **settings)[0]
    assert len(features) == 1 + max(0, samples - 400) // 120
    padded = np.pad(signal[0].astype(np.float64), (0, 400))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    for i, frame in enumerate(features):
        expected = np.abs(np.fft.rfft(padded[120 * i : 120 * i + 400] * window, 512))
        np.testing.assert_allclose(frame, expected, rtol=1e-5, atol=1e-5)


def test_a_window_is_periodic_or_symmetric():
    impulse = np.zeros((1, 551), np.float32)
    impulse[0, 275] = 1  # the middle of an odd length: where a symmetric window is 1
    settings = {"n_fft": 1024, "win_length": 551, "centre": False, "power": 1.0}
    symmetric = spectral.spectrogram(impulse, SAMPLE_RATE, periodic=False, **settings)
    periodic = spectral.spectrogram(impulse, SAMPLE_RATE, periodic=True, **settings)
    np.testing.assert_allclose(symmetric, 1, rtol=1e-6)
    np.testing.assert_allclose(periodic, np.sin(np.pi * 275 / 551) ** 2, rtol=1e-6)


@every_feature
@pytest.mark.parametrize("window", ("hann", "hamming"))
def test_float32_is_close_to_float64(feature, window):
    settings = {"window": window, **SMALL}
    exact = feature(clips(), SAMPLE_RATE, **settings)
    fast = feature(clips(), SAMPLE_RATE, precision="float32", **settings)
    assert fast.dtype == np.float32
    scale = np.abs(exact).max(axis=(1, 2), keepdims=True) + 1e-30
    np.testing.assert_allclose(fast / scale, exact / scale, rtol=0, atol=1e-4)
    assert fast.tobytes() != exact.tobytes()


@every_feature
def test_what_comes_out_is_finite_float32_in_one_piece(feature):
    for precision in ("float64", "float32"):
        features = feature(clips() * 1e-20, SAMPLE_RATE, precision=precision)
        assert features.dtype == np.float32 and features.flags.c_contiguous
        assert np.isfinite(features).all()


def test_bits_depend_neither_on_blas_nor_on_vector_instructions():
    program = """
import hashlib, numpy as np
from pipeline.features import cepstral, deltas, levels, spectral
signals = np.random.default_rng(0).normal(scale=0.1, size=(4, 40000)).astype(np.float32)
signals[1, :20000] = 0
signals = np.stack([levels.normalise(signal, by="percentile") for signal in signals])
tf = {"centre": False, "power": 1.0, "mel_scale": "tf_signal", "mel_norm": None}
features = [
    cepstral.mfcc(signals, 22050),
    cepstral.mfcc(signals, 22050, log="ln", dct_norm="tf_signal", **tf),
    spectral.spectrogram(signals, 22050, n_fft=512, win_length=400, power=1.0),
    spectral.mel(signals, 22050),
    spectral.log_mel(signals, 22050),
    spectral.log_mel(signals, 22050, log="ln", **tf),
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


# ---- mel bands -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings", ((128, 80.0, 7600.0), (40, 20.0, 8000.0), (64, 0.0, None), (1, 300.0, 500.0))
)
def test_bands_of_tf_signal_are_straight_in_mel(settings):
    mel = transform.Mel(SAMPLE_RATE, 1024, *settings, "tf_signal", None)
    bands = transform.mel_bands(mel, "float64").toarray()
    n_mels, fmin, fmax = settings
    top = 1127 * np.log1p((fmax or 8000) / 700)
    edges = np.linspace(1127 * np.log1p(fmin / 700), top, n_mels + 2)
    bins = 1127 * np.log1p(np.arange(513) * SAMPLE_RATE / 1024 / 700)
    for i, band in enumerate(bands):
        expected = np.interp(bins, edges[i : i + 3], [0, 1, 0], left=0, right=0)
        expected[0] = 0
        np.testing.assert_allclose(band, expected, atol=1e-12)


@pytest.mark.parametrize(("scale", "norm"), (("slaney", "slaney"), ("htk", None)))
def test_other_bands_are_librosas(scale, norm):
    mel = transform.Mel(SAMPLE_RATE, 512, 40, 50.0, 7000.0, scale, norm)
    expected = librosa.filters.mel(
        sr=SAMPLE_RATE, n_fft=512, n_mels=40, fmin=50, fmax=7000, htk=scale == "htk", norm=norm
    )
    bands = transform.mel_bands(mel, "float64").toarray()
    np.testing.assert_allclose(bands, expected, atol=1e-7)


# ---- bounds ----------------------------------------------------------------------------------


def refused(features, settings, message):
    for feature in features:
        with pytest.raises(InputError, match=message) as error:
            feature(np.zeros((1, 5000), np.float32), SAMPLE_RATE, **settings)
        assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"n_fft": 0}, r"n_fft: must be at least 1, got 0"),
        ({"hop": 0}, r"hop: must be 1\.\.n_fft \(2048\), got 0"),
        ({"hop": 2049}, r"hop: must be 1\.\.n_fft \(2048\), got 2049"),
        ({"win_length": 0}, r"win_length: must be 1\.\.n_fft \(2048\), or null, got 0"),
        ({"win_length": 2049}, r"win_length: must be 1\.\.n_fft \(2048\), or null, got 2049"),
        ({"pad_mode": "wrap"}, r"pad_mode: must be one of constant, edge, .* got 'wrap'"),
        ({"power": 0.5}, r"power: must be 1 or 2, got 0\.5"),
        ({"precision": "float16"}, r"precision: must be one of float64, float32, got 'float16'"),
        ({"window": "hannn"}, r"window: .* got 'hannn'"),
        ({"window": "kaiser"}, r"window: .* got 'kaiser'"),
    ),
)
def test_settings_of_frames_out_of_bounds(settings, message):
    refused(FEATURES, settings, message)


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"n_mels": 0}, r"n_mels: must be at least 1, got 0"),
        ({"fmax": 8001.0}, r"fmax: must be above 0 and up to 8000 Hz, got 8001"),
        ({"fmax": 0.0}, r"fmax: must be above 0 and up to 8000 Hz, got 0"),
        ({"fmin": -1.0}, r"fmin: must be 0 or more and below 8000 Hz, got -1"),
        ({"fmin": 500.0, "fmax": 400.0}, r"fmin: must be 0 or more and below 400 Hz, got 500"),
        ({"mel_scale": "bark"}, r"mel_scale: must be one of slaney, htk, tf_signal, got 'bark'"),
        ({"mel_norm": "area"}, r"mel_norm: must be one of slaney, null, got 'area'"),
        (
            {"mel_scale": "tf_signal"},
            r"mel_norm: must be null where mel_scale is tf_signal, got 'slaney'",
        ),
    ),
)
def test_settings_of_bands_out_of_bounds(settings, message):
    refused(WITH_BANDS, settings, message)


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"log": "log2"}, r"log: must be one of db, ln, got 'log2'"),
        ({"amin": 0.0}, r"amin: must be at least 1e-30, got 0"),
        ({"top_db": -1.0}, r"top_db: must be 0 or more, or null, got -1"),
        ({"log_offset": 0.0}, r"log_offset: must be at least 1e-30, got 0"),
        ({"clip": 0.0}, r"clip: must be above 0, or null, got 0"),
    ),
)
def test_settings_of_logarithms_out_of_bounds(settings, message):
    refused(WITH_LOGARITHM, settings, message)
