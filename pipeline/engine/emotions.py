"""Emotions of clips: classes, trained as probabilities."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from keras import ops

from pipeline import progress
from pipeline.engine import answers, compiled, objectives
from pipeline.engine.dataset import Dataset, Fold
from pipeline.engine.program import Program
from pipeline.engine.task import FoldSeed, Lost, Task
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.models.training import EmotionTraining


class EmotionTask(Task):
    """The task of a run on emotions.

    Parameters
    ----------
    model : keras.Model
        Untrained; gives (clips, classes).
    data : Dataset
    training : EmotionTraining
    folder : Path
        Takes what the stem of the network gives.
    """

    SHOWN = ("loss", "accuracy")
    STACKS = True

    def __init__(self, model: keras.Model, data: Dataset, training: EmotionTraining, folder: Path):
        stem, network = self.divide(model)
        if stem is not None:
            data = _stemmed(data, stem, training, folder / "stem.npy")
        self.optimiser, self.training = objectives.optimiser(training), training
        loss, mask, batch = objectives.loss(training), objectives.mask(training), training.batch
        compiled_network = program(network, loss, self.optimiser, batch, mask)
        super().__init__(model, network, data, compiled_network)
        classes, smoothing = len(data.target.outputs), training.label_smoothing
        numbers, train = zip(*((fold.number, fold.train) for fold in data.folds), strict=True)
        found = [objectives.targets(data.truth, classes, smoothing)] * len(numbers)
        if training.compound_smoothing:
            found = objectives.compounded(data.truth, classes, smoothing, list(train))
        self.targets = dict(zip(numbers, found, strict=True))  # by fold

    @classmethod
    def uses(
        cls, fold: Fold, seeds: tuple[int, ...], training: EmotionTraining
    ) -> dict[str, np.ndarray]:
        """No clips besides those of training and selection."""
        return {}

    def divide(self, model: keras.Model) -> tuple[keras.Model | None, keras.Model]:
        """What of a network all folds have alike, if anything, and what is trained."""
        return compiled.divide(model)

    def start(self, model: keras.Model, fold_seed: FoldSeed) -> dict:
        """State of an untrained model."""
        return compiled.start(self.divide(model)[1], self.optimiser)

    def compile(self, fold_seeds: list[FoldSeed], state: dict) -> None:
        """Compile steps of all sizes of batches."""
        counts = [len(one.fold.train) for one in fold_seeds]
        self.prepare(self.program, state, counts, *self._lesson(fold_seeds[0], 0))

    def epoch(
        self, state: dict, fold_seeds: list[FoldSeed], number: int
    ) -> tuple[dict, list[dict | Lost]]:
        """Train one fold and seed, or several of one size stacked; give loss and accuracy."""
        lessons = [self._lesson(one, number) for one in fold_seeds]
        rate = np.float32(objectives.rate(self.training, number))
        state["slots"]["rate"] = np.full((len(fold_seeds),) if len(fold_seeds) > 1 else (), rate)
        if len(fold_seeds) > 1:
            stacked = [np.stack(arrays) for arrays in zip(*lessons, strict=True)]
            after, sums = self.program.stacked_epoch(state, self.x, *stacked)
        else:
            after, sums = self.learn(self.program, state, *lessons[0])
        rows: list[dict | Lost] = []
        for i, of_one in enumerate(np.reshape(sums, (len(fold_seeds), -1))):
            before = compiled.member(state, i, len(fold_seeds))
            rows.append(self.row(self.program, before, lessons[i], of_one))
        return after, rows

    def row(self, program: Program, before: dict, lesson: tuple, sums: np.ndarray) -> dict | Lost:
        """Loss and accuracy of an epoch of one fold and seed, of sums over its order."""
        loss, hits = sums / len(lesson[1])
        lost = self.lost(program, before, lesson, sums)
        return lost or {"loss": float(loss), "accuracy": float(hits)}

    def score(self, state: dict, rows: np.ndarray, part: str) -> dict[str, float]:
        """Accuracy and UAR on some clips, and the cross-entropy on those of validation."""
        probabilities = self.answers(state, rows)  # (clips, classes)
        if not np.isfinite(probabilities).all():
            return {f"{part}_accuracy": np.nan}
        true, guessed = self.data.truth[rows], probabilities.argmax(axis=1)
        hits = guessed == true
        recalls = [hits[true == label].mean() for label in np.unique(true)]
        found = {f"{part}_accuracy": float(hits.mean()), f"{part}_uar": float(np.mean(recalls))}
        if part == "test":
            return found
        of_true = probabilities[np.arange(len(rows)), true]
        return {f"{part}_loss": float(-np.log(np.maximum(of_true, 1e-7)).mean())} | found

    def merit(self, row: dict, part: str) -> float:
        """Accuracy or UAR, or how low the loss is."""
        measure = self.training.select_by
        return row[f"{part}_{measure}"] * (-1 if measure == "loss" else 1)

    def _lesson(self, fold_seed: FoldSeed, number: int) -> tuple[np.ndarray, ...]:
        """Targets of all clips, training clips in the order of an epoch, and draws for each."""
        draw = np.random.default_rng([fold_seed.seed, fold_seed.fold.number, number])
        targets, order = self.ordered(fold_seed, draw)
        return targets, order.astype(np.int32), draw.random((len(order), 4), np.float32)

    def ordered(
        self, fold_seed: FoldSeed, draw: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Targets of all clips, and training clips in an order, balanced as the training says."""
        train, targets = fold_seed.fold.train, self.targets[fold_seed.fold.number]
        balance = self.training.balance
        if balance == "none":
            order = draw.permutation(train)
        else:
            weights = objectives.class_weights(self.data.truth[train])
            if balance == "resample":
                order = draw.choice(train, len(train), p=weights / weights.sum(dtype=float))
            else:
                order, targets = draw.permutation(train), targets.copy()
                targets[train] *= weights[:, None]
        return targets, order


