"""Training: all folds of a run, and one step of it, against plain Keras and against the floor.

The shape is EMO-DB's in TIM-Net's paper, the data random: the values do not change the time.
"""

import os
import re
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np

from pipeline.engine import backend
from tests.bench import Size, page
from tests.bench.apart import Apart, apart

CLIPS, FRAMES, COEFFICIENTS, CLASSES = 535, 188, 39, 7
FOLDS = 10
BATCH = 64
ENOUGH = 6  # seconds of repeating one step
USUAL, SCANNED, THREADED, STACKED = "glibc as it comes", "scan", "two threads", "stacked"
USUAL_THREADED = "two threads, glibc as it comes"

# what it is called, function below and its arguments, cores
STEPS = {
    "fit": ("`keras.Model.fit`, TensorFlow graph", ("keras_step", False), 1),
    "fit_xla": ("`keras.Model.fit`, TensorFlow, XLA", ("keras_step", True), 1),
    "tensorflow": ("engine, TensorFlow graph", ("engine_step", "tensorflow", ""), 1),
    "jax_usual": (
        "engine, JAX, glibc as it comes",
        ("engine_step", "jax", USUAL),
        1,
    ),
    "jax": (
        "engine, JAX, huge pages (`pipeline.engine.backend.TUNABLES`)",
        ("engine_step", "jax", ""),
        1,
    ),
    "jax_scan": (
        "engine, JAX, an epoch's steps in one program (`lax.scan`)",
        ("engine_step", "jax", SCANNED),
        1,
    ),
    "fit_two_cores": ("`keras.Model.fit`, TensorFlow graph", ("keras_step", False), 2),
    "fit_xla_two_cores": ("`keras.Model.fit`, TensorFlow, XLA", ("keras_step", True), 2),
    "jax_two_cores": ("engine, JAX, one fold on both", ("engine_step", "jax", ""), 2),
    "jax_two_threads": (
        "engine, JAX, **two folds in two threads: the default**",
        ("engine_step", "jax", THREADED),
        2,
    ),
    "jax_usual_threads": (
        "the same, glibc as it comes",
        ("engine_step", "jax", USUAL_THREADED),
        2,
    ),
    "jax_stacked": (
        "engine, JAX, two folds stacked into one program (`vmap`)",
        ("engine_step", "jax", STACKED),
        2,
    ),
}


def measure(size: Size) -> tuple[dict, str]:
    folds, fold_text = _folds(size)
    steps, step_text = _steps(size)
    title = f"# Engine: TIM-Net, {CLIPS} clips of {FRAMES} x {COEFFICIENTS}, {CLASSES} classes\n"
    measured = [numbers for numbers in folds.values() if isinstance(numbers, dict)]
    others = max(way["others_cores"] for way in [*measured, *steps["steps"].values()])
    numbers = folds | steps | {"others_cores": others}
    return numbers, f"{title}\n{fold_text}\n{step_text}\n{page.quiet(others)}"


# ---- ten folds -------------------------------------------------------------------------------


