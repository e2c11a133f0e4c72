"""DeepEmoCluster on a CPU: a training step, and all that an epoch is made of.

The shape is the authors', the data random: the values do not change the time.
"""

import importlib.util
import math
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from pipeline.engine import backend
from tests.bench import Size, page
from tests.bench.apart import Apart, apart

CHUNKS = 11
SHAPE = (CHUNKS, 62, 128)  # of a sentence: chunks, frames, bins
BATCH, CLUSTERS = 64, 10
POINTS = 1000 * CHUNKS, 256  # of an epoch of 1000 sentences
VARIANTS = "gru", "cnn", "trans", "triplet"

# A step of 64 sentences by the authors' code in PyTorch on 2 cores, lowest and highest: measured
# once, not together with these.
ORIGINAL = {"core_seconds": (15.3, 15.6), "seconds": (8.0, 14.0)}

# library, temporal network, folds at the same time, threads of each operation, sentences at once
STEPS = [
    ("tensorflow", "gru", 1, 1, BATCH),
    ("tensorflow", "gru", 1, 2, BATCH),
    *(("tensorflow", temporal, 2, 1, BATCH) for temporal in VARIANTS),
    ("jax", "gru", 1, 1, 16),  # takes far more memory: 64 may not fit
]


def measure(size: Size) -> tuple[dict, str]:
    steps = [_step(*way, size) for way in STEPS]
    parts, part_text = _parts(steps[0], size)
    others = max(way["others_cores"] for way in [*steps, *parts.values()])
    numbers = {"steps": steps, "parts": parts, "original": ORIGINAL, "others_cores": others}
    title = f"# DeepEmoCluster: sentences of {' x '.join(map(str, SHAPE))}, {CLUSTERS} clusters\n"
    return numbers, f"{title}\n{_step_text(steps, size)}\n{part_text}\n{page.quiet(others)}"


# ---- one step --------------------------------------------------------------------------------


def _step(
    library: str, temporal: str, folds: int, threads: int, sentences: int, size: Size
) -> dict:
    """Measure a step, scale it to a whole batch, and compare it with the original."""
    sentences = 8 if size.quick else sentences
    cores, scale = max(folds, threads), BATCH / sentences
    settings = {"cores": cores, "TF_NUM_INTRAOP_THREADS": str(threads)}
    run = _apart("clusters.step", library, temporal, folds, sentences, size.rounds, **settings)
    way = {"library": library, "temporal": temporal, "folds": folds, "threads": threads}
    way |= {"measured_sentences": sentences} | _facts(run, scale)
    way["core_seconds"] /= folds
    way["times_core"] = ORIGINAL["core_seconds"][0] / way["core_seconds"]
    if cores == 2:
        way["times_wall"] = ORIGINAL["seconds"][0] / (way["seconds"] / folds)
    return way


def _step_text(steps: list[dict], size: Size) -> str:
    """Tell what steps cost."""
    how = {
        (1, 1): "one fold, one core",
        (1, 2): "one fold, two cores",
        (2, 1): "**two folds at the same time**, two cores",
    }
    names = {"tensorflow": "TensorFlow", "jax": "JAX"}
    rows = [
        [
            f"{way['temporal']}, {names[way['library']]}, {how[way['folds'], way['threads']]}",
            f"{way['seconds']:.2f}",
            f"{way['core_seconds']:.2f}",
            *(f"{way[key]:.2f}" if key in way else "-" for key in ("times_core", "times_wall")),
            f"{way['measured_sentences']} sentences",
            way["peak_mb"],
        ]
        for way in steps
    ]
    head = "way|seconds|core seconds of a fold|times, core|times|measured on|peak MB"
    (core, core_most), (wall, wall_most) = ORIGINAL.values()
    return f"""\
## One step of {BATCH} sentences

Forwards, backwards, descent and Adam, as `pipeline.engine` compiles them: medians of {size.rounds},
each way in a process of its own, after a step that compiles. A run on a CPU trains a fold on each
core, each operation on one thread: of two folds at the same time, *seconds* is until both have
made their step. Measured on fewer sentences, time is scaled to {BATCH}; memory is not.

{page.table(head.split("|"), rows)}
*Times*: as fast as the original, the authors' code in PyTorch on two cores, by what was found of it
earlier, not together with these: a step took {core} to {core_most} core seconds and {wall:.0f} to
{wall_most:.0f} seconds. It is compared with the lower of each: by core seconds, and, where two
cores work, by seconds for each fold's step. The aim is 1.5.
"""


