"""The demo corpus as its stage writes it, with noise for speech."""

from itertools import product
from pathlib import Path

import pandas as pd

from pipeline.files import tables
from pipeline.stages import demo
from tests.copies import File, spread
from tests.copies.sound import noise


def write(folder: Path, clips: int | None = None) -> None:
    """Write ``wav/`` and ``labels.csv``, whose ratings are the means of the emotions."""
    files = {
        File(f"wav/{speaker}_{sentence}_{emotion}.wav", emotion, speaker): sentence
        for speaker, sentence, emotion in product(demo.SPEAKERS, demo.SENTENCES, demo.EMOTIONS)
    }
    rows = []
    for file in spread(list(files), clips):
        noise(folder / file.path, file.seed)
        labels = (file.speaker, file.speaker[0], file.emotion, files[file])
        rows.append((file.path, *labels, *demo.ATTRIBUTES[file.emotion]))
    columns = "path speaker sex emotion sentence arousal dominance valence".split()
    tables.write(pd.DataFrame(rows, columns=columns), folder / "labels.csv")
