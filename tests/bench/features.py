"""From sound files to stored MFCCs: the stages against librosa file by file."""

import importlib.util
import os
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np

from tests.bench import Size, page
from tests.bench.apart import Apart, apart

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "ravdess"
RATE = 22050
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
WAYS = {
    "stages": "`waveforms` and `extract`, zarr stores, one worker",
    "stages_float32": "the same with `precision: float32`",
    "stages_all_cores": "`waveforms` and `extract`, zarr stores, a worker per core",
    "plain": "plain librosa, a `.npy` per file",
    "published": "as published scripts do: librosa, a CSV per file, read back, one `.npy`",
}
ONE_CORE = set(WAYS) - {"stages_all_cores"}


def measure(size: Size) -> tuple[dict, str]:
    clips = 8 if size.quick else 1440
    runs = {
        rate: apart("features.compare", clips, size.rounds, rate, **ONE_THREAD)
        for rate in (48000, 16000)
    }
    found = runs[48000].answer
    medians = {
        rate: {way: statistics.median(times) for way, times in run.answer["seconds"].items()}
        for rate, run in runs.items()
    }
    seconds = medians[48000]
    first = {
        way: statistics.median(
            apart("features.first", way, cores=1, **ONE_THREAD).seconds for _ in range(size.rounds)
        )
        for way in ("plain", "stages")
    }
    resampler = apart("features.resamplers", 2 * size.rounds + 1, cores=1, **ONE_THREAD)
    repeats = 2 * size.rounds + 1
    peer = apart("features.peers", repeats, cores=1, **ONE_THREAD, TF_NUM_INTRAOP_THREADS="1")
    counts = (100, 300) if size.quick else (10_000, 100_000)
    many = {count: apart("features.many", count, **ONE_THREAD) for count in counts}
    numbers = {
        "bit_stable_vs_librosa": seconds["plain"] / seconds["stages"],
        "float32_vs_librosa": seconds["plain"] / seconds["stages_float32"],
        "vs_published_script": seconds["published"] / seconds["stages"],
        "two_workers": seconds["stages"] / seconds["stages_all_cores"],
        "kaiser_best_vs_resampy": resampler.answer["resampy"] / resampler.answer["ours"],
        "peak_mb_100k": many[counts[-1]].peak_mb,
        "bit_stable_vs_librosa_16k": medians[16000]["plain"] / medians[16000]["stages"],
        "float32_vs_librosa_16k": medians[16000]["plain"] / medians[16000]["stages_float32"],
        "vs_published_script_16k": medians[16000]["published"] / medians[16000]["stages"],
        **found,
        "median_seconds": seconds,
        "at_16k": runs[16000].answer | {"median_seconds": medians[16000]},
        "first_clip_seconds": first,
        "kaiser_best": resampler.answer,
        "peers_ms": peer.answer,
        "many": {count: run.answer | {"peak_mb": run.peak_mb} for count, run in many.items()},
        "others_cores": max(run.others for run in runs.values()),
    }
    head = ["way", "seconds", "speed of the sound", "clips per second", "times plain librosa"]
    parts = [
        [part, f"{ms:.2f}", f"{runs[16000].answer['parts'][part]:.2f}"]
        for part, ms in found["parts"].items()
    ]
    peers_of = [[way, f"{ms:.2f}"] for way, ms in peer.answer.items()]
    codecs = [[codec, *(f"{x:.3f}" for x in row)] for codec, row in found["codecs"].items()]
    return (
        numbers,
        f"""\
# Features: sound files to stored MFCCs

{found["clips"]} clips of {found["corpus"]} ({found["audio_seconds"]:.0f} s of sound) as 16-bit WAV
at 48 000 Hz; 39 MFCCs at 22 050 Hz, resampled by soxr, clips centred in {found["samples"]} samples.
Median of {size.rounds} rounds in which the ways take turns, in one process, imports excluded,
everything written to disk. One core and one thread but where it says otherwise.

{page.table(head, _ways(found, seconds))}
The same clips as files at 16 000 Hz, the rate of most corpora:

{page.table(head, _ways(runs[16000].answer, medians[16000]))}
One clip, with Python's start and imports: plain librosa {first["plain"]:.1f} s, the stages {
            first["stages"]:.1f} s.

The stages work in float64 and round, so that their bytes do not depend on BLAS, its threads or the
workers; librosa works in float32 and its last bits do depend on them. The largest difference
between the two is {found["largest_difference"]:.1e}, of values from {found["lowest"]:.0f} to
{found["highest"]:.0f}.

## Where the time goes

Milliseconds per clip on one core, each part by itself, of files at 48 000 and at 16 000 Hz. What
plain librosa has in common with the stages (decoding and resampling) bounds how many times faster
they can be.

{page.table(["part", "48 000 Hz", "16 000 Hz"], parts)}
## Codecs

Stores, one thread: fraction of the size, and milliseconds per clip to write and to read. Stores
take lz4, features with their bytes shuffled (remotes hold them), waveforms as they are (none does).

{page.table(["values, codec, level, shuffle", "size", "write", "read"], codecs)}
## Log-mel spectrograms elsewhere

64 bands of 25 ms frames every 10 ms, a clip of 3 s at 22 050 Hz, milliseconds on one core. The
definitions differ in window and scale; the work does not.

{page.table(["way", "ms per clip"], peers_of)}
## Resampling as published

`kaiser_best`, a clip of 3.7 s from 48 000 to 22 050 Hz, milliseconds on one core: {
            _resampled(resampler.answer)
        }

## Large corpora

Short clips (0.25 s), both stages, a worker per core.

{_many(many)}
{page.quiet(numbers["others_cores"])}""",
    )


