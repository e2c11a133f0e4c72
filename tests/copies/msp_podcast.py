"""MSP-Podcast in names and label files: 60 clips, for no release's names follow from a rule."""

from itertools import cycle, islice
from pathlib import Path

import pandas as pd

from pipeline.corpora.msp_podcast import COLUMNS
from pipeline.files import tables
from tests.copies import File, spread
from tests.copies.sound import noise

PARTS = {"Train": "1 2 3 4", "Development": "5 6", "Test1": "7 8", "Test2": "9 10"}


def write(folder: Path, clips: int | None = None) -> None:
    """Write ``Audios``, ``Labels`` and ``Partition.txt``; three clips more are of test set 3."""
    parts = {speaker: part for part, all_of in PARTS.items() for speaker in all_of.split()}
    speakers = islice(cycle([*parts, "Unknown"]), 60)
    files = [
        File(f"Audios/MSP-PODCAST_{number // 9:04}_{number:04}.wav", emotion, speaker)
        for number, (speaker, emotion) in enumerate(zip(speakers, cycle("ASHUFDCNOX")))
    ]
    rows, lines = [], []
    for number, file in enumerate(spread(files, clips)):
        noise(folder / file.path, file.seed)
        part = parts.get(file.speaker, "Train")
        unknown = file.speaker == "Unknown"
        sex = "Unknown" if unknown else ("Female", "Male")[int(file.speaker) % 2]
        ratings = [f"{1 + (number * step) % 25 / 4:.4f}" for step in (3, 5, 7)]
        name = Path(file.path).name
        rows.append((name, file.emotion, *ratings, file.speaker, sex, part))
        lines.append(f"{part}; {name}\n")
    for number in range(3):
        path = folder / "Audios" / f"MSP-PODCAST_test3_{number:04}.wav"
        noise(path, number)
        lines.append(f"Test3; {path.name}\n")
    tables.write(pd.DataFrame(rows, columns=COLUMNS), folder / "Labels" / "labels_consensus.csv")
    (folder / "Partition.txt").write_text("".join(lines))


def flat(path: Path) -> str:
    """Names say which is which."""
    return path.name
