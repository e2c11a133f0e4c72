"""Emotions in two stages: the CNN of a network first, on segments, and then the rest on clips.

A network that may be trained so has layers ``apart``, which gives the segments of all clips of a
batch as images, ``cnn``, which makes a vector of each, and ``vectors``, which takes these first
(`pipeline.models.dcnn_blstm`).

In the first stage the CNN and a softmax layer on its vectors, which is dropped afterwards, are
trained on the clips' own segments, shuffled, each with the label of its clip. In the second the CNN
is frozen, its running statistics too, and what comes after it is trained on whole clips. What is
scored after each epoch is the whole network, in the first stage with the rest untrained.

References
----------
The second independent repetition of the DCNN-BLSTM; see `pipeline.models.dcnn_blstm`.
"""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import ops

from pipeline.engine import compiled, emotions, objectives
from pipeline.engine.dataset import Dataset
from pipeline.engine.task import FoldSeed, Lost
from pipeline.errors import InputError
from pipeline.models import layers
from pipeline.models.training import SegmentTraining


class SegmentTask(emotions.EmotionTask):
    """The task of a run on emotions whose CNN is trained first.

    The state of a fold holds that of the first stage under ``segments``.

    Parameters
    ----------
    model : keras.Model
        Untrained; takes (clips, segments, frames, bins, channels), gives (clips, classes).
    data : Dataset
    training : SegmentTraining
        With ``segment_epochs`` above 0.
    folder : Path
        As `EmotionTask` takes it.

    Raises
    ------
    InputError
        If the network has no such layers.
    """

    def __init__(self, model: keras.Model, data: Dataset, training: SegmentTraining, folder: Path):
        self.ahead = training.segment_epochs
        self.first, second = training.stages()
        if not {"apart", "cnn", "vectors"} <= {layer.name for layer in model.layers}:
            raise InputError(
                "segment_epochs: the network has no layers apart, cnn and vectors, by which a "
                "CNN is trained on segments; set it to 0"
            )
        network = on_segments(model, len(data.target.outputs), 0)
        self.segment_optimiser = objectives.optimiser(self.first)
        self.on_segments = emotions.program(
            network,
            objectives.loss(self.first),
            self.segment_optimiser,
            self.first.batch,
            _segment(model, objectives.mask(self.first)),
        )
        parts = network.trainable_variables, network.non_trainable_variables
        frozen = self.divide(model)[1]
        here = {id(v): i for i, v in enumerate(frozen.non_trainable_variables)}
        # Where in ``other`` of the state each variable of the CNN is.
        self.places = [[here.get(id(v)) for v in variables] for variables in parts]
        super().__init__(model, data, second, folder)

    def divide(self, model: keras.Model) -> tuple[None, keras.Model]:
        """No part is the same for all folds; the CNN is frozen from here on."""
        model.get_layer("cnn").trainable = False
        return None, model

    def start(self, model: keras.Model, fold_seed: FoldSeed) -> dict:
        """State of an untrained model, and of its CNN in training."""
        network = on_segments(model, len(self.data.target.outputs), fold_seed.weights_seed)
        segments = compiled.start(network, self.segment_optimiser)
        return super().start(model, fold_seed) | {"segments": segments}

    def compile(self, fold_seeds: list[FoldSeed], state: dict) -> None:
        """Compile steps of both stages."""
        super().compile(fold_seeds, compiled.own(state))
        counts = [self.data.valid[one.fold.train].sum() for one in fold_seeds]
        lesson = self._segments(fold_seeds[0], 0)
        self.prepare(self.on_segments, state["segments"], counts, *lesson)

    def epoch(
        self, state: dict, fold_seeds: list[FoldSeed], number: int
    ) -> tuple[dict, list[dict | Lost]]:
        """Train for an epoch of the stage that it is in; folds of the first one by one."""
        count = len(fold_seeds)
        if number >= self.ahead:
            after, rows = super().epoch(compiled.own(state), fold_seeds, number - self.ahead)
            return state | after, [_of_stage(2, row) for row in rows]
        states, rows = [], []
        for i, fold_seed in enumerate(fold_seeds):
            before, lesson = compiled.member(state, i, count), self._segments(fold_seed, number)
            rate = np.float32(objectives.rate(self.first, number))
            before["segments"]["slots"]["rate"] = np.full((), rate)
            segments, sums = self.learn(self.on_segments, before["segments"], *lesson)
            rows.append(_of_stage(1, self.row(self.on_segments, before["segments"], lesson, sums)))
            states.append(before | {"segments": segments, "other": self._set(before, segments)})
        return compiled.stacked(states), rows

    def answers(self, state: dict, rows: np.ndarray, *, of: str | None = None) -> np.ndarray:
        """What the whole network gives for some clips."""
        return super().answers(compiled.own(state), rows, of=of)

    def _set(self, state: dict, segments: dict) -> list:
        """Statistics and frozen weights of the network, the CNN's as they are in ``segments``."""
        other = list(state["other"])
        for places, key in zip(self.places, ("weights", "other"), strict=True):
            for place, value in zip(places, segments[key], strict=True):
                if place is not None:  # else of the layer that is dropped
                    other[place] = value
        return other

    def _segments(self, fold_seed: FoldSeed, number: int) -> tuple[np.ndarray, ...]:
        """Targets of all clips; for each training segment, shuffled, its clip, and its draws.

        The draws are those of a mask, then the number of the segment in its clip.
        """
        draw = np.random.default_rng([fold_seed.seed, fold_seed.fold.number, number, 1])
        targets, order = self.ordered(fold_seed, draw)
        counts = self.data.valid[order]
        within = np.concatenate([np.arange(count) for count in counts])
        shuffled = draw.permutation(len(within))
        order, within = np.repeat(order, counts)[shuffled], within[shuffled]
        draws = draw.random((len(order), 4), np.float32)
        return targets, order.astype(np.int32), np.c_[draws, within].astype(np.float32)


def on_segments(model: keras.Model, classes: int, seed: int) -> keras.Model:
    """CNN of a network, with a layer that names the emotion of a segment.

    Parameters
    ----------
    model : keras.Model
        As above; its weights are this network's, too.
    classes : int
    seed : int
        Seed of the layer's weights.

    Returns
    -------
    keras.Model
        (segments, frames, bins, channels) to probabilities (segments, classes).
    """
    initializer = layers.GlorotUniform(seed)
    name = keras.layers.Dense(
        classes, activation="softmax", kernel_initializer=initializer, name="segment_head"
    )
    vectors, _ = model.get_layer("vectors").input  # ``cnn`` itself knows what is inside it alone
    return keras.Model(model.get_layer("apart").output, name(vectors), name="on_segments")


def _segment(model: keras.Model, mask: Callable) -> Callable:
    """``(x, draws) -> x``: of each clip one segment, after what is done to the whole clip."""
    apart = keras.Model(model.inputs, model.get_layer("apart").output)

    def one(x, draws):
        images = apart(mask(x, draws), training=True)  # (clips * segments, frames, bins, channels)
        clips, segments = ops.shape(x)[:2]
        rows = ops.arange(clips) * segments + ops.cast(draws[:, 4], "int32")
        return ops.take(images, rows, axis=0)

    return one


def _of_stage(stage: int, row: dict | Lost) -> dict | Lost:
    """Row of the history that says which stage it is of."""
    return row if isinstance(row, Lost) else {"stage": stage} | row
