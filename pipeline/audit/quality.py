"""Facts of one signal that make it suspicious, and what clip length alone gives away.

``quality.json``, written by the stage index, holds

``clips``, ``seconds``, ``speakers``, ``emotion``, ``sample_rate``, ``channels``
    Of the clips that can be used: how many (of each).
``counts``
    What params.yaml may limit, by the names in ``LIMITS``: how many files are quarantined and
    suspicious, or clips of one length; clips beyond the first of a group of duplicates; recordings
    under two emotions; names that are missing and extra; for ``confound`` the ``length_accuracy``.
``quarantined``, ``skipped``
    Every file that cannot be used with the reason; how many files are not part of the corpus.
``clipped``, ``loud``, ``quiet``, ``offset``, ``padded``, ``silence``, ``dead``, ``cancelled``,
``unchecked``, ``misnamed``
    The first 20 files of each suspicion with the fact that rouses it (``SUSPICIONS``).
``leading_silence``, ``trailing_silence``
    Median, in seconds.
``one_length``
    Seconds, where all clips (two or more) have one length: cut or padded, as altered copies of
    EMO-DB are. Otherwise null.
``duplicates``, ``near_duplicates``, ``compared``
    Groups of clips with equal samples; groups of the same take in other samples, with the lowest
    correlation that joined them; how many different recordings were long enough to be compared.
``contradictions``
    Recordings, equal or near-duplicate, whose clips have different emotions: ``clips, emotions``.
``length_accuracy``, ``length_chance``
    How often the emotion is guessed from the length alone, and from nothing; null without emotions.
``parser``, ``parser_settings``
    File of pipeline/corpora that read it, and its settings.
``sources``
    ``name, citation, licence, address`` of the corpus, or of each that is joined.
``partial``
    What a copy lacks or has too many of: how many clips were ``expected`` and ``found``, how many
    are ``missing`` and ``extra`` with the first 20 names (none where names follow no rule), and
    which counts are ``wrong``. Null if the copy is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.audit.conditions import powers
from pipeline.lazy import np

SHORTEST = 0.1  # seconds; below one analysis window of every feature here
NOTHING = 2**-14  # span of a signal: two steps of 16 bit, all that dither or A-law silence moves
ABSURD = 2.0**31  # of a float file; numbers of 32 bit, written as they are, go so far
FULL_SCALE = 0.999  # and beyond: lossy codecs overshoot 1
CLIPPED_RUN = 3  # samples at full scale in a row; a lone one may be an honest peak
QUIET = 0.01  # peak below -40 dB: eight bits or fewer of 16
OFFSET = 0.1  # mean, as a fraction of the RMS: -20 dB; a microphone's is a few hundredths at most
PADDED = 0.1  # seconds of exact zeros; no microphone gives them
SILENCE = 2 / 3  # of the clip, at its ends
CANCELLED = 0.1  # RMS of the mix, as a fraction of the channels': -20 dB; 0.7 of unlike channels
FLOOR = 1e-4  # -40 dB below the loudest frame is silence
FRAME = 0.01  # seconds
SUSPICIONS = {
    "clipped": "samples in runs at full scale",
    "loud": "peak of a float file above full scale",
    "quiet": "peak, full scale 1",
    "offset": "mean, as a fraction of the RMS",
    "padded": "seconds of exact zeros at one end",
    "silence": "fraction of the clip that is silence at its ends",
    "dead": "channels without sound among others with it",
    "cancelled": "RMS of the channels' mean, as a fraction of theirs",
    "unchecked": "why a cut would not be noticed",
    "misnamed": "container that the file's suffix does not say",
}
LIMITS = (
    "quarantined",
    *SUSPICIONS,
    "one_length",
    "duplicates",
    "near_duplicates",
    "contradictions",
    "confound",
    "missing",
    "extra",
)
LENGTH_BIN = 0.1  # seconds
FOLDS = 10


@dataclass(frozen=True)
class Facts:
    """What is measured of one signal, its channels taken together.

    Attributes
    ----------
    peak : float
        Full scale 1.0.
    clipped : int
        Samples in runs of three or more at full scale.
    offset : float
        Largest mean of a channel as a fraction of the RMS.
    zeros : float
        Seconds of exact zeros at the end that has more.
    leading, trailing : float
        Seconds of silence: frames of 10 ms, 40 dB or more below the loudest.
    silence : float
        Fraction of the clip that is leading and trailing silence.
    loud : float
        Peak where it lies above full scale and was not clipped, else 0.
    dead : int
        Channels that are silent or constant.
    mixed : float
        RMS of the channels' mean as a fraction of the channels' RMS.
    """

    peak: float
    clipped: int
    offset: float
    zeros: float
    leading: float
    trailing: float
    silence: float
    loud: float = 0.0
    dead: int = 0
    mixed: float = 1.0


def unusable(signal: np.ndarray, sample_rate: int) -> str:
    """Say why a recording says nothing about anyone, or give ``""``.

    Parameters
    ----------
    signal : ndarray, shape (samples, channels), float32
    sample_rate : int
        Rate in hertz.
    """
    seconds = len(signal) / sample_rate
    if seconds < SHORTEST:
        return f"too short: {seconds:.4f} s; wanted {SHORTEST} s or more"
    return empty(signal)


def empty(signal: np.ndarray) -> str:
    """Say why a signal, or a window of one, holds no sound, or give ``""``.

    Parameters
    ----------
    signal : ndarray, shape (samples, channels), float32
        One sample at least.

    Examples
    --------
    >>> empty(np.zeros((800, 1), np.float32))
    'silent: every sample is 0'
    >>> empty(np.array([[0.5, -0.5], [-0.25, 0.25]], np.float32))
    'the channels cancel: their mean is silent'
    """
    low, high = float(signal.min()), float(signal.max())
    if not np.isfinite(low + high):
        return "holds values that are not numbers"
    if max(-low, high) > ABSURD:
        return f"holds a value of {max(-low, high, key=abs):.3g}; full scale is 1"
    if low == high == 0:
        return "silent: every sample is 0"
    if signal.shape[1] > 1:
        spans = np.array([np.ptp(channel) for channel in signal.T])  # along axis 0 it is slow
        mean = signal.mean(axis=1, dtype=np.float64)
        low, high = float(mean.min()), float(mean.max())
        if high - low <= max(NOTHING, 1e-3 * spans.max()) and spans.max() > NOTHING:
            return "the channels cancel: their mean is silent"
    if high - low <= NOTHING:
        if max(-low, high) <= NOTHING:
            return f"silent: no sample is beyond {max(-low, high):.6f} of full scale"
        return f"constant: every sample is {(low + high) / 2:.4f}; no sound"
    return ""


def facts(signal: np.ndarray, sample_rate: int, *, unbounded: bool = False) -> Facts:
    """Measure a signal.

    Parameters
    ----------
    signal : ndarray, shape (samples, channels), float32
        One frame of 10 ms at least, finite, not all zeros.
    sample_rate : int
        Rate in hertz.
    unbounded : bool
        Whether samples may lie beyond full scale without having been clipped, as in a float file;
        then those are clipped that stay at the peak.

    Examples
    --------
    >>> found = facts(np.r_[np.zeros(800), np.ones(800)][:, None].astype(np.float32), 8000)
    >>> found.peak, found.clipped, found.offset, found.zeros, found.leading, found.silence
    (1.0, 800, 0.707, 0.1, 0.1, 0.5)
    """
    channels = np.ascontiguousarray(signal.T)  # (channels, samples)
    samples = signal.ravel()  # of all channels, one after another at each time
    peak = float(max(-samples.min(), samples.max()))
    sounding = samples != 0
    zeros = max(sounding.argmax(), sounding[::-1].argmax()) // len(channels)
    length = round(sample_rate * FRAME) * len(channels)
    frames = powers(samples, length)
    loud = np.flatnonzero(frames > FLOOR * frames.max())
    ends = int(loud[0]), int(len(frames) - 1 - loud[-1])
    rest = samples[len(frames) * length :].astype(np.float64)
    power = (length * frames.sum() + rest @ rest) / len(samples)
    mean = np.abs(channels.mean(axis=1, dtype=np.float64)).max()
    beyond = unbounded and peak > 1
    several = len(channels) > 1
    mix = np.square(channels.mean(axis=0, dtype=np.float64)).mean() if several else 0.0
    return Facts(
        peak=round(peak, 5),
        clipped=_clipped(channels, peak if beyond else FULL_SCALE) if peak >= FULL_SCALE else 0,
        offset=round(float(mean / np.sqrt(power)), 3),
        zeros=round(float(zeros / sample_rate), 3),
        leading=round(ends[0] * FRAME, 2),
        trailing=round(ends[1] * FRAME, 2),
        silence=round(sum(ends) / len(frames), 3),
        loud=round(peak, 5) if beyond else 0.0,
        dead=int((np.ptp(channels, axis=1) <= NOTHING).sum()) if several else 0,
        mixed=round(float(np.sqrt(mix / power)), 5) if several else 1.0,
    )


def _clipped(channels: np.ndarray, level: float) -> int:
    """Samples of all channels, shape (channels, samples), that lie in runs at a level or beyond."""
    full = np.pad(np.abs(channels) >= level, ((0, 0), (1, 1)))  # (channels, samples + 2)
    edges = np.flatnonzero(np.diff(full.ravel().astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= CLIPPED_RUN].sum())


def suspicions(facts: Facts, misnamed: str, unchecked: str = "") -> dict[str, float | str]:
    """What is suspicious about a clip: the names are of ``SUSPICIONS``, the values say how much.

    Parameters
    ----------
    facts : Facts
        Facts of its signal.
    misnamed : str
        The container where it is not the one of the suffix, else empty.
    unchecked : str
        Why a cut would not be noticed, else empty.
    """
    found = {
        "clipped": (facts.clipped > 0, facts.clipped),
        "loud": (facts.loud > 0, facts.loud),
        "quiet": (facts.peak < QUIET, facts.peak),
        "offset": (facts.offset > OFFSET, facts.offset),
        "padded": (facts.zeros >= PADDED, facts.zeros),
        "silence": (facts.silence > SILENCE, facts.silence),
        "dead": (facts.dead > 0, facts.dead),
        "cancelled": (facts.mixed < CANCELLED, facts.mixed),
        "unchecked": (unchecked != "", unchecked),
        "misnamed": (misnamed != "", misnamed),
    }
    return {name: fact for name, (wrong, fact) in found.items() if wrong}


def length_confound(seconds: np.ndarray, emotions: Sequence[str]) -> tuple[float, float]:
    """Accuracy of guessing a clip's emotion by its length, and by nothing.

    The emotion is guessed to be the commonest one among the clips of equal length, in bins of
    0.1 s, of nine tenths of the corpus; the guesses are of the other tenth. Each emotion is spread
    evenly over the tenths.

    Parameters
    ----------
    seconds : ndarray, shape (clips,)
    emotions : sequence of str, length clips
        Emotion of each clip; one clip or more.

    Returns
    -------
    accuracy : float
        Fraction of the clips whose emotion is guessed.
    chance : float
        Fraction of clips of the commonest emotion.
    """
    names, emotion, counts = np.unique(emotions, return_inverse=True, return_counts=True)
    bins = np.floor(np.asarray(seconds) / LENGTH_BIN + 1e-6).astype(int)
    bins -= bins.min()
    fold = np.empty(len(bins), int)
    for kind in range(len(names)):
        same = emotion == kind
        fold[same] = np.arange(same.sum()) % FOLDS
    table = np.zeros((FOLDS, bins.max() + 1, len(names)))
    np.add.at(table, (fold, bins, emotion), 1)
    known = table.sum(axis=0) - table  # (folds, bins, emotions): without the fold's own
    guesses = (known + counts / (counts.sum() + 1)).argmax(axis=2)  # ties: the commoner emotion
    accuracy = float((guesses[fold, bins] == emotion).mean())
    return round(accuracy, 4), round(float(counts.max() / len(bins)), 4)
