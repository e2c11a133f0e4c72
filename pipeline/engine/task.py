"""What every task of a run's folds has: data in memory, batches of it, answers to it.

`emotions.EmotionTask` and `attributes.AttributeTask` define what a `Task` leaves open.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np

from pipeline.engine import answers
from pipeline.engine.dataset import Dataset, Fold
from pipeline.engine.program import Program
from pipeline.models.training import Training

STREAMED = 8  # batches at once where the features do not fit into memory
LARGEST = 1e6  # mean loss of a clip above which a training is lost


@dataclass(frozen=True)
class FoldSeed:
    """One training: a fold under a seed, and the name of its files."""

    fold: Fold
    seed: int
    name: str

    @property
    def weights_seed(self) -> int:
        """Seed of the untrained weights: each fold draws its own from the run's."""
        return int(np.random.SeedSequence([self.seed, self.fold.number]).generate_state(1)[0] >> 1)


@dataclass(frozen=True)
class Lost:
    """A training whose loss is NaN, or grows without bound.

    Attributes
    ----------
    loss : float
        Mean over the clips of the epoch.
    step, steps : int
        Step at which it happened, from 1, and how many an epoch has.
    """

    loss: float
    step: int
    steps: int

    def words(self, epoch: int) -> str:
        """Say what happened, in which epoch and step."""
        what = "is NaN"
        if np.isfinite(self.loss):
            what = f"grows without bound, to {self.loss:.0e},"
        return f"the loss {what} in epoch {epoch}, step {self.step} of {self.steps}"


class Task(ABC):
    """Data of a run and the network that is trained on it.

    A task knows what is trained in an epoch, towards which targets, and how well it went; the loop
    knows of folds, epochs, checkpoints and threads. ``SHOWN`` are the columns of the history that
    the progress bar shows, ``STACKS`` whether several folds and seeds may be one program, ``ahead``
    the number of first epochs that no selection takes.

    Parameters
    ----------
    model : keras.Model
        What is saved.
    network : keras.Model
        What is trained; it has the model's variables.
    data : Dataset
    program : Program
        Compiled network.
    source : ndarray or what is indexed like one, optional
        What orders of an epoch index; by default the features of clips.
    """

    SHOWN: ClassVar[tuple[str, ...]]
    STACKS: ClassVar[bool]
    ahead: int = 0

    @classmethod
    @abstractmethod
    def uses(cls, fold: Fold, seeds: tuple[int, ...], training: Training) -> dict[str, np.ndarray]:
        """Rows of the clips that a fold's models rest on, besides training and selection.

        Parameters
        ----------
        fold : Fold
        seeds : tuple of int
            Seeds of the run.
        training : Training

        Returns
        -------
        dict of str to ndarray of int
            Rows by purpose.

        Raises
        ------
        InputError
            If the settings ask for clips that the fold lacks.
        """

    @abstractmethod
    def start(self, model: keras.Model, fold_seed: FoldSeed) -> dict:
        """State of an untrained model, as numpy arrays."""

    @abstractmethod
    def compile(self, fold_seeds: list[FoldSeed], state: dict) -> None:
        """Compile all that the folds will run, before threads wait for it."""

    @abstractmethod
    def epoch(
        self, state: dict, fold_seeds: list[FoldSeed], number: int
    ) -> tuple[dict, list[dict | Lost]]:
        """Train for an epoch.

        Parameters
        ----------
        state : dict
            State of one fold and seed, or of several with a first axis for them.
        fold_seeds : list of FoldSeed
            Several only if ``STACKS``.
        number : int
            Number of the epoch, from 0.

        Returns
        -------
        state : dict
            After the epoch.
        rows : list of dict or Lost
            What was measured: a row of the history for each fold and seed; or that its loss is NaN
            or grows without bound.
        """

    @abstractmethod
    def score(self, state: dict, rows: np.ndarray, part: str) -> dict[str, float]:
        """Measure the answers to some clips, for the history: ``validation_...``, ``test_...``."""

    @abstractmethod
    def merit(self, row: dict, part: str) -> float:
        """What a selection compares epochs by, higher is better."""

    def __init__(
        self,
        model: keras.Model,
        network: keras.Model,
        data: Dataset,
        program: Program,
        source: Any = None,
    ):
        self.model, self.network, self.data, self.program = model, network, data, program
        self.source = data.x if source is None else source
        self.resident = isinstance(self.source, np.ndarray)
        self.x = program.put(self.source) if self.resident else None

    def blocks(self, batch: int, targets, order: np.ndarray, draws: np.ndarray) -> Iterator[tuple]:
        """All clips at once if they are in memory, else some batches after another."""
        if self.resident:
            yield self.x, self.program.put(targets), order, draws
            return
        step = STREAMED * batch
        for first in range(0, len(order), step):
            rows = order[first : first + step]
            full = np.resize(rows, step)  # one shape, so that it compiles once
            x = self.program.put(self.source[full])
            there = self.program.put(_rows(targets, full))
            here = np.arange(len(rows), dtype=np.int32)
            yield x, there, here, draws[first : first + step]

    def learn(self, program: Program, state: dict, *lesson) -> tuple[dict, np.ndarray]:
        """Step through ``targets, order, draws``; new state, and the sums of what is measured."""
        sums = []
        for block in self.blocks(program.batch, *lesson):
            state, more = program.epoch(state, *block)
            sums.append(np.asarray(more, dtype=float))
        return state, np.sum(sums, axis=0)

    def lost(self, program: Program, state: dict, lesson: tuple, sums: np.ndarray) -> Lost | None:
        """Find the step at which the loss of an epoch got lost; None if it did not.

        The epoch is trained again as far as is needed: nothing is measured in between otherwise.

        Parameters
        ----------
        program : Program
        state : dict
            State of one fold and seed before the epoch.
        lesson : tuple
            Targets, order and draws of the epoch.
        sums : ndarray
            What `learn` gave of it, the loss first.
        """
        targets, order, draws = lesson
        most = LARGEST * len(order)
        if np.isfinite(sums[0]) and abs(sums[0]) <= most:
            return None
        steps = -(-len(order) // program.batch)
        sound, step = 0, steps
        while step - sound > 1:
            middle = (sound + step) // 2
            some = middle * program.batch
            _, found = self.learn(program, state, targets, order[:some], draws[:some])
            if np.isfinite(found[0]) and abs(found[0]) <= most:
                sound = middle
            else:
                step = middle
        return Lost(float(sums[0] / len(order)), step, steps)

    def prepare(self, program: Program, state: dict, counts: Iterable[int], *lesson) -> None:
        """Compile steps of all sizes of batches that so many clips come in, by an example."""
        sizes = {min(count, program.batch) for count in counts}
        sizes |= {count % program.batch for count in counts} - {0}
        x, targets, _, draws = next(self.blocks(program.batch, *lesson))
        program.prepare(state, x, targets, draws, sizes)

    def answers(self, state: dict, rows: np.ndarray, *, of: str | None = None) -> np.ndarray:
        """What the network gives for some clips, (clips, ...); ``of`` several outputs, which."""
        found = []
        for first in range(0, len(rows), answers.BATCH):
            some = rows[first : first + answers.BATCH]
            full = np.resize(some, answers.BATCH)  # one shape, so that it compiles once
            answer = self.program.predict(state, self.program.put(self.data.take(full)))
            found.append(np.asarray(answer if of is None else answer[of])[: len(some)])
        return np.concatenate(found)


def _rows(arrays, rows: np.ndarray):
    """Some rows of an array, or of each of several."""
    return keras.tree.map_structure(lambda array: array[rows], arrays)