def step(library: str, temporal: str, folds: int, sentences: int, rounds: int) -> dict:
    """Make a step of each of some folds, in threads at the same time."""
    task, _, _ = _task(library, temporal, sentences)
    from pipeline.engine import clustering, compiled

    rng = np.random.default_rng(0)
    assigned = rng.integers(CLUSTERS, size=(sentences, CHUNKS)).astype(np.int32)
    targets = {"assigned": assigned, "ratings": task.data.truth}
    draws = np.repeat([clustering.draw_triples(rng, CHUNKS).ravel()], sentences, axis=0)
    state = compiled.start(task.network, task.optimiser)
    lesson = task.program, state, targets, np.arange(sentences, dtype=np.int32), draws
    task.learn(*lesson)  # compiles
    with ThreadPoolExecutor(folds) as pool:
        return _timed(lambda: list(pool.map(lambda _: task.learn(*lesson), range(folds))), rounds)


# ---- an epoch --------------------------------------------------------------------------------


def _parts(one_step: dict, size: Size) -> tuple[dict, str]:
    """Measure an epoch of 1000 sentences by its parts and as a whole, and tell of it."""
    way = one_step["library"], one_step["temporal"]
    some, more = (1000, 1000) if size.full else (8, 8) if size.quick else (BATCH, 2 * BATCH)
    points = _apart("clusters.points", *way, some, size.rounds, cores=1)
    epoch = _apart("clusters.epoch", *way, more, cores=1)
    extra = ["faiss"] if importlib.util.find_spec("faiss") else []
    sorts = {
        whose: _facts(_apart("clusters.k_means", whose, size.rounds, cores=1), 1)
        for whose in ("scikit-learn", *extra)
    }
    parts = {
        "points": _facts(points, math.ceil(1000 / BATCH) / math.ceil(some / BATCH)),
        **sorts,
        "epoch": _facts(epoch, 1000 / more),
    }
    titles = {
        "points": f"points: the network on {some} sentences, not in training",
        "scikit-learn": "k-means, scikit-learn, as this engine has it",
        "faiss": "k-means, faiss, as the authors have it",
        "epoch": f"**the epoch as a whole**, measured on {more} sentences",
    }
    rows = [[titles[part], f"{one['seconds']:.2f}", one["peak_mb"]] for part, one in parts.items()]
    steps = 1000 / BATCH
    in_steps = [f"{steps * one_step['seconds']:.2f}", one_step["peak_mb"]]
    rows.insert(-1, [f"steps: {steps:.1f} times the first one above", *in_steps])
    if extra:
        faiss = f"faiss-cpu {version('faiss-cpu')} was installed too, it is no dependency."
    else:
        faiss = "faiss-cpu, which the authors have, is not measured: no dependency, not installed."
    text = f"""\
## An epoch of 1000 sentences, one fold on one core

{way[1]}, TensorFlow; each part in a process of its own, medians of {size.rounds}, of the epoch one,
after one that compiles. k-means clusters {POINTS[0]} random points of {POINTS[1]}, which takes all
of its 20 rounds. {faiss}

{page.table("part|seconds|peak MB".split("|"), rows)}
Measured on fewer sentences, time is scaled: points are made in batches of {BATCH}, the last one
filled up, and each costs the same; all of an epoch grows with its sentences. `--full` scales none.
Sentences of validation and test cost what points cost, and come on top.
"""
    return parts, text


