"""What a model was trained on: limits beyond which a clip is unlike that, from training clips.

Of each model the card keeps between which values the conditions of its training clips lie
(`pipeline.audit.conditions`), and ``limits.npz`` where the vectors of these lie that its network
makes ahead of the last layer. A clip beyond one of them is answered, and the answer says so.
"""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import InputError
from pipeline.files import bundles, checked, tables
from pipeline.inference import cards, models
from pipeline.inference.cards import LIMITS, Card, FoldModel

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.engine.dataset import Dataset

VECTOR = "vector"
KINDS = ("seconds", "level", "noise", "bandwidth", VECTOR)
OUTERMOST = 0.005  # of the training clips at either end decide nothing
# How far beyond the others a clip of other people, as well recorded, may lie: a factor, or dB.
FACTOR, DECIBELS = 1.25, 6.0
WORDS = {
    "seconds": "{:.1f} s long, of training clips {:.1f} to {:.1f}",
    "level": "level {:.0f} dB, of training clips {:.0f} to {:.0f}",
    "noise": "noise {:.0f} dB of the level, of training clips {:.0f} to {:.0f}",
    "bandwidth": "sound up to {:.0f} Hz, of training clips {:.0f} to {:.0f}",
}
MOST = 2000  # training clips whose vectors are made
AXES = 32  # of the covariance that are kept; along the rest the variance is one number
INNER = 0.99  # of the training clips lie nearer ...
# ... than the limit by this factor: a network was fitted to its training clips, to others it was
# not. Of TIM-Net on the demo corpus the limit then holds 0 to 5 of 100 held-out clips of the corpus
# for unlike, and 90 to 99 of 100 clips of RAVDESS.
BEYOND = 1.5
ARRAYS = ("centre", "scale", "axes", "rest", "limit")


@dataclass(frozen=True)
class Space:
    """Where the vectors of training clips lie: a shrunk covariance, along its main axes.

    Attributes
    ----------
    centre, scale : ndarray, shape (dims,)
        Mean of the vectors, and what each dimension is divided by.
    axes : ndarray, shape (k, dims)
        Axes of the covariance, each divided by the deviation along it.
    rest : ndarray, shape (2,)
        Variance along what is left, and number of its dimensions.
    limit : ndarray, shape ()
        Distance beyond which a clip is unlike the training clips.
    """

    centre: np.ndarray
    scale: np.ndarray
    axes: np.ndarray
    rest: np.ndarray
    limit: np.ndarray

    @property
    def whole(self) -> bool:
        """Whether its arrays are numbers, and belong together."""
        dims, arrays = self.centre.shape[:1], vars(self).values()
        shapes = [dims, dims, (*self.axes.shape[:1], *dims), (2,), ()]
        return [one.shape for one in arrays] == shapes and all(
            one.dtype == np.float32 and np.isfinite(one).all() for one in arrays
        )

    def ratios(self, vectors: np.ndarray) -> np.ndarray:
        """Distances as a fraction of the limit (clips,).

        Raises
        ------
        InputError
            If the vectors have another number of dimensions.
        """
        if vectors.shape[1:] != self.centre.shape:
            raise InputError(
                f"{LIMITS}: of vectors of {self.centre.size} values, and the network makes "
                f"{vectors.shape[1]}; train it again with dvc repro"
            )
        return self.distances(vectors) / self.limit

    def distances(self, vectors: np.ndarray) -> np.ndarray:
        """Distances (clips,) of vectors (clips, dims) from the centre, in deviations: Mahalanobis.

        They are divided by the root of the dimensions, so that 1 is usual.
        """
        z = (vectors - self.centre) / self.scale
        along = z @ self.axes.T  # (clips, k)
        squares = (along**2).sum(axis=1)
        if self.rest[1]:
            own = self.axes / np.sum(self.axes**2, axis=1, keepdims=True) ** 0.5
            left = (z**2).sum(axis=1) - ((z @ own.T) ** 2).sum(axis=1)
            squares += np.maximum(left, 0) / self.rest[0]
        return np.sqrt(squares / z.shape[1])


