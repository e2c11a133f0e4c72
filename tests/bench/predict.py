"""Prediction: a question of a held model, and ``ser predict`` from the shell."""

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.bench import Size, page
from tests.bench.apart import apart

BUNDLE = Path("models/tim_net-demo")
SOUNDS = Path("raw_data/demo/wav")
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
WAYS = {
    "held": "`load(bundle)(path)`, a clip at a time",
    "array": "the same, of an array in memory",
    "listed": "`load(bundle)(paths)`, a list of 64, per clip",
    "again": "the weights of each fold read for each question, a batch of 64 (as `evaluate` asks)",
}


def measure(size: Size) -> tuple[dict, str]:
    if not BUNDLE.is_dir():
        sys.exit(f"{BUNDLE}: no such bundle; run make repro first")
    repeats = 3 if size.quick else 10 * size.rounds
    questions = apart("predict.questions", repeats, cores=1, **ONE_THREAD)
    many = 20 if size.quick else 600
    shell = {
        count: [apart("predict.shell", count, **ONE_THREAD) for _ in range(size.rounds)]
        for count in (1, many)
    }
    runs = {
        count: {key: statistics.median(run.answer[key] for run in found) for key in found[0].answer}
        for count, found in shell.items()
    }
    seconds = questions.answer["seconds"]
    numbers = {
        "seconds_a_question": seconds,
        "first_question_seconds": questions.answer["first"],
        "load_seconds": questions.answer["load"],
        "held_vs_again": seconds["again"] / seconds["held"],
        "largest_difference": questions.answer["difference"],
        "shell": runs,
        "others_cores": max(
            questions.others, *(run.others for found in shell.values() for run in found)
        ),
    }
    asked = [
        [title, f"{1000 * seconds[way]:.1f}", f"{seconds['again'] / seconds[way]:.0f}"]
        for way, title in WAYS.items()
    ]
    called = [
        [count, *(f"{run[key]:.1f}" for key in ("cpu", "wall", "first"))]
        for count, run in runs.items()
    ]
    return (
        numbers,
        f"""\
# Prediction

TIM-Net of the demo corpus, five folds, clips of {questions.answer["clip_seconds"]:.1f} s. The ways
take turns in one process on one core, the median of {repeats} rounds; features are made each time.

{page.table(["a question", "ms per clip", "times the last"], asked)}
Reading the bundle takes {questions.answer["load"]:.1f} s with all imports, the first question,
which compiles, {questions.answer["first"]:.1f} s. Largest difference of the ways' probabilities:
{questions.answer["difference"]:.0e}.

`ser predict`, from Python's start to its end; median of {size.rounds}:

{page.table(["clips", "CPU s", "seconds", "until the first answer"], called)}
{page.quiet(numbers["others_cores"])}""",
    )


# ---- in a process of its own -----------------------------------------------------------------


def questions(repeats: int) -> dict:
    """Seconds of a question in each way, and of loading."""
    start = time.perf_counter()
    from pipeline.commands.predict import load
    from pipeline.files import audio
    from pipeline.inference import cards, inputs, models

    predictor = load(BUNDLE)
    loaded = time.perf_counter()
    paths = sorted(SOUNDS.glob("*.wav"))
    predictor(paths[0])
    first = time.perf_counter() - loaded
    card = cards.read(BUNDLE)
    ask = models.asked(card)
    signal, rate = audio.read(paths[0])

    def again() -> list[float]:
        taken = inputs.read(paths[0], card, fused=False)
        return np.mean([ask(one, [taken.values]) for one in card.folds], axis=0)[0].tolist()

    ways: dict[str, Callable] = {
        "held": lambda: list(predictor(paths[0]).values()),
        "array": lambda: list(predictor(signal, rate).values()),
        "listed": lambda: list(predictor(paths[:64])[0].values()),
        "again": again,
    }
    found = {way: call() for way, call in ways.items()}
    seconds = {way: [] for way in ways}
    for _ in range(repeats):
        for way, call in ways.items():
            begun = time.perf_counter()
            call()
            clips = 64 if way == "listed" else 1
            seconds[way].append((time.perf_counter() - begun) / clips)
    return {
        "load": loaded - start,
        "first": first,
        "seconds": {way: statistics.median(times) for way, times in seconds.items()},
        "difference": float(np.ptp(list(found.values()), axis=0).max()),
        "clip_seconds": len(signal) / rate,
    }


def shell(clips: int) -> dict:
    """CPU seconds, seconds, and seconds until the first answer of ``ser predict``."""
    paths = sorted(map(str, SOUNDS.glob("*.wav")))
    given = [paths[i % len(paths)] for i in range(clips)]
    command = [sys.executable, "-m", "pipeline", "predict", str(BUNDLE), *given, "-q"]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        first = time.perf_counter() - start
        lines += process.stdout.readlines()
    wall, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode or len(lines) != clips:
        sys.exit(f"{' '.join(command[:4])}: {len(lines)} answers of {clips}")
    return {"cpu": used.ru_utime + used.ru_stime, "wall": wall, "first": first}
