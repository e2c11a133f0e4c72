"""MFCCs: librosa as oracle, known answers, bits that never change, published features last."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.features import cepstral, framing, resampling
from pipeline.files import audio

SAMPLE_RATE = 22050
ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpora" / "ravdess"
GOLDEN = ROOT / "tests" / "golden" / "mfcc" / "ravdess.npz"


def clips(samples=12000):
    """Noise, quiet noise in silence, a click, silence, a tone: the batch whose maxima differ."""
    rng = np.random.default_rng(0)
    signals = np.zeros((5, samples), np.float32)
    signals[0] = rng.normal(scale=0.3, size=samples)
    signals[1, samples // 3 : samples // 2] = rng.normal(
        scale=1e-3, size=samples // 2 - samples // 3
    )
    signals[2, samples // 2] = 1.0
    signals[4] = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(samples) / SAMPLE_RATE)
    return signals


def by_librosa(signal, *, n_mfcc=39, amin=1e-10, top_db=80.0, dct_norm="ortho", **settings):
    """Librosa's chain for one clip, in float64; the other settings are those of its mel step."""
    mel = librosa.feature.melspectrogram(
        y=signal.astype(np.float64), sr=SAMPLE_RATE, dtype=np.float64, **settings
    )
    decibels = librosa.power_to_db(mel, amin=amin, top_db=top_db)
    return librosa.feature.mfcc(S=decibels, n_mfcc=n_mfcc, norm=dct_norm).T


def test_defaults_are_librosas_own():
    signals = clips()
    expected = [librosa.feature.mfcc(y=clip, sr=SAMPLE_RATE, n_mfcc=39).T for clip in signals]
    ours = cepstral.mfcc(signals, SAMPLE_RATE)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, np.stack(expected), atol=1e-3)


@pytest.mark.parametrize(
    ("settings", "in_librosa"),
    (
        ({}, {}),
        ({"n_mfcc": 13, "mel_scale": "htk"}, {"n_mfcc": 13, "htk": True}),
        ({"n_mfcc": 128, "mel_norm": None}, {"n_mfcc": 128, "norm": None}),
        (
            {"n_fft": 1024, "hop": 160, "n_mels": 40},
            {"n_fft": 1024, "hop_length": 160, "n_mels": 40},
        ),
        (
            {"n_fft": 1001, "hop": 1001, "n_mels": 40},
            {"n_fft": 1001, "hop_length": 1001, "n_mels": 40},
        ),
        ({"window": "hamming"}, {"window": "hamming"}),
        ({"fmin": 80.0, "fmax": 7600.0}, {"fmin": 80.0, "fmax": 7600.0}),
        ({"centre": False}, {"center": False}),
        ({"pad_mode": "reflect"}, {"pad_mode": "reflect"}),
        ({"power": 1.0}, {"power": 1.0}),
        ({"amin": 1e-5}, {"amin": 1e-5}),
        ({"top_db": None}, {"top_db": None}),
        ({"top_db": 40.0}, {"top_db": 40.0}),
        ({"dct_norm": None}, {"dct_norm": None}),
    ),
)
def test_each_setting_is_librosas(settings, in_librosa):
    signals = clips()
    expected = [by_librosa(clip, **in_librosa) for clip in signals]
    ours = cepstral.mfcc(signals, SAMPLE_RATE, **settings)
    np.testing.assert_allclose(ours, np.stack(expected), atol=1e-4)


@pytest.mark.parametrize("samples", (1, 300, 1500))
def test_a_clip_shorter_than_a_frame(samples):
    signal = clips()[0, :samples]
    with pytest.warns(UserWarning, match="too large for input signal"):
        expected = by_librosa(signal)
    ours = cepstral.mfcc(signal[None], SAMPLE_RATE)
    np.testing.assert_allclose(ours[0], expected, atol=1e-4)


def test_defaults_can_be_read_from_the_source():
    arguments = ast.parse(inspect.getsource(cepstral.mfcc)).body[0].args
    defaults = {
        name.arg: ast.literal_eval(value)
        for name, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    }
    assert defaults["n_fft"] == 2048 and defaults["fmax"] is None
    assert len(defaults) == 15


@pytest.mark.parametrize("n_mels", (128, 100, 39))
def test_silence_is_one_level_and_no_shape(n_mels):
    features = cepstral.mfcc(np.zeros((2, 5000), np.float32), SAMPLE_RATE, n_mels=n_mels)
    expected = np.zeros((2, 10, 39), np.float32)
    expected[..., 0] = -100 * np.sqrt(n_mels)
    np.testing.assert_allclose(features, expected, atol=1e-4)
    assert features[..., 1:].tobytes() == expected[..., 1:].tobytes()


def test_ten_times_quieter_is_20_decibels_less():
    loud = clips()[:1]
    difference = cepstral.mfcc(loud, SAMPLE_RATE) - cepstral.mfcc(loud / 10, SAMPLE_RATE)
    np.testing.assert_allclose(difference[..., 0], 20 * np.sqrt(128), atol=1e-3)
    np.testing.assert_allclose(difference[..., 1:], 0, atol=1e-3)


