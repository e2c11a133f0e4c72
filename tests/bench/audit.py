"""What the audit costs, and which copies of a take it finds."""

import io
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import soxr

from pipeline.audit import conditions, fingerprints, quality
from pipeline.audit.fingerprints import Fingerprint
from pipeline.config.records import Corpus
from pipeline.corpora import demo
from pipeline.files import audio, tables
from pipeline.stages.index import index
from tests.bench import Size, page
from tests.bench.apart import apart
from tests.bench.features import CORPUS

KINDS = {
    "rate": "at 16 kHz, a quarter as loud, 16 bits",
    "resampler": "at 22 050 Hz by a cheap resampler",
    "cut": "2 to 30 % cut off at both ends",
    "middle": "one second of the middle",
    "mp3": "MP3 of 118 kbit/s",
    "mp3_low": "MP3 of 34 kbit/s",
    "mp3_lowest": "MP3 of 8 kbit/s",
    "ogg": "OGG Vorbis of 66 kbit/s",
    "ogg_low": "OGG Vorbis of 22 kbit/s, 16 kHz",
    "telephone": "at 8 kHz in mu-law",
    "noise_20": "with white noise 20 dB below",
    "noise_10": "with white noise 10 dB below",
}


def measure(size: Size) -> tuple[dict, str]:
    clips = 100 if size.quick else 10_000
    folder = Path(tempfile.mkdtemp(prefix="audit-"))
    runs, parts = {}, {}
    try:
        _write(folder / "made_up", clips)
        corpora = {f"{clips} made-up clips of 3 s, 16 kHz WAV": (folder / "made_up", "demo")}
        if CORPUS.is_dir() and not size.quick:
            corpora["RAVDESS: 1440 clips of 3.7 s, 48 kHz FLAC"] = CORPUS, "ravdess"
        for title, (raw, parser) in corpora.items():
            runs[title] = apart("audit.audit", str(raw), parser, str(folder))
            parts[title] = apart("audit.parts", str(raw), cores=1).answer
    finally:
        shutil.rmtree(folder)
    numbers = {
        "audits": {
            title: run.answer | {"peak_mb": run.peak_mb, "others_cores": run.others}
            for title, run in runs.items()
        }
    }
    rows = [
        [
            title,
            f"{run.answer['seconds']:.1f}",
            f"{run.answer['per_second']:.0f}",
            f"{run.answer['cpu_ms']:.2f}",
            f"{run.answer['cpu_ms'] / parts[title]['decoding']:.2f}",
            run.answer["duplicates"],
            run.answer["near_duplicates"],
            run.peak_mb,
        ]
        for title, run in runs.items()
    ]
    numbers["parts_cpu_ms"] = parts
    first = next(iter(parts.values()))
    parts_of = [[part, *(f"{of[part]:.2f}" for of in parts.values())] for part in first]
    head = ["corpus", "seconds", "clips per second", "CPU ms per clip", "times decoding"]
    head += ["equal", "near", "peak memory, MB"]
    text = f"""\
# Audit: the stage index

Every clip decoded once, measured, hashed and fingerprinted; near-duplicates searched and confirmed.
Made-up sound is noise in syllables. Equal, near: clips that hold the samples, or the take in other
samples, of an earlier one.

{page.table(head, rows)}
CPU milliseconds per clip of what the stage is made of, each part by itself:

{page.table(["part", *parts], parts_of)}
{page.quiet(max(run.others for run in runs.values()))}
"""
    if CORPUS.is_dir():
        found = apart("audit.find", 60 if size.quick else 6).answer
        numbers["found"] = found
        text += _found(found)
    return numbers, text


def _found(found: dict) -> str:
    """Which copies were found, as text."""
    rows = [
        [KINDS[kind], one["missed"], one["lowest"] or "-", one["false_alarms"]]
        for kind, one in found["kinds"].items()
    ]
    takes = found["takes"]
    return f"""\
## Copies of a take

{found["clips"]} clips of RAVDESS, spread evenly, among the same clips made over. Missed: copies
that were not found. False alarms: two different clips called one take.

{page.table(["copy", "missed", "lowest correlation", "false alarms"], rows)}
Two takes of one sentence by one speaker in one emotion and intensity ({takes["pairs"]} pairs; the
one that holds the same samples is left out): correlation {takes["median"]} in the median,
{takes["highest"]} at most. From {fingerprints.SAME} on it is one take.
"""


def audit(raw: str, parser: str, folder: str) -> dict:
    """Audit a corpus; seconds without imports."""
    corpus = Corpus("bench", {}, parser, allow_partial=True)
    start, spent = time.perf_counter(), time.process_time()
    index(Path(raw), Path(folder, "index.csv"), Path(folder, "quality.json"), corpus=corpus)
    seconds, spent = time.perf_counter() - start, time.process_time() - spent
    found = tables.read_json(Path(folder, "quality.json"))
    return {
        "seconds": seconds,
        "clips": found["clips"],
        "per_second": found["clips"] / seconds,
        "cpu_ms": 1000 * spent / found["clips"],
        "duplicates": found["counts"]["duplicates"],
        "near_duplicates": found["counts"]["near_duplicates"],
    }


