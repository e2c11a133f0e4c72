"""Augmentation: altered copies of a clip to train on, each drawn separately.

What is drawn depends on the clip's samples and the number of the copy alone, so that copies are
the same for any order and number of workers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline import settings
from pipeline.errors import InputError
from pipeline.lazy import np
from pipeline.settings import setting


@dataclass(frozen=True)
class Augment:
    """How copies differ: the least and the largest of each, drawn from evenly."""

    noise: tuple[float, ...] = setting((), "Clip above white noise.", unit="dB", low=-20, high=100)
    pitch: tuple[float, ...] = setting((), "Shift of pitch.", unit="semitones", low=-12, high=12)
    shift: tuple[float, ...] = setting(
        (), "Shift in time; zeros come in, what goes out is lost.", unit="s", low=-10, high=10
    )
    tempo: tuple[float, ...] = setting((), "Tempo.", unit="times as fast", low=0.5, high=2)


def check(augment: Mapping[str, Sequence[float]], copies: int) -> None:
    """Refuse what cannot be drawn.

    Parameters
    ----------
    augment : mapping of str to two numbers
        Ranges of the fields of `Augment`.
    copies : int
        Number of copies of each clip.

    Raises
    ------
    InputError
        ``setting: problem``.
    """
    if bool(augment) != bool(copies):
        raise InputError("copies: goes with augment, which says how they differ; set both or none")
    made = settings.read(Augment, augment, "augment")
    for kind in augment:
        bounds = getattr(made, kind)
        if len(bounds) != 2 or bounds[0] > bounds[1]:
            raise InputError(
                f"augment.{kind}: wanted two numbers, the lower first, got {list(bounds)}"
            )


def generator(content: bytes, copy: int) -> np.random.Generator:
    """Draws of one copy of one clip.

    Parameters
    ----------
    content : bytes
        Hash of the clip's samples.
    copy : int
        Number of the copy, from 1.
    """
    return np.random.default_rng([copy, *content])


def apply(
    signal: np.ndarray,
    sample_rate: int,
    augment: Mapping[str, Sequence[float]],
    draws: np.random.Generator,
) -> np.ndarray:
    """Alter a clip: pitch and tempo (librosa's phase vocoder), then shift, then noise.

    Parameters
    ----------
    signal : ndarray, shape (samples,), float32
    sample_rate : int
        Rate in hertz.
    augment : mapping of str to two numbers
        Checked.
    draws : numpy.random.Generator
        Generator of this copy.

    Returns
    -------
    ndarray, float32
        (samples,), with ``tempo`` another number of them.
    """
    import librosa  # slow to import

    drawn = {kind: draws.uniform(low, high) for kind, (low, high) in sorted(augment.items())}
    if "pitch" in drawn:
        signal = librosa.effects.pitch_shift(signal, sr=sample_rate, n_steps=drawn["pitch"])
    if "tempo" in drawn:
        signal = librosa.effects.time_stretch(signal, rate=drawn["tempo"])
    if "shift" in drawn:
        by = round(drawn["shift"] * sample_rate)
        by = max(-len(signal), min(len(signal), by))
        kept = signal[max(0, -by) : len(signal) - max(0, by)]
        signal = np.pad(kept, (max(0, by), max(0, -by)))
    if "noise" in drawn:
        level = np.sqrt(np.mean(signal.astype(np.float64) ** 2)) * 10 ** (-drawn["noise"] / 20)
        signal = signal + level * draws.standard_normal(len(signal))
    return signal.astype(np.float32)


def names(clips: Sequence[str], copies: int) -> list[str]:
    """Names of the rows of a store: all clips, then the first copy of each, and so on.

    >>> names(["a", "b"], 1)
    ['a', 'b', 'a~1', 'b~1']
    """
    return [*clips, *(f"{clip}~{copy}" for copy in range(1, copies + 1) for clip in clips)]
