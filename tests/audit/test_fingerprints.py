"""Copies of a take are found however they were made over; two takes are not one."""

import io
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
import soxr

from pipeline.audit import fingerprints
from pipeline.audit.fingerprints import correlation, fingerprint, low_rate, near_duplicates
from pipeline.files import audio

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "ravdess"
RATE = 16000
ACTORS = 6


def voice(seed, *, take=0, seconds=1.5):
    """Make up a take of one sentence, shape (samples,): pulses through two moving resonances.

    The speaker's pitch is the seed's; takes differ in melody and speed by a few percent.
    """
    rng = np.random.default_rng([seed, take])
    length = round(seconds * RATE)
    time = np.arange(length) / RATE * rng.uniform(0.96, 1.04)
    pitch = (100 + 15 * seed) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(1, 2) * time))
    phase = np.cumsum(pitch) / RATE
    pulses = np.diff(np.floor(phase), prepend=0)
    sound = np.zeros(length)
    for low, high, speed in ((400, 700, 2.0), (1200, 2200, 3.0)):
        frequency = low + (high - low) * (0.5 + 0.5 * np.sin(2 * np.pi * speed * time))
        carrier = np.exp(2j * np.pi * np.cumsum(frequency) / RATE)
        around = scipy.signal.lfilter([1], [1, -0.97], pulses * carrier.conj())
        sound += np.real(around * carrier)
    sound *= np.square(np.sin(2 * np.pi * 2 * time)) + 0.05
    sound += 1e-3 * rng.standard_normal(length)
    return (0.5 * sound / np.abs(sound).max()).astype(np.float32)


def coded(signal, container, **settings):
    """Encode and decode."""
    file = io.BytesIO()
    soundfile.write(file, signal, RATE, format=container, **settings)
    file.seek(0)
    return soundfile.read(file, dtype="float32")


COPIES = {
    "the same": lambda signal: (signal, RATE),
    "quieter, upside down": lambda signal: (-0.1 * signal, RATE),
    "another rate and level": lambda s: (0.2 * soxr.resample(s, RATE, 22050), 22050),
    "telephone": lambda s: (soxr.resample(s, RATE, 8000)[37:], 8000),
    "offset": lambda signal: (signal + 0.1, RATE),
    "cut": lambda signal: (signal[4001:20003], RATE),
    "padded": lambda s: (np.pad(s, (3333, 7777)), RATE),
    "mp3": lambda signal: coded(signal, "MP3"),
    "ogg": lambda signal: coded(signal, "OGG"),
}


def printed(low):
    """Fingerprint a signal at 8 kHz."""
    return fingerprint(low, fingerprints.RATE)


def found(signals):
    """Look for near-duplicates in signals at 8 kHz."""
    return near_duplicates([*map(printed, signals)], signals.__getitem__)


@pytest.fixture(scope="module")
def takes():
    """Give two takes of each of six voices at 8 kHz."""
    return [low_rate(voice(seed, take=take), RATE) for seed in range(ACTORS) for take in (0, 1)]


def test_takes_of_one_sentence_are_not_one_take(takes):
    assert found(takes) == []


@pytest.mark.parametrize("copy", COPIES.values(), ids=COPIES)
def test_a_copy_made_over_is_found_among_others(takes, copy):
    signal, rate = copy(voice(3))
    ((i, j, value),) = found([*takes, low_rate(signal.astype(np.float32), rate)])
    assert (i, j) == (6, 12)
    assert value > 0.95


def test_many_copies_are_joined(takes):
    copies = [takes[0] * level for level in np.linspace(0.1, 1, 12, dtype=np.float32)]
    pairs = found([takes[1], *copies])
    joined = {1}
    for i, j, _ in pairs:
        joined |= {j} if i in joined else set()
    assert joined == set(range(1, 13))


def test_candidates_found_in_parts_are_the_same(takes, monkeypatch):
    signals = [*takes, takes[3][500:], takes[5] * np.float32(0.3)]
    whole = found(signals)
    assert [pair[:2] for pair in whole] == [(3, 12), (5, 13)]
    monkeypatch.setattr(fingerprints, "PART", 100)
    assert found(signals) == whole


