"""Facts of one signal that make it suspicious, and what clip length alone gives away.

``quality.json``, written by the stage index, holds

``clips``, ``seconds``, ``speakers``, ``emotion``, ``sample_rate``, ``channels``
    Of the clips that can be used: how many (of each).
``counts``
    What params.yaml may limit, by the names in ``LIMITS``: how many files are quarantined and
    suspicious, or clips of one length; clips beyond the first of a group of duplicates; names that
    are missing and extra; and for ``confound`` the ``length_accuracy``.
``quarantined``, ``skipped``
    Every file that cannot be used with the reason; how many files are not part of the corpus.
``clipped``, ``quiet``, ``offset``, ``padded``, ``silence``, ``misnamed``
    The first 20 files of each suspicion with the fact that rouses it (``SUSPICIONS``).
``leading_silence``, ``trailing_silence``
    Median, in seconds.
``one_length``
    Seconds, where all clips (two or more) have one length: cut or padded, as altered copies of
    EMO-DB are. Otherwise null.
``duplicates``, ``near_duplicates``, ``compared``
    Groups of clips with equal samples; groups of the same take in other samples, with the lowest
    correlation that joined them; how many different recordings were long enough to be compared.
``length_accuracy``, ``length_chance``
    How often the emotion is guessed from the length alone, and from nothing; null without emotions.
``partial``
    What a copy lacks or has too many of: how many clips were ``expected`` and ``found``, how many
    are ``missing`` and ``extra`` with the first 20 names (none where names follow no rule), and
    which counts are ``wrong``. Null if the copy is whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FULL_SCALE = 0.999  # and beyond: lossy codecs overshoot 1
CLIPPED_RUN = 3  # samples at full scale in a row; a lone one may be an honest peak
QUIET = 0.01  # peak below -40 dB: eight bits or fewer of 16
OFFSET = 0.1  # mean, in shares of the RMS: -20 dB; a microphone's is a few hundredths at most
PADDED = 0.1  # seconds of exact zeros; no microphone gives them
SILENCE = 2 / 3  # of the clip, at its ends
FLOOR = 1e-4  # -40 dB below the loudest frame is silence
FRAME = 0.01  # seconds
SUSPICIONS = {
    "clipped": "samples in runs at full scale",
    "quiet": "peak, full scale 1",
    "offset": "mean, in shares of the RMS",
    "padded": "seconds of exact zeros at one end",
    "silence": "share of the clip that is silence at its ends",
    "misnamed": "container that the file's suffix does not say",
}
LIMITS = (
    "quarantined",
    *SUSPICIONS,
    "one_length",
    "duplicates",
    "near_duplicates",
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
        Largest mean of a channel as a share of the RMS.
    zeros : float
        Seconds of exact zeros at the end that has more.
    leading, trailing : float
        Seconds of silence: frames of 10 ms, 40 dB or more below the loudest.
    silence : float
        Share of the clip that is leading and trailing silence.
    """

    peak: float
    clipped: int
    offset: float
    zeros: float
    leading: float
    trailing: float
    silence: float


def facts(signal: np.ndarray, sample_rate: int) -> Facts:
    """Measure a signal.

    Parameters
    ----------
    signal : ndarray, shape (samples, channels), float32
        One frame of 10 ms at least, finite, not all zeros.
    sample_rate : int
        In hertz.

    Examples
    --------
    >>> facts(np.r_[np.zeros(800), np.ones(800)][:, None].astype(np.float32), 8000)
    Facts(peak=1.0, clipped=800, offset=0.707, zeros=0.1, leading=0.1, trailing=0.0, silence=0.5)
    """
    level = np.abs(signal).max(axis=1)  # (samples,)
    peak = float(level.max())
    power = np.square(signal, dtype=np.float64).mean(axis=1)  # (samples,)
    mean = np.abs(signal.mean(axis=0, dtype=np.float64)).max()
    sounding = level > 0
    zeros = max(sounding.argmax(), sounding[::-1].argmax())
    length = round(sample_rate * FRAME)
    frames = power[: len(power) // length * length].reshape(-1, length).mean(axis=1)
    loud = np.flatnonzero(frames > FLOOR * frames.max())
    ends = int(loud[0]), int(len(frames) - 1 - loud[-1])
    return Facts(
        peak=round(peak, 5),
        clipped=_clipped(signal) if peak >= FULL_SCALE else 0,
        offset=round(float(mean / np.sqrt(power.mean())), 3),
        zeros=round(float(zeros / sample_rate), 3),
        leading=round(ends[0] * FRAME, 2),
        trailing=round(ends[1] * FRAME, 2),
        silence=round(sum(ends) / len(frames), 3),
    )


def _clipped(signal: np.ndarray) -> int:
    """Samples of all channels, shape (samples, channels), that lie in runs at full scale."""
    full = np.pad(np.abs(signal) >= FULL_SCALE, ((1, 1), (0, 0)))  # (samples + 2, channels)
    edges = np.flatnonzero(np.diff(full.T.ravel().astype(np.int8)))
    runs = edges[1::2] - edges[::2]
    return int(runs[runs >= CLIPPED_RUN].sum())


def suspicions(facts: Facts, misnamed: str) -> dict[str, float | str]:
    """What is suspicious about a clip: the names are of ``SUSPICIONS``, the values say how much.

    Parameters
    ----------
    facts : Facts
        Of its signal.
    misnamed : str
        The container where it is not the one of the suffix, else empty.
    """
    found = {
        "clipped": (facts.clipped > 0, facts.clipped),
        "quiet": (facts.peak < QUIET, facts.peak),
        "offset": (facts.offset > OFFSET, facts.offset),
        "padded": (facts.zeros >= PADDED, facts.zeros),
        "silence": (facts.silence > SILENCE, facts.silence),
        "misnamed": (misnamed != "", misnamed),
    }
    return {name: fact for name, (wrong, fact) in found.items() if wrong}


def length_confound(seconds: np.ndarray, emotions: Sequence[str]) -> tuple[float, float]:
    """How well the length of a clip tells its emotion, and how well nothing does.

    The emotion is guessed to be the commonest one among the clips of equal length, in bins of
    0.1 s, of nine tenths of the corpus; the guesses are of the other tenth. Each emotion is spread
    evenly over the tenths.

    Parameters
    ----------
    seconds : ndarray, shape (clips,)
    emotions : sequence of str, length clips
        Of one clip or more.

    Returns
    -------
    accuracy : float
        Share of the clips whose emotion is guessed.
    chance : float
        Share of the commonest emotion.
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
