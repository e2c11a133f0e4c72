"""Clips and networks so small that a training takes no time, and what came of a training."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from pipeline.engine import loop
from pipeline.engine.dataset import Dataset, Fold
from pipeline.errors import InputError
from pipeline.features import framing
from pipeline.files import drafts, stores
from pipeline.models import layers
from pipeline.models.deep_emo_cluster import layers as own
from pipeline.models.training import AttributeTraining, EmotionTraining
from pipeline.scoring.targets import Attributes, Emotions
from tests import specs

CLIPS, FRAMES, COEFFICIENTS, LABELS = 72, 24, 8, ("angry", "happy", "sad")
TRAINING = EmotionTraining(
    epochs=4,
    batch=16,
    label_smoothing=0.1,
    learning_rate=1e-2,
    beta_1=0.93,
    beta_2=0.98,
    epsilon=1e-8,
)
RATED = AttributeTraining(
    attributes=("arousal", "valence"),
    clusters=5,
    epochs=8,
    batch=10,
    learning_rate=3e-2,
    beta_1=0.93,
    beta_2=0.98,
    epsilon=1e-8,
)


# ---- trainings -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trained:
    """What a training left: the hash of each model, what it logs of them, and what went wrong."""

    folder: Path
    models: dict
    folds: dict
    said: str

    def column(self, name, key="loss"):
        """One figure of each epoch of a fold."""
        return [row[key] for row in self.folds[name]["history"]]


def train(folder, data=None, *, build=None, training=TRAINING, seeds=(0,), **changed):
    """Train the clips of `dataset` with changed settings, in threads and to the last epoch."""
    given = {"selection": "last", "stacked": False}
    given |= {key: changed.pop(key) for key in ("selection", "stacked") if key in changed}
    data = dataset() if data is None else data
    if training.attributes:
        given["with_clusters"], build = with_clusters, build or mean_level
    folder.mkdir(exist_ok=True)
    folds, said = [], ""
    try:
        folds = loop.train(
            *(build or perceptron, data, replace(training, **changed)),
            seeds=seeds,
            folder=folder,
            **given,
        )
    except InputError as error:
        said = str(error)
    models = {f.stem: hashlib.sha256(f.read_bytes()).hexdigest() for f in folder.glob("*.keras")}
    folds = {fold.pop("file").removesuffix(".keras"): fold for fold in folds}
    return Trained(folder, models, folds, said)


def on_disk(path, x):
    """Write features into a store, and give what reads them from there."""
    facts = {"clips_sha256": "", "content": np.zeros((len(x), 32), np.uint8), "code": ""}
    with drafts.create(path, x.shape, {}, **facts) as draft:
        for block in draft.pending():
            draft.fill(block, lambda rows: (x[rows], rows, rows))
    return stores.read(path).x


# ---- emotions --------------------------------------------------------------------------------


def clips():
    """Draw clips that differ by class, but not so much that one epoch is enough."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(CLIPS) % len(LABELS))
    centres = rng.normal(0, 0.5, (len(LABELS), 1, COEFFICIENTS))
    return (centres[y] + rng.normal(size=(CLIPS, FRAMES, COEFFICIENTS))).astype(np.float32), y


def dataset(x=None, folds=None, validation=0):
    """Three folds of 18, 24 and 24 test clips, the last of which ends in a smaller batch."""
    made, y = clips()
    everything = np.arange(CLIPS)
    parts = [everything[:18], everything[18:42], everything[42:66]]
    made_folds = []
    for number, test in enumerate(parts, start=1):
        rest = np.setdiff1d(everything, test)
        made_folds.append(Fold(number, rest[validation:], rest[:validation], test))
    folds = tuple(made_folds) if folds is None else folds
    return Dataset(made if x is None else x, y, Emotions(LABELS), None, folds, {})


def perceptron(seed, dropout=0.2):
    """Build a network with all that a state holds, compiled in no time."""
    inputs = keras.Input((FRAMES, COEFFICIENTS), name="features")
    start = [layers.GlorotUniform(seed + i) for i in range(2)]
    x = keras.layers.Flatten(name="flat")(inputs)
    x = keras.layers.Dense(8, kernel_initializer=start[0], name="hidden")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.Dropout(dropout, seed=seed, name="drop")(x)
    head = keras.layers.Dense(
        len(LABELS), activation="softmax", kernel_initializer=start[1], name="head"
    )
    return keras.Model(inputs, head(x), name="perceptron")


def without_dropout(seed):
    """Build a network that draws nothing while it learns."""
    return perceptron(seed, dropout=0)


# ---- attributes ------------------------------------------------------------------------------


def rated_clips():
    """Draw clips in chunks whose level their ratings follow; 48 rated, 12 that are not."""
    rng = np.random.default_rng(3)
    ratings = rng.normal([4, 2], [1, 0.5], (60, 2)).astype(np.float32)
    frames = rng.integers(3, 40, 60)  # from less than a chunk to some with gaps
    levels = 3 * ratings @ rng.normal(size=(2, 5))
    whole = [rng.normal(level, 1, (n, 5)) for n, level in zip(frames, levels, strict=True)]
    x = np.concatenate([framing.chunks(clip[None], 4, number=6) for clip in whole])
    ratings[48:] = np.nan
    rows, pool = np.arange(48), np.arange(48, 60)
    folds = tuple(
        Fold(number, np.setdiff1d(rows, rows[part])[6:], np.setdiff1d(rows, rows[part])[:6],
             rows[part], pool)
        for number, part in ((1, slice(0, 12)), (2, slice(12, 24)))
    )  # fmt: skip
    spec = specs.spec(settings={"n_fft": 8, "hop": 4, "centre": True})
    samples, target = 4 * (frames - 1), Attributes(("arousal", "valence"))
    sums = np.stack([framing.sums(clip) for clip in whole])
    x = x.astype(np.float32)
    return Dataset(x, ratings, target, None, folds, spec, samples, sums=sums), whole


def mean_level(seed, name="free"):
    """Build a network of chunks with all that a run on attributes asks for."""
    start = [layers.GlorotUniform(seed + i) for i in range(2)]
    inputs = keras.Input((6, 4, 5), name="features")
    x = own.ScaleBins(name="scaled")(inputs)
    x = keras.layers.Reshape((6, 20), name="flat")(x)
    x = keras.layers.Dense(8, "relu", kernel_initializer=start[0], name="body")(x)
    x = keras.layers.Dense(2, kernel_initializer=start[1], name="head")(x)
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    return keras.Model(inputs, own.UnscaleRatings(name="ratings")(x), name=name)


def with_clusters(model, clusters, *, seed=0):
    """Put a branch for clusters on `mean_level`, whose weights its seed alone decides."""
    body = model.get_layer("body").output
    points = keras.layers.Dense(
        8, kernel_initializer=layers.GlorotUniform(seed), name="points"
    )(body)  # fmt: skip
    outputs = {
        "attributes": model.get_layer("head").output,
        "clusters": keras.layers.Dense(clusters, name="clusters")(points),
        "points": points,
        "ratings": model.output,
    }
    if model.name == "ordered":
        outputs["ordered"] = body
    return keras.Model(model.input, outputs)