def _folds(size: Size) -> tuple[dict, str]:
    """Ten folds from nothing to trained models, by this engine and by plain Keras."""
    numbers, rows = {}, []
    plan = {20: {"plain": 2, "ours": FOLDS}, 100: {"plain": 1, "ours": 4}}
    if size.quick:
        plan = {1: {"plain": 1, "ours": 2}, 2: {"plain": 1, "ours": 2}}
    for epochs, folds in plan.items():
        if size.full:
            folds = dict.fromkeys(folds, FOLDS)
        runs = {way: apart(f"engine.{way}", folds[way], epochs, **_tunables(way)) for way in folds}
        ten = {way: _ten(run, folds[way]) for way, run in runs.items()}
        numbers[f"speedup_{epochs}_epochs"] = ten["plain"] / ten["ours"]
        for way, run in runs.items():
            numbers[f"{way}_{epochs}_epochs"] = {
                "ten_folds_seconds": ten[way],
                "measured_folds": folds[way],
                "measured_seconds": run.seconds,
                "start_seconds": run.seconds - run.answer,
                "peak_mb": run.peak_mb,
                "others_cores": run.others,
            }
            rows.append(
                [
                    f"{epochs} epochs, {'this engine' if way == 'ours' else 'plain Keras'}",
                    f"{ten[way]:.0f}{'' if folds[way] == FOLDS else ' (scaled)'}",
                    f"{ten['plain'] / ten[way]:.2f}",
                    folds[way],
                    f"{run.seconds:.0f}",
                    f"{run.seconds - run.answer:.1f}",
                    run.peak_mb,
                ]
            )
        if folds["ours"] == FOLDS:
            numbers["peak_mb_ten_folds"] = runs["ours"].peak_mb
    head = "run|seconds, ten folds|times plain|folds measured|their seconds|of them start|peak MB"
    text = f"""\
## Ten folds, from the start of the process to its end

{page.table(head.split("|"), rows)}
Plain Keras is what everybody writes: TensorFlow on all cores, for every fold a fresh model,
`compile`, `fit` with the test fold as validation data, nothing stored. This engine is
`pipeline.engine.loop.train` as the stage `train` calls it: JAX, a thread per core, the test fold
measured after every epoch too, checkpoints and models written.

*Scaled*: the start (imports, and what this engine compiles once for all folds) counts once, the
rest times ten over the folds measured. For plain Keras a fold costs the same in each, as every
fold is a fresh model, traced again; in this engine it costs the same as nothing is compiled any
more. `--full` measures all of it.
"""
    return numbers, text


def _ten(run: Apart, folds: int) -> float:
    """Seconds of ten folds: the start once, the folds measured times what is missing."""
    return run.seconds - run.answer + run.answer * FOLDS / folds


def ours(folds: int, epochs: int) -> float:
    """Train folds with this engine; seconds from when its program was compiled."""
    backend.choose("jax")
    from pipeline.engine import loop
    from pipeline.engine.dataset import Dataset, Fold
    from pipeline.models.tim_net import TRAINING, Settings, network
    from pipeline.scoring.targets import Emotions

    x, y, parts = _data()
    none = np.empty(0, int)
    numbered = enumerate(parts[:folds], start=1)
    folds_of_run = tuple(Fold(i, train, none, test) for i, (train, test) in numbered)
    target = Emotions(tuple(map(str, range(CLASSES))))
    data = Dataset(x=x, truth=y, target=target, clips=None, folds=folds_of_run, spec={})
    built = []

    def build(seed: int):
        built.append(time.perf_counter())
        return network.build(x.shape[1:], CLASSES, Settings(), seed)

    training = replace(TRAINING, epochs=epochs)
    how = {"selection": "last", "seeds": (0,), "stacked": False}
    with tempfile.TemporaryDirectory() as folder:
        loop.train(build, data, training, **how, folder=Path(folder))
    return time.perf_counter() - built[1]  # the first is built to compile, the second to train