def parts(raw: str) -> dict[str, float]:
    """Milliseconds of each part of the stage, of 300 clips of a corpus at most."""
    paths = audio.below(Path(raw))
    paths = paths[:: -(-len(paths) // 300)]
    spent: dict[str, float] = defaultdict(float)

    def timed(part: str, call: Callable, *given):
        start = time.process_time()
        answer = call(*given)
        spent[part] += time.process_time() - start
        return answer

    for path in paths:
        sound = timed("decoding", audio.load, path)
        mono, rate = audio.mono(sound.signal), sound.sample_rate
        timed("hash of the samples", audio.pcm_hash, sound.signal, rate)
        timed("facts", quality.unusable, sound.signal, rate)
        timed("facts", quality.facts, sound.signal, rate)
        timed("conditions", conditions.conditions, mono, rate)
        timed("fingerprint", fingerprints.fingerprint, mono, rate)
    return {part: 1000 * seconds / len(paths) for part, seconds in spent.items()}


def _write(folder: Path, clips: int) -> None:
    """Write clips of noise in four syllables a second, labelled as those of the demo corpus."""
    rows = []
    time_ = np.arange(48000) / 16000
    for number in range(clips):
        rng = np.random.default_rng(number)
        envelope = np.square(np.sin(2 * np.pi * 2 * time_ + rng.uniform(0, np.pi)))
        name = f"wav/{number:06}.wav"
        (folder / "wav").mkdir(parents=True, exist_ok=True)
        noise = rng.standard_normal(48000, np.float32)
        audio.write_pcm16(folder / name, 0.1 * envelope * noise, 16000)
        rows.append(
            {"path": name, "speaker": "f01", "sex": "f", "sentence": "s1"}
            | {"emotion": demo.EMOTIONS[number % 7]}
            | dict.fromkeys(("arousal", "dominance", "valence"), "0")
        )
    tables.write(pd.DataFrame(rows), folder / "labels.csv")


def find(every: int) -> dict:
    """Look for made-over copies of every so many clips of RAVDESS, and compare its takes."""
    paths = audio.below(CORPUS)
    some = paths[::every]
    low = [_low(*_read(path)) for path in some]
    prints = [_printed(*_read(path)) for path in some]
    copies = {kind: [] for kind in KINDS}
    for number, path in enumerate(some):
        for kind, signal, sample_rate in _copies(*_read(path), np.random.default_rng(number)):
            changed = _low(signal, sample_rate), _printed(signal, sample_rate)
            copies[kind].append(changed)
    kinds = {}
    for kind, changed in copies.items():
        both = low + [one for one, _ in changed]
        pairs = fingerprints.near_duplicates(prints + [one for _, one in changed], both.__getitem__)
        right = [value for i, j, value in pairs if j == i + len(low)]
        kinds[kind] = {
            "missed": len(low) - len(right),
            "lowest": min(right, default=None),
            "false_alarms": len(pairs) - len(right),
        }
    return {"clips": len(low), "kinds": kinds, "takes": _takes(paths)}


def _takes(paths: list[Path]) -> dict:
    """Correlate the first with the second take of every utterance."""
    first = [path for path in paths if path.stem[15:17] == "01"]
    pairs = [(one, one.with_stem(f"{one.stem[:15]}02{one.stem[17:]}")) for one in first]
    same = ("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")
    values = [
        fingerprints.correlation(*(_low(*_read(path)) for path in pair))
        for pair in pairs
        if tuple(path.stem for path in pair) != same
    ]
    return {"pairs": len(values), "median": float(np.median(values)), "highest": max(values)}


def _read(path: Path) -> tuple[np.ndarray, int]:
    """Mono signal and rate."""
    signal, sample_rate = audio.read(path)
    return audio.mono(signal), sample_rate


def _low(signal: np.ndarray, sample_rate: int) -> np.ndarray:
    """Bring a signal to what is correlated."""
    return fingerprints.low_rate(signal.astype(np.float32), sample_rate)


def _printed(signal: np.ndarray, sample_rate: int) -> Fingerprint:
    """Fingerprint a signal."""
    return fingerprints.fingerprint(signal.astype(np.float32), sample_rate)


def _copies(
    signal: np.ndarray, rate: int, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray, int]]:
    """Make a clip over in every way."""
    length = len(signal)
    at_16k = soxr.resample(signal, rate, 16000)
    at_8k = soxr.resample(signal, rate, 8000)[91:]
    white = np.sqrt(np.mean(np.square(signal))) * rng.standard_normal(length)
    yield "rate", np.round(0.25 * at_16k * 32768) / 32768, 16000
    yield "resampler", soxr.resample(signal, rate, 22050, quality="QQ"), 22050
    cut = [int(length * rng.uniform(*share)) for share in ((0.02, 0.3), (0.7, 0.98))]
    yield "cut", signal[slice(*cut)], rate
    yield "middle", signal[(length - rate) // 2 + 77 :][:rate], rate
    yield "mp3", *_coded(signal, rate, "MP3", compression_level=0.0)
    yield "mp3_low", *_coded(signal, rate, "MP3", compression_level=0.9)
    lowest = {"compression_level": 0.99, "bitrate_mode": "CONSTANT"}
    yield "mp3_lowest", *_coded(at_16k, 16000, "MP3", **lowest)
    yield "ogg", *_coded(signal, rate, "OGG")
    yield "ogg_low", *_coded(at_16k, 16000, "OGG", compression_level=1.0)
    yield "telephone", *_coded(0.9 * at_8k / np.abs(at_8k).max(), 8000, "WAV", subtype="ULAW")
    yield "noise_20", signal + 0.1 * white, rate
    yield "noise_10", signal + 0.316 * white, rate


def _coded(signal: np.ndarray, rate: int, container: str, **settings) -> tuple[np.ndarray, int]:
    """Encode and decode."""
    file = io.BytesIO()
    soundfile.write(file, signal, rate, format=container, **settings)
    file.seek(0)
    return soundfile.read(file, dtype="float32")
