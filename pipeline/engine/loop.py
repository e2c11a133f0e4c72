"""The training loop: the folds of a run together, on one compiled program, resumable.

What is trained in an epoch is a `task.Task`: `emotions.EmotionTask`, in two stages
`segments.SegmentTask`, or, for a model file that has ``with_clusters``, `attributes.AttributeTask`.

The weights of a fold depend on the run's seed, its number and its data alone: not on other folds,
nor on when it was interrupted. The order of clips follows from (seed, fold, epoch). A fold is
trained once for each seed of the run.

On a CPU the folds run in threads, one per core, each operation on one thread. On a GPU, folds that
train on equally many clips are stacked into one program. ``make bench BENCH=engine`` measures the
reasons of that choice.

On one machine the same bytes come out of a fold alone and with others in threads, undisturbed and
resumed (stacked too), with features in memory and, but for the last digit of the losses, read from
disk. Stacked and in threads, TIM-Net's losses agree to 3e-7 of their size after 20 epochs on a CPU,
and so do JAX's and TensorFlow's without dropout, of which each draws its own.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import keras
import numpy as np

from pipeline import parallel
from pipeline.engine import compiled
from pipeline.engine.attributes import AttributeTask
from pipeline.engine.dataset import Dataset
from pipeline.engine.emotions import EmotionTask
from pipeline.engine.segments import SegmentTask
from pipeline.engine.task import FoldSeed, Lost, Task
from pipeline.errors import InputError
from pipeline.files import bundles, checkpoints, tables
from pipeline.models.training import AttributeTraining, EmotionTraining, SegmentTraining, Training
from pipeline.progress import showing

CHECKPOINT_SECONDS = 30
UNFINISHED = checkpoints.FOLDER
log = logging.getLogger("pipeline")


@dataclass
class Record:
    """Results so far of a fold and seed.

    Attributes
    ----------
    epoch : int
        The one that the selection would take now, from 1.
    score : float
        What the selection goes by, in that epoch.
    kept : dict
        Weights and statistics of that epoch; empty if the selection takes the last.
    history : list of dict
        A row per epoch.
    diverged : int
        Epoch in which the training got lost; 0 if it never did.
    ended : bool
        Whether the patience of the training ended before its epochs did.
    how : str
        What became of it where it got lost, in words.
    """

    epoch: int
    score: float
    kept: dict
    history: list[dict] = field(default_factory=list)
    diverged: int = 0
    ended: bool = False
    how: str = ""


@dataclass
class Progress:
    """State of the training of some folds and seeds; that of several has an axis for them first."""

    state: dict
    records: list[Record]
    epoch: int = 0


def task(network: Any) -> type[Task]:
    """Choose how the models of a file are trained: with clusters if it has ``with_clusters``."""
    return AttributeTask if hasattr(network, "with_clusters") else EmotionTask


def train(
    build: Callable[[int], keras.Model],
    data: Dataset,
    training: Training,
    *,
    selection: str,
    seeds: tuple[int, ...],
    stacked: bool,
    folder: Path,
    share: slice = slice(None),
    only: Sequence[int] | None = None,
    with_clusters: Callable | None = None,
    begin: Callable[[keras.Model, FoldSeed], None] | None = None,
) -> list[dict]:
    """Train a model per fold and seed, going on from what an interrupted run left in ``folder``.

    Parameters
    ----------
    build : callable
        Makes an untrained model from a seed.
    data : Dataset
    training : Training
        Settings of the task: of emotions, or of attributes.
    selection : str
        ``last`` epoch, ``best_validation`` (highest accuracy, UAR or concordance on validation
        clips) or ``leaky`` (the highest on the test clips, as some publications did).
    seeds : tuple of int
        Seeds of the run; each fold draws its own from each.
    stacked : bool
        Whether folds of one size are one program, which needs features in memory; otherwise they
        run in threads.
    folder : Path
        Takes ``fold-01.keras`` of finished folds and seeds. What is needed to go on after an
        interruption lies in ``UNFINISHED`` below it, for the caller to remove.
    share : slice
        Models to train, in the order of what is returned; by default all. Several machines
        may each train some into one folder.
    only : sequence of int, optional
        Numbers of the folds that are trained; by default all.
    with_clusters : callable, optional
        Function of the model's file: the run is on attributes.
    begin : callable, optional
        Sets the weights that a fold and seed starts from; without it they are those of ``build``.

    Returns
    -------
    list of dict
        Per fold and seed: ``fold``, ``seed``, ``file``, the selected ``epoch`` from 1, and the
        ``history``, rows of ``epoch`` and what the task measures.

    Raises
    ------
    InputError
        If a loss is NaN or grows without bound; fold, epoch and step are named. The other folds are
        trained to the end and kept for the next attempt.
    """
    (folder / UNFINISHED).mkdir(exist_ok=True)
    if with_clusters and isinstance(training, AttributeTraining):
        task = AttributeTask(with_clusters, build(0), data, training)
    elif isinstance(training, SegmentTraining) and training.segment_epochs:
        task = SegmentTask(build(0), data, training, folder / UNFINISHED)
    elif isinstance(training, EmotionTraining):
        task = EmotionTask(build(0), data, training, folder / UNFINISHED)
    else:
        raise TypeError("a training of attributes wants with_clusters")
    shared = _Shared(build, begin, task, training, selection, folder)
    fold_seeds = [
        FoldSeed(fold, seed, bundles.fold_name(fold.number, seed, seeds))
        for seed in seeds
        for fold in data.folds
        if only is None or fold.number in only
    ][share]
    groups = [[fold_seed] for fold_seed in fold_seeds]
    if stacked:
        groups = [list(same) for _, same in groupby(sorted(fold_seeds, key=_size), key=_size)]
    pending = [group for group in groups if None in map(shared.result, group)]
    total, left = len(fold_seeds), sum(map(len, pending))
    with ExitStack() as stack:
        epochs = training.epochs
        bar = showing(total * epochs, "train", "epochs", (total - left) * epochs)
        shared.bar = stack.enter_context(bar)
        if pending:
            shared.bar.update(0, "compiling")
            shared.compile([fold_seed for group in pending for fold_seed in group], stacked)
            names = [one.name for one in fold_seeds]
            checkpoints.begin(folder / UNFINISHED, names, epochs, task.SHOWN)
        pool = stack.enter_context(ThreadPoolExecutor(1 if stacked else parallel.cores()))
        stack.callback(shared.stop.set)  # Ctrl-C: the threads save where they are and end
        messages = [message for found in pool.map(shared.run, pending) for message in found]
    if messages:
        raise InputError("; ".join(messages))
    return [found for fold_seed in fold_seeds if (found := shared.result(fold_seed))]


class _Shared:
    """What the folds have in common: the task with its data on the device, and the progress bar."""

    def __init__(self, build, begin, task: Task, training: Training, selection: str, folder: Path):
        self.build, self.begin, self.task, self.epochs = build, begin, task, training.epochs
        self.patience, self.selection, self.folder = training.patience, selection, folder
        self.later = training.equal_epochs == "latest"
        self.lock = threading.Lock()  # Keras builds and saves one model at a time
        self.stop = threading.Event()
        self.bar: Any = None  # of the training

    def compile(self, fold_seeds: list[FoldSeed], stacked: bool) -> None:
        """Compile before the threads start, so that none waits for another."""
        state = self.task.start(self.build(0), fold_seeds[0])
        self.task.score(state, fold_seeds[0].fold.test[:1], "test")
        if not stacked:
            self.task.compile(fold_seeds, state)

    def run(self, fold_seeds: list[FoldSeed]) -> list[str]:
        """Train one fold and seed, or several stacked, to the end; return what went wrong."""
        checkpoint = self.folder / UNFINISHED / f"{fold_seeds[0].name}.npz"
        progress = _load(self._start(fold_seeds), fold_seeds, checkpoint)
        self.bar.skip(progress.epoch * len(fold_seeds))
        saved = time.monotonic()
        while progress.epoch < self.epochs:
            if all(map(_over, progress.records)) or self.stop.is_set():
                break
            self._epoch(progress, fold_seeds)
            if time.monotonic() - saved > CHECKPOINT_SECONDS:
                _save(progress, fold_seeds, checkpoint)
                saved = time.monotonic()
        _save(progress, fold_seeds, checkpoint)
        if self.stop.is_set():
            return []
        self.bar.skip((self.epochs - progress.epoch) * len(fold_seeds))
        return self._finish(progress, fold_seeds)

    def result(self, fold_seed: FoldSeed) -> dict | None:
        """Result of a finished fold and seed; None if it is not finished or its file cut short."""
        try:
            return tables.read_json(self.folder / UNFINISHED / f"{fold_seed.name}.json")
        except InputError:
            return None

    def _start(self, fold_seeds: list[FoldSeed]) -> Progress:
        """Untrained models, each from a seed of its own."""
        states = []
        for fold_seed in fold_seeds:
            with self.lock:
                model = self.build(fold_seed.weights_seed)
                if self.begin is not None:
                    self.begin(model, fold_seed)
                states.append(self.task.start(model, fold_seed))
        keys = () if self.selection == "last" else ("weights", "other")
        records = [Record(0, -math.inf, {key: state[key] for key in keys}) for state in states]
        return Progress(compiled.stacked(states), records)

    def _epoch(self, progress: Progress, fold_seeds: list[FoldSeed]) -> None:
        """Train for an epoch, and record it."""
        try:
            progress.state, rows = self.task.epoch(progress.state, fold_seeds, progress.epoch)
        except InputError as error:
            place = f"{fold_seeds[0].name}: epoch {progress.epoch + 1}"
            raise InputError(f"{place}: {error}") from None
        progress.epoch += 1
        for i, (fold_seed, record) in enumerate(zip(fold_seeds, progress.records, strict=True)):
            if _over(record):
                continue
            measured = rows[i]
            if isinstance(measured, Lost):
                record.diverged, record.how = progress.epoch, measured.words(progress.epoch)
            else:
                row = {"epoch": progress.epoch} | measured
                self._record(
                    record, row, fold_seed, compiled.member(progress.state, i, len(fold_seeds))
                )
        self.bar.update(len(fold_seeds))

    def _record(self, record: Record, row: dict, fold_seed: FoldSeed, state: dict) -> None:
        """Complete a row of the history, and keep the state if the selection asks for it."""
        for part in ("validation", "test"):
            if len(rows := getattr(fold_seed.fold, part)):
                row |= self.task.score(state, rows, part)
        # The training loss is of the weights before a step: the test score is of the last one.
        if not np.isfinite([value for value in row.values() if value is not None]).all():
            record.diverged = row["epoch"]
            record.how = f"the weights are NaN after epoch {row['epoch']}"
            return
        record.history.append(row)
        part = {"best_validation": "validation", "leaky": "test"}.get(self.selection)
        score = self.task.merit(row, part) if part else row["epoch"]
        better = score > record.score or (self.later and score == record.score)
        if row["epoch"] > self.task.ahead and better:
            record.score, record.epoch = score, row["epoch"]
            record.kept = compiled.copied({key: state[key] for key in record.kept})
        record.ended = 0 < self.patience <= row["epoch"] - max(record.epoch, self.task.ahead)
        stated = ", ".join(f"{name} {row[name]:.3f}" for name in self.task.SHOWN)
        self.bar.update(0, f"{fold_seed.name} epoch {row['epoch']}, {stated}")

    def _finish(self, progress: Progress, fold_seeds: list[FoldSeed]) -> list[str]:
        """Write the selected models and the histories; return what went wrong."""
        messages = []
        for i, (fold_seed, record) in enumerate(zip(fold_seeds, progress.records, strict=True)):
            if record.diverged:
                how = record.how or f"the loss is NaN in epoch {record.diverged}"
                messages.append(f"{fold_seed.name}: {how}; lower the learning rate")
                continue
            file = f"{fold_seed.name}.keras"
            with self.lock:
                state = record.kept or compiled.member(progress.state, i, len(fold_seeds))
                compiled.assign(self.task.network, state)  # its variables are the model's
                bundles.write_model(self.task.model.save, self.folder / file)
            facts = {"fold": fold_seed.fold.number, "seed": fold_seed.seed, "file": file}
            facts |= {"epoch": record.epoch, "history": record.history}
            tables.write_json(facts, self.folder / UNFINISHED / f"{fold_seed.name}.json")
        return messages


def _over(record: Record) -> bool:
    """Whether a fold and seed is trained no further."""
    return record.ended or record.diverged > 0


def _size(fold_seed: FoldSeed) -> int:
    """Number of clips that a fold trains on."""
    return len(fold_seed.fold.train)


def _save(progress: Progress, fold_seeds: list[FoldSeed], path: Path) -> None:
    """Write a checkpoint, whole or not at all."""
    kept = [record.kept for record in progress.records]
    leaves = keras.tree.flatten((compiled.copied(progress.state), kept))
    records = [vars(record) | {"kept": None} for record in progress.records]
    names = [one.name for one in fold_seeds]
    checkpoints.write(path, leaves, {"epoch": progress.epoch, "records": records, "names": names})


def _load(fresh: Progress, fold_seeds: list[FoldSeed], path: Path) -> Progress:
    """Go on from a checkpoint if there is one, and of the same folds and seeds."""
    if not path.exists():
        return fresh
    held = checkpoints.read(path)
    if held is None:
        log.warning("%s: damaged; training begins again there", path.name)
        return fresh
    leaves, facts = held
    if facts["names"] != [one.name for one in fold_seeds]:  # stacked otherwise, on other machines
        return fresh
    kept = [record.kept for record in fresh.records]
    state, kept = keras.tree.pack_sequence_as((fresh.state, kept), leaves)
    records = [
        Record(**facts | {"kept": weights})
        for facts, weights in zip(facts["records"], kept, strict=True)
    ]
    return Progress(state, records, facts["epoch"])
