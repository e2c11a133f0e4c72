"""Spectra: librosa and tf.signal as oracles, known answers, published front ends last."""

from pathlib import Path

import librosa
import numpy as np
import pytest

from pipeline.features import deltas, framing, levels, resampling, spectral
from pipeline.features.mel import Mel, mel_bands
from pipeline.settings import read

SAMPLE_RATE = 16000
GOLDEN = Path(__file__).resolve().parents[3] / "shared" / "golden"
DEEP_EMO_CLUSTER = GOLDEN / "deepemocluster" / "frontend.npz"
DCNN_BLSTM = GOLDEN / "dcnn_blstm" / "frontend.npz"
TF_SIGNAL = {
    **{"centre": False, "periodic": False, "power": 1.0},
    **{"mel_scale": "tf_signal", "mel_norm": None},
}


def clips(samples=6000):
    """Noise, a click, silence, a tone."""
    signals = np.zeros((4, samples), np.float32)
    signals[0] = np.random.default_rng(0).normal(scale=0.3, size=samples)
    signals[1, samples // 2] = 1.0
    signals[3] = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(samples) / SAMPLE_RATE)
    return signals


def spectrogram(signals, sample_rate, **settings):
    """Compute the feature with settings as params.yaml has them."""
    settings = read(spectral.Spectrogram, settings, "spectrogram")
    return spectral.spectrogram(signals, sample_rate, settings)


def mel(signals, sample_rate, **settings):
    """Compute the feature with settings as params.yaml has them."""
    return spectral.mel(signals, sample_rate, read(spectral.MelSpectrogram, settings, "mel"))


def log_mel(signals, sample_rate, **settings):
    """Compute the feature with settings as params.yaml has them."""
    return spectral.log_mel(signals, sample_rate, read(spectral.LogMel, settings, "log_mel"))


# ---- librosa ---------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large")
@pytest.mark.parametrize("samples", (400, 512, 6000))
@pytest.mark.parametrize("power", (1.0, 2.0))
@pytest.mark.parametrize(
    ("settings", "in_librosa"),
    (
        ({}, {"pad_mode": "constant"}),
        ({"pad_mode": "reflect"}, {"pad_mode": "reflect"}),
        ({"win_length": 400}, {"win_length": 400}),
        ({"win_length": 333, "window": "hamming"}, {"win_length": 333, "window": "hamming"}),
        ({"n_fft": 511, "win_length": 200}, {"n_fft": 511, "win_length": 200}),
    ),
)
def test_spectrogram_is_librosas(settings, in_librosa, power, samples):
    in_librosa = {"n_fft": 512, "hop_length": 128, **in_librosa}
    ours = spectrogram(
        clips(samples), SAMPLE_RATE, **{"n_fft": 512, "hop": 128, "power": power, **settings}
    )
    assert ours.dtype == np.float32
    for clip, features in zip(clips(samples), ours, strict=True):
        expected = np.abs(librosa.stft(clip.astype(np.float64), **in_librosa)).T ** power
        np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("settings", "in_librosa"),
    (
        ({}, {}),
        ({"centre": False}, {"center": False}),
        ({"win_length": 400, "fmin": 50.0}, {"win_length": 400, "fmin": 50.0}),
        ({"mel_scale": "htk", "mel_norm": None}, {"htk": True, "norm": None}),
        ({"n_mels": 20, "power": 1.0}, {"n_mels": 20, "power": 1.0}),
    ),
)
def test_mel_and_its_decibels_are_librosas(settings, in_librosa):
    settings = {"n_fft": 512, "hop": 128, "n_mels": 40, **settings}
    in_librosa = {"n_fft": 512, "hop_length": 128, "n_mels": 40, **in_librosa}
    linear = mel(clips(), SAMPLE_RATE, **settings)
    decibels = log_mel(clips(), SAMPLE_RATE, **settings)
    quiet = log_mel(clips(), SAMPLE_RATE, amin=1e-3, top_db=None, **settings)
    for i, clip in enumerate(clips().astype(np.float64)):
        expected = librosa.feature.melspectrogram(
            y=clip, sr=SAMPLE_RATE, dtype=np.float64, **in_librosa
        )
        np.testing.assert_allclose(linear[i], expected.T, rtol=1e-5, atol=1e-9)
        np.testing.assert_allclose(decibels[i], librosa.power_to_db(expected).T, atol=1e-4)
        expected = librosa.power_to_db(expected, amin=1e-3, top_db=None)
        np.testing.assert_allclose(quiet[i], expected.T, atol=1e-4)


# ---- tf.signal -------------------------------------------------------------------------------


@pytest.mark.parametrize("length", (400, 401))
def test_log_mel_is_tf_signals(length):
    tf = pytest.importorskip("tensorflow")
    window = tf.signal.hamming_window
    spectra = tf.signal.stft(clips(), length, 160, 512, window_fn=window)
    bands = tf.signal.linear_to_mel_weight_matrix(40, 257, SAMPLE_RATE, 20.0, 8000.0)
    expected = np.log(tf.abs(spectra).numpy() @ bands.numpy() + 1e-6)
    settings = {"n_fft": 512, "win_length": length, "hop": 160, "window": "hamming"}
    settings |= TF_SIGNAL | {"periodic": length % 2 == 0}
    ours = log_mel(clips(), SAMPLE_RATE, n_mels=40, fmin=20.0, fmax=8000.0, log="ln", **settings)
    np.testing.assert_allclose(ours, expected, atol=1e-3)
    magnitude = spectrogram(
        clips(), SAMPLE_RATE, **{key: settings[key] for key in settings if "mel" not in key}
    )
    np.testing.assert_allclose(magnitude, np.abs(spectra), rtol=1e-4, atol=1e-4)


