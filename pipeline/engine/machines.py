"""A fitted classical model as plain arrays: how it answers, and how it is kept, without pickle.

It needs no scikit-learn.
"""

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.files import bundles, tables
from pipeline.models import functionals
from pipeline.models.functionals import Functionals

LIBRARY = "scikit-learn"  # as a card names what computed
NAMES = ("mean", "deviation", "vectors", "gamma", "weights", "intercept", "centre", "spread")


@dataclass(frozen=True)
class Machine:
    """A fitted model: of functionals ``(clips, dims)`` it makes ``(clips, outputs)``.

    Functionals are scaled, compared with vectors where there is a kernel, weighed, and finished by
    ``head``.

    Attributes
    ----------
    wanted : Functionals
        Functionals that it takes.
    axes : int
        Axes of a clip before its frames.
    head : {"votes", "softmax", "values"}
        From weighed sums to answers: one sum for each pair of emotions, whose signs vote and whose
        sizes part ties, then softmax; softmax of a sum for each; or ratings.
    outputs : int
    mean, deviation : ndarray, shape (dims,)
        Scales of the functionals.
    vectors : ndarray, shape (n, dims)
        Support vectors of a kernel ``exp(-gamma |x - v|^2)``; none of them without a kernel.
    gamma : ndarray, shape ()
        Of the kernel.
    weights : ndarray, shape (n or dims, sums)
    intercept : ndarray, shape (sums,)
    centre, spread : ndarray, shape (sums,)
        Mean and deviation of the ratings; 0 and 1 of emotions.
    """

    wanted: Functionals
    axes: int
    head: str
    outputs: int
    mean: np.ndarray
    deviation: np.ndarray
    vectors: np.ndarray
    gamma: np.ndarray
    weights: np.ndarray
    intercept: np.ndarray
    centre: np.ndarray
    spread: np.ndarray

    @property
    def parameters(self) -> int:
        """Number of fitted numbers."""
        return sum(getattr(self, name).size for name in NAMES)

    def answer(self, table: np.ndarray) -> np.ndarray:
        """Answers (clips, outputs), float32, to functionals (clips, dims)."""
        sums = self.sums(table)
        if self.head == "values":
            return (self.centre + self.spread * sums).astype(np.float32)
        scores = self.votes(sums) if self.head == "votes" else sums
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)

    def sums(self, table: np.ndarray) -> np.ndarray:
        """Weighed sums (clips, sums), float64, of functionals (clips, dims)."""
        x = (table - self.mean) / self.deviation
        if not len(self.vectors):
            return x @ self.weights + self.intercept
        squares = (x**2).sum(axis=1)[:, None] - 2 * x @ self.vectors.T
        squares = np.maximum(squares + (self.vectors**2).sum(axis=1), 0)  # (clips, n)
        return np.exp(-self.gamma * squares) @ self.weights + self.intercept

    def votes(self, sums: np.ndarray) -> np.ndarray:
        """Score of each emotion (clips, outputs) of sums (clips, pairs), as scikit-learn has it."""
        first, second = pairs(self.outputs)
        won = (sums > 0) @ first + (sums <= 0) @ second
        margins = sums @ (first - second)
        return won + margins / (3 * (np.abs(margins) + 1))

    def of_clips(self, clips: Iterable[np.ndarray]) -> np.ndarray:
        """Answers (clips, outputs), float32, to features (frames, ...) of any length.

        Each clip alone: sums of many at once are rounded otherwise.
        """
        taken = (functionals.of(clip, self.wanted, self.axes) for clip in clips)
        return np.concatenate([self.answer(one[None]) for one in taken])


def pairs(outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Which emotion is the first, and which the second, of each pair: (pairs, outputs) of 0, 1."""
    first, second = np.triu_indices(outputs, 1)
    return np.eye(outputs)[first], np.eye(outputs)[second]


def write(machine: Machine, path: Path) -> None:
    """Write a model: arrays and a JSON text, the same bytes for the same model; no pickle."""
    facts = {"head": machine.head, "outputs": machine.outputs, "axes": machine.axes}
    facts |= {"functionals": vars(machine.wanted)}
    arrays = {name: getattr(machine, name) for name in NAMES}
    with tables.replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, facts=np.array(json.dumps(facts)), **arrays)


def read(path: Path) -> Machine:
    """Read a model.

    Raises
    ------
    InputError
        If there is none, or the file is none.
    """
    if path.is_file():
        bundles.check_archive(path)
    try:
        content = io.BytesIO(path.read_bytes())
        with np.load(content, allow_pickle=False) as held:
            facts = json.loads(str(held["facts"]))
            taken = facts.pop("functionals")
            wanted = {key: tuple(taken[key]) for key in ("functionals", "percentiles")}
            arrays = {name: held[name] for name in NAMES}
            return Machine(Functionals(**wanted, deltas=taken["deltas"]), **facts, **arrays)
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file, but card.json names it; run dvc pull or dvc repro"
        ) from None
    except (
        *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, MemoryError),
        *(zipfile.BadZipFile, RuntimeError),  # packed in a way, or encrypted
    ):
        raise InputError(f"{path}: not a model of this pipeline; run dvc repro") from None