def plain(folds: int, epochs: int) -> float:
    """Train folds with ``fit``, a fresh model each; seconds of all folds, tracing included."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # and nothing else: its own choice of threads
    from pipeline.engine import objectives
    from pipeline.models.tim_net import TRAINING

    x, y, parts = _data()
    smooth = objectives.targets(y, CLASSES, TRAINING.label_smoothing)
    one_hot = objectives.targets(y, CLASSES)
    start = time.perf_counter()
    for train, test in parts[:folds]:
        held_out = x[test], one_hot[test]
        settings = {"epochs": epochs, "batch_size": BATCH, "verbose": 0}
        _compiled("auto").fit(x[train], smooth[train], validation_data=held_out, **settings)
    return time.perf_counter() - start


def _data() -> tuple[np.ndarray, np.ndarray, list]:
    """Random clips (clips, frames, coefficients), classes (clips,), and ten folds of them."""
    from sklearn.model_selection import KFold

    rng = np.random.default_rng(0)
    x = rng.normal(size=(CLIPS, FRAMES, COEFFICIENTS)).astype(np.float32)
    parts = KFold(FOLDS, shuffle=True, random_state=0).split(x)
    return x, rng.integers(CLASSES, size=CLIPS), list(parts)


def _compiled(jit: bool | str):
    """TIM-Net for ``fit``, with the optimiser of its paper."""
    import keras

    from pipeline.models.tim_net import TRAINING, Settings, network

    model = network.build((FRAMES, COEFFICIENTS), CLASSES, Settings(), 0)
    names = ("learning_rate", "beta_1", "beta_2", "epsilon")
    optimiser = keras.optimizers.Adam(**{name: getattr(TRAINING, name) for name in names})
    settings = {"metrics": ["accuracy"], "jit_compile": jit}
    model.compile(optimizer=optimiser, loss="categorical_crossentropy", **settings)
    return model


# ---- one step --------------------------------------------------------------------------------


def _steps(size: Size) -> tuple[dict, str]:
    """A step of 64 clips in every way that was thought of, and the time of its products alone."""
    repeats = 2 if size.quick else 12
    found = {way: [] for way in STEPS}
    for _ in range(size.rounds):
        for way, (_, (function, *arguments), cores) in STEPS.items():
            cache = _tunables(function, *arguments)
            run = apart(f"engine.{function}", *arguments, repeats, cores=cores, **cache)
            found[way].append(run.answer | {"peak_mb": run.peak_mb, "others_cores": run.others})
    medians = {
        way: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for way, runs in found.items()
    }
    floor = apart("engine.products", repeats, cores=1).answer
    spent = apart("engine.spent", repeats, cores=1, **_tunables("spent")).answer
    ways = [
        [
            STEPS[way][0],
            STEPS[way][2],
            f"{median['step_ms']:.0f}",
            f"{median['core_ms']:.0f}",
            f"{median['faults']:.0f}",
            f"{median['compile_seconds']:.0f}",
            f"{median['peak_mb']:.0f}",
        ]
        for way, median in medians.items()
    ]
    head = "way|cores|ms per step and fold|core ms|page faults|seconds to compile|peak MB"
    parts = [[part, f"{ms:.0f}"] for part, ms in spent.items()]
    step = medians["jax"]["step_ms"]
    return (
        {"steps": medians, "floor": floor, "spent_ms": spent},
        f"""\
## One step

{BATCH} clips: forwards, backwards, Adam. Median of up to {repeats} steps, and of that the median of
{size.rounds} processes, the ways taking turns. Where two folds run at the same time, their time is
divided by two.

{page.table(head.split("|"), ways)}
## What stands between the step and the floor

The products of the step's convolutions are {floor["gflop"]:.2f} GFLOP. numpy's BLAS does them, in
their own shapes, at {floor["gflops_own_shapes"]:.0f} GFLOP/s on one core (large squares:
{floor["gflops_square"]:.0f}): {floor["ms"]:.0f} ms, the floor. JAX's step on one core takes
{step:.0f} ms, {step / floor["ms"]:.1f} times that. Its profiler says on what:

{page.table(["operations", "ms per step"], parts)}
""",
    )


def _tunables(function: str, *arguments: str) -> dict[str, str]:
    """Environment that the stage train gives itself; plain Keras has none."""
    plain = function in ("plain", "keras_step") or {USUAL, USUAL_THREADED} & {*arguments}
    return {} if plain else {"GLIBC_TUNABLES": backend.TUNABLES}


def keras_step(jit: bool, repeats: int) -> dict:
    """``train_on_batch``, which is what ``fit`` does, on TensorFlow."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # and nothing else: its own choice of threads
    from pipeline.engine import objectives

    x, y, _ = _data()
    targets = objectives.targets(y, CLASSES, 0.1)
    model = _compiled(jit)
    return _timed(lambda: model.train_on_batch(x[:BATCH], targets[:BATCH]), 1, repeats)


def engine_step(library: str, way: str, repeats: int) -> dict:
    """The engine's step: alone, in a scan, or of two folds in threads or stacked."""
    run, steps = _engine(library, way)
    if way not in (THREADED, USUAL_THREADED):
        return _timed(run, steps, repeats)
    with ThreadPoolExecutor(2) as pool:
        first = _seconds(run)
        return _timed(lambda: list(pool.map(lambda _: run(), range(8))), 8, repeats) | first