def _ways(found: dict, seconds: dict[str, float]) -> list[list[str]]:
    """Rows of the table of ways."""
    return [
        [
            title,
            f"{seconds[way]:.2f}",
            f"{found['audio_seconds'] / seconds[way]:.0f} x",
            f"{found['clips'] / seconds[way]:.0f}",
            f"{seconds['plain'] / seconds[way]:.2f}",
        ]
        for way, title in WAYS.items()
    ]


def _resampled(answer: dict) -> str:
    """Sentence about the resampler."""
    ours = f"this pipeline {answer['ours']:.1f}"
    if answer["here"]:
        return f"{ours}, resampy 0.2.2 {answer['resampy']:.0f}."
    return f"{ours}; resampy 0.2.2, which is not installed, was measured to take 108."


def _many(runs: dict[int, Apart]) -> str:
    """Table of the large corpora."""
    rows = [
        [
            f"{count}, {stage}",
            f"{run.answer[stage]['clips_per_second']:.0f}",
            f"{run.answer[stage]['first_tenth']:.0f}",
            f"{run.answer[stage]['last_tenth']:.0f}",
            run.answer[stage]["files"],
            run.peak_mb,
        ]
        for count, run in runs.items()
        for stage in ("waveforms", "extract")
    ]
    head = "clips, stage|clips per second|in the first tenth|in the last|files|peak MB of both"
    return page.table(head.split("|"), rows)


# ---- in a process of its own -----------------------------------------------------------------