# ---- known answers ---------------------------------------------------------------------------


def test_a_sine_is_one_peak_of_known_height():
    # Amplitude A on bin k under a Hann window: |X[k]| = A * n_fft / 4, half of it on either side.
    signal = 0.5 * np.cos(2 * np.pi * 32 * np.arange(4096) / 512)
    magnitude = spectrogram(
        signal[None].astype(np.float32), SAMPLE_RATE, n_fft=512, hop=128, centre=False, power=1.0
    )
    expected = np.zeros(257)
    expected[31:34] = 0.5 * 512 * np.array([1 / 8, 1 / 4, 1 / 8])
    np.testing.assert_allclose(magnitude[0], np.tile(expected, (29, 1)), atol=1e-4)


def test_silence_is_the_floor():
    silence = np.zeros((1, 5000), np.float32)
    assert (spectrogram(silence, SAMPLE_RATE) == 0).all()
    assert (mel(silence, SAMPLE_RATE) == 0).all()
    assert (log_mel(silence, SAMPLE_RATE) == -100).all()
    natural = log_mel(silence, SAMPLE_RATE, log="ln", log_offset=1e-3)
    np.testing.assert_allclose(natural, np.log(1e-3), atol=1e-5)


def test_ten_times_quieter_is_20_decibels_less():
    loud = clips()[:1]
    difference = log_mel(loud, SAMPLE_RATE) - log_mel(loud / 10, SAMPLE_RATE)
    np.testing.assert_allclose(difference, 20, atol=1e-3)


def test_clip_cuts_the_values():
    free = log_mel(clips(), SAMPLE_RATE)
    assert np.abs(free).max() > 50
    cut = log_mel(clips(), SAMPLE_RATE, clip=50.0)
    np.testing.assert_array_equal(cut, np.clip(free, -50, 50))


# ---- published front ends --------------------------------------------------------------------


@pytest.mark.corpus
@pytest.mark.skipif(not DEEP_EMO_CLUSTER.exists(), reason="../shared/golden not found")
@pytest.mark.parametrize(("precision", "tolerance"), (("float64", 1e-5), ("float32", 1e-4)))
def test_front_end_of_deep_emo_clusters(precision, tolerance):
    golden = np.load(DEEP_EMO_CLUSTER)
    signal = levels.normalise(golden["wav"], by="peak")
    settings = {"n_fft": 512, "hop": 256, "pad_mode": "reflect", "fmax": 8000.0}
    (bands,) = mel(signal[None], SAMPLE_RATE, precision=precision, **settings)
    np.testing.assert_allclose(bands, golden["mel"], rtol=tolerance)
    mean, std = golden["normmean_temporal"][0], golden["normstd_temporal"][0]
    scores = ((bands - mean) / std).clip(-3, 3)
    chunks = [scores[start : start + 62] for start in framing.chunk_starts(len(scores))]
    np.testing.assert_allclose(chunks, golden["chunks_temporal"], rtol=0, atol=1e-5)


@pytest.mark.corpus
@pytest.mark.skipif(not DCNN_BLSTM.exists(), reason="../shared/golden not found")
@pytest.mark.parametrize("precision", ("float64", "float32"))
@pytest.mark.parametrize(
    ("clip", "rate"), (("a", 22050), ("b", 22050), ("c", 22050), ("d48k", 48000))
)
def test_front_end_of_dcnn_blstm(clip, rate, precision):
    golden = np.load(DCNN_BLSTM)
    (signal,) = framing.cut(golden[f"{clip}/wav_in"], 3 * rate, where="start")
    signal = resampling.resample(signal, rate, 22050, method="soxr_hq")
    signal = levels.pre_emphasise(signal, coefficient=0.97)
    np.testing.assert_allclose(signal, golden[f"{clip}/preemph"], rtol=0, atol=1e-6)
    values = log_mel(
        signal[None],
        22050,
        n_fft=1024,
        hop=220,
        win_length=551,
        window="hamming",
        n_mels=64,
        fmin=20.0,
        fmax=8000.0,
        log="ln",
        precision=precision,
        **TF_SIGNAL,
    )
    (segments,) = framing.segments(deltas.stack(values, kind="difference"), 64, hop=32)
    np.testing.assert_allclose(segments, golden[f"{clip}/segments"], rtol=0, atol=1e-4)


@pytest.mark.corpus
@pytest.mark.skipif(not DCNN_BLSTM.exists(), reason="../shared/golden not found")
def test_bands_of_dcnn_blstm():
    settings = Mel(64, 20.0, 8000.0, "tf_signal", None)
    bands = mel_bands(settings, 22050, 1024, "float64").toarray().T
    np.testing.assert_allclose(bands, np.load(DCNN_BLSTM)["mel_matrix"], rtol=0, atol=1e-4)
