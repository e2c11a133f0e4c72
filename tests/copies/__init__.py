"""Copies of the corpora: true layout, true names and label files, and noise for speech.

``tests/copies/NAME.py`` goes with ``pipeline/corpora/NAME.py``; the file is its registration. It
has ``write(folder, clips=None)``: a whole copy, or one of so many clips, spread evenly over
emotions and speakers. It may state ``SETTINGS``, with which the parser reads the copy (its defaults
otherwise), ``NEEDS``, a library that the parser needs and an installation may lack, and
``flat(path)``: the name of a file (its path within the copy) in re-uploads that hold all clips in
one folder.
"""

import importlib
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from pipeline.errors import InputError

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in ("__init__", "sound"))
NAMES.remove("__main__")


@dataclass(frozen=True)
class File:
    """One clip of a copy: its path within it, and what the copy is spread over."""

    path: str
    emotion: str
    speaker: str

    @property
    def seed(self) -> int:
        """Of its noise: the same in copies of every size."""
        return zlib.crc32(self.path.encode())


def load(name: str) -> ModuleType:
    """The module that writes copies of a corpus."""
    return importlib.import_module(f"tests.copies.{name}")


def spread(files: list[File], clips: int | None) -> list[File]:
    """So many of the files in their order, spread evenly over emotions and speakers; None: all."""
    if clips is None:
        return files
    if not 1 <= clips <= len(files):
        raise InputError(f"clips: must be between 1 and {len(files)}, got {clips}")
    waiting: dict[tuple[str, str], list[File]] = {}
    for file in reversed(files):
        waiting.setdefault((file.emotion, file.speaker), []).append(file)
    emotions, speakers, both = Counter(), Counter(), Counter()

    def taken(pair: tuple[str, str]) -> tuple:
        return both[pair], emotions[pair[0]] + speakers[pair[1]], pair

    chosen = set()
    while len(chosen) < clips:
        pair = min(waiting, key=taken)
        chosen.add(waiting[pair].pop())
        if not waiting[pair]:
            del waiting[pair]
        emotions[pair[0]] += 1
        speakers[pair[1]] += 1
        both[pair] += 1
    return [file for file in files if file in chosen]


def touch(folder: Path, *names: str) -> Path:
    """Make files with these names, below a folder: parsers do not decode."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"sound")
    return folder