def test_clips_are_read_again_only_where_another_resembles_them():
    signals = [*np.random.default_rng(0).standard_normal((8, 8000), np.float32)]
    signals += [0.5 * signals[3][700:]]
    read = []

    def low(i):
        read.append(i)
        return signals[i]

    near_duplicates([*map(printed, signals)], low)
    assert sorted(read) == [3, 8]


def test_nothing_to_compare():
    assert near_duplicates([], None) == []
    short = [np.ones(2302, np.float32)] * 2
    assert [len(printed(one).words) for one in short] == [0, 0]
    assert found(short) == []


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_a_fingerprint_has_a_word_every_8_ms(rate):
    length = round(rate * (0.256 + 4 * 0.032 + 0.03))
    one = fingerprint(np.random.default_rng(0).standard_normal(length).astype(np.float32), rate)
    assert one.words.shape == one.loud.shape == (13,)
    assert one.words.dtype == np.uint32


def test_silent_frames_are_not_looked_up():
    rng = np.random.default_rng(0)
    hiss = 1e-4 * rng.standard_normal(8000)
    speech = np.concatenate([hiss, 0.1 * rng.standard_normal(8000), hiss])
    loud = printed(speech.astype(np.float32)).loud
    assert loud.any()
    assert not loud[: (8000 - 2560) // 64].any()
    assert not loud[-(8000 - 2560) // 64 :].any()


def test_the_level_changes_no_bit():
    signal = low_rate(voice(0), RATE)
    assert np.array_equal(printed(signal).words, printed(signal * 0.25).words)


# ---- correlation -----------------------------------------------------------------------------


def test_correlation_of_known_signals():
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.standard_normal((2, 16000)))
    frequency = np.fft.rfftfreq(16000, 1 / 8000)
    spectrum[:, (frequency < 400) | (frequency > 3000)] = 0
    one, other = np.fft.irfft(spectrum).astype(np.float32)
    assert correlation(one, one) == 1.0
    assert correlation(one, -3 * one[5000:]) == pytest.approx(1.0, abs=0.005)
    # two parts of equal power, of which the signals share one
    assert correlation(one, one + other) == pytest.approx(np.sqrt(0.5), abs=0.01)
    assert correlation(one, other) < 0.1


def test_an_overlap_of_less_than_half_does_not_count():
    noise = np.random.default_rng(1).standard_normal(16000).astype(np.float32)
    assert correlation(noise[:9000], noise[3000:12000]) > 0.95
    assert correlation(noise[:9000], noise[6000:15000]) < 0.2


def test_hum_and_silence_are_no_resemblance():
    rng = np.random.default_rng(2)
    hum = np.sin(2 * np.pi * 50 * np.arange(16000) / 8000)
    one, two = (hum + 0.01 * rng.standard_normal((2, 16000))).astype(np.float32)
    assert correlation(one, two) < 0.1
    silence = np.zeros(8000, np.float32)
    assert correlation(silence, silence) == 0.0


# ---- a real corpus ---------------------------------------------------------------------------


@pytest.mark.corpus
def test_takes_and_copies_of_ravdess():
    """480 clips of actors 7 to 14, of which every fifth is there again as OGG at another level."""
    if not CORPUS.is_dir():
        pytest.skip("needs ../shared/corpora/ravdess")
    paths = [path for path in audio.below(CORPUS) if 7 <= int(path.stem[-2:]) <= 14]
    signals = []
    for path in paths:
        signal, rate = audio.read(path)
        signals.append(low_rate(audio.mono(signal), rate))
    copies = [0.3 * signal[1001:-500] for signal in signals[::5]]
    for copy in copies:
        file = io.BytesIO()
        soundfile.write(file, copy, 8000, format="OGG")
        file.seek(0)
        signals.append(soundfile.read(file, dtype="float32")[0])
    pairs = {pair[:2]: pair[2] for pair in found(signals)}
    names = [path.stem for path in paths]
    known = tuple(names.index(f"03-01-03-01-02-{take}-07") for take in ("01", "02"))
    wanted = {(5 * i, len(paths) + i) for i in range(len(copies))} | {known}
    # a copy of either clip of the known pair resembles the other one too
    assert {pair for pair in pairs if pair in wanted or not set(pair) & set(known)} == wanted
    assert min(pairs.values()) > 0.95