def compare(clips: int, rounds: int, source_rate: int) -> dict:
    """Seconds of each way in each round, and facts about the clips, as files at ``source_rate``."""
    from pipeline.config import params
    from pipeline.config.records import Corpus
    from pipeline.features import resampling
    from pipeline.features.recipes import read_feature
    from pipeline.files import audio, stores, tables
    from pipeline.settings import flat
    from pipeline.stages import demo, index

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recipes = params.load()
        corpus, source, samples = Corpus("ravdess", {"song": False}, "ravdess"), CORPUS, 110000
        if not source.is_dir():
            corpus, source, samples = recipes.corpora["demo"], folder / "demo", 55125
            demo.demo(source)
        raw = folder / "raw_data"
        index.index(source, folder / "all.csv", folder / "quality.json", corpus=corpus)
        listed = tables.read(folder / "all.csv")
        chosen = listed.iloc[np.linspace(0, len(listed) - 1, clips).astype(int)]
        chosen = chosen.assign(path=[f"{clip}.wav" for clip in chosen["clip"]])
        raw.mkdir()
        for clip, path in zip(listed.loc[chosen.index].path, chosen.path, strict=True):
            signal, rate = audio.read(source / clip)
            signal = resampling.resample(audio.mono(signal), rate, source_rate, method="soxr_hq")
            audio.write_pcm16(raw / path, signal, source_rate)
        decoded = [audio.read(raw / path) for path in chosen.path]
        chosen = chosen.assign(
            pcm_hash=[audio.pcm_hash(*sound) for sound in decoded],
            seconds=[f"{len(signal) / source_rate:.6f}" for signal, _ in decoded],
            sample_rate=source_rate,
            channels=1,
        )
        del decoded
        tables.write(chosen, folder / "index.csv")
        paths = [raw / path for path in chosen.path]
        feature = recipes.features["mfcc39"]
        line = flat(feature.settings) | {"function": feature.function, "precision": "float32"}
        single = read_feature(line, "mfcc39")
        given = {"sound": _sound(recipes.waveforms["centred"], samples), "engine": recipes.engine}
        ways = {
            "plain": lambda: plain(paths, samples, folder / "plain"),
            "stages": lambda: stages(raw, folder, feature, given),
            "stages_float32": lambda: stages(raw, folder, single, given),
            "published": lambda: published(paths, samples, folder / "published"),
            "stages_all_cores": lambda: stages(raw, folder, feature, given),
        }
        every = os.sched_getaffinity(0)
        seconds = {name: [] for name in ways}
        for number, (name, way) in product(range(rounds + 1), ways.items()):
            # the stages start a worker for each core that they may use
            os.sched_setaffinity(0, {min(every)} if name in ONE_CORE else every)
            _forget(folder)
            start = time.perf_counter()
            way()
            if number:  # the first round imports what is imported late and reads the files
                seconds[name].append(time.perf_counter() - start)
        os.sched_setaffinity(0, {min(every)})
        ours = stores.read(folder / "features.zarr").x[:]
        theirs = np.load(folder / "published.npy")
        paths, ours, theirs = paths[:192], ours[:192], theirs[:192]
        plainly = np.stack([np.load(folder / "plain" / f"{path.stem}.npy") for path in paths])
        parts = _parts(paths, samples, folder)
        codecs = _codecs(stores.read(folder / "waveforms.zarr").x[:], ours)
    return {
        "corpus": "RAVDESS" if source == CORPUS else "the demo corpus",
        "clips": clips,
        "audio_seconds": float(chosen.seconds.astype(float).sum()),
        "samples": samples,
        "seconds": seconds,
        "parts": parts,
        "codecs": codecs,
        "largest_difference": float(max(abs(ours - plainly).max(), abs(ours - theirs).max())),
        "lowest": float(ours.min()),
        "highest": float(ours.max()),
    }


def _parts(paths: list[Path], samples: int, folder: Path) -> dict[str, float]:
    """Milliseconds per clip of what the stages are made of, and of librosa's MFCCs."""
    import librosa
    import scipy.fft

    from pipeline.features import cepstral, framing, resampling
    from pipeline.features.transform import Limited, Precision
    from pipeline.files import audio, drafts, stores

    spent = Counter()

    def timed(part: str, call: Callable, *given, **settings):
        start = time.perf_counter()
        answer = call(*given, **settings)
        spent[part] += time.perf_counter() - start
        return answer

    fast = cepstral.Mfcc(limited=Limited(numbers=Precision("float32")))
    x, frame = np.zeros((len(paths), samples), np.float32), np.zeros((2048, 32))
    for i, path in enumerate(paths):  # one by one: fresh memory costs more than arithmetic
        signal, rate = timed("decoding", audio.read, path)
        signal = audio.mono(signal)
        signal = timed(
            "resampling (soxr)", resampling.resample, signal, rate, RATE, method="soxr_hq"
        )
        (signal,) = framing.cut(signal, samples, where="centre")
        x[i] = framing.fix_length(signal, samples)
        for _ in range(round((1 + len(signal) / 512) / 32)):
            timed("of MFCC, float64, the FFT of frames that sound", scipy.fft.rfft, frame, axis=0)
    facts = {"clips_sha256": "", "content": np.zeros((len(x), 32), np.uint8), "code": ""}

    def write():
        with drafts.create(folder / "parts.zarr", x.shape, {}, **facts, shuffle=False) as draft:
            for block in draft.pending():
                draft.fill(block, lambda rows: (x[rows], rows, rows))

    timed("writing the waveforms", write)
    store = stores.read(folder / "parts.zarr")
    for first in range(0, len(x), 32):
        part = timed("reading the waveforms", store.x.__getitem__, slice(first, first + 32))
        timed("MFCC, float64", cepstral.mfcc, part, RATE)
        timed("MFCC, float32", cepstral.mfcc, part, RATE, fast)
        for y in part:
            timed("librosa's MFCC", librosa.feature.mfcc, y=y, sr=RATE, n_mfcc=39)
    return {part: 1000 * seconds / len(paths) for part, seconds in spent.items()}


