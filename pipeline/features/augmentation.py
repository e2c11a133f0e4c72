"""Augmentation: altered copies of a clip to learn from, drawn anew for each clip and copy.

What is drawn depends on the clip's samples and the number of the copy alone, so that copies are
the same whatever the order and the number of workers.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.errors import InputError

# Bounds of what each may draw from, and in what.
KINDS = {
    "noise": (-20.0, 100.0, "decibels of the clip above white noise"),
    "pitch": (-12.0, 12.0, "semitones"),
    "shift": (-10.0, 10.0, "seconds; zeros come in, what goes out is lost"),
    "tempo": (0.5, 2.0, "times as fast"),
}


def check(augment: Mapping[str, Sequence[float]], copies: int) -> None:
    """Refuse what cannot be drawn.

    Parameters
    ----------
    augment : mapping of str to two numbers
        Of ``KINDS``: the least and the largest, drawn from evenly.
    copies : int
        Of each clip, 0 to 255.

    Raises
    ------
    InputError
        ``setting: problem``.
    """
    if not 0 <= copies <= 255:
        raise InputError(f"copies: must be from 0 to 255, got {copies}")
    if bool(augment) != bool(copies):
        raise InputError("copies: goes with augment, which says how they differ; set both or none")
    for kind, bounds in augment.items():
        if kind not in KINDS:
            raise InputError(f"augment: no {kind!r}; known: {', '.join(KINDS)}")
        lowest, highest, unit = KINDS[kind]
        numbers = [value for value in bounds if isinstance(value, int | float)]
        if len(bounds) != 2 or len(numbers) != 2 or not lowest <= bounds[0] <= bounds[1] <= highest:
            raise InputError(
                f"augment.{kind}: wanted two numbers from {lowest:g} to {highest:g}, the lower "
                f"first ({unit}), got {list(bounds)}"
            )


def generator(content: bytes, copy: int) -> np.random.Generator:
    """Draws of one copy of one clip.

    Parameters
    ----------
    content : bytes
        Hash of the clip's samples.
    copy : int
        From 1.
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
        In hertz.
    augment : mapping of str to two numbers
        Checked.
    draws : numpy.random.Generator
        Of this copy.

    Returns
    -------
    ndarray, float32
        (samples,), with ``tempo`` another number of them.
    """
    import librosa  # slow to import

    drawn = {kind: draws.uniform(*augment[kind]) for kind in sorted(augment)}
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
