"""A corpus of one's own in a folder per emotion."""

from itertools import product
from pathlib import Path

from tests.copies import File, spread
from tests.copies.sound import noise


def write(folder: Path, clips: int | None = None) -> None:
    """Write three emotions of eight clips each: 24."""
    names = product(("angry", "happy", "sad"), range(8))
    files = [File(f"{emotion}/take {number}.wav", emotion, "") for emotion, number in names]
    for file in spread(files, clips):
        noise(folder / file.path, file.seed)
