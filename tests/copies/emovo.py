"""EMOVO: stereo, but for one mono file; in 13 files both channels are the same."""

from itertools import product
from pathlib import Path

import numpy as np
import soundfile

from tests.copies import File, spread
from tests.copies.sound import noise

EMOTIONS = "neu dis gio pau rab sor tri".split()
SPEAKERS = "f1 f2 f3 m1 m2 m3".split()
SENTENCES = "b1 b2 b3 l1 l2 l3 l4 n1 n2 n3 n4 n5 d1 d2".split()
MONO = "rab-f1-b1"
SAME_CHANNELS = [f"gio-m2-{sentence}" for sentence in SENTENCES[:13]]  # which ones is made up


def write(folder: Path, clips: int | None = None) -> None:
    """Write a folder for each speaker."""
    files = [
        File(f"{speaker}/{emotion}-{speaker}-{sentence}.wav", emotion, speaker)
        for speaker, emotion, sentence in product(SPEAKERS, EMOTIONS, SENTENCES)
    ]
    for file in spread(files, clips):
        path = folder / file.path
        noise(path, file.seed, channels=1 if path.stem in (MONO, *SAME_CHANNELS) else 2)
        if path.stem in SAME_CHANNELS:
            signal, rate = soundfile.read(path, dtype="int16")
            soundfile.write(path, np.stack([signal, signal], axis=1), rate, subtype="PCM_16")


def flat(path: Path) -> str:
    """Names say it all."""
    return path.name
