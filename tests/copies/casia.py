"""CASIA, the 1200 clips of the same text, with label files next to the first of each folder."""

from itertools import product
from pathlib import Path

from tests.copies import File, spread
from tests.copies.sound import noise

EMOTIONS = "angry fear happy neutral sad surprise".split()
SPEAKERS = "liuchanhg wangzhe zhaoquanyin ZhaoZuoxiang".split()


def write(folder: Path, clips: int | None = None) -> None:
    """Write a folder for each speaker and emotion."""
    files = [
        File(f"{speaker}/{emotion}/{sentence}.wav", emotion, speaker)
        for speaker, emotion, sentence in product(SPEAKERS, EMOTIONS, range(201, 251))
    ]
    for file in spread(files, clips):
        path = folder / file.path
        noise(path, file.seed)
        if path.stem == "201":
            for suffix in (".lab", ".peak", ".tag"):
                path.with_suffix(suffix).write_text("0.00 0.12\n")


def flat(path: Path) -> str:
    """Names that do not collide."""
    return f"{path.stem}-{path.parent.name}-{path.parent.parent.name}{path.suffix}"
