"""Sounds as trained models take them: made as the stages make them, by the bundle's card."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.audit import quality
from pipeline.audit.conditions import Conditions, conditions, silence
from pipeline.errors import InputError
from pipeline.features import functions, recipes, resampling
from pipeline.files import audio
from pipeline.inference import sounds
from pipeline.inference.cards import Card
from pipeline.inference.sounds import Decoded, Sound


class Input(NamedTuple):
    """Input of a model, and its place in a sound."""

    name: str  # path of a file
    start: float  # in seconds
    end: float
    values: np.ndarray  # a feature (frames, ...), or sound (samples,) at the recipe's rate
    empty: str = ""  # why a window holds no sound; then it has no values, and no model is asked
    conditions: Conditions | None = None  # None of an empty window


def check(card: Card) -> None:
    """Refuse a bundle whose feature has no code here.

    Raises
    ------
    InputError
        If ``pipeline/features`` lacks its function, or the file of it does not import.
    """
    try:
        functions.load(card.spec.function)
    except InputError as error:
        raise InputError(f"{card.folder}: {error}") from None


def files(given: list[Path]) -> list[Path]:
    """List sound files: those given, and those below folders that are given.

    Parameters
    ----------
    given : list of Path

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        If only folders are given, and they hold none.
    """
    found = []
    folders = [path.resolve() for path in given if path.is_dir() and not path.is_symlink()]
    for path in given:
        true = path.resolve() if path.is_symlink() and path.is_dir() else None
        if true and any(true.is_relative_to(at) or at.is_relative_to(true) for at in folders):
            continue  # among FOLDER/*; below FOLDER it is not followed, either
        found += audio.below(path) if path.is_dir() else [path]
    if not found:
        names = ", ".join(map(str, given))
        raise InputError(f"{names}: holds no sound files ({audio.SHOWN})")
    return found


def read(
    sound: Sound,
    card: Card,
    *,
    sample_rate: float | None = None,
    fused: bool,
    window: float | None = None,
    hop: float | None = None,
) -> list[Input]:
    """Make of one sound what a model takes.

    Parameters
    ----------
    sound : Path, ndarray or others
        Sound of any rate and number of channels, as `sounds.read` takes it.
    card : Card
        Card of the model's bundle.
    sample_rate : number, optional
        Rate of an array, in hertz.
    fused, window, hop
        Arguments of `made`.

    Returns
    -------
    list of Input

    Raises
    ------
    InputError
        The errors of `sounds.read` and `made`.
    """
    return made(sounds.read(sound, sample_rate), card, fused=fused, window=window, hop=hop)


def made(
    decoded: Decoded,
    card: Card,
    *,
    fused: bool,
    window: float | None = None,
    hop: float | None = None,
) -> list[Input]:
    """Make of a decoded sound what a model takes.

    Parameters
    ----------
    decoded : Decoded
    card : Card
        Card of the model's bundle.
    fused : bool
        Whether the model makes the features itself: it gets the sound, resampled.
    window, hop : float or None, in seconds
        Length and distance of windows, each of which is treated as a file of its own; without a
        window the whole file is one. The last window ends where the file ends.

    Returns
    -------
    list of Input

    Raises
    ------
    InputError
        If the sound is none (as in the stage index) or silence, is shorter than the window, or is
        longer than the model takes.
    """
    _, channels, sample_rate = decoded
    name = audio.shown(decoded.name)
    if reason := quality.unusable(channels, sample_rate):
        raise InputError(f"{name}: {reason}")
    signal = audio.mono(channels)
    windows = [(0, len(signal))]
    if window is not None:
        length = round(window * sample_rate)
        step = max(1, round((window if hop is None else hop) * sample_rate))
        if len(signal) < length:
            raise InputError(
                f"{name}: {len(signal) / sample_rate:.2f} s long, shorter than the "
                f"window of {window:g} s; give a shorter --window, or none"
            )
        last = len(signal) - length
        starts = [*range(0, last, step), last]
        windows = [(start, start + length) for start in starts]
    inputs = []
    try:
        for start, stop in windows:
            place = start / sample_rate, stop / sample_rate
            part, found = signal[start:stop], None
            empty = quality.empty(channels[start:stop])
            if not empty:
                found = conditions(part, sample_rate)
                empty = silence(found)
            if empty and window is None:
                raise InputError(empty)
            values = part[:0] if empty else _values(part, sample_rate, card, fused)
            inputs.append(Input(decoded.name, *place, values, empty, None if empty else found))
        return inputs
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _values(signal: np.ndarray, sample_rate: int, card: Card, fused: bool) -> np.ndarray:
    """Feature (frames, ...) of a signal (samples,), or for a fused model the sound resampled."""
    spec, longest = card.spec, card.input_shape[0]
    recipe, rate = spec.waveform, spec.waveform.sample_rate
    if fused:
        return resampling.resample(signal, sample_rate, rate, method=recipe.resampler)
    clip = recipes.waveform(signal, sample_rate, recipe)
    (feature,) = recipes.feature([clip], spec)
    if len(feature) > longest:
        raise InputError(f"{len(feature)} frames long, the model takes up to {longest}; cut it")
    return feature
