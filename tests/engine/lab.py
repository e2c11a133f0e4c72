"""Trainings of made-up clips, in a process for each backend: ``lab.py FOLDER`` writes results.json.

A training is told by the hash of each model it left, its histories and what it said.
"""

import hashlib
import json
import shutil
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.scoring.targets import Attributes, Emotions

GOLDEN = Path(__file__).parents[1] / "golden" / "timnet"
CLIPS, FRAMES, COEFFICIENTS, LABELS = 72, 24, 8, ("angry", "happy", "sad")
TRAINING = {
    "epochs": 4,
    "batch": 16,
    "loss": "cross_entropy",
    "label_smoothing": 0.1,
    "optimiser": "adam",
    "learning_rate": 1e-2,
    "beta_1": 0.93,
    "beta_2": 0.98,
    "epsilon": 1e-8,
    "balance": "none",
    "mask_frames": 0,
    "mask_bins": 0,
}


def clips():
    """Draw clips that differ by class, but not so much that all is learnt at once."""
    rng = np.random.default_rng(0)
    y = rng.permutation(np.arange(CLIPS) % len(LABELS))
    centres = rng.normal(0, 0.5, (len(LABELS), 1, COEFFICIENTS))
    return (centres[y] + rng.normal(size=(CLIPS, FRAMES, COEFFICIENTS))).astype(np.float32), y


def dataset(x=None, folds=None, validation=0):
    """Three folds of 18, 24 and 24 test clips, the last of which ends in a smaller batch."""
    from pipeline.engine.dataset import Dataset, Fold

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
    import keras

    from pipeline.models import layers

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


class Lab:
    """Trainings, each in a folder of its own."""

    def __init__(self, folder):
        self.folder, self.results = folder, {}

    def train(self, name, data=None, *, build=perceptron, seeds=(0,), **settings):
        """Train with changed settings and take down what came of it."""
        from pipeline.engine import loop
        from pipeline.errors import InputError

        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        given = {"selection": "last", "stacked": False} | settings
        known = {*TRAINING, "schedule", "decay", "decay_from", "decay_every"}
        known |= {"attributes", "clusters", "unlabeled", "descent_rate", "clusters_rate"}
        training = TRAINING | {key: given.pop(key) for key in list(given) if key in known}
        units, said = [], ""
        try:
            data = dataset() if data is None else data
            units = loop.train(build, data, training, seeds=seeds, folder=folder, **given)
        except InputError as error:
            said = str(error)
        files = sorted(folder.glob("*.keras"))
        self.results[name] = {
            "units": {unit.pop("file").removesuffix(".keras"): unit for unit in units},
            "files": {f.stem: hashlib.sha256(f.read_bytes()).hexdigest() for f in files},
            "said": said,
        }


def main():
    from pipeline.engine import backend

    library = backend.choose("jax")
    lab = Lab(Path(sys.argv[1]))
    beside_each_other(lab)
    leaks(lab)
    selections(lab)
    schedules(lab)
    lessons(lab)
    seeds(lab)
    streamed(lab)
    divergence(lab)
    interruptions(lab)
    parity(lab)
    golden(lab)
    rated(lab)
    if library == "jax":
        stacked(lab)
    (lab.folder / "results.json").write_text(json.dumps(lab.results))


def lessons(lab):
    """Classes of 3, 24 and 24 clips; masks; copies behind the clips."""
    from pipeline.engine.dataset import Dataset, Fold

    x, y = clips()
    everything = np.arange(CLIPS)
    train = np.concatenate([everything[y == 0][:3], everything[y > 0]])
    fold = Fold(1, train, train[:0], everything[y == 0][3:])
    data = Dataset(x, y, Emotions(LABELS), None, (fold,), {})
    for balance in ("none", "weights", "resample"):
        lab.train(f"balance {balance}", data, balance=balance)
    lab.train("masked", dataset(), mask_frames=8, mask_bins=3)
    lab.train("masked again", dataset(), mask_frames=8, mask_bins=3)


def beside_each_other(lab):
    lab.train("all")
    for fold in dataset().folds:
        lab.train(f"alone {fold.number}", dataset(folds=(fold,)))
    lab.train("no dropout", build=lambda seed: perceptron(seed, dropout=0))


