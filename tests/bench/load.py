"""Load: corpora of many clips through index, split, waveforms and extract; and many runs.

Clips are made up: 0.3 s of noise in an envelope, no two alike, of 100 speakers. Each stage is a
process of its own, so its peak is that of the stage alone; its work is done by threads of it.
"""

import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.files import audio, tables
from tests.bench import Size, page
from tests.bench.apart import apart

RATE, SECONDS, SPEAKERS = 8000, 0.3, 100
EMOTIONS = ("angry", "happy", "neutral", "sad")
STAGES = ("index", "split", "waveforms", "extract")
PRINTS = 100_000  # clips of 3 s whose fingerprints are compared
RUNS = 300
CORPUS = "load"
PARAMS = """\
engine: {backend: jax, folds: auto, memory_mb: 8000, workers: threads}
corpora:
  load: {parser: table}
waveforms:
  centred: {sample_rate: 8000, resampler: soxr_hq, length: centre, samples: 2400}
features:
  mfcc13: {function: cepstral.mfcc, n_mfcc: 13, n_fft: 512, hop: 128}
protocols:
  speakers5: {kind: speakers, folds: 5}
sounds:
  all: {corpus: load, waveform: centred}
data:
  all: {sound: all, feature: mfcc13}
folds:
  all: {corpus: load, protocol: speakers5}
runs:
  first: {model: tim_net, corpus: load, data: all, folds: all}
"""


def measure(size: Size) -> tuple[dict, str]:
    """Numbers, and the page of them."""
    counts = (200, 400) if size.quick else (2000, 20_000, *([100_000] if size.full else []))
    prints = 500 if size.quick else PRINTS
    curve = {count: _of_corpus(count) for count in counts}
    near = apart("load.near", prints)
    runs = apart("load.runs", 10 if size.quick else RUNS)
    others = [one["others"] for found in curve.values() for one in found["stages"].values()]
    quiet = max(near.others, runs.others, *others)
    numbers = {
        "curve": curve,
        "near_duplicates": near.answer | {"clips": prints, "peak_mb": near.peak_mb},
        "params": runs.answer,
        "others_cores": quiet,
    }
    rows = [
        [f"{stage}, {count}", f"{one['seconds']:.1f}", f"{count / one['seconds']:.0f}",
         one["peak_mb"], one["files"]]
        for stage in STAGES
        for count, one in ((count, curve[count]["stages"][stage]) for count in counts)
    ]  # fmt: skip
    head = ["stage, clips", "seconds", "clips per second", "peak memory, MB", "files written"]
    certificate = [[count, f"{curve[count]['certificate']:.2f}"] for count in counts]
    return (
        numbers,
        f"""\
# Load

Clips of {SECONDS} s at {RATE} Hz, made up, no two alike, of {SPEAKERS} speakers; each stage in a
process of its own, imports left out of the seconds and not of the peak.

{page.table(head, rows)}
The certificate alone, of five folds:

{page.table(["clips", "seconds"], certificate)}
Near-duplicates of {prints} clips of 3 s by their fingerprints, made up, one in a hundred a copy:
{near.answer["seconds"]:.0f} s, {near.answer["found"]} of {near.answer["copies"]} copies found,
{near.peak_mb} MB at most.

params.yaml with {runs.answer["runs"]} runs is read and checked in {runs.answer["cpu"]:.2f} CPU s.

{page.quiet(quiet)}""",
    )


def _of_corpus(count: int) -> dict:
    """What each stage took of a corpus of so many clips."""
    folder = Path(tempfile.mkdtemp(prefix="load-"))
    try:
        _write(folder, count)
        stages = {}
        for stage in STAGES:
            before = _files(folder / "made")
            run = apart("load.stage", stage, str(folder))
            files = len(_files(folder / "made") - before)
            stages[stage] = {
                "seconds": run.answer,
                "peak_mb": run.peak_mb,
                "files": files,
                "others": run.others,
            }
        return {"stages": stages, "certificate": apart("load.certificate", str(folder)).answer}
    finally:
        shutil.rmtree(folder)


