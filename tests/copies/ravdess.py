"""RAVDESS in names, numbers and oddities.

Five clips of speech are stereo, two hold the same recording, one actor's are FLAC.
"""

import shutil
from itertools import product
from pathlib import Path

from tests.copies import File, spread
from tests.copies.sound import noise

EMOTIONS = "neutral calm happy sad angry fear disgust surprise".split()
STEREO = {
    *("03-01-02-01-01-02-01", "03-01-08-01-02-02-01", "03-01-02-01-02-02-05"),
    *("03-01-03-01-02-01-20", "03-01-06-01-01-02-20"),
}
TWICE = ("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")


def write(folder: Path, clips: int | None = None) -> None:
    """Write ``Actor_01`` to ``Actor_24``: speech."""
    actors = [f"{actor:02}" for actor in range(1, 25)]
    for file in spread(_files("01", EMOTIONS, actors), clips):
        path = folder / file.path
        noise(path, file.seed, channels=2 if path.stem in STEREO else 1)
    first, second = (folder / "Actor_07" / f"{name}.wav" for name in TWICE)
    if first.exists() and second.exists():
        shutil.copy(first, second)


def write_song(folder: Path, clips: int | None = None) -> None:
    """Write the other corpus: sung, without disgust, surprise and actor 18."""
    actors = [f"{actor:02}" for actor in range(1, 25) if actor != 18]
    for file in spread(_files("02", EMOTIONS[:6], actors), clips):
        noise(folder / file.path, file.seed)


def flat(path: Path) -> str:
    """Names say it all."""
    return path.name


def _files(channel: str, emotions: list[str], actors: list[str]) -> list[File]:
    """Two takes of each sentence in each emotion and intensity; neutral has one intensity."""
    files = []
    for actor, emotion, intensity, sentence, take in product(
        actors, emotions, ("01", "02"), ("01", "02"), ("01", "02")
    ):
        if (emotion, intensity) != ("neutral", "02"):
            code = f"{1 + EMOTIONS.index(emotion):02}"
            name = f"03-{channel}-{code}-{intensity}-{sentence}-{take}-{actor}"
            suffix = "flac" if actor == "03" else "wav"
            files.append(File(f"Actor_{actor}/{name}.{suffix}", emotion, actor))
    return files