def leaks(lab):
    """Change clips of one part of the first fold."""
    data = dataset(validation=8)
    first = data.folds[0]
    lab.train("untouched", replace(data, folds=(first,)))
    for part in ("test", "validation", "train"):
        x = data.x.copy()
        x[getattr(first, part)[3]] += 1
        lab.train(f"{part} changed", replace(data, x=x, folds=(first,)))


def selections(lab):
    """Train to the epoch that a selection took, and no further."""
    for selection in ("best_validation", "leaky"):
        data = dataset(validation=8)
        lab.train(selection, data, selection=selection, epochs=8)
        for name, unit in lab.results[selection]["units"].items():
            alone = replace(data, folds=(data.folds[unit["fold"] - 1],))
            lab.train(f"{selection} {name}", alone, epochs=unit["epoch"])


def schedules(lab):
    """Train on all clips in one batch, so that a loss tells of the weights alone."""
    whole = {"build": lambda seed: perceptron(seed, dropout=0), "batch": CLIPS, "epochs": 4}
    lab.train("constant rate", **whole)
    falling = {"schedule": "steps", "decay": 50.0, "decay_from": 2, "decay_every": 2}
    lab.train("falling rate", **whole, **falling)


def rated_clips():
    """Draw clips in chunks whose level their ratings follow; 48 rated, 12 that are not."""
    from pipeline.engine.dataset import Dataset, Fold
    from pipeline.features import framing

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
    spec = {"settings": {"n_fft": 8, "hop": 4, "centre": True}}
    samples, target = 4 * (frames - 1), Attributes(("arousal", "valence"))
    return Dataset(x.astype(np.float32), ratings, target, None, folds, spec, samples), whole


def with_clusters(model, clusters, *, seed=0):
    """Put a branch for clusters on `mean_level`, whose weights its seed alone decides."""
    import keras

    from pipeline.models import layers

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


def mean_level(seed, name="free"):
    """Build a network of chunks with all that a run on attributes asks for."""
    import keras

    from pipeline.models import deep_emo_cluster, layers

    start = [layers.GlorotUniform(seed + i) for i in range(2)]
    inputs = keras.Input((6, 4, 5), name="features")
    x = deep_emo_cluster.Scaled(name="scaled")(inputs)
    x = keras.layers.Reshape((6, 20), name="flat")(x)
    x = keras.layers.Dense(8, "relu", kernel_initializer=start[0], name="body")(x)
    x = keras.layers.Dense(2, kernel_initializer=start[1], name="head")(x)
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    return keras.Model(inputs, deep_emo_cluster.Ratings(name="ratings")(x), name=name)