def program(
    network: keras.Model,
    loss: Callable,
    optimiser: objectives.Optimiser,
    batch: int,
    mask: Callable = objectives.whole,
) -> Program:
    """Compile a network of probabilities; what it measures are loss and hits.

    Parameters
    ----------
    network : keras.Model
        Gives (clips, classes).
    loss : callable
        ``(targets, logits) -> (clips,)``.
    optimiser : Optimiser
    batch : int
        Clips of a step.
    mask : callable
        ``(x, draws) -> x``, what is trained on; ``draws (order, 4)``, 0 to 1, say where each clip
        is masked.
    """
    with_logits = compiled.reordered(compiled.without_softmax(network))

    def objective(weights: list, other: list, x, targets, draws):
        outputs, other, penalties = with_logits.stateless_call(
            weights, other, mask(x, draws), training=True, return_losses=True
        )
        value = ops.mean(loss(targets, outputs)) + sum(penalties)
        hits = ops.equal(ops.argmax(outputs, axis=-1), ops.argmax(targets, axis=-1))
        clips = ops.cast(ops.shape(x)[0], "float32")
        return value, (other, ops.stack([value * clips, ops.sum(ops.cast(hits, "float32"))]))

    return compiled.program(network, objective, 2, optimiser, batch)


def _stemmed(data: Dataset, stem: keras.Model, training: EmotionTraining, path: Path) -> Dataset:
    """Clips as the stem of a network gives them, each computed once and kept for a resumed run."""
    if training.mask_frames or training.mask_bins:
        raise InputError("mask_frames, mask_bins: a frozen CNN sees each clip once; set them to 0")
    if not path.exists():
        rows, step = np.arange(len(data.truth)), answers.BATCH
        blocks = [rows[first : first + step] for first in range(0, len(rows), step)]
        blocks = progress.counted(blocks, len(blocks), "stem", "batches")
        values = np.concatenate([answers.predict(stem, data.take(some)) for some in blocks])
        with tables.replacing(path) as temporary, temporary.open("wb") as file:
            np.save(file, values)
    return replace(data, x=np.load(path))