def spent(repeats: int) -> dict:
    """Milliseconds of a step by what XLA ran, from JAX's profiler."""
    run, _ = _engine("jax", "")
    import jax

    run()
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            start = time.perf_counter()
            for _ in range(repeats):
                run()
            whole = time.perf_counter() - start
        (path,) = Path(folder).rglob("*.xplane.pb")
        profile = jax.profiler.ProfileData.from_file(str(path))
    kinds = {
        "convolutions and their gradients": "conv",
        "transposing and copying between their layouts": "transpose|copy",
        "batch normalisation, ReLU, dropout, gates, sums, Adam": "(?!Thunk|end:|while)",
    }
    found = dict.fromkeys(kinds, 0.0)
    for line in (line for plane in profile.planes for line in plane.lines):
        if line.name.startswith("tf_XLAEigen"):
            for event in line.events:
                kind = next((k for k, start in kinds.items() if re.match(start, event.name)), None)
                if kind:
                    found[kind] += event.duration_ns / 1e6 / repeats
    rest = 1000 * whole / repeats - sum(found.values())
    return found | {"between them: starting operations, Python": rest}


def _engine(library: str, way: str) -> tuple[Callable, int]:
    """Give a call that runs steps of the engine to their end, and how many for each fold."""
    backend.choose(library)
    import jax

    from pipeline.engine import compiled, emotions, objectives
    from pipeline.models.tim_net import TRAINING, Settings, network

    x, y, parts = _data()
    model = network.build(x.shape[1:], CLASSES, Settings(), 0)
    loss, optimiser = objectives.LOSSES["cross_entropy"], objectives.optimiser(TRAINING)
    device = "gpu" if way == SCANNED else "cpu"  # the engine scans on one and not on the other
    with mock.patch.object(jax, "default_backend", return_value=device):
        program = emotions.program(model, loss, optimiser, BATCH)
    state = compiled.start(model, optimiser)
    x, targets = program.put(x), program.put(objectives.targets(y, CLASSES, 0.1))
    steps = 3 if way == SCANNED else 1
    order, epoch = parts[0][0][: steps * BATCH].astype(np.int32), program.epoch
    lesson = [targets, order, np.zeros((len(order), 4), np.float32)]
    if way == STACKED:
        state = jax.tree.map(lambda leaf: np.stack([leaf, leaf]), state)
        lesson = [np.stack([part, part]) for part in lesson]
        epoch, steps = program.stacked_epoch, 2
    return lambda: jax.block_until_ready(epoch(state, x, *lesson)), steps


def _timed(call: Callable, steps: int, repeats: int) -> dict:
    """Medians per step of a call that makes some; the first one compiles, the next warms up."""
    first = _seconds(call)
    call()
    found = []
    while len(found) < repeats and sum(seconds * steps for seconds, _, _ in found) < ENOUGH:
        before = _clocks()
        call()
        found.append(np.subtract(_clocks(), before) / steps)
    wall, core, faults = np.median(found, axis=0)
    return first | {"step_ms": 1000 * wall, "core_ms": 1000 * core, "faults": faults}


def _seconds(call: Callable) -> dict:
    """Seconds of the call that compiles."""
    start = time.perf_counter()
    call()
    return {"compile_seconds": time.perf_counter() - start}


def _clocks() -> tuple[float, float, int]:
    """Seconds, seconds of cores that this process had, and its page faults, so far."""
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    return time.perf_counter(), time.process_time(), faults


def products(repeats: int) -> dict:
    """Rate of the products that the step's convolutions are made of, and what they take at least.

    A convolution of two taps over (batch, frames, channels) is one product, and so are its
    gradients by input and by kernel.
    """
    rows, taps, channels = BATCH * FRAMES, 2 * COEFFICIENTS, COEFFICIENTS

    def seconds(a: tuple, b: tuple) -> float:
        left, right = np.ones(a, np.float32), np.ones(b, np.float32)
        times = []
        for _ in range(repeats + 1):
            start = time.perf_counter()
            left @ right
            times.append(time.perf_counter() - start)
        return statistics.median(times[1:])

    shapes = [
        ((rows, taps), (taps, channels)),
        ((rows, channels), (channels, taps)),
        ((taps, rows), (rows, channels)),
    ]
    gflop = 2e-9 * rows * taps * channels
    ours = gflop * len(shapes) / sum(seconds(*shape) for shape in shapes)
    square = 2e-9 * 2048**3 / seconds((2048, 2048), (2048, 2048))
    # eight blocks of two convolutions, each way, and two of one tap at the entrance
    total = 3 * (32 + 1) * gflop
    return {
        "gflop": total,
        "gflops_own_shapes": ours,
        "gflops_square": square,
        "ms": 1000 * total / ours,
    }
