"""What every task of a run's folds has: data at hand, batches of it, answers to it.

A task knows what is learnt in an epoch, from which targets, and how well it went; the loop knows
of folds, epochs, checkpoints and threads. `emotions.Emotions` and `attributes.Attributes` say what
a `Task` leaves open:

* ``start(model, unit) -> state``: of an untrained model, as numpy arrays;
* ``compile(units, state)``: whatever units will run, before threads wait for it;
* ``epoch(state, units, number) -> state, rows``: train for an epoch, the first being 0; a row of
  the history for each unit. Several units only if ``stacked``;
* ``score(state, rows, part) -> dict``: of clips, for the history, ``validation_...``;
* ``merit(row, part) -> float``: what the selection goes by, higher is better;
* ``SHOWN``: what the progress bar tells of a row.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import keras
import numpy as np

from pipeline.engine import answers
from pipeline.engine.compiled import Program
from pipeline.engine.dataset import Dataset, Fold

STREAMED = 8  # batches at once where the features do not fit into memory


@dataclass(frozen=True)
class Unit:
    """One training: a fold under a seed, and the name of its files."""

    fold: Fold
    seed: int
    name: str

    @property
    def weights_seed(self) -> int:
        """Of the untrained weights: each fold draws its own from the run's."""
        return int(np.random.SeedSequence([self.seed, self.fold.number]).generate_state(1)[0] >> 1)


class Task:
    """Data of a run and the network that learns from it.

    Parameters
    ----------
    model : keras.Model
        What is saved.
    network : keras.Model
        What is trained; it has the model's variables.
    data : Dataset
    batch : int
        Clips of a step.
    program : Program
        Of the network.
    """

    def __init__(
        self, model: keras.Model, network: keras.Model, data: Dataset, batch: int, program: Program
    ):
        self.model, self.network, self.data = model, network, data
        self.batch, self.program = batch, program
        self.resident = isinstance(data.x, np.ndarray)
        self.x = program.put(data.x) if self.resident else None

    def blocks(self, targets, order: np.ndarray, draws: np.ndarray) -> Iterator[tuple]:
        """All clips at once if they are in memory, else some batches after another."""
        if self.resident:
            yield self.x, self.program.put(targets), order, draws
            return
        step = STREAMED * self.batch
        for first in range(0, len(order), step):
            rows = order[first : first + step]
            full = np.resize(rows, step)  # one shape, so that it compiles once
            x = self.program.put(self.data.take(full))
            there = self.program.put(_rows(targets, full))
            here = np.arange(len(rows), dtype=np.int32)
            yield x, there, here, draws[first : first + step]

    def learn(self, program: Program, state: dict, *lesson) -> tuple[dict, np.ndarray]:
        """Step through ``targets, order, draws``; new state, and the sums of what is measured."""
        sums = []
        for block in self.blocks(*lesson):
            state, more = program.epoch(state, *block)
            sums.append(np.asarray(more, dtype=float))
        return state, np.sum(sums, axis=0)

    def prepare(self, program: Program, state: dict, counts: Iterable[int], *lesson) -> None:
        """Compile steps of all sizes of batches that so many clips come in, by an example."""
        sizes = {min(count, self.batch) for count in counts}
        sizes |= {count % self.batch for count in counts} - {0}
        x, targets, _, draws = next(self.blocks(*lesson))
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
