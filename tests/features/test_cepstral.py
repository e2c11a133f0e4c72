"""MFCCs: librosa as oracle, known answers, published features last."""

from pathlib import Path

import librosa
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.features import cepstral, framing, resampling
from pipeline.files import audio
from pipeline.settings import read

SAMPLE_RATE = 22050
ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpora" / "ravdess"
LIGHT_SERNET = ROOT.parent / "shared" / "golden" / "lightsernet" / "features.npz"
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


def mfcc(signals, sample_rate, **settings):
    """Compute the feature with settings as params.yaml has them."""
    return cepstral.mfcc(signals, sample_rate, read(cepstral.Mfcc, settings, "mfcc"))


def by_librosa(signal, *, n_mfcc=39, amin=1e-10, top_db=80.0, **settings):
    """Librosa's chain for one clip, in float64; the other settings are those of its mel step."""
    mel = librosa.feature.melspectrogram(
        y=signal.astype(np.float64), sr=SAMPLE_RATE, dtype=np.float64, **settings
    )
    decibels = librosa.power_to_db(mel, amin=amin, top_db=top_db)
    return librosa.feature.mfcc(S=decibels, n_mfcc=n_mfcc).T


def test_defaults_are_librosas_own():
    signals = clips()
    expected = [librosa.feature.mfcc(y=clip, sr=SAMPLE_RATE, n_mfcc=39).T for clip in signals]
    ours = mfcc(signals, SAMPLE_RATE)
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
        ({"n_fft": 2048, "win_length": 1000}, {"win_length": 1000}),
    ),
)
def test_each_setting_is_librosas(settings, in_librosa):
    signals = clips()
    expected = [by_librosa(clip, **in_librosa) for clip in signals]
    ours = mfcc(signals, SAMPLE_RATE, **settings)
    np.testing.assert_allclose(ours, np.stack(expected), atol=1e-4)


@pytest.mark.parametrize("samples", (1, 300, 1500))
def test_a_clip_shorter_than_a_frame(samples):
    signal = clips()[0, :samples]
    with pytest.warns(UserWarning, match="too large for input signal"):
        expected = by_librosa(signal)
    ours = mfcc(signal[None], SAMPLE_RATE)
    np.testing.assert_allclose(ours[0], expected, atol=1e-4)


@pytest.mark.parametrize("n_mels", (128, 100, 39))
def test_silence_is_one_level_and_no_shape(n_mels):
    features = mfcc(np.zeros((2, 5000), np.float32), SAMPLE_RATE, n_mels=n_mels)
    expected = np.zeros((2, 10, 39), np.float32)
    expected[..., 0] = -100 * np.sqrt(n_mels)
    np.testing.assert_allclose(features, expected, atol=1e-4)
    assert features[..., 1:].tobytes() == expected[..., 1:].tobytes()


def test_ten_times_quieter_is_20_decibels_less():
    loud = clips()[:1]
    difference = mfcc(loud, SAMPLE_RATE) - mfcc(loud / 10, SAMPLE_RATE)
    np.testing.assert_allclose(difference[..., 0], 20 * np.sqrt(128), atol=1e-3)
    np.testing.assert_allclose(difference[..., 1:], 0, atol=1e-3)


def test_energy_of_a_sine():
    # One band over all bins, height 1 in its middle: a sine there of amplitude A on a bin has
    # energy A^2 / 4 * sum(w^2) * n_fft by Parseval, spread over three bins.
    n_fft, sample_rate, amplitude = 2048, 16384, 0.5
    middle = 4096
    signal = amplitude * np.cos(2 * np.pi * middle * np.arange(8192) / sample_rate)
    features = mfcc(
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


def test_every_row_of_tf_signals_dct_has_one_scale():
    ortho = mfcc(clips(), SAMPLE_RATE)
    scaled = mfcc(clips(), SAMPLE_RATE, dct_norm="tf_signal")
    np.testing.assert_allclose(scaled[..., 0], np.sqrt(2) * ortho[..., 0], atol=1e-3)
    np.testing.assert_array_equal(scaled[..., 1:], ortho[..., 1:])


def test_clip_cuts_the_coefficients():
    free = mfcc(clips(), SAMPLE_RATE)
    cut = mfcc(clips(), SAMPLE_RATE, clip=10.0)
    np.testing.assert_array_equal(cut, np.clip(free, -10, 10))
    assert np.abs(free).max() > 10


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"n_mfcc": 200}, r"^mfcc\.n_mfcc: must be at most n_mels \(128\), got 200"),
        ({"n_mfcc": 0}, r"^mfcc\.n_mfcc: must be at least 1, got 0"),
        ({"dct_norm": "unit"}, r"^mfcc\.dct_norm: no 'unit'; known: ortho, tf_signal"),
    ),
)
def test_settings_out_of_bounds(settings, message):
    with pytest.raises(InputError, match=message):
        mfcc(np.zeros((1, 5000), np.float32), SAMPLE_RATE, **settings)


def test_one_clip_is_a_batch_of_one():
    with pytest.raises(
        InputError, match=r"^signals: wanted .* \(clips, samples\); .*got \(5000,\)"
    ):
        cepstral.mfcc(np.zeros(5000, np.float32), SAMPLE_RATE)


@pytest.mark.corpus
@pytest.mark.skipif(not LIGHT_SERNET.exists(), reason="../shared/golden/lightsernet not found")
@pytest.mark.parametrize("precision", ("float64", "float32"))
@pytest.mark.parametrize("name", ("anger", "boredom", "sadness"))
def test_features_of_light_sernet(name, precision):
    golden = np.load(LIGHT_SERNET)
    features = mfcc(
        golden[f"{name}_dataset.wave_after_pcm16"][None],
        16000,
        n_mfcc=40,
        n_fft=1024,
        hop=256,
        centre=False,
        power=1.0,
        fmin=80.0,
        fmax=7600.0,
        mel_scale="tf_signal",
        mel_norm=None,
        log="ln",
        dct_norm="tf_signal",
        clip=10.0,
        precision=precision,
    )
    published = golden[f"{name}_dataset.mfcc_tf_signal"]
    np.testing.assert_allclose(features[0], published, rtol=0, atol=1e-3)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.exists(), reason="../shared/corpora/ravdess not found")
@pytest.mark.parametrize(
    ("method", "published", "tolerance"),
    (("soxr_hq", "soxr_hq", 1e-3), ("kaiser_best", "kaiser_best_022", 2e-3)),
)
def test_features_of_tim_net(method, published, tolerance):
    golden = np.load(GOLDEN)
    signals = []
    for clip in golden["clip"]:
        signal, sample_rate = audio.read(next(CORPUS.rglob(f"{clip}.*")))
        signal = resampling.resample(audio.mono(signal), sample_rate, SAMPLE_RATE, method=method)
        (signal,) = framing.cut(signal, 110_000, where="centre")
        signals.append(framing.fix_length(signal, 110_000))
    features = mfcc(np.stack(signals), SAMPLE_RATE)
    np.testing.assert_allclose(features, golden[published], rtol=0, atol=tolerance)
