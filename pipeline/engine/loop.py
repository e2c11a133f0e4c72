"""The training loop: the folds of a run together, on one compiled program, resumable.

What a fold learns depends on the run's seed, its number and its data alone: not on the folds beside
it, nor on when it was interrupted. The order of clips follows from (seed, fold, epoch). A fold is
trained once for each seed of the run.

On a CPU the folds run in threads, one per core, each operation on one thread. On a GPU, folds that
train on equally many clips are stacked into one program. ``reports/benchmarks/engine.md`` has the
measurements behind that choice.
"""

import json
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from pipeline import workers
from pipeline.dataset import Dataset, Fold
from pipeline.engine import compiled, objectives
from pipeline.errors import InputError
from pipeline.files import bundles, tables

CHECKPOINT_SECONDS = 30
MEASURED = 256  # clips at once where nothing is learnt
STREAMED = 8  # batches at once where the features do not fit into memory


@dataclass(frozen=True)
class Unit:
    """One training: a fold under a seed, and the name of its files."""

    fold: Fold
    seed: int
    name: str


@dataclass
class Progress:
    """Where the training of a unit stands; ``best`` is what the selection would keep."""

    unit: Unit
    state: dict
    epoch: int = 0
    history: list[dict] = field(default_factory=list)
    score: float = -math.inf
    best_epoch: int = 0
    best: dict | None = None

    @property
    def diverged(self) -> bool:
        """Whether the loss stopped being a number."""
        return bool(self.history) and not math.isfinite(self.history[-1]["loss"])


def train(
    build: Callable[[int], keras.Model],
    data: Dataset,
    training: dict,
    *,
    selection: str,
    seeds: tuple[int, ...],
    stacked: bool,
    folder: Path,
) -> list[dict]:
    """Train a model per fold and seed, going on from what an interrupted run left in ``folder``.

    Parameters
    ----------
    build : callable
        Makes an untrained model from a seed.
    data : Dataset
    training : dict
        ``epochs``, ``batch``, ``label_smoothing``, ``loss`` and the optimiser's settings.
    selection : str
        ``last`` epoch, ``best_validation`` (highest accuracy on validation clips, the earliest of
        equals) or ``leaky`` (highest accuracy on the test clips, as some publications did).
    seeds : tuple of int
        Of the run; each fold draws its own from each.
    stacked : bool
        Whether units of one size are one program; otherwise they run in threads.
    folder : Path
        Takes ``fold-01.keras`` of finished units, ``fold-01.json`` and ``fold-01.npz`` on the way.

    Returns
    -------
    list of dict
        Per fold and seed: ``fold``, ``seed``, ``file``, the selected ``epoch`` from 1, and the
        ``history``: ``epoch, loss, accuracy``, ``validation_loss, validation_accuracy``,
        ``test_accuracy``.

    Raises
    ------
    InputError
        If a loss stops being a number; fold and epoch are named. The other folds are trained to
        the end and kept for the next attempt.
    """
    shared = _Shared(build, data, training, selection, folder)
    units = [
        Unit(fold, seed, bundles.unit_name(fold.number, seed, seeds))
        for seed in seeds
        for fold in data.folds
    ]
    pending = [unit for unit in units if not _result(folder, unit).exists()]
    if stacked:
        pending.sort(key=_size)
        groups = [list(members) for _, members in groupby(pending, key=_size)]
    else:
        groups = [[unit] for unit in pending]
    done = (len(units) - len(pending)) * training["epochs"]
    total = len(units) * training["epochs"]
    with ExitStack() as stack:
        # disable=None: a line on a terminal, nothing in a log
        shared.bar = stack.enter_context(
            tqdm(total=total, initial=done, desc="train", unit=" epochs", disable=None)
        )
        if groups:
            shared.compile(pending, stacked)
        pool = stack.enter_context(ThreadPoolExecutor(1 if stacked else workers.cores()))
        messages = [message for found in pool.map(shared.run, groups) for message in found]
    if messages:
        raise InputError("; ".join(messages))
    return [tables.read_json(_result(folder, unit)) for unit in units]