def _codecs(waveforms: np.ndarray, features: np.ndarray) -> dict[str, list[float]]:
    """Share of the size, and milliseconds per clip to write and to read, by codec."""
    from numcodecs import Blosc, blosc

    blosc.set_nthreads(1)
    found = {}
    kinds = ("lz4", 5, Blosc.SHUFFLE), ("lz4", 5, Blosc.NOSHUFFLE), ("lz4", 5, Blosc.BITSHUFFLE)
    kinds += ("zstd", 3, Blosc.SHUFFLE), ("zstd", 9, Blosc.SHUFFLE)
    for (name, x), (codec, level, shuffle) in product(
        {"waveforms": waveforms, "MFCC": features}.items(), kinds
    ):
        coder, chunks = Blosc(codec, level, shuffle), [x[i : i + 32] for i in range(0, len(x), 32)]
        start = time.perf_counter()
        coded = [coder.encode(chunk) for chunk in chunks]
        written = time.perf_counter()
        for chunk in coded:
            coder.decode(chunk)
        read = time.perf_counter()
        words = ("no", "bytes", "bits")[shuffle]
        found[f"{name}, {codec}, {level}, {words}"] = [
            sum(map(len, coded)) / x.nbytes,
            1000 * (written - start) / len(x),
            1000 * (read - written) / len(x),
        ]
    return found


def first(way: str) -> None:
    """Do one clip of noise in a process that has imported nothing."""
    from pipeline.files import audio

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        noise = np.random.default_rng(0).normal(0, 0.1, 3 * 48000)
        audio.write_pcm16(folder / "noise.wav", noise, 48000)
        if way == "plain":
            return plain([folder / "noise.wav"], 110000, folder / "plain")
        import pandas as pd

        from pipeline.config import params
        from pipeline.files import tables

        signal, rate = audio.read(folder / "noise.wav")
        row = {"clip": "noise", "path": "noise.wav", "seconds": "3.000000", "sample_rate": rate}
        row |= {"pcm_hash": audio.pcm_hash(signal, rate), "status": "ok"}
        tables.write(pd.DataFrame([row]), folder / "index.csv")
        held = params.load()
        given = {"sound": _sound(held.waveforms["centred"], 55125), "engine": held.engine}
        stages(folder, folder, held.features["mfcc39"], given)


def _sound(recipe, samples: int | None):
    """Make a line of sounds of a recipe that leaves the length out."""
    from pipeline.config.records import Sound

    return Sound("bench", recipe, corpus="bench", waveform="bench", samples=samples)


def _forget(folder: Path) -> None:
    """Remove the stores: rows of those made before would be used again."""
    for name in ("waveforms.zarr", "features.zarr", ".waveforms.zarr.made", ".features.zarr.made"):
        shutil.rmtree(folder / name, ignore_errors=True)


def stages(raw: Path, folder: Path, feature, given: dict) -> None:
    """Run both stages."""
    from pipeline.stages import extract, waveforms

    sound, store = folder / "waveforms.zarr", folder / "features.zarr"
    waveforms.waveforms(raw, folder / "index.csv", sound, **given)
    extract.extract(sound, store, feature=feature, engine=given["engine"])


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


def resamplers(repeats: int) -> dict:
    """Milliseconds of ``kaiser_best`` for one clip; of resampy 0.2.2 too where it is installed."""
    from pipeline.features import resampling

    x = np.random.default_rng(0).normal(0, 0.1, round(3.7 * 48000)).astype(np.float32)
    ways = {"ours": lambda: resampling.resample(x, 48000, RATE, method="kaiser_best")}
    if here := importlib.util.find_spec("resampy") is not None:
        import resampy

        ways["resampy"] = lambda: resampy.resample(x, 48000, RATE, filter="kaiser_best")
    found = {way: [] for way in ways}
    for _, (way, call) in product(range(repeats + 1), ways.items()):
        start = time.perf_counter()
        call()
        found[way].append(1000 * (time.perf_counter() - start))
    medians = {way: statistics.median(times[1:]) for way, times in found.items()}
    return {"here": here, "resampy": 108.0} | medians