def points(library: str, temporal: str, sentences: int, rounds: int) -> dict:
    """Ask the network for the points of some sentences."""
    task, _, fold_seed = _task(library, temporal, sentences)
    from pipeline.engine import compiled

    state, rows = compiled.start(task.network, task.optimiser), fold_seed.fold.train
    task.answers(state, rows[:BATCH])  # compiles
    return _timed(lambda: task.answers(state, rows), rounds)


def k_means(whose: str, rounds: int) -> dict:
    """Sort an epoch's points by this engine's way or the authors'."""
    values = np.random.default_rng(0).standard_normal(POINTS, np.float32)
    sort = {"scikit-learn": _ours, "faiss": _theirs}[whose]()
    sort(values[:100])  # loads what is slow to load
    return _timed(lambda: sort(values), rounds)


def _ours() -> Callable:
    """scikit-learn's."""
    backend.choose("jax")  # which has no part in it
    from pipeline.engine import clustering

    return lambda values: clustering.k_means(values, CLUSTERS, seed=0)


def _theirs() -> Callable:
    """faiss's, all points taken."""
    import faiss

    settings = {"niter": 20, "nredo": 1, "max_points_per_centroid": 10**7, "seed": 0}

    def sort(values: np.ndarray) -> np.ndarray:
        found = faiss.Kmeans(values.shape[1], CLUSTERS, **settings)
        found.train(values)
        return found.index.search(values, 1)[1]

    return sort


def epoch(library: str, temporal: str, sentences: int) -> dict:
    """Train for an epoch as the loop does, after one that compiles."""
    task, model, fold_seed = _task(library, temporal, sentences)
    state, _ = task.epoch(task.start(model, fold_seed), [fold_seed], 0)
    return _timed(lambda: task.epoch(state, [fold_seed], 1), 1)


# ---- both ------------------------------------------------------------------------------------


def _apart(place: str, *arguments, **settings) -> Apart:
    """Measure as the stage train runs."""
    return apart(place, *arguments, GLIBC_TUNABLES=backend.TUNABLES, **settings)


def _facts(run: Apart, scale: float) -> dict:
    """Seconds, scaled to what is stated; memory as it was, and what disturbed it."""
    seconds = {key: scale * value for key, value in run.answer.items()}
    return seconds | {"peak_mb": run.peak_mb, "others_cores": run.others}


def _task(library: str, temporal: str, sentences: int) -> tuple:
    """Give the engine's task on random sentences, its untrained model, and a fold of all clips."""
    backend.choose(library)
    from pipeline.engine.attributes import AttributeTask
    from pipeline.engine.dataset import Dataset, Fold
    from pipeline.engine.task import FoldSeed
    from pipeline.features import framing
    from pipeline.models.deep_emo_cluster import TRAINING, Settings, network
    from pipeline.scoring import targets
    from tests import specs

    rng = np.random.default_rng(0)
    x = rng.standard_normal((sentences, *SHAPE), np.float32)
    ratings = rng.normal(4, 1, (sentences, 1)).astype(np.float32)
    settings = {"n_fft": 512, "hop": 256, "centre": True}
    fold = Fold(1, np.arange(sentences), *(np.empty(0, int) for _ in range(2)))
    data = Dataset(
        x=x,
        truth=ratings,
        target=targets.Attributes(("arousal",)),
        clips=None,
        folds=(fold,),
        spec=specs.spec(settings=settings),
        samples=np.full(sentences, 8 * 16000),
        sums=np.stack([framing.sums(clip) for clip in x]),
    )
    training = replace(TRAINING, batch=BATCH, clusters=CLUSTERS)
    model = network.build(SHAPE, 1, Settings(temporal=temporal), 0)
    task = AttributeTask(network.with_clusters, model, data, training)
    return task, model, FoldSeed(fold, 0, "fold-01")


def _timed(call: Callable, rounds: int) -> dict:
    """Medians of seconds, and of seconds of cores."""
    walls, cores = [], []
    for _ in range(rounds):
        wall, core = time.perf_counter(), time.process_time()
        call()
        walls.append(time.perf_counter() - wall)
        cores.append(time.process_time() - core)
    return {"seconds": statistics.median(walls), "core_seconds": statistics.median(cores)}