def _files(folder: Path) -> set[str]:
    """Files below a folder, but for those in hidden folders: links by which a store is resumed."""
    found = {os.path.join(at, name) for at, _, names in os.walk(folder) for name in names}
    return {path for path in found if "/." not in path}


def _write(folder: Path, count: int) -> None:
    """Write a corpus, and the params.yaml of its stages."""
    (folder / "params.yaml").write_text(PARAMS)
    time_ = np.arange(round(SECONDS * RATE)) / RATE
    rows = []
    for number in range(count):
        rng = np.random.default_rng(number)
        envelope = np.square(np.sin(np.pi * 4 * time_ + rng.uniform(0, np.pi)))
        speaker = f"s{number % SPEAKERS:03}"
        name = f"{speaker}/{number:06}.wav"
        (folder / "raw" / speaker).mkdir(parents=True, exist_ok=True)
        noise = rng.standard_normal(len(time_), np.float32)
        audio.write_pcm16(folder / "raw" / name, 0.1 * envelope * noise, RATE)
        emotion = EMOTIONS[number // SPEAKERS % len(EMOTIONS)]
        rows.append({"path": name, "label": emotion, "speaker": speaker})
    tables.write(pd.DataFrame(rows), folder / "raw" / "labels.csv")


# ---- in a process of its own -----------------------------------------------------------------


def stage(name: str, folder: str) -> float:
    """Seconds of a stage."""
    from pipeline.config import params
    from pipeline.stages.extract import extract
    from pipeline.stages.index import index
    from pipeline.stages.split import split
    from pipeline.stages.waveforms import waveforms

    top = Path(folder)
    made, found = top / "made", params.load(top / "params.yaml")
    made.mkdir(exist_ok=True)
    listed, sounds, engine = made / "index.csv", made / "sounds.zarr", found.engine
    calls = {
        "index": lambda: index(
            top / "raw", listed, made / "quality.json", corpus=found.corpora[CORPUS]
        ),
        "split": lambda: split(
            listed, made / "folds.csv", made / "folds.json", folds=found.folds["all"]
        ),
        "waveforms": lambda: waveforms(
            top / "raw", listed, sounds, sound=found.sounds["all"], engine=engine
        ),
        "extract": lambda: extract(
            sounds, made / "data.zarr", feature=found.features["mfcc13"], engine=engine
        ),
    }
    begun = time.perf_counter()
    calls[name]()
    return time.perf_counter() - begun


def certificate(folder: str) -> float:
    """Seconds of the certificate of folds that were made."""
    from pipeline.files.index import Index
    from pipeline.protocols import leakage

    made = Path(folder, "made")
    clips = Index.read(made / "index.csv").usable().clips
    folds = pd.read_csv(made / "folds.csv", dtype={"clip": str}, keep_default_na=False)
    begun = time.perf_counter()
    leakage.certificate(clips, folds, ())
    return time.perf_counter() - begun


def near(clips: int) -> dict:
    """Seconds of looking for copies among clips, by fingerprints of random words."""
    from pipeline.audit import fingerprints
    from pipeline.audit.fingerprints import Fingerprint

    frames, every = 340, 100
    sound = np.random.default_rng(0).standard_normal(24_000, np.float32)
    prints = []
    for number in range(clips):
        copied = number - 1 if number % every == 1 else number
        words = np.random.default_rng(copied).integers(0, 2**32, frames, np.uint32)
        prints.append(Fingerprint(words, np.ones(frames, bool)))
    begun = time.perf_counter()
    found = fingerprints.near_duplicates(prints, lambda _: sound)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "found": len(found), "copies": len(range(1, clips, every))}


def runs(count: int) -> dict:
    """CPU seconds of reading params.yaml with so many runs."""
    from pipeline.config import params

    line = "  {}: {{model: tim_net, corpus: load, data: all, folds: all, settings: {{epochs: {}}}}}"
    lines = [line.format(f"r{number}", number + 1) for number in range(count - 1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "params.yaml")
        path.write_text(PARAMS + "\n".join(lines) + "\n")
        begun = time.process_time()
        read = params.load(path)
        return {"cpu": time.process_time() - begun, "runs": len(read.runs)}
