"""Near-duplicates: the same take at another rate or level, cut, or through a lossy codec.

A clip's fingerprint [1]_ has 32 bits every 8 ms: the signs of how the slope between neighbouring
bands of its spectrum changes over 32 ms. Spectra of 256 ms are taken every 32 ms; the bands' energy
changes so little in between that it is interpolated. Clips with a word in common are candidates;
they stay if few bits differ where the two overlap as that word lays them; what decides is the
correlation of their waveforms. Two takes of one sentence by one speaker of RAVDESS have 0.6 at
most, copies of one take 0.96 and more (``reports/benchmarks/audit.md``); ``SAME`` lies far from
both.

Fingerprints of music are no help here: chromaprint's frames are 0.37 s long, it says nothing of
clips below 3 s, and it discards all but the twelve notes of the scale.

References
----------
.. [1] J. Haitsma and T. Kalker, "A highly robust audio fingerprinting system", ISMIR 2002
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import scipy.fft
import soxr
from numpy.lib.stride_tricks import sliding_window_view

from pipeline import progress

RATE = 8000  # hertz, at which waveforms are correlated
BAND = (300, 3400)  # hertz, what a telephone passes: no hum, and nothing lost in a copy of 8 kHz
PRINT_RATE = 4000  # hertz, at which the words are made
PRINT_BAND = (300, 1800)  # hertz
COARSE = 12000  # hertz at least of the sums that are resampled: little aliases into the band
WINDOW = 1024  # samples: harmonics are resolved, which differ between takes
TAPER = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
EDGES = np.round(np.geomspace(*PRINT_BAND, 34) * WINDOW / PRINT_RATE).astype(int)  # bins
HOP = 128  # samples
LAG = 4  # words in a hop: cuts fall between words, so these stand close
STEPS = np.arange(LAG, dtype=np.float32)[:, None] / LAG
FLOOR = 1e-4  # frames of 40 dB below the loudest hold noise: they are not looked up
FRACTION = 0.5  # of the clip that has less of it, which the overlap of two clips holds at least
DIFFERENT_BITS = 0.35  # MP3s of 34 kbit/s: 0.17 at most of 30; two clips: 0.41 at least of 300
SAME = 0.8  # correlation
FOLLOWING = 8  # clips looked at after each with the same word: bounds the work on common words
PART = 2**22  # words sorted at once
BLOCK = 32  # frames transformed at once: larger ones cost more in fresh memory than in work
OVERSAMPLING = 2  # of lags: half a sample is much at 3 kHz


@dataclass(frozen=True)
class Fingerprint:
    """Words of one clip.

    Attributes
    ----------
    words : ndarray, shape (frames,), uint32
    loud : ndarray, shape (frames,), bool
        Frames in which the clip sounds.
    """

    words: np.ndarray
    loud: np.ndarray


def low_rate(signal: np.ndarray, sample_rate: int) -> np.ndarray:
    """Mono signal, shape (samples,), at 8 kHz, float32: what is correlated."""
    return soxr.resample(signal, sample_rate, RATE).astype(np.float32, copy=False)


def fingerprint(signal: np.ndarray, sample_rate: int) -> Fingerprint:
    """Fingerprint a clip.

    Parameters
    ----------
    signal : ndarray, shape (samples,), float32
        Mono.
    sample_rate : int
        In hertz.

    Returns
    -------
    Fingerprint
        A word every 8 ms, up to the last 0.28 s; none if the clip is shorter than 0.288 s.
    """
    energy = _energies(_coarse(signal, sample_rate))  # (hops + 1, 33)
    between = energy[:-1, None] + STEPS * (energy[1:, None] - energy[:-1, None])
    energy = np.concatenate([between.reshape(-1, energy.shape[1]), energy[-1:]])  # (frames, 33)
    levels = np.log(energy + np.float32(1e-20))
    slope = levels[:, :-1] - levels[:, 1:]  # (frames, 32)
    bits = slope[LAG:] > slope[:-LAG]  # (frames - LAG, 32)
    words = np.packbits(bits, axis=1).view(">u4")[:, 0].astype(np.uint32)
    total = energy.sum(axis=1)
    loud = np.minimum(total[LAG:], total[:-LAG]) > FLOOR * total.max(initial=0)
    return Fingerprint(words, loud)


def _coarse(signal: np.ndarray, sample_rate: int) -> np.ndarray:
    """Bring a signal, shape (samples,), to 4 kHz, float32: sums of a few samples, resampled."""
    few = max(1, sample_rate // COARSE)
    whole = len(signal) // few * few
    sums = sum((signal[i:whole:few] for i in range(1, few)), signal[:whole:few])
    return soxr.resample(sums, sample_rate / few, PRINT_RATE).astype(np.float32, copy=False)


def _energies(coarse: np.ndarray) -> np.ndarray:
    """Energy of the bands (hops + 1, 33), float32, of a signal at 4 kHz; none of one too short."""
    if len(coarse) < WINDOW + HOP:
        return np.zeros((0, 33), np.float32)
    frames = sliding_window_view(coarse, WINDOW)[::HOP]
    energy = np.empty((len(frames), 33), np.float32)
    for block in range(0, len(frames), BLOCK):
        spectra = scipy.fft.rfft(frames[block : block + BLOCK] * TAPER)
        parts = spectra.view(np.float32)[:, : 2 * EDGES[-1]]  # real, imaginary, real, ...
        energy[block : block + BLOCK] = np.add.reduceat(parts * parts, 2 * EDGES[:-1], axis=1)
    return energy


def near_duplicates(
    prints: Sequence[Fingerprint], low: Callable[[int], np.ndarray]
) -> list[tuple[int, int, float]]:
    """Find pairs of clips that hold the same take.

    Parameters
    ----------
    prints : sequence of Fingerprint
        Fingerprints of all clips.
    low : callable
        ``low(i)`` gives clip ``i`` again, shape (samples,), at 8 kHz; called from several threads,
        for clips of which another one has the fingerprint.

    Returns
    -------
    list of (int, int, float)
        Clips ``i < j`` and their correlation, in order. Of many copies of one take not every pair
        is listed, but pairs join them all.
    """
    close = [pair for pair in _candidates(prints) if _overlap_agrees(prints, *pair)]
    pairs = sorted({(i, j) for i, j, _ in close})

    def compare(pair: tuple[int, int]) -> float:
        return correlation(*map(low, pair))

    with ThreadPoolExecutor() as pool:
        found = pool.map(compare, pairs)
        found = list(progress.counted(found, len(pairs), "compare", "pairs"))
    return [(*pair, value) for pair, value in zip(pairs, found, strict=True) if value >= SAME]


def _candidates(prints: Sequence[Fingerprint]) -> Iterator[tuple[int, int, int]]:
    """Give clips with a word in common, and how many frames later the second one has it."""
    loud = [np.flatnonzero(one.loud).astype(np.int32) for one in prints]
    counts = [len(frames) for frames in loud]
    words = np.concatenate([one.words[one.loud] for one in prints] or [np.zeros(0, np.uint32)])
    clip = np.repeat(np.arange(len(prints), dtype=np.int32), counts)
    frame = np.concatenate([*loud, np.zeros(0, np.int32)])
    parts = 1 + len(words) // PART
    found = []
    for part in range(parts):
        held = np.flatnonzero(words % parts == part)
        held = held[np.argsort(words[held], kind="stable")]  # by word, then clip
        for step in range(1, FOLLOWING + 1):
            first, second = held[:-step], held[step:]
            same = (words[first] == words[second]) & (clip[first] != clip[second])
            first, second = first[same], second[same]
            later = frame[second] - frame[first]
            found.append(np.stack([clip[first], clip[second], later], axis=1))
    for i, j, later in np.unique(np.concatenate(found), axis=0):
        yield int(i), int(j), int(later)


def _overlap_agrees(prints: Sequence[Fingerprint], i: int, j: int, later: int) -> bool:
    """Whether few bits of two clips differ where they overlap, ``j`` being ``later`` frames on."""
    one, two = prints[i], prints[j]
    start, stop = max(0, -later), min(len(one.words), len(two.words) - later)
    here, there = slice(start, stop), slice(start + later, stop + later)
    both = one.loud[here] & two.loud[there]
    if both.sum() < FRACTION * min(one.loud.sum(), two.loud.sum()):
        return False
    different = np.bitwise_count(one.words[here] ^ two.words[there])[both]
    return different.mean() <= 32 * DIFFERENT_BITS


def correlation(one: np.ndarray, two: np.ndarray) -> float:
    """Correlate two waveforms where they fit best, at any level and polarity.

    Parameters
    ----------
    one, two : ndarray, shape (samples,), float32
        Signals at 8 kHz. The lengths may differ.

    Returns
    -------
    float
        Largest magnitude of the correlation coefficient over all lags at which the overlap holds
        half the energy of one of them, between 300 and 3400 Hz. Rounded to three digits.
    """
    size = scipy.fft.next_fast_len(len(one) + len(two), real=True)
    spectra = [_band(signal, size) for signal in (one, two)]
    cross = scipy.fft.irfft(spectra[0] * spectra[1].conj(), OVERSAMPLING * size) * OVERSAMPLING
    energies = [
        np.append(0.0, np.cumsum(np.square(scipy.fft.irfft(spectrum, size)[: len(signal)])))
        for spectrum, signal in zip(spectra, (one, two), strict=True)
    ]
    fine = np.arange(-OVERSAMPLING * (len(two) - 1), OVERSAMPLING * (len(one) - 1) + 1)
    lag = fine // OVERSAMPLING  # two[t] lies over one[t + lag]
    start, stop = np.maximum(lag, 0), np.minimum(lag + len(two), len(one))
    inside = [
        energies[0][stop] - energies[0][start],
        energies[1][stop - lag] - energies[1][start - lag],
    ]
    enough = np.zeros(len(lag), bool)
    for energy, part in zip(energies, inside, strict=True):
        enough |= part >= FRACTION * energy[-1]
    power = inside[0][enough] * inside[1][enough]
    sounding = power > 0
    values = np.abs(cross[fine[enough]][sounding]) / np.sqrt(power[sounding])
    return round(min(1.0, float(values.max(initial=0.0))), 3)


def _band(signal: np.ndarray, size: int) -> np.ndarray:
    """Spectrum of a signal, padded to ``size``, nothing but the band in it, complex128."""
    spectrum = scipy.fft.rfft(signal.astype(np.float64), size)
    frequency = np.arange(len(spectrum)) * (RATE / size)
    spectrum[(frequency < BAND[0]) | (frequency > BAND[1])] = 0
    return spectrum
