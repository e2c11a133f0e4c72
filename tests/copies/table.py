"""A corpus of one's own with every column of its table."""

from itertools import product
from pathlib import Path

import pandas as pd

from pipeline.files import tables
from tests.copies import File, spread
from tests.copies.sound import noise

SPEAKERS = "ada bob cyd dan".split()
LABELS = ("happy", "sad", "")


def write(folder: Path, clips: int | None = None) -> None:
    """Write four people saying two sentences in two emotions and without a label: 24 clips."""
    files = {
        File(f"{speaker}/{sentence}_{label or 'unknown'}.wav", label, speaker): sentence
        for speaker, sentence, label in product(SPEAKERS, ("s1", "s2"), LABELS)
    }
    rows = []
    for number, file in enumerate(spread(list(files), clips)):
        noise(folder / file.path, file.seed)
        rows.append(
            {
                "path": file.path,
                "label": file.emotion,
                "speaker": file.speaker,
                "sex": "f" if file.speaker == "ada" else "",
                "sentence": files[file],
                "session": file.speaker[0],
                "style": "scripted",
                "partition": "test" if file.speaker == "dan" else "train",
                "utterance": f"{file.speaker}-{files[file]}-{file.emotion}",
                "arousal": f"{number / 4}",
                "dominance": "",
                "valence": f"{-number / 8}",
            }
        )
    tables.write(pd.DataFrame(rows), folder / "labels.csv")