def test_energy_of_a_sine():
    # One band over all bins, height 1 in its middle: a sine there of amplitude A on a bin has
    # energy A^2 / 4 * sum(w^2) * n_fft by Parseval, spread over three bins.
    n_fft, sample_rate, amplitude = 2048, 16384, 0.5
    middle = 4096
    signal = amplitude * np.cos(2 * np.pi * middle * np.arange(8192) / sample_rate)
    features = cepstral.mfcc(
        signal[None].astype(np.float32),
        sample_rate,
        n_mfcc=1,
        n_mels=1,
        n_fft=n_fft,
        fmin=middle - 1000.0,
        fmax=middle + 1000.0,
        mel_norm=None,
        centre=False,
    )
    width = sample_rate / n_fft  # hertz between bins
    edges = librosa.mel_frequencies(3, fmin=middle - 1000.0, fmax=middle + 1000.0)
    heights = np.interp([middle - width, middle, middle + width], edges, [0, 1, 0])
    energy = (amplitude * n_fft * np.array([1 / 8, 1 / 4, 1 / 8])) ** 2 @ heights
    np.testing.assert_allclose(features, 10 * np.log10(energy), atol=1e-3)


def test_a_clip_is_the_same_alone_and_in_a_batch():
    signals = clips(40000)
    together = cepstral.mfcc(signals, SAMPLE_RATE)
    for clip, features in zip(signals, together, strict=True):
        alone = cepstral.mfcc(clip[None], SAMPLE_RATE)[0]
        assert alone.tobytes() == features.tobytes()


def test_silence_around_a_clip_changes_no_bit_of_it():
    # Frames in silence are not computed, so the others are grouped otherwise.
    signal = clips(70000)[0]
    padded = np.pad(signal, (512 * 10, 512 * 5))
    alone = cepstral.mfcc(signal[None], SAMPLE_RATE)[0]
    features = cepstral.mfcc(padded[None], SAMPLE_RATE)[0]
    assert features[12 : 10 + len(alone) - 2].tobytes() == alone[2:-2].tobytes()


def test_bits_depend_neither_on_blas_nor_on_vector_instructions():
    program = """
import hashlib, numpy as np
from pipeline.features import cepstral
signals = np.random.default_rng(0).normal(scale=0.1, size=(8, 40000)).astype(np.float32)
signals[1, :20000] = 0
print(hashlib.sha256(cepstral.mfcc(signals, 22050)).hexdigest())
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


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"n_fft": 0}, r"n_fft: must be at least 1, got 0"),
        (
            {"n_fft": 6000, "centre": False},
            r"n_fft: must be up to the clip's 5000 samples, got 6000",
        ),
        ({"hop": 0}, r"hop: must be 1\.\.n_fft \(2048\), got 0"),
        ({"hop": 2049}, r"hop: must be 1\.\.n_fft \(2048\), got 2049"),
        ({"n_mels": 0}, r"n_mels: must be at least 1, got 0"),
        ({"n_mfcc": 200}, r"n_mfcc: must be 1\.\.n_mels \(128\), got 200"),
        ({"n_mfcc": 0}, r"n_mfcc: must be 1\.\.n_mels \(128\), got 0"),
        ({"power": 0.0}, r"power: must be above 0, got 0"),
        ({"fmax": 11026.0}, r"fmax: must be above 0 and up to 11025 Hz, got 11026"),
        ({"fmax": 0.0}, r"fmax: must be above 0 and up to 11025 Hz, got 0"),
        ({"fmin": -1.0}, r"fmin: must be 0 or more and below 11025 Hz, got -1"),
        ({"fmin": 500.0, "fmax": 400.0}, r"fmin: must be 0 or more and below 400 Hz, got 500"),
        ({"amin": 0.0}, r"amin: must be above 0, got 0"),
        ({"top_db": -1.0}, r"top_db: must be 0 or more, or null, got -1"),
        ({"pad_mode": "wrap"}, r"pad_mode: must be one of constant, edge, .* got 'wrap'"),
        ({"mel_scale": "bark"}, r"mel_scale: must be one of slaney, htk, got 'bark'"),
        ({"mel_norm": "area"}, r"mel_norm: must be one of slaney, null, got 'area'"),
        ({"dct_norm": "unit"}, r"dct_norm: must be one of ortho, null, got 'unit'"),
        ({"window": "hannn"}, r"window: .* got 'hannn'"),
        ({"window": "kaiser"}, r"window: .* got 'kaiser'"),
    ),
)
def test_settings_out_of_bounds(settings, message):
    with pytest.raises(InputError, match=message):
        cepstral.mfcc(np.zeros((1, 5000), np.float32), SAMPLE_RATE, **settings)


@pytest.mark.parametrize(
    ("method", "published", "tolerance"),
    (("soxr_hq", "soxr_hq", 1e-3), ("kaiser_best", "kaiser_best_022", 2e-3)),
)
def test_features_of_tim_net(method, published, tolerance):
    if not CORPUS.exists():
        pytest.skip("../shared/corpora/ravdess not found")
    golden = np.load(GOLDEN)
    signals = []
    for clip in golden["clip"]:
        signal, sample_rate = audio.read(next(CORPUS.rglob(f"{clip}.*")))
        signal = resampling.resample(audio.mono(signal), sample_rate, SAMPLE_RATE, method=method)
        (signal,) = framing.cut(signal, 110_000, where="centre")
        signals.append(framing.fix_length(signal, 110_000))
    features = cepstral.mfcc(np.stack(signals), SAMPLE_RATE)
    np.testing.assert_allclose(features, golden[published], rtol=0, atol=tolerance)