def space(vectors: np.ndarray) -> Space:
    """Find where vectors lie.

    Parameters
    ----------
    vectors : ndarray, shape (clips, dims)
        Of two clips at least.

    References
    ----------
    Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
    Journal of Multivariate Analysis 88, 2004: the shrinkage. Lee, Lee, Lee and Shin, "A simple
    unified framework for detecting out-of-distribution samples", NeurIPS 2018: the distance.
    """
    from sklearn.covariance import ledoit_wolf  # slow to import

    centre, deviation = vectors.mean(axis=0), vectors.std(axis=0)
    # what never moved in training gets a small scale: if it moves now, the clip is unlike
    scale = np.maximum(deviation, max(1e-3 * float(deviation.mean()), 1e-9))
    covariance, _ = ledoit_wolf((vectors - centre) / scale, assume_centered=True)
    values, directions = np.linalg.eigh(covariance)  # ascending
    values, directions = values[::-1], directions.T[::-1]
    kept, left = min(AXES, len(values)), values[AXES:]
    axes = directions[:kept] / np.sqrt(values[:kept, None])
    rest = np.array([left.mean() if len(left) else 1.0, len(left)])
    found = Space(
        centre=np.asarray(centre, np.float32),
        scale=np.asarray(scale, np.float32),
        axes=np.asarray(axes, np.float32),
        rest=np.asarray(rest, np.float32),
        limit=np.ones((), np.float32),
    )
    inside = np.quantile(found.distances(vectors), INNER)
    return replace(found, limit=np.asarray(BEYOND * inside, np.float32))


@dataclass(frozen=True)
class Limits:
    """Limits of models that answer together.

    Attributes
    ----------
    bounds : dict of str to (float, float)
        Lowest and highest of each of the conditions.
    rate : float
        Hertz at which the models take sound; nothing above half of it reaches them.
    """

    bounds: Mapping[str, tuple[float, float]]
    rate: float

    def unlike(self, found: Mapping[str, float], ratio: float | None = None) -> dict[str, str]:
        """Say in what a clip is unlike the training clips: words, by kind of ``KINDS``.

        Parameters
        ----------
        found : mapping of str to float
            Its conditions (`pipeline.audit.conditions`) by name.
        ratio : float, optional
            Distance of its vector, as a fraction of the limit; above 1 it is unlike.
        """
        said = {}
        for kind, (low, high) in self.bounds.items():
            value = found[kind]
            value = min(value, self.rate / 2) if kind == "bandwidth" else value
            if not low <= value <= high:
                said[kind] = WORDS[kind].format(value, low, high)
        if ratio is not None and not ratio <= 1:
            said[VECTOR] = f"{ratio:.1f} times as far off as training clips in the model's vector"
        return said


def of(card: Card, ones: Sequence[FoldModel]) -> Limits | None:
    """Limits of some models of a bundle, together; None where none were kept.

    Parameters
    ----------
    card : Card
    ones : sequence of FoldModel
        One at least.
    """
    held = [one.limits for one in ones if one.limits is not None]
    if len(held) < len(ones):
        return None
    shared = [kind for kind in WORDS if all(kind in of_one for of_one in held)]
    bounds = {
        kind: (min(one[kind][0] for one in held), max(one[kind][1] for one in held))
        for kind in shared
    }
    return Limits(bounds, card.spec.waveform.sample_rate)


def spaces(card: Card, ones: Sequence[FoldModel]) -> dict[str, Space]:
    """Read where the vectors of training clips lie, by a model's file; of some there is nothing.

    Raises
    ------
    InputError
        If ``limits.npz`` is missing or damaged.
    """
    wanted = [one for one in ones if one.limits is not None and VECTOR in one.limits]
    if not wanted:
        return {}
    path = card.folder / LIMITS
    if not path.is_file():
        raise InputError(f"{path}: no such file, but card.json names it; run dvc pull or dvc repro")
    checked.expect(card.folder / cards.NAME, path)
    bundles.check_archive(path)
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
            found = {
                one.file: Space(*(held[f"{one.file}/{name}"] for name in ARRAYS)) for one in wanted
            }
    except (OSError, EOFError, ValueError, LookupError, TypeError, zipfile.BadZipFile):
        raise InputError(f"{path}: not limits of this bundle; run dvc repro") from None
    if not all(one.whole for one in found.values()):
        raise InputError(f"{path}: not limits of this bundle; run dvc repro")
    return found


