"""From sound files to stored MFCCs: the stages against librosa file by file."""

import os
import shutil
import statistics
import tempfile
import time
from itertools import product
from pathlib import Path

import numpy as np

from tests.bench import Size, page
from tests.bench.apart import apart

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "ravdess"
RATE = 22050
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
WAYS = {
    "stages": "`waveforms` and `extract`, zarr stores, one worker",
    "stages_all_cores": "`waveforms` and `extract`, zarr stores, a worker per core",
    "plain": "plain librosa, a `.npy` per file",
    "published": "as published scripts do: librosa, a CSV per file, read back, one `.npy`",
}


def measure(size: Size) -> tuple[dict, str]:
    clips = 8 if size.quick else 192  # six chunks
    run = apart("features.compare", clips, size.rounds, **ONE_THREAD)
    found = run.answer
    seconds = {way: statistics.median(rounds) for way, rounds in found["seconds"].items()}
    numbers = {
        "bit_stable_vs_librosa": seconds["plain"] / seconds["stages"],
        "vs_published_script": seconds["published"] / seconds["stages"],
        "two_workers": seconds["stages"] / seconds["stages_all_cores"],
        **found,
        "median_seconds": seconds,
        "others_cores": run.others,
    }
    rows = [
        [
            title,
            f"{seconds[way]:.2f}",
            f"{found['audio_seconds'] / seconds[way]:.0f} x",
            f"{found['clips'] / seconds[way]:.0f}",
            f"{seconds['plain'] / seconds[way]:.2f}",
        ]
        for way, title in WAYS.items()
    ]
    stages = statistics.median(found["waveforms_seconds"])
    return (
        numbers,
        f"""\
# Features: sound files to stored MFCCs

{found["clips"]} clips of {found["corpus"]} ({found["audio_seconds"]:.0f} s of sound), spread evenly
over the corpus; 39 MFCCs at 22 050 Hz, resampled by soxr, clips centred in {found["samples"]}
samples. Median of {size.rounds} rounds in which the ways take turns, in one process, imports
excluded, everything written to disk. One core and one thread but where it says otherwise.

{
            page.table(
                ["way", "seconds", "speed of the sound", "clips per second", "times plain librosa"],
                rows,
            )
        }
Of the {seconds["stages"]:.2f} s, {stages:.2f} s are `waveforms`: decoding, the check of each file's
hash, resampling, and a store that other features share.

The stages work in float64 and round, so that their bytes do not depend on BLAS, its threads or the
workers; librosa works in float32 and its last bits do depend on them. The largest difference
between the two is {found["largest_difference"]:.1e}, of values from {found["lowest"]:.0f} to
{found["highest"]:.0f}.

{page.quiet(run.others)}""",
    )


# ---- in a process of its own -----------------------------------------------------------------


def compare(clips: int, rounds: int) -> dict:
    """Seconds of each way in each round, and facts about the clips."""
    from pipeline import demo, index, params
    from pipeline.files import stores, tables

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recipes = params.load()
        corpus, raw = params.Corpus("ravdess", "ravdess", 110000), CORPUS
        if not raw.is_dir():
            corpus, raw = recipes.corpora["demo"], folder / "raw_data"
            demo.demo(raw)
        index.index(raw, folder / "index.csv", folder / "quality.json", corpus=corpus)
        listed = tables.read(folder / "index.csv")
        chosen = listed.iloc[np.linspace(0, len(listed) - 1, clips).astype(int)]
        tables.write(chosen, folder / "index.csv")
        paths = [raw / path for path in chosen.path]
        ways = {
            "plain": lambda: plain(paths, corpus.samples, folder / "plain"),
            "stages": lambda: stages(raw, folder, corpus, recipes),
            "published": lambda: published(paths, corpus.samples, folder / "published"),
            "stages_all_cores": lambda: stages(raw, folder, corpus, recipes),
        }
        every = os.sched_getaffinity(0)
        seconds, parts = {name: [] for name in ways}, []
        for number, (name, way) in product(range(rounds + 1), ways.items()):
            # the stages start a worker for each core that they may use
            os.sched_setaffinity(0, every if name == "stages_all_cores" else {min(every)})
            start = time.perf_counter()
            part = way()
            if number:  # the first round imports what is imported late and reads the files
                seconds[name].append(time.perf_counter() - start)
                parts += [part] * (name == "stages")
        ours = stores.read(folder / "features.zarr").x[:]
        theirs = np.load(folder / "published.npy")
        plainly = np.stack([np.load(folder / "plain" / f"{path.stem}.npy") for path in paths])
    return {
        "corpus": "RAVDESS" if raw == CORPUS else "the demo corpus",
        "clips": clips,
        "audio_seconds": float(chosen.seconds.astype(float).sum()),
        "samples": corpus.samples,
        "seconds": seconds,
        "waveforms_seconds": parts,
        "largest_difference": float(max(abs(ours - plainly).max(), abs(ours - theirs).max())),
        "lowest": float(ours.min()),
        "highest": float(ours.max()),
    }


def stages(raw: Path, folder: Path, corpus, recipes) -> float:
    """Run both stages; seconds that the first of them took."""
    from pipeline import extract, waveforms

    given = {"corpus": corpus, "waveform": recipes.waveforms["centred"], "engine": recipes.engine}
    sound, store = folder / "waveforms.zarr", folder / "features.zarr"
    for old in (sound, store):  # rows of an old store would be used again
        shutil.rmtree(old, ignore_errors=True)
    start = time.perf_counter()
    waveforms.waveforms(raw, folder / "index.csv", sound, **given)
    part = time.perf_counter() - start
    extract.extract(sound, store, feature=recipes.features["mfcc39"], engine=recipes.engine)
    return part


def plain(paths: list[Path], samples: int, folder: Path) -> None:
    """Librosa file by file, and its own defaults."""
    folder.mkdir(exist_ok=True)
    for path in paths:
        np.save(folder / f"{path.stem}.npy", _mfcc(path, samples))


def published(paths: list[Path], samples: int, folder: Path) -> None:
    """The same by way of text: a CSV for each file, all read back and stored as one array."""
    folder.mkdir(exist_ok=True)
    for path in paths:
        np.savetxt(folder / f"{path.stem}.csv", _mfcc(path, samples), delimiter=",")
    matrices = [np.loadtxt(folder / f"{path.stem}.csv", delimiter=",") for path in paths]
    np.save(folder.with_suffix(".npy"), np.stack(matrices).astype(np.float32))


def _mfcc(path: Path, samples: int) -> np.ndarray:
    """Load, resample, centre and transform one file, shape (frames, 39)."""
    import librosa

    signal, rate = librosa.load(path, sr=RATE)
    if (gap := samples - len(signal)) > 0:
        signal = np.pad(signal, (gap // 2, gap - gap // 2))
    start = (len(signal) - samples) // 2
    return librosa.feature.mfcc(y=signal[start : start + samples], sr=rate, n_mfcc=39).T
