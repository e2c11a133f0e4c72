"""Recipes applied: sound to waveform, waveforms to feature; one place for stages and predict.

Stores and model cards carry a `Spec`, a recipe with nothing left open, so that a trained model gets
exactly the features it was trained on.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from dataclasses import dataclass
from typing import Any

from pipeline import plugins
from pipeline.errors import InputError
from pipeline.features import augmentation, deltas, framing, functions, levels, resampling
from pipeline.files.spec import Spec, WaveformSpec
from pipeline.lazy import np
from pipeline.settings import fields, flat, mapping, read, setting, typed

PACKAGES = ("librosa", "numcodecs", "numpy", "scipy", "soundfile", "soxr", "zarr")


@dataclass(frozen=True)
class WaveformRecipe:
    """A recipe from sound file to waveform."""

    sample_rate: int = setting(doc="Sample rate of the waveforms.", unit="Hz", low=1000)
    resampler: str = setting(doc="Method of resampling.", choices=resampling.METHODS)
    length: str = setting(
        doc="What is kept of a clip: its middle, padded with zeros on both sides (centre); its "
        "start; the whole; or all of it in segments, each padded on both sides.",
        choices=framing.POLICIES,
    )
    samples: int | str | None = setting(
        None,
        "Length of a waveform: a number, or p95, no shorter than 95 of 100 clips. Left out, lines "
        "of sounds say it. No matter where length is whole.",
        unit="samples",
        low=1,
    )
    normalise: str = setting(
        "none",
        "Level to which a waveform is brought: its largest magnitude, or the 99.9th percentile of "
        "its magnitudes, becomes 1.",
        choices=levels.NORMALISATIONS,
    )
    pre_emphasis: float = setting(
        0.0,
        "What each sample is lowered by, as a fraction of the sample before it; 0.97 is usual.",
        low=0,
        below=1,
    )
    pcm16: bool = setting(False, "Whether samples are rounded to the steps of 16-bit sound.")
    copies: int = setting(
        0,
        "Number of altered copies of each clip, which are trained on and never tested.",
        low=0,
        high=255,
    )
    augment: dict = setting({}, "How copies differ: noise, pitch, shift, tempo.")

    def check(self) -> None:
        """Refuse a length that is none, and copies that cannot be drawn."""
        length = self.samples
        if isinstance(length, str) and not re.fullmatch(r"p(100|[1-9]?\d)", length):
            raise InputError(f"samples: wanted a whole number or p0..p100, got {length!r}")
        augmentation.check(self.augment, self.copies)

    def spec(self, samples: int | None) -> WaveformSpec:
        """Resolve all settings.

        Parameters
        ----------
        samples : int or None
            Length of the waveforms of a corpus; None where clips are left whole.
        """
        settings: dict[str, Any] = flat(self) | {"samples": samples}
        return WaveformSpec(mix="mean", **settings)


@dataclass(frozen=True)
class FeatureRecipe:
    """A recipe from waveforms to a tensor: a function, and what follows on it."""

    function: str = setting(doc="Function that computes it: MODULE.FUNCTION of pipeline/features.")
    settings: Any  # the record of the function  # pyright: ignore[reportGeneralTypeIssues]
    deltas: str = setting(
        "none",
        "Change from frame to frame, and change of that, stacked on the feature: fitted to 9 "
        "frames (regression) or to 5 (regression5), or the difference to the next frame.",
        choices=deltas.KINDS,
    )
    segment: int = setting(
        0, "Length of the segments it is cut into; 0 leaves it whole.", unit="frames", low=0
    )
    segment_hop: int = setting(0, "Distance of the segments.", unit="frames", low=0)
    chunks: int = setting(
        0, "Number of segments from start to end of a clip, in place of segment_hop.", low=0
    )

    def check(self) -> None:
        """Refuse what only goes wrong together."""
        if self.chunks == 0:
            if self.segment and not self.segment_hop:
                raise InputError("segment_hop: must be at least 1 where there is segment, got 0")
            return
        if self.chunks == 1:
            raise InputError("chunks: must be 0, or at least 2, got 1")
        if self.segment == 0:
            raise InputError("chunks: needs segment, the frames of each; set it to 1 or more")
        if self.segment_hop != 0:
            raise InputError("segment_hop: chunks decides how far apart they are; remove it")

    def spec(self, waveform: WaveformSpec) -> Spec:
        """Resolve all settings, for features of these waveforms."""
        settings = getattr(self.settings, "resolved", lambda: flat(self.settings))()
        recipe: dict[str, Any] = vars(self) | {"settings": settings}
        return Spec(waveform, **recipe)


def read_feature(line: Any, place: str) -> FeatureRecipe:
    """Make the recipe of a feature of a mapping, the settings of its function among the others.

    Parameters
    ----------
    line : mapping
        What params.yaml says.
    place : str
        Its place there, dotted, for messages.

    Raises
    ------
    InputError
        One line: the place, what was found, what was wanted.
    """
    if "function" not in mapping(line, place):
        raise InputError(f"{place}.function: missing")
    name = typed(line["function"], str, f"{place}.function")
    try:
        record = functions.load(name).record
    except InputError as error:
        raise InputError(f"{place}.function: {error}") from None
    kind = _line_of(record)
    names = [field.name for field, _ in fields(kind)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            f"{place}.function: {name} has a setting {twice[0]}, which another has; rename it"
        )
    made = read(kind, line, place)
    return FeatureRecipe(**{f.name: getattr(made, f.name) for f in dataclasses.fields(made)})


@functools.cache
def _line_of(record: type) -> type:
    """A recipe whose settings have a known type: `read` finds them among the others."""
    bases = (FeatureRecipe,)
    return dataclasses.make_dataclass("Line", [("settings", record)], bases=bases, frozen=True)


def waveform(
    signal: np.ndarray,
    sample_rate: int,
    spec: WaveformSpec,
    draws: np.random.Generator | None = None,
) -> np.ndarray:
    """Resample one clip, cut it, bring it to its level, and pad it where the recipe pads.

    Parameters
    ----------
    signal : ndarray, shape (samples,), float32
        Mono, full scale 1.0.
    sample_rate : int
        Rate of ``signal``, in hertz.
    spec : WaveformSpec
    draws : numpy.random.Generator, optional
        Generator of an altered copy; by default the clip is left as it is.

    Returns
    -------
    ndarray, float32
        By ``length``: (samples,) for ``centre``, up to that for ``start``, all there is for
        ``whole``, and (segments, samples) for ``segments``.
    """
    recipe = _recipe(json.dumps(spec.to_json()))
    signal = resampling.resample(signal, sample_rate, recipe.sample_rate, method=recipe.resampler)
    if draws is not None:
        signal = augmentation.apply(signal, recipe.sample_rate, recipe.augment, draws)
    samples = None if recipe.samples is None else int(recipe.samples)
    segments = []
    for segment in framing.cut(signal, samples, where=recipe.length):
        segment = levels.normalise(segment, by=recipe.normalise)
        segment = levels.pre_emphasise(segment, coefficient=recipe.pre_emphasis)
        segment = levels.pcm16(segment) if recipe.pcm16 else segment
        if samples is not None and recipe.length in ("centre", "segments"):
            segment = framing.fix_length(segment, samples)
        segments.append(segment)
    return np.stack(segments) if recipe.length == "segments" else segments[0]


@functools.lru_cache
def _recipe(spec: str) -> WaveformRecipe:
    """Recipe of a spec as JSON, checked once and not for every clip."""
    line = {key: value for key, value in json.loads(spec).items() if key != "mix"}
    return read(WaveformRecipe, line, "waveform")


def feature(waveforms: list[np.ndarray], spec: Spec) -> list[np.ndarray]:
    """Compute a feature of several clips.

    Parameters
    ----------
    waveforms : list of ndarray, shape (samples,) or (segments, samples), float32
        Waveforms, as ``waveform`` gives them by ``spec.waveform``.
    spec : Spec

    Returns
    -------
    list of ndarray, shape ([segments,] frames, ...), float32
        With ``deltas`` (frames, bins, 3), with ``segment`` (segments, segment, ...), with
        ``chunks`` as well (chunks, segment, ...) of a clip of any length.
    """
    return [cut(values, spec) for values in whole(waveforms, spec)]


def whole(waveforms: list[np.ndarray], spec: Spec) -> list[np.ndarray]:
    """Compute a feature of several clips, ahead of `cut`.

    Parameters
    ----------
    waveforms : list of ndarray, shape (samples,) or (segments, samples), float32
        As `feature` takes them.
    spec : Spec

    Returns
    -------
    list of ndarray, shape ([segments,] frames, ...), float32
    """
    if waveforms[0].ndim == 2:
        return [_feature(signals, spec) for signals in waveforms]
    if len({len(signal) for signal in waveforms}) == 1:
        return list(_feature(np.stack(waveforms), spec))
    return [_feature(signal[None], spec)[0] for signal in waveforms]


def cut(values: np.ndarray, spec: Spec) -> np.ndarray:
    """Cut a feature of one clip into the segments or chunks of a recipe, if it has any.

    Parameters
    ----------
    values : ndarray, shape ([segments,] frames, ...)
        As `whole` gives them.
    spec : Spec

    Returns
    -------
    ndarray
        As `feature` gives them.
    """
    clips = values if spec.waveform.length == "segments" else values[None]
    if spec.chunks:
        clips = framing.chunks(clips, spec.segment, number=spec.chunks)
    elif spec.segment:
        clips = framing.segments(clips, spec.segment, hop=spec.segment_hop)
    return clips if spec.waveform.length == "segments" else clips[0]


def versions(function: str = "") -> list[str]:
    """Versions of the packages that decide values: of ``PACKAGES``, and of a function's module."""
    from importlib import metadata

    module = function.partition(".")[0]
    own = getattr(plugins.load("features", module), "PACKAGES", ()) if module else ()
    return [metadata.version(name) for name in (*PACKAGES, *own)]


def _feature(signals: np.ndarray, spec: Spec) -> np.ndarray:
    """Feature (clips, frames, ...) of signals (clips, samples), whole."""
    function = functions.load(spec.function)
    settings = read(function.record, spec.settings, spec.function)
    values = function.of(signals, spec.waveform.sample_rate, settings)
    if spec.deltas != "none":
        values = deltas.stack(values, kind=spec.deltas)  # (clips, frames, bins, 3)
    return values