class _Shared:
    """What the folds share: data on the device, the compiled program, the progress bar."""

    def __init__(self, build, data: Dataset, training: dict, selection: str, folder: Path):
        self.build, self.data, self.training = build, data, training
        self.selection, self.folder = selection, folder
        self.model = build(0)
        self.optimiser = objectives.optimiser(training)
        loss = objectives.LOSSES[training["loss"]]
        self.program = compiled.program(self.model, loss, self.optimiser, training["batch"])
        self.lock = threading.Lock()  # Keras builds and saves one model at a time
        targets = objectives.targets(data.y, len(data.labels), training["label_smoothing"])
        self.resident = isinstance(data.x, np.ndarray)
        self.x = self.program.put(data.x) if self.resident else None
        self.targets = self.program.put(targets) if self.resident else targets
        parts = [part for fold in data.folds for part in (fold.validation, fold.test)]
        self.measured = min(MEASURED, max(map(len, parts)))

    def compile(self, units: list[Unit], stacked: bool) -> None:
        """Compile before the threads start, so that none waits for another."""
        if stacked or not self.resident:
            return
        batch = self.training["batch"]
        sizes = {min(_size(unit), batch) for unit in units}
        sizes |= {_size(unit) % batch for unit in units} - {0}
        state = compiled.start(self.model, self.optimiser)
        self.program.prepare(state, self.x, self.targets, sizes)

    def run(self, units: list[Unit]) -> list[str]:
        """Train one unit, or several stacked, to the end; return what went wrong."""
        group = [self._resume(unit) for unit in units]
        for epoch in sorted({progress.epoch for progress in group}):  # level a stack's members
            late = [p for p in group if p.epoch <= epoch]
            goal = min([p.epoch for p in group if p.epoch > epoch], default=None)
            self._advance(late, goal or self.training["epochs"])
        messages = []
        for progress in group:
            if progress.diverged:
                messages.append(
                    f"{progress.unit.name}: the loss is no number in epoch {progress.epoch}; "
                    "lower the learning rate"
                )
            else:
                self._finish(progress)
        return messages

    def _advance(self, group: list[Progress], goal: int) -> None:
        """Train units that stand at one epoch up to another."""
        saved = time.monotonic()
        state = group[0].state
        if len(group) > 1:
            states = [progress.state for progress in group]
            state = keras.tree.map_structure(lambda *leaves: np.stack(leaves), *states)
        while alive := [p for p in group if not p.diverged and p.epoch < goal]:
            state, losses, hits = self._epoch(state, group)
            measures = self._measure(state, group)
            for i, progress in enumerate(group):
                size = _size(progress.unit)
                row = {"epoch": progress.epoch + 1}
                row |= {"loss": float(losses[i]) / size, "accuracy": float(hits[i]) / size}
                self._record(progress, row | measures[i], _member(state, i, len(group)))
            if time.monotonic() - saved > CHECKPOINT_SECONDS or alive[0].epoch == goal:
                saved = time.monotonic()
                for i, progress in enumerate(group):
                    progress.state = _numpy(_member(state, i, len(group)))
                    _save(progress, self.folder)

    def _epoch(self, state: dict, group: list[Progress]) -> tuple:
        """One epoch of each unit: new state, and losses and hits summed over its clips."""
        orders = np.stack([self._order(progress) for progress in group])  # (units, clips)
        if len(group) > 1:
            return self.program.stacked_epoch(state, self.x, self.targets, orders)
        loss, hits = 0.0, 0.0
        for x, targets, order in self._blocks(orders[0]):
            state, more_loss, more_hits = self.program.epoch(state, x, targets, order)
            loss, hits = loss + float(more_loss), hits + float(more_hits)
        return state, [loss], [hits]

    def _order(self, progress: Progress) -> np.ndarray:
        """Training clips of a unit in the order of its next epoch."""
        fold = progress.unit.fold
        words = [progress.unit.seed, fold.number, progress.epoch]
        return np.random.default_rng(words).permutation(fold.train).astype(np.int32)

    def _blocks(self, order: np.ndarray) -> Iterator[tuple]:
        """All clips at once if they are in memory, else some batches after another."""
        if self.resident:
            yield self.x, self.targets, order
            return
        step = STREAMED * self.training["batch"]
        for first in range(0, len(order), step):
            rows = order[first : first + step]
            x, targets = self.data.take(rows), self.targets[rows]
            here = np.arange(len(rows), dtype=np.int32)
            yield self.program.put(x), self.program.put(targets), here

    def _measure(self, state: dict, group: list[Progress]) -> list[dict]:
        """Losses and accuracies on the clips that a unit does not learn from."""
        rows = []
        for i, progress in enumerate(group):
            fold, member, row = progress.unit.fold, _member(state, i, len(group)), {}
            if len(fold.validation):
                loss, accuracy = self._score(member, fold.validation)
                row = {"validation_loss": loss, "validation_accuracy": accuracy}
            row["test_accuracy"] = self._score(member, fold.test)[1]
            rows.append(row)
        return rows

    def _score(self, state: dict, rows: np.ndarray) -> tuple[float, float]:
        """Cross-entropy and accuracy on some clips."""
        answers = []
        for first in range(0, len(rows), self.measured):
            some = rows[first : first + self.measured]
            full = np.resize(some, self.measured)  # one shape, so that it compiles once
            x = self.program.put(self.data.take(full))
            answers.append(np.asarray(self.program.predict(state, x))[: len(some)])
        probabilities = np.concatenate(answers)  # (clips, classes)
        true = probabilities[np.arange(len(rows)), self.data.y[rows]]
        hits = probabilities.argmax(axis=1) == self.data.y[rows]
        return float(-np.log(np.maximum(true, 1e-7)).mean()), float(hits.mean())

    def _record(self, progress: Progress, row: dict, state: dict) -> None:
        """Take an epoch down, and keep the state if the selection asks for it."""
        if progress.diverged:
            return
        progress.epoch += 1
        progress.history.append(row)
        score = {
            "last": progress.epoch,
            "best_validation": row.get("validation_accuracy"),
            "leaky": row["test_accuracy"],
        }[self.selection]
        if score > progress.score:
            progress.score, progress.best_epoch = score, progress.epoch
            if self.selection != "last":
                progress.best = _numpy({"weights": state["weights"], "other": state["other"]})
        with self.lock:
            self.bar.set_postfix_str(
                f"{progress.unit.name}, loss {row['loss']:.3f}, accuracy {row['accuracy']:.3f}"
            )
            self.bar.update()

    def _resume(self, unit: Unit) -> Progress:
        """Where an interrupted run left a unit, or its start."""
        words = np.random.SeedSequence([unit.seed, unit.fold.number]).generate_state(1)
        with self.lock:
            model = self.build(int(words[0] >> 1))
            fresh = Progress(unit, compiled.start(model, self.optimiser))
        progress = _load(fresh, self.folder)
        with self.lock:
            self.bar.update(progress.epoch)
        return progress

    def _finish(self, progress: Progress) -> None:
        """Write the selected model and the history of a unit."""
        unit = progress.unit
        file = f"{unit.name}.keras"
        with self.lock:
            compiled.assign(self.model, progress.best or progress.state)
            bundles.write_model(self.model.save, self.folder / file)
        facts = {"fold": unit.fold.number, "seed": unit.seed, "file": file}
        facts |= {"epoch": progress.best_epoch, "history": progress.history}
        tables.write_json(facts, _result(self.folder, unit))
        _checkpoint(self.folder, unit).unlink()


