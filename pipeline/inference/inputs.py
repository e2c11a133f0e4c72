"""Sounds as trained models take them: made as the stages make them, by the bundle's card."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pipeline.audit import quality
from pipeline.audit.conditions import Conditions, conditions, silence
from pipeline.errors import InputError
from pipeline.features import functions, recipes, resampling
from pipeline.files import audio
from pipeline.inference import sounds
from pipeline.inference.cards import Card
from pipeline.inference.sounds import Decoded, Opened, Sound


class Cut(NamedTuple):
    """A whole sound, or a window of one."""

    name: str  # path of a file
    start: float  # in seconds
    end: float
    signal: np.ndarray  # (samples,), mono
    sample_rate: int  # in hertz
    empty: str  # why it holds no sound
    conditions: Conditions | None  # None of an empty one


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


def read(sound: Sound, card: Card, *, sample_rate: float | None = None, fused: bool) -> Input:
    """Make of one whole sound what a model takes.

    Parameters
    ----------
    sound : Path, ndarray or others
        Sound of any rate and number of channels, as `sounds.read` takes it.
    card : Card
        Card of the model's bundle.
    sample_rate : number, optional
        Rate of an array, in hertz.
    fused : bool
        Argument of `made`.

    Raises
    ------
    InputError
        The errors of `sounds.read` and `made`.
    """
    return made(sounds.read(sound, sample_rate), card, fused=fused)


def made(decoded: Decoded, card: Card, *, fused: bool) -> Input:
    """Make of a whole decoded sound what a model takes.

    Parameters
    ----------
    decoded : Decoded
    card : Card
        Card of the model's bundle.
    fused : bool
        Whether the model makes the features itself: it gets the sound, resampled.

    Raises
    ------
    InputError
        As of `cut` and `of`.
    """
    (one,) = of([cut(decoded)], card, fused=fused)
    return one


def cut(decoded: Decoded) -> Cut:
    """Give a whole decoded sound as one cut.

    Raises
    ------
    InputError
        If the sound is none (as in the stage index) or silence.
    """
    name, channels, sample_rate = decoded
    reason = quality.unusable(channels, sample_rate)
    if not reason:
        one = _cut(name, channels, sample_rate, 0)
        reason = one.empty
    if reason:
        raise InputError(f"{audio.shown(name)}: {reason}")
    return one


def cuts(sound: Opened, window: float, hop: float) -> Iterator[Cut]:
    """Slide a window over a sound, in memory that does not grow with its length.

    The sound is decoded to its end before the first window is given, and again for the windows: a
    file that is damaged anywhere gets no answer.

    Parameters
    ----------
    sound : Opened
    window, hop : float, in seconds
        Length and distance of windows, each of which is treated as a file of its own. The last one
        ends where the sound ends.

    Yields
    ------
    Cut

    Raises
    ------
    InputError
        If the sound is none (as in the stage index), cannot be decoded, or is shorter than the
        window.
    """
    name, sample_rate, decoded = sound
    length = round(window * sample_rate)
    step = max(1, round(hop * sample_rate))
    samples, reason = surveyed(decoded(), sample_rate)
    if reason:
        raise InputError(f"{audio.shown(name)}: {reason}")
    if samples < length:
        raise InputError(
            f"{audio.shown(name)}: {samples / sample_rate:.2f} s long, shorter than the window of "
            f"{window:g} s; give a shorter --window, or none"
        )
    blocks, last = decoded(), samples - length
    held, first = next(blocks), 0  # samples at hand, and the place of the first of them
    for start in itertools.chain(range(0, last, step), [last]):
        if first + len(held) < start + length:
            parts, there = [held[start - first :]], first + len(held)
            while there < start + length:
                block = next(blocks)
                parts.append(block[max(0, start - there) :])
                there += len(block)
            held, first = np.concatenate(parts), start
        yield _cut(name, held[start - first :][:length], sample_rate, start)


def batches(given: Iterable[Any], count: int) -> Iterator[list[Any]]:
    """Give so many at a time; the last are fewer."""
    rest = iter(given)
    while some := list(itertools.islice(rest, count)):
        yield some


def of(cuts: Sequence[Cut], card: Card, *, fused: bool) -> list[Input]:
    """Make of cuts of equal length what a model takes.

    Parameters
    ----------
    cuts : sequence of Cut
    card : Card
        Card of the model's bundle.
    fused : bool
        Argument of `made`.

    Raises
    ------
    InputError
        If they are longer than the model takes, or too short for it.
    """
    sounding = [one for one in cuts if not one.empty]
    try:
        values = iter(_values(sounding, card, fused) if sounding else [])
    except InputError as error:
        raise InputError(f"{audio.shown(sounding[0].name)}: {error}") from None
    return [
        Input(
            *(one.name, one.start, one.end),
            one.signal[:0] if one.empty else next(values),
            one.empty,
            one.conditions,
        )
        for one in cuts
    ]


def _cut(name: str, channels: np.ndarray, sample_rate: int, first: int) -> Cut:
    """One cut of a sound, of samples (samples, channels) from a place on."""
    signal, found = audio.mono(channels), None
    empty = quality.empty(channels)
    if not empty:
        found = conditions(signal, sample_rate)
        empty = silence(found)
    place = first / sample_rate, (first + len(signal)) / sample_rate
    return Cut(name, *place, signal, sample_rate, empty, None if empty else found)


def surveyed(blocks: Iterator[np.ndarray], sample_rate: int) -> tuple[int, str]:
    """Count the samples of a sound, and say why it is none.

    Parameters
    ----------
    blocks : iterator of ndarray, shape (samples, channels)
        All of it, one block at least.
    sample_rate : int
        In hertz.

    Returns
    -------
    samples : int
    reason : str
        What `quality.unusable` says of all blocks together.
    """
    block = next(blocks)
    samples, reason, extremes = len(block), quality.unusable(block, sample_rate), _extremes(block)
    for block in blocks:
        samples += len(block)
        extremes = _extremes(np.concatenate([extremes, _extremes(block)]))
        reason = quality.empty(extremes)
    return samples, reason


def _extremes(channels: np.ndarray) -> np.ndarray:
    """Those of some samples (samples, channels) that `quality.empty` decides by."""
    with np.errstate(invalid="ignore"):
        mean = channels.mean(axis=1, dtype=np.float64, keepdims=True)
    rows = [find(one, axis=0) for find in (np.argmin, np.argmax) for one in (channels, mean)]
    return channels[np.concatenate(rows)]


def _values(cuts: list[Cut], card: Card, fused: bool) -> list[np.ndarray]:
    """Features (frames, ...) of cuts, or for a fused model their sound resampled."""
    spec, longest = card.spec, card.input_shape[0]
    recipe, rate = spec.waveform, spec.waveform.sample_rate
    if fused:
        method = recipe.resampler
        return [resampling.resample(o.signal, o.sample_rate, rate, method=method) for o in cuts]
    clips = [recipes.waveform(one.signal, one.sample_rate, recipe) for one in cuts]
    features = recipes.feature(clips, spec)
    for feature in features:
        if len(feature) > longest:
            raise InputError(f"{len(feature)} frames long, the model takes up to {longest}; cut it")
    return features
