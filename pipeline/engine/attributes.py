"""Attributes of clips, trained together with clusters of their chunks.

What an epoch of DeepEmoCluster is made of stands in `clustering`; here it is put together. A model
file that has ``with_clusters`` is trained this way. It is asked for a network whose outputs are
``attributes``, ``clusters``, ``points``, ``ratings`` and, where a triplet loss orders the chunks,
``ordered``, and its model has layers ``scaled`` and ``ratings`` with weights ``mean`` and ``std``,
which are set to those of a fold's training clips (`pipeline.models.deep_emo_cluster`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from pipeline.engine import clustering, compiled
from pipeline.engine.dataset import Dataset, Fold
from pipeline.engine.program import Program
from pipeline.engine.task import FoldSeed, Lost, Task
from pipeline.errors import InputError
from pipeline.features import framing
from pipeline.models.training import AttributeTraining
from pipeline.scoring import metrics

CLIPS = 512  # read from disk at once


class AttributeTask(Task):
    """The task of a run on attributes.

    Parameters
    ----------
    with_clusters : callable
        ``(model, clusters, seed=0) -> network``, of the model's file.
    model : keras.Model
        Untrained; takes (clips, chunks, frames, bins), gives (clips, attributes).
    data : Dataset
    training : AttributeTraining
    """

    SHOWN = ("loss", "attribute_loss")
    STACKS = False

    def __init__(
        self,
        with_clusters: Callable,
        model: keras.Model,
        data: Dataset,
        training: AttributeTraining,
    ):
        network = with_clusters(model, training.clusters)
        self.with_clusters, self.training = with_clusters, training
        self.scales: dict[int, dict] = {}  # by number of fold, once they are asked for
        paths = [variable.path for variable in network.trainable_variables]
        self.apart = [path.startswith("clusters/") for path in paths]
        self.optimiser, descent = clustering.optimisers(training, self.apart)
        self.ordered = "ordered" in network.output
        # The loss itself, of clusters, of attributes where there are ratings, of triples.
        self.names = ["loss", "cluster_loss", "attribute_loss"] + ["triplet_loss"] * self.ordered
        self.chunks, source = data.x.shape[1], None
        self.in_clip = 1  # what an order counts, of a clip: itself, or its chunks
        if training.sampler != "clips":
            self.in_clip, source = self.chunks, _chunks(data.x)
        batch, count = training.batch * self.in_clip, len(self.names)
        program, self.without_ratings = (
            compiled.program(
                network, _objective(network, rated, self.in_clip), count - (not rated), way, batch
            )
            for rated, way in ((True, self.optimiser), (False, descent))
        )
        super().__init__(model, network, data, program, source)

    @classmethod
    def uses(
        cls, fold: Fold, seeds: tuple[int, ...], training: AttributeTraining
    ) -> dict[str, np.ndarray]:
        """Clips that features and ratings are scaled by, and those without ratings."""
        most = training.unlabeled
        if most and not len(fold.unlabeled):
            raise InputError(
                f"unlabeled: fold {fold.number} has no clips without labels; set it to 0, or take "
                "a protocol with hidden labels or a corpus with such clips"
            )
        drawn = [fold.pool(seed, most) for seed in seeds]
        return {"normalisation": fold.train, "unlabeled": np.unique(drawn)}

    def start(self, model: keras.Model, fold_seed: FoldSeed) -> dict:
        """State of an untrained model that knows the scales of its training clips."""
        for layer, (mean, std) in self._scales(fold_seed.fold).items():
            model.get_layer(layer).mean.assign(mean)
            model.get_layer(layer).std.assign(std)
        network = self.with_clusters(model, self.training.clusters, seed=fold_seed.seed)
        none = np.full((len(fold_seed.fold.train), self.chunks), -1, np.int32)
        return compiled.start(network, self.optimiser) | {"assigned": none}

    def compile(self, fold_seeds: list[FoldSeed], state: dict) -> None:
        """Compile steps of all sizes of batches, with ratings and without."""
        parts = [(self.program, [one.fold.train for one in fold_seeds])]
        if self.training.unlabeled:
            parts.append((self.without_ratings, [self._pool(one) for one in fold_seeds]))
        for program, rows in parts:
            assigned = np.zeros((len(rows[0]), self.chunks), np.int32)
            lesson = self._lesson(fold_seeds[0], rows[0], assigned, np.random.default_rng(0))
            counts = [self.in_clip * len(some) for some in rows]
            self.prepare(program, compiled.own(state), counts, *lesson)

    def epoch(
        self, state: dict, fold_seeds: list[FoldSeed], number: int
    ) -> tuple[dict, list[dict | Lost]]:
        """Train one fold and seed: on clips without ratings, if any, then on those with."""
        (fold_seed,), before = fold_seeds, state["assigned"]
        rng = np.random.default_rng([fold_seed.seed, fold_seed.fold.number, number])
        row = {}
        pool = self._pool(fold_seed)
        if len(pool):
            state, _, sums, lost = self._round(self.without_ratings, state, fold_seed, pool, rng)
            if lost:
                return state | {"assigned": before}, [lost]
            row["unlabeled_loss"] = float(sums[0])
        rows = fold_seed.fold.train
        state, assigned, sums, lost = self._round(self.program, state, fold_seed, rows, rng)
        if lost:
            return state | {"assigned": before}, [lost]
        row = dict(zip(self.names, map(float, sums), strict=True)) | row
        row["nmi"] = clustering.agreement(assigned, before) if number else None
        sizes = clustering.sizes(assigned, self.training.clusters)
        row |= {f"cluster_{i:02d}": size for i, size in enumerate(sizes, start=1)}
        return state | {"assigned": assigned}, [row]

    def score(self, state: dict, rows: np.ndarray, part: str) -> dict[str, float]:
        """Concordance of each attribute over some clips, and the loss of chunks if it selects."""
        found, true = self.answers(compiled.own(state), rows, of="ratings"), self.data.truth[rows]
        sound = np.isfinite(found).all()
        scores = {
            f"{part}_ccc_{name}": metrics.concordance(true[:, i], found[:, i]) if sound else np.nan
            for i, name in enumerate(self.data.target.outputs)
        }
        if self.training.select_by == "chunk_loss":
            scores[f"{part}_chunk_loss"] = self._chunk_loss(state, rows) if sound else np.nan
        return scores

    def _chunk_loss(self, state: dict, rows: np.ndarray) -> float:
        """Mean over batches of the loss of chunks; the same batches are drawn in all epochs."""
        rows = np.random.default_rng(0).permutation(rows)
        paths = [variable.path for variable in self.network.non_trainable_variables]
        places = (paths.index(f"ratings/{name}") for name in ("mean", "std"))
        mean, std = (np.asarray(state["other"][place]) for place in places)
        ratings = ((self.data.truth[rows] - mean) / std).astype(np.float32)
        # (clips, chunks, attributes)
        found = self.answers(compiled.own(state), rows, of="attributes")
        step = self.training.batch
        batches = (slice(first, first + step) for first in range(0, len(rows), step))
        losses = [clustering.concordance(ratings[some], found[some]) for some in batches]
        return float(np.mean([ops.convert_to_numpy(loss) for loss in losses]))

    def merit(self, row: dict, part: str) -> float:
        """Mean concordance of the attributes, or how low the loss of chunks is."""
        if self.training.select_by == "chunk_loss":
            return -row[f"{part}_chunk_loss"]
        return float(np.mean([row[f"{part}_ccc_{name}"] for name in self.data.target.outputs]))

    def _round(
        self,
        program: Program,
        state: dict,
        fold_seed: FoldSeed,
        rows: np.ndarray,
        rng: np.random.Generator,
    ) -> tuple[dict, np.ndarray, np.ndarray, Lost | None]:
        """Cluster the chunks of some clips and train on them; mean measures of a clip."""
        state = compiled.own(state)
        points = self.answers(state, rows, of="points")  # (rows, chunks, channels)
        clusters, seed = self.training.clusters, int(rng.integers(2**31))
        assigned = clustering.k_means(points.reshape(-1, points.shape[-1]), clusters, seed=seed)
        assigned = assigned.reshape(points.shape[:2])
        state["weights"] = [
            _fresh(weight, rng) if apart else weight
            for weight, apart in zip(state["weights"], self.apart, strict=True)
        ]
        lesson = self._lesson(fold_seed, rows, assigned, rng)
        after, sums = self.learn(program, state, *lesson)
        lost = self.lost(program, state, lesson, sums)
        return after, assigned, sums / len(lesson[1]), lost

    def _lesson(
        self, fold_seed: FoldSeed, rows: np.ndarray, assigned: np.ndarray, rng: np.random.Generator
    ) -> tuple[dict, np.ndarray, np.ndarray]:
        """Targets of all clips, those clips as they are drawn by their clusters, and triples.

        Or the same of chunks, clip after clip, of which the batches are.
        """
        everywhere = np.zeros((len(self.data.truth), self.chunks), np.int32)
        everywhere[rows] = assigned
        mean, std = self._scales(fold_seed.fold)["ratings"]
        scaled = np.nan_to_num((self.data.truth - mean) / std).astype(np.float32)
        if self.training.sampler != "clips":
            misplaced = self.training.sampler == "chunks_misplaced"
            clips, within = divmod(
                clustering.draw_chunks(rng, assigned, misplaced=misplaced), self.chunks
            )
            order = (rows[clips] * self.chunks + within).astype(np.int32)
            scaled = np.repeat(scaled, self.chunks, axis=0)
            targets = {"assigned": everywhere.ravel(), "ratings": scaled}
            return targets, order, np.zeros((len(order), 1), np.int32)
        order = rows[clustering.draw(rng, assigned)].astype(np.int32)
        triples = self._triples(rng, len(order))
        return {"assigned": everywhere, "ratings": scaled}, order, triples

    def _triples(self, rng: np.random.Generator, clips: int) -> np.ndarray:
        """For each place of the order, the triples of its batch in a row (clips, 3 rounds)."""
        if not self.ordered:
            return np.zeros((clips, 1), np.int32)
        batches = -(-clips // self.program.batch)
        triples = [clustering.draw_triples(rng, self.chunks).ravel() for _ in range(batches)]
        return np.repeat(triples, self.program.batch, axis=0)[:clips]

    def _scales(self, fold: Fold) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Mean and deviation by layer: of bins over all frames of training clips, of ratings."""
        if fold.number not in self.scales:
            if self.data.sums is None:
                raise InputError("the feature was made without sums of its frames; run dvc repro")
            ratings = self.data.truth[fold.train].astype(float)
            std = ratings.std(axis=0)
            if not std.all():
                name = np.array(self.data.target.outputs)[std == 0][0]
                raise InputError(
                    f"fold {fold.number}: all training clips are rated alike on {name}; "
                    "nothing can be trained on it"
                )
            self.scales[fold.number] = {
                "scaled": framing.scales(self.data.sums[fold.train].sum(axis=0)),
                "ratings": (ratings.mean(axis=0), std),
            }
        return self.scales[fold.number]

    def _pool(self, fold_seed: FoldSeed) -> np.ndarray:
        """Rows of the clips without ratings that a fold trains on, the same in every epoch."""
        return fold_seed.fold.pool(fold_seed.seed, self.training.unlabeled)