def _size(unit: Unit) -> int:
    """Clips that a unit trains on."""
    return len(unit.fold.train)


def _member(state: dict, i: int, units: int) -> dict:
    """State of one unit out of a stack; of a single unit, itself."""
    return state if units == 1 else keras.tree.map_structure(lambda leaf: leaf[i], state)


def _numpy(state: dict) -> dict:
    """Copy a state from the device."""
    return keras.tree.map_structure(np.array, state)


def _result(folder: Path, unit: Unit) -> Path:
    """Where the history of a finished unit lies until the run is done."""
    return folder / f"{unit.name}.json"


def _checkpoint(folder: Path, unit: Unit) -> Path:
    """Where a begun unit lies."""
    return folder / f"{unit.name}.npz"


def _save(progress: Progress, folder: Path) -> None:
    """Write a checkpoint, whole or not at all."""
    leaves = keras.tree.flatten((progress.state, progress.best or {}))
    facts = {
        "epoch": progress.epoch,
        "history": progress.history,
        "score": progress.score,
        "best_epoch": progress.best_epoch,
    }
    with tables.replacing(_checkpoint(folder, progress.unit)) as aside, aside.open("wb") as file:
        np.savez(file, *leaves, facts=json.dumps(facts))


def _load(fresh: Progress, folder: Path) -> Progress:
    """Go on from a checkpoint if there is one."""
    path = _checkpoint(folder, fresh.unit)
    if not path.exists():
        return fresh
    with np.load(path) as held:
        facts = json.loads(str(held["facts"]))
        leaves = [held[f"arr_{i}"] for i in range(len(held.files) - 1)]
    kept = {"weights": fresh.state["weights"], "other": fresh.state["other"]}
    whole = len(keras.tree.flatten(fresh.state))
    state = keras.tree.pack_sequence_as(fresh.state, leaves[:whole])
    best = keras.tree.pack_sequence_as(kept, leaves[whole:]) if leaves[whole:] else None
    return Progress(fresh.unit, state, best=best, **facts)
