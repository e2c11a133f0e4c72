"""Stage index: list every clip of a corpus, hear each once, check the copy is whole.

``index.csv`` has one row per sound file in the corpus's documented order (it decides the authors'
folds). ``status`` is ``ok``, ``quarantined`` (the file cannot be used; ``reason`` says why) or
``skipped`` (the file is not part of the corpus). ``quality.json`` counts it all and names clips
that hold the same recording.
"""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from pipeline import plugins
from pipeline.corpora.clip import Clip, Expected
from pipeline.errors import InputError
from pipeline.files import audio, tables
from pipeline.params import Corpus

COLUMNS = (
    "clip path corpus speaker sex emotion sentence session style partition utterance parent "
    "arousal dominance valence seconds sample_rate channels pcm_sha256 status reason"
).split()
SHORTEST = 0.1  # seconds; below one analysis window of every feature here


def index(raw: Path, index: Path, quality: Path, *, corpus: Corpus) -> None:
    """List and check every clip of a corpus.

    Parameters
    ----------
    raw : Path
        The corpus as its distributor ships it. Never written to.
    index, quality : Path
        ``index.csv`` and ``quality.json`` to write.
    corpus : Corpus
        Names the parser.

    Raises
    ------
    InputError
        If the folder is missing or empty, a name or label does not parse, two different recordings
        have one name, or the copy does not hold the clips the corpus is known to have.
    """
    parser = plugins.load("corpora", corpus.parser)
    clips = parser.clips(raw, **corpus.settings)
    rows = [_row(clip, raw, heard) for clip, heard in zip(clips, _listen(clips), strict=True)]
    rows = _copies_skipped(rows, raw)
    # object: a file without facts must not turn whole numbers into decimals
    frame = pd.DataFrame(rows, columns=COLUMNS, dtype=object)
    _check_counts(frame, parser.NAME, parser.expected(**corpus.settings), raw)
    if not (frame.status == "ok").any():
        raise InputError(f"{raw}: none of its {len(frame)} clips can be used: {frame.reason[0]}")
    tables.write(frame, index)
    tables.write_json(_quality(frame), quality)


def _listen(clips: list[Clip]) -> list[dict]:
    """Decode every clip once, in parallel (libsndfile releases the interpreter)."""
    with ThreadPoolExecutor() as pool:
        heard = pool.map(_hear, clips)
        return list(tqdm(heard, total=len(clips), desc="index", unit=" clips", disable=None))


def _hear(clip: Clip) -> dict:
    """Facts of one sound file, or the reason why it cannot be used."""
    if clip.skip:
        return {"status": "skipped", "reason": clip.skip}
    try:
        signal, sample_rate = audio.read(clip.path)
    except InputError as error:
        return {"status": "quarantined", "reason": str(error).removeprefix(f"{clip.path}: ")}
    seconds = len(signal) / sample_rate
    facts = {
        "seconds": f"{seconds:.6f}",
        "sample_rate": sample_rate,
        "channels": signal.shape[1],
        "pcm_sha256": audio.pcm_sha256(signal, sample_rate),
        "status": "ok",
        "reason": "",
    }
    if seconds < SHORTEST:
        reason = f"{seconds:.4f} s long; wanted {SHORTEST} s or more"
        return facts | {"status": "quarantined", "reason": reason}
    if not np.isfinite(signal).all():
        return facts | {"status": "quarantined", "reason": "holds values that are not numbers"}
    if not signal.any():
        return facts | {"status": "quarantined", "reason": "silent: every sample is 0"}
    return facts


def _row(clip: Clip, raw: Path, heard: dict) -> dict:
    """One row of index.csv; paths are relative to the corpus folder."""
    labels = {key: value for key, value in vars(clip).items() if key not in ("skip", "path")}
    return labels | {"path": clip.path.relative_to(raw).as_posix()} | heard


def _copies_skipped(rows: list[dict], raw: Path) -> list[dict]:
    """Keep one of several files of one name if they hold one recording; refuse them otherwise.

    A file that can be used is kept rather than a broken one, then the one least deep.
    """
    kept: dict[str, dict] = {}

    def rank(row: dict) -> tuple:
        return row["status"] != "ok", row["path"].count("/"), row["path"]

    for row in sorted((row for row in rows if row["status"] != "skipped"), key=rank):
        first = kept.setdefault(row["clip"], row)
        if row is first:
            continue
        if row["status"] == "ok" and row["pcm_sha256"] != first["pcm_sha256"]:
            raise InputError(
                f"{raw}: {first['path']} and {row['path']} have one name and different sound; "
                "keep the right one"
            )
        reason = f"copy of {first['path']}" + (f"; {row['reason']}" if row["reason"] else "")
        row |= {"status": "skipped", "reason": reason}
    return rows


def _check_counts(frame: pd.DataFrame, name: str, expected: Expected | None, raw: Path) -> None:
    """Hold the clips against what the corpus is known to have."""
    present = frame[frame.status != "skipped"]
    if expected is None:
        return
    details = []
    for column in ("emotion", "speaker"):
        counts, wanted = Counter(present[column]), getattr(expected, column)
        wrong = [
            f"{value} {counts[value]} of {wanted.get(value, 0)}"
            for value in sorted({*wanted, *counts})
            if wanted and counts[value] != wanted.get(value, 0)
        ]
        if wrong:
            details.append(f"{column} " + ", ".join(wrong[:4]) + (", ..." if wrong[4:] else ""))
    if details or len(present) != expected.clips:
        raise InputError(
            f"{raw}: found {len(present)} clips, {name} has {expected['clips']} "
            f"({'; '.join(details)}); copy the corpus again"
        )


def _quality(frame: pd.DataFrame) -> dict:
    """Counts, and what a reader of a result should know about the copy."""
    usable = frame[frame.status == "ok"]
    skipped = frame[frame.status == "skipped"].reason
    same = usable[usable.pcm_sha256.duplicated(keep=False)]
    return {
        "clips": len(usable),
        "quarantined": {
            row.path: row.reason for row in frame[frame.status == "quarantined"].itertuples()
        },
        "skipped": dict(Counter(skipped.str.replace(r"^copy of .*", "second copy", regex=True))),
        "duplicates": [sorted(group["clip"]) for _, group in same.groupby("pcm_sha256")],
        "seconds": round(float(usable.seconds.astype(float).sum()), 3),
        "speakers": int(usable.speaker.nunique()),
        "emotion": dict(Counter(usable.emotion)),
        "sample_rate": {str(k): v for k, v in Counter(usable.sample_rate).items()},
        "channels": {str(k): v for k, v in Counter(usable.channels).items()},
    }


if __name__ == "__main__":
    from pipeline.cli import command

    command(index)