def fitted(card: Card, data: "Dataset", trained: list[dict], folder: Path) -> list[dict]:
    """Find the limits of each model of a run, from its training clips, and write ``limits.npz``.

    Copies that were altered have no part in them.

    Parameters
    ----------
    card : Card
        Card of the bundle, its models still missing.
    data : Dataset
    trained : list of dict
        Facts of each model, as `FoldModel` has them.
    folder : Path
        Folder in which the models are.

    Returns
    -------
    list of dict
        The facts, with ``limits``.
    """
    folds = {fold.number: fold for fold in data.folds}
    made = models.in_training(card, trained, folder)
    arrays, found = {}, []
    ask = None if card.classical else models.asked(made)
    for one, facts in zip(made.folds, trained, strict=True):
        rows = folds[one.fold].train
        rows = rows[rows < len(data.clips)]
        limits: dict[str, Any] = bounds(data.clips.iloc[rows], card.spec.waveform.sample_rate)
        if ask is not None:
            drawn = rows[:: -(-len(rows) // MOST)]
            _, vectors = ask(one, data.each(drawn))
            known = space(np.asarray(vectors, np.float64))
            limits[VECTOR] = [0.0, float(known.limit)]
            arrays |= {f"{facts['file']}/{name}": getattr(known, name) for name in ARRAYS}
        found.append(facts | {"limits": limits})
    if arrays:
        with tables.replacing(folder / LIMITS) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)
    return found


def bounds(clips: "pd.DataFrame", rate: float) -> dict[str, list[float]]:
    """Give the limits of the conditions of clips.

    Parameters
    ----------
    clips : DataFrame
        Rows of the index, one at least; conditions that it does not state get no limit.
    rate : float
        Hertz at which a model takes sound.
    """
    found = {}
    for kind in WORDS:
        if kind not in clips or (clips[kind] == "").any():
            continue
        values = clips[kind].astype(float).to_numpy()
        if kind == "bandwidth":
            values = np.minimum(values, rate / 2)
        low, high = np.quantile(values, [OUTERMOST, 1 - OUTERMOST]).tolist()
        if kind in ("level", "noise"):
            low, high = low - DECIBELS, high + DECIBELS
        else:
            low, high = low / FACTOR, high * FACTOR
        found[kind] = [round(low, 3), round(high, 3)]
    return found


def judge(
    card: Card,
) -> "Callable[[FoldModel, pd.DataFrame, np.ndarray | None], list[dict[str, str]]] | None":
    """Give a function that says in what clips are unlike a model's training clips.

    Parameters
    ----------
    card : Card
        Card of the bundle.

    Returns
    -------
    callable or None
        Function from one of the card's models, rows of the index, and the vectors (clips, dims)
        that the model makes of them, None of a classical one, to words by kind, for each clip;
        None where a model has no limits.
    """
    known = {one.file: limits for one in card.folds if (limits := of(card, (one,))) is not None}
    if len(known) < len(card.folds):
        return None
    held = spaces(card, card.folds)

    def judged(
        one: FoldModel, clips: "pd.DataFrame", vectors: np.ndarray | None
    ) -> list[dict[str, str]]:
        limits, far = known[one.file], [None] * len(clips)
        if vectors is not None and one.file in held:
            far = held[one.file].ratios(vectors).tolist()
        columns = {kind: clips[kind].astype(float).tolist() for kind in limits.bounds}
        rows = [{kind: of_kind[n] for kind, of_kind in columns.items()} for n in range(len(clips))]
        return [limits.unlike(row, ratio) for row, ratio in zip(rows, far, strict=True)]

    return judged