def rated(lab):
    """Learn attributes and clusters."""
    from functools import partial

    import keras

    from pipeline.engine import loop
    from pipeline.engine.attributes import AttributeTask
    from pipeline.files import stores
    from pipeline.models import deep_emo_cluster

    data, whole = rated_clips()
    settings = {"attributes": ("arousal", "valence"), "clusters": 5, "unlabeled": 0}
    settings |= {"epochs": 8, "batch": 10, "learning_rate": 3e-2}
    steps = deep_emo_cluster.TRAINING
    settings |= {key: steps[key] for key in ("descent_rate", "clusters_rate")}

    def train(name, data=data, build=mean_level, **changed):
        given = settings | {"with_clusters": with_clusters} | changed
        lab.train(name, data, build=build, **given)

    train("rated")
    train("rated alone", replace(data, folds=data.folds[1:]))
    train("rated by last", selection="last")
    train("rated by validation", selection="best_validation")
    train("rated pool", unlabeled=8)
    train("rated pool too large", unlabeled=100)
    changed = data.x.copy()
    changed[48:] += 1
    train("rated, pool changed", replace(data, x=changed))
    train("rated, pool learnt and changed", replace(data, x=changed), unlabeled=8)
    train("rated in order", build=partial(mean_level, name="ordered"))
    train("rated alike", replace(data, truth=np.ones_like(data.truth)))
    train("rated balanced", balance="weights")
    train("rated too fast", learning_rate=1e38)
    facts = {"clips_sha256": "", "content": np.zeros((60, 32), np.uint8), "code": ""}
    with stores.create(lab.folder / "rated.zarr", data.x.shape, {}, **facts) as draft:
        for block in draft.pending():
            draft.fill(block, lambda rows: (data.x[rows], rows, rows))
    train("rated, streamed", replace(data, x=stores.read(lab.folder / "rated.zarr").x))

    epoch, calls = AttributeTask.epoch, []

    def broken(task, *given):
        calls.append(1)
        if len(calls) > 7:
            raise KeyboardInterrupt
        return epoch(task, *given)

    AttributeTask.epoch, loop.CHECKPOINT_SECONDS = broken, 0
    try:
        train("rated, broken off")
        raise AssertionError("was to be broken off")
    except KeyboardInterrupt:
        AttributeTask.epoch = epoch
    train("rated, broken off")

    model = keras.saving.load_model(lab.folder / "rated" / "fold-01.keras")
    scales = [np.array(weight) for name in ("scaled", "ratings") for weight in (
        model.get_layer(name).mean, model.get_layer(name).std)]  # fmt: skip
    fold = data.folds[0]
    steps = [max(0, len(clip) - 4) // 5 for clip in whole]
    seen = [  # of each clip, frames that a chunk holds
        [i for i in range(len(clip)) if any(5 >= k >= 0 and i - k * step in range(4)
         for k in range(6))]
        for clip, step in zip(whole, steps, strict=True)
    ]  # fmt: skip
    heard = np.concatenate([whole[row][seen[row]] for row in fold.train])
    rating = data.truth[fold.train]
    wanted = [heard.mean(axis=0), heard.std(axis=0), rating.mean(axis=0), rating.std(axis=0)]
    lab.results["rated scales"] = [
        float(np.abs(a / b - 1).max()) for a, b in zip(scales, wanted, strict=True)
    ]
    answers = np.array(model(data.x[fold.test]))
    lab.results["rated answers"] = [
        float(np.corrcoef(answers[:, i], data.truth[fold.test, i])[0, 1]) for i in range(2)
    ]


def seeds(lab):
    lab.train("seeds 1, 2", seeds=(1, 2), epochs=2)
    lab.train("seed 2", seeds=(2,), epochs=2)


def streamed(lab):
    """Read features from a store while training."""
    from pipeline.engine import task
    from pipeline.files import stores

    x, _ = clips()
    facts = {"clips_sha256": "", "content": np.zeros((len(x), 32), np.uint8), "code": ""}
    with stores.create(lab.folder / "x.zarr", x.shape, {}, **facts) as draft:
        for block in draft.pending():
            draft.fill(block, lambda rows: (x[rows], rows, rows))
    task.STREAMED = 2  # two blocks and a smaller one per epoch
    lab.train("streamed", dataset(x=stores.read(lab.folder / "x.zarr").x))


def divergence(lab, stacked=False):
    """Let one fold meet a clip that is no number, then a step that is one too large."""
    kind = "stacked " if stacked else ""
    data = dataset()
    infected, clean = data.folds[1], data.folds[2]
    x = data.x.copy()
    x[-1] = np.inf  # tested nowhere, trained on by the infected alone
    clean = [replace(clean, number=number, train=clean.train[:-1]) for number in (1, 3)]
    infected = replace(infected, number=2, train=infected.train[1:])
    folds = (clean[0], infected, clean[1])
    name = f"{kind}no number"
    lab.train(name, replace(data, x=x, folds=folds), stacked=stacked)
    lab.results[f"{kind}healthy"] = lab.results[name]
    kept = {path: path.stat().st_mtime_ns for path in (lab.folder / name).glob("*.keras")}
    lab.train(name, replace(data, x=x, folds=folds), stacked=stacked)
    lab.results[name]["kept"] = all(path.stat().st_mtime_ns == at for path, at in kept.items())
    if not stacked:
        lab.train("healthy alone", replace(data, x=x, folds=(clean[0],)))
        last = {"learning_rate": 1e38, "epochs": 1, "batch": CLIPS}
        lab.train("last step too large", dataset(), **last)


def interruptions(lab, stacked=False):
    """Break a training off in its third epoch, damage what it left, and go on."""
    from pipeline.engine import loop
    from pipeline.engine.emotions import EmotionTask

    learn, lock = EmotionTask.epoch, threading.Lock()
    kind = "stacked " if stacked else ""
    selection = {"selection": "leaky", "epochs": 6, "stacked": stacked}

    def breaking(name, epochs):
        calls = []

        def broken(task, *given):
            with lock:
                calls.append(name)
                if len(calls) > epochs:
                    raise KeyboardInterrupt
            return learn(task, *given)

        EmotionTask.epoch = broken
        loop.CHECKPOINT_SECONDS = 0
        try:
            lab.train(name, **selection)
            raise AssertionError("was to be broken off")
        except KeyboardInterrupt:
            EmotionTask.epoch = learn

    def counting(name):
        calls = []

        def counted(task, *given):
            calls.append(name)
            return learn(task, *given)

        EmotionTask.epoch = counted
        lab.train(name, **selection)
        lab.results[name]["epochs"] = len(calls)
        EmotionTask.epoch = learn

    counting(f"{kind}undisturbed")
    broken, damaged, empty = f"{kind}broken off", f"{kind}damaged", f"{kind}empty"
    breaking(broken, 3 if stacked else 8)
    for name in (damaged, empty):
        shutil.copytree(lab.folder / broken, lab.folder / name)
        for path in (lab.folder / name / loop.UNFINISHED).iterdir():
            path.write_bytes(path.read_bytes()[:-100] if name == damaged else b"")
    for name in (broken, damaged, empty):
        counting(name)


def stacked(lab):
    """All folds of one size in one program."""
    lab.train("stacked", stacked=True)
    lab.train("stacked again", stacked=True)
    divergence(lab, stacked=True)
    interruptions(lab, stacked=True)


def parity(lab):
    """Train TIM-Net step by step beside Keras's own loop."""
    import keras

    from pipeline.engine import compiled, emotions, objectives
    from pipeline.models import tim_net

    def build():
        shape = {"blocks": 1, "filters": 4, "dropout": 0.0}
        return tim_net.build((FRAMES, COEFFICIENTS), len(LABELS), **shape, seed=3)

    x, y = clips()
    targets = objectives.targets(y, len(LABELS), 0.1)
    batch, order = 30, np.random.default_rng(1).permutation(CLIPS).astype(np.int32)
    settings = {key: TRAINING[key] for key in ("learning_rate", "beta_1", "beta_2", "epsilon")}
    optimiser = objectives.adam(**settings)
    model, theirs = build(), build()
    program = emotions.program(model, objectives.LOSSES["cross_entropy"], optimiser, batch)
    theirs.compile(keras.optimizers.Adam(**settings), "categorical_crossentropy")
    state = compiled.start(model, optimiser)
    ours, keras_own = [], []
    for _ in range(3):
        state, (loss, hits) = program.epoch(
            state, program.put(x), program.put(targets), order, np.zeros((CLIPS, 4), np.float32)
        )
        ours.append(float(loss))
        keras_own.append(0.0)
        for first in range(0, CLIPS, batch):
            rows = order[first : first + batch]
            keras_own[-1] += len(rows) * theirs.train_on_batch(x[rows], targets[rows])
            theirs.reset_metrics()
    compiled.assign(model, state)
    start, found, wanted = (roles(one) for one in (build(), model, theirs))
    lab.results["parity"] = {
        "ours": ours,
        "keras": keras_own,
        "hits": float(hits),
        "weights": {
            role: [float(np.abs(found[role] - w).max()), float(np.abs(w - start[role]).max())]
            for role, w in wanted.items()
        },
    }


def roles(model):
    """Copy the weights of TIM-Net by role."""
    from pipeline.models import tim_net

    return {role: np.array(variable) for role, variable in tim_net.role_names(model).items()}


def golden(lab):
    """Train eight steps on the batch of the authors' code."""
    from pipeline.engine import compiled, emotions, objectives
    from pipeline.models import tim_net

    with np.load(GOLDEN / "steps_io.npz") as held:
        x, smoothed, losses = held["X"], held["Ysmooth"], held["losses"]
    model = tim_net.build(x.shape[1:], smoothed.shape[1], dropout=0.0)
    with np.load(GOLDEN / "steps_start.npz") as weights:
        tim_net.set_weights(model, dict(weights))
    optimiser = objectives.optimiser(tim_net.TRAINING)
    loss = objectives.LOSSES[tim_net.TRAINING["loss"]]
    program = emotions.program(model, loss, optimiser, len(x))
    state, found = compiled.start(model, optimiser), []
    order, draws = np.arange(len(x), dtype=np.int32), np.zeros((len(x), 4), np.float32)
    x, smoothed = program.put(x), program.put(smoothed)
    for _ in losses:
        state, (value, _) = program.epoch(state, x, smoothed, order, draws)
        found.append(float(value) / len(x))
    lab.results["golden"] = {"found": found, "wanted": losses.tolist()}


if __name__ == "__main__":
    main()