def peers(repeats: int) -> dict[str, float]:
    """Milliseconds of log-mel spectrograms of one clip, here and elsewhere."""
    import librosa
    import tensorflow as tf

    from pipeline.config import params
    from pipeline.features import spectral
    from pipeline.settings import read

    exact = params.load().features["segments64-tf"].settings
    fast = read(spectral.LogMel, {"precision": "float32"}, "fast", exact)
    x = np.random.default_rng(0).normal(0, 0.1, (1, 3 * RATE)).astype(np.float32)
    bands = tf.signal.linear_to_mel_weight_matrix(64, 513, RATE, 20, 8000)

    def by_tensorflow():
        spectrum = tf.abs(tf.signal.stft(x, 551, 220, 1024, tf.signal.hamming_window))
        return tf.math.log(spectrum @ bands + 1e-6).numpy()

    def by_librosa():
        given = {"n_fft": 1024, "win_length": 551, "hop_length": 220, "n_mels": 64}
        mel = librosa.feature.melspectrogram(y=x[0], sr=RATE, center=False, power=1, **given)
        return np.log(mel + 1e-6)

    ways = {
        "`spectral.log_mel`, float64": lambda: spectral.log_mel(x, RATE, exact),
        "`spectral.log_mel`, float32": lambda: spectral.log_mel(x, RATE, fast),
        "librosa": by_librosa,
        "tf.signal": by_tensorflow,
    }
    if importlib.util.find_spec("kaldi_native_fbank"):
        import kaldi_native_fbank

        options = kaldi_native_fbank.FbankOptions()
        options.frame_opts.samp_freq, options.frame_opts.dither = RATE, 0
        options.frame_opts.frame_length_ms, options.frame_opts.frame_shift_ms = 25, 10
        options.mel_opts.num_bins = 64

        def by_kaldi():
            bank = kaldi_native_fbank.OnlineFbank(options)
            bank.accept_waveform(RATE, x[0])
            bank.input_finished()
            return [bank.get_frame(i) for i in range(bank.num_frames_ready)]

        ways["kaldi-native-fbank"] = by_kaldi
    found = {way: [] for way in ways}
    for number, (way, call) in product(range(repeats + 1), ways.items()):
        start = time.perf_counter()
        call()
        if number:
            found[way].append(1000 * (time.perf_counter() - start))
    return {way: statistics.median(times) for way, times in found.items()}


def many(count: int) -> dict:
    """Run both stages on many short clips; their rates from start to end, and files made."""
    import pandas as pd
    import soundfile

    from pipeline.config import params
    from pipeline.features.recipes import WaveformRecipe
    from pipeline.files import audio, drafts, tables
    from pipeline.stages import extract, waveforms

    samples, rate, different = 4000, 16000, 50
    recipes = params.load()
    done, fill = [], drafts.Draft.fill

    def counted(draft, block, compute):
        fill(draft, block, compute)
        done.append((time.perf_counter(), block.stop - block.start))

    drafts.Draft.fill = counted
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "raw").mkdir()
        noise = np.random.default_rng(0).normal(0, 0.1, (different, samples))
        hashes = []
        for i, signal in enumerate(noise):
            soundfile.write(folder / "raw" / f"{i}.wav", signal, rate)
            hashes.append(audio.pcm_hash(*audio.read(folder / "raw" / f"{i}.wav")))
        index = pd.DataFrame(
            {
                "clip": [f"{i:06}" for i in range(count)],
                "path": [f"{i % different}.wav" for i in range(count)],
                "seconds": f"{samples / rate:.6f}",
                "sample_rate": rate,
                "pcm_hash": [hashes[i % different] for i in range(count)],
                "status": "ok",
            }
        )
        tables.write(index, folder / "index.csv")
        waveform = WaveformRecipe(rate, "soxr_hq", "centre", samples)
        given = {"sound": _sound(waveform, None), "engine": recipes.engine}
        sound, store = folder / "waveforms.zarr", folder / "features.zarr"
        work = {
            "waveforms": lambda: waveforms.waveforms(
                folder / "raw", folder / "index.csv", sound, **given
            ),
            "extract": lambda: extract.extract(
                sound, store, feature=recipes.features["mfcc39"], engine=recipes.engine
            ),
        }
        made = {"waveforms": sound, "extract": store}
        found = {}
        for stage, run in work.items():
            done.clear()
            start = time.perf_counter()
            run()
            found[stage] = _rates(done, start) | {
                "clips_per_second": count / (time.perf_counter() - start),
                "files": sum(path.is_file() for path in made[stage].rglob("*")),
            }
    return found


def _rates(done: list[tuple[float, int]], start: float) -> dict[str, float]:
    """Clips per second in the first and in the last tenth of the blocks."""
    tenth = max(1, len(done) // 10)
    first, last = done[:tenth], done[-tenth:]
    before = done[-tenth - 1][0] if len(done) > tenth else start
    return {
        "first_tenth": sum(clips for _, clips in first) / (first[-1][0] - start),
        "last_tenth": sum(clips for _, clips in last) / (last[-1][0] - before),
    }
