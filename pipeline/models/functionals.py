"""Functionals: numbers that sum up a feature over the time of a clip, however long it is.

The frames of all segments of a clip count alike; a change is taken within a segment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.files.spec import Spec
from pipeline.lazy import np
from pipeline.settings import setting

KINDS = ("mean", "deviation")


@dataclass(frozen=True)
class Functionals:
    """Which functionals are taken of each bin of a feature."""

    functionals: tuple[str, ...] = setting(
        KINDS, "Functionals of each bin over the frames of a clip.", choices=KINDS
    )
    percentiles: tuple[float, ...] = setting(
        (), "Percentiles of each bin besides, linear between two frames.", low=0, high=100
    )
    deltas: bool = setting(
        False, "Whether all are also taken of the change to the next frame, 0 at the last."
    )


@dataclass(frozen=True)
class Machine:
    """Settings that support-vector machines on functionals share."""

    functionals: Functionals = Functionals()
    kernel: str = setting("rbf", "Kernel.", choices=("rbf", "linear"))
    c: tuple[float, ...] = setting(
        (1.0,), "Weight of errors; of several the best by inner folds.", above=0
    )
    gamma: tuple[float, ...] = setting(
        (1.0,), "Width of the rbf kernel, in 1 / functionals; of several the best.", above=0
    )


def leading(spec: Spec) -> int:
    """Number of axes of a clip before its frames: 1 where it is in segments, or chunks, else 0."""
    return int(spec.waveform.length == "segments") + int(spec.segment > 0)


def of(clip: np.ndarray, wanted: Functionals, axes: int) -> np.ndarray:
    """Take the functionals of one clip.

    Parameters
    ----------
    clip : ndarray, shape ([segments,] frames, ...)
        Its feature, without what was added to bring it to a length.
    wanted : Functionals
    axes : int
        Number of axes before the frames, as `leading` gives it.

    Returns
    -------
    ndarray, shape (functionals * bins,), float64
        Mean and deviation (of the population), then percentiles, of the frames, then of the
        changes; of each all bins.

    Examples
    --------
    >>> of(np.array([[0.0], [4.0]]), Functionals(percentiles=(25.0,), deltas=True), 0).tolist()
    [2.0, 2.0, 1.0, 2.0, 2.0, 1.0]
    """
    frames = int(np.prod(clip.shape[: axes + 1]))
    values = clip.reshape(-1, clip.shape[axes], clip.size // frames).astype(np.float64)
    taken = [*_taken(values, wanted)]
    if wanted.deltas:
        following = np.concatenate([values[:, 1:], values[:, -1:]], axis=1)
        taken += _taken(following - values, wanted)
    return np.concatenate(taken)


def _taken(values: np.ndarray, wanted: Functionals) -> Iterator[np.ndarray]:
    """Each functional (bins,) of (segments, frames, bins)."""
    flat = values.reshape(-1, values.shape[-1])
    if "mean" in wanted.functionals:
        yield flat.mean(axis=0)
    if "deviation" in wanted.functionals:
        yield flat.std(axis=0)
    if wanted.percentiles:
        yield from np.percentile(flat, wanted.percentiles, axis=0)