def _fresh(weight, rng: np.random.Generator) -> np.ndarray:
    """Kernel or bias of a layer that names clusters, before training."""
    shape = np.shape(weight)
    values = rng.normal(0, clustering.DEVIATION, shape) if len(shape) > 1 else np.zeros(shape)
    return values.astype(np.float32)


@dataclass(frozen=True)
class _Chunks:
    """Features on disk (clips, chunks, ...) as one row for each chunk."""

    x: Any

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Some chunks (rows, ...); of few clips at once, for all of each is read."""
        clips, within = divmod(rows, self.x.shape[1])
        parts = (slice(first, first + CLIPS) for first in range(0, len(rows), CLIPS))
        read = (self.x[clips[some]][np.arange(len(clips[some])), within[some]] for some in parts)
        return np.concatenate(list(read))


def _chunks(x: Any) -> Any:
    """Chunks of all clips, one after another (clips * chunks, ...)."""
    return x.reshape(-1, *x.shape[2:]) if isinstance(x, np.ndarray) else _Chunks(x)


def _objective(network: keras.Model, rated: bool, chunks: int) -> Callable:
    """Sum of a batch's losses; with it, summed over the batch, each of them.

    A batch is of clips, or, where ``chunks`` is above 1, of chunks of any clips, of which so many
    are put in the place of a clip's.
    """

    def objective(weights: list, other: list, x, targets, draws):
        count = ops.cast(ops.shape(x)[0], "float32")
        if chunks > 1:
            x = ops.reshape(x, (-1, chunks, *x.shape[1:]))
            targets = {
                name: ops.reshape(target, (-1, chunks, *target.shape[1:]))
                for name, target in targets.items()
            }
        outputs, other = network.stateless_call(weights, other, x, training=True)
        losses = [clustering.cross_entropy(targets["assigned"], outputs["clusters"])]
        if rated:
            losses.append(clustering.concordance(targets["ratings"], outputs["attributes"]))
        if "ordered" in outputs:
            triples = ops.reshape(draws[0], (-1, 3))
            losses.append(clustering.triplet(outputs["ordered"], triples))
        return sum(losses), (other, count * ops.stack([sum(losses), *losses]))

    return objective
