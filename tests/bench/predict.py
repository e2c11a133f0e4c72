"""Prediction: a question of a held model, and ``ser predict`` from the shell."""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pipeline.engine import machines
from tests.bench import Size, page
from tests.bench.apart import apart

MODELS = Path("models")
BUNDLE = MODELS / "tim_net-demo"
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
    minutes = (1, 2) if size.quick else (10, 60, *([180] if size.full else []))
    long = {each: apart("predict.recording", each, **ONE_THREAD) for each in minutes}
    networks = [BUNDLE] if size.quick else _networks()
    small = {path.name: apart("predict.int8", str(path), cores=1) for path in networks}
    seconds = questions.answer["seconds"]
    numbers = {
        "seconds_a_question": seconds,
        "first_question_seconds": questions.answer["first"],
        "load_seconds": questions.answer["load"],
        "held_vs_again": seconds["again"] / seconds["held"],
        "largest_difference": questions.answer["difference"],
        "shell": runs,
        "recordings": {each: run.answer for each, run in long.items()},
        "int8": {name: run.answer for name, run in small.items()},
        "others_cores": max(
            *(run.others for run in (questions, *long.values(), *small.values())),
            *(run.others for found in shell.values() for run in found),
        ),
    }
    slid = [
        [
            each,
            *(f"{run.answer[key]:.0f}" for key in ("cpu", "wall", "first")),
            f"{60 * each / run.answer['wall']:.0f}",
            f"{run.answer['peak_mb']:.0f}",
        ]
        for each, run in long.items()
    ]
    exported = [
        [name, *(f"{run.answer[key]:.1f}" for key in ("features", "network")), run.answer["kb"]]
        for name, run in small.items()
    ]
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
Recordings of 16 kHz, clips one after the other, `--fold 1 --window 2.5 --hop 1`:

{page.table(["minutes", "CPU s", "seconds", "until the first", "times real time", "MB"], slid)}
TFLite int8, one clip on one core: ms of its features and of the network alone.

{page.table(["run", "features, ms", "network, ms", "file, kB"], exported)}
{page.quiet(numbers["others_cores"])}""",
    )


def _networks() -> list[Path]:
    """First bundle of each network that there is."""
    cards = {path.parent: json.loads(path.read_text()) for path in MODELS.glob("*/card.json")}
    found = {}
    for path, card in sorted(cards.items()):
        if card["backend"] != machines.LIBRARY:
            settings = card["settings"]  # DeepEmoCluster's networks are four
            found.setdefault((card["model"], settings.get("temporal")), path)
    return list(found.values())


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
        return np.mean([ask(one, [taken.values])[0] for one in card.folds], axis=0)[0].tolist()

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


def recording(minutes: int) -> dict:
    """CPU seconds, seconds, seconds until the first answer and memory of a long recording."""
    import soundfile

    clips = [soundfile.read(path, dtype="int16") for path in sorted(SOUNDS.glob("*.wav"))]
    rate, left = clips[0][1], 60 * minutes * clips[0][1]
    sound = np.concatenate([samples for samples, _ in clips])
    with tempfile.NamedTemporaryFile(suffix=".wav") as held:
        with soundfile.SoundFile(held.name, "w", rate, 1, "PCM_16") as file:
            while left > 0:
                file.write(sound[:left])
                left -= len(sound)
        options = ["--fold", "1", "--window", "2.5", "--hop", "1"]
        return _called([held.name, *options], 60 * minutes - 1)


def int8(bundle: str) -> dict:
    """Milliseconds of a clip's features, and of a network as TFLite int8."""
    from pipeline.commands.export import export
    from pipeline.inference import inputs, predictor

    paths = sorted(SOUNDS.glob("*.wav"))[:20]
    with tempfile.TemporaryDirectory() as folder:
        export(Path(bundle), to=Path(folder), sounds=paths)
        path = Path(folder, "int8.tflite")
        one = predictor.load(bundle, tflite=path)
        card, kilobytes = one.card, path.stat().st_size // 1000
        taken = inputs.read(paths[0], card, fused=False)
        ways: dict[str, Callable] = {
            "features": lambda: inputs.read(paths[0], card, fused=False),
            "network": lambda: one.answer([taken]),
        }
        spent = {way: [] for way in ways}
        for _ in range(20):
            for way, call in ways.items():
                begun = time.perf_counter()
                call()
                spent[way].append(1000 * (time.perf_counter() - begun))
    return {way: statistics.median(times) for way, times in spent.items()} | {"kb": kilobytes}


def shell(clips: int) -> dict:
    """CPU seconds, seconds, and seconds until the first answer of ``ser predict``."""
    paths = sorted(map(str, SOUNDS.glob("*.wav")))
    given = [paths[i % len(paths)] for i in range(clips)]
    return _called(given, clips)


def _called(given: list[str], answers: int) -> dict:
    """What ``ser predict`` takes of files, which get so many answers."""
    command = [sys.executable, "-m", "pipeline", "predict", str(BUNDLE), *given, "-q"]
    start, count = time.perf_counter(), 1
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        first = time.perf_counter() - start
        count += sum(1 for _ in process.stdout)
    wall, used = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode or count != answers:
        sys.exit(f"{' '.join(command[:4])}: {count} answers of {answers}")
    spent = {"cpu": used.ru_utime + used.ru_stime, "wall": wall, "first": first}
    return spent | {"peak_mb": used.ru_maxrss / 1024}
