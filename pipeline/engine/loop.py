"""The training loop: one compiled model, started afresh for every fold.

Compiling costs many seconds, so all folds of a run share one compiled step; weights, optimiser and
dropout state are set back between them. What a fold learns depends on its own seed and data alone,
not on the folds before it.
"""

import math
from collections.abc import Callable, Iterator

import keras
import numpy as np
from tqdm import tqdm

from pipeline.dataset import Dataset, Fold
from pipeline.engine import inference, objectives
from pipeline.errors import InputError


def train(
    build: Callable[[int], keras.Model],
    data: Dataset,
    training: dict,
    *,
    selection: str,
    seed: int,
) -> Iterator[tuple[Fold, keras.Model, int, list[dict]]]:
    """Train a fresh model on every fold.

    Parameters
    ----------
    build : callable
        Makes an untrained model from a seed.
    data : Dataset
    training : dict
        ``epochs``, ``batch``, ``label_smoothing`` and what `objectives.compile` takes.
    selection : str
        ``last`` epoch, ``best_validation`` (highest accuracy on validation clips, the earliest of
        equals) or ``leaky`` (highest accuracy on the test clips, as some publications did).
    seed : int
        Of the run; each fold draws its own from it.

    Yields
    ------
    fold : Fold
    model : keras.Model
        Trained; the same object every time, so use it before asking for the next.
    epoch : int
        The epoch selected, from 1.
    history : list of dict
        ``epoch, loss, accuracy`` and ``validation_*``, ``test_accuracy`` per epoch.

    Raises
    ------
    InputError
        If the loss stops being a number; fold and epoch are named.
    """
    model = build(0)
    objectives.compile(model, training)
    steps = math.ceil(len(data.folds[0].train) / training["batch"])
    total = len(data.folds) * training["epochs"]
    with tqdm(total=total, desc="train", unit=" epochs", disable=None) as bar:
        bar.write(
            f"train: {len(data.folds)} folds, {training['epochs']} epochs, {steps} steps each"
        )
        for fold in data.folds:
            seeds = np.random.SeedSequence([seed, fold.number])
            _restart(model, build(int(seeds.generate_state(1)[0] >> 1)))
            watch = _Watch(data, fold, selection, bar)
            batches = _Batches(data, fold, training, np.random.default_rng(seeds))
            model.fit(batches, epochs=training["epochs"], verbose=0, callbacks=[watch])
            model.set_weights(watch.weights)
            yield fold, model, watch.epoch, watch.history


def _restart(model: keras.Model, fresh: keras.Model) -> None:
    """Set weights, statistics, dropout state and optimiser back to the start."""
    for variable, start in zip(model.variables, fresh.variables, strict=True):
        variable.assign(start)
    rate = model.optimizer.learning_rate
    for variable in model.optimizer.variables:
        if variable is not rate:
            variable.assign(keras.ops.zeros_like(variable))


class _Batches(keras.utils.PyDataset):
    """Training clips of a fold, in a new order every epoch; the last batch may be smaller."""

    def __init__(self, data: Dataset, fold: Fold, training: dict, rng: np.random.Generator):
        super().__init__()
        self.x, self.rows, self.batch, self.rng = data.x, fold.train, training["batch"], rng
        self.targets = objectives.targets(data.y, len(data.labels), training["label_smoothing"])
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.order[step * self.batch : (step + 1) * self.batch]
        return self.x[rows], self.targets[rows]

    def on_epoch_end(self) -> None:
        """Draw the order of the next epoch."""
        self.order = self.rng.permutation(self.rows)


class _Watch(keras.callbacks.Callback):
    """Keeps the history of a fold and the weights of the epoch that the selection asks for."""

    def __init__(self, data: Dataset, fold: Fold, selection: str, bar: tqdm):
        super().__init__()
        self.data, self.fold, self.selection, self.bar = data, fold, selection, bar
        self.history: list[dict] = []
        self.best, self.epoch, self.weights = -1.0, 0, None

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        """Measure on the clips that are not learnt from."""
        row = {"epoch": epoch + 1, "loss": logs["loss"], "accuracy": logs["accuracy"]}
        if not math.isfinite(row["loss"]):
            raise InputError(
                f"fold {self.fold.number}: the loss is {row['loss']} in epoch {epoch + 1}; "
                "lower the learning rate"
            )
        if len(self.fold.validation):
            loss, accuracy = self._measure(self.fold.validation)
            row |= {"validation_loss": loss, "validation_accuracy": accuracy}
        row["test_accuracy"] = self._measure(self.fold.test)[1]
        self.history.append(row)
        score = {
            "last": epoch,
            "best_validation": row.get("validation_accuracy"),
            "leaky": row["test_accuracy"],
        }[self.selection]
        if score > self.best:
            self.best, self.epoch, self.weights = score, epoch + 1, self.model.get_weights()
        self.bar.set_postfix_str(f"fold {self.fold.number}, loss {row['loss']:.3f}")
        self.bar.update()

    def _measure(self, rows: np.ndarray) -> tuple[float, float]:
        """Cross-entropy and accuracy on some rows."""
        probabilities = inference.predict(self.model, self.data.x[rows])
        true = probabilities[np.arange(len(rows)), self.data.y[rows]]
        hits = probabilities.argmax(axis=1) == self.data.y[rows]
        return float(-np.log(np.maximum(true, 1e-7)).mean()), float(hits.mean())
