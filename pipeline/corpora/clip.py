"""What a corpus parser returns, and what parsers share."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError
from pipeline.files.audio import SUFFIXES


@dataclass(frozen=True)
class Clip:
    """One audio file of a corpus, as its name and label files describe it.

    Empty text (or ``None`` for the attributes) where the corpus does not say. ``utterance`` is
    shared by takes of one speaker saying one sentence in one emotion and intensity. ``skip`` says
    why a file of the folder does not belong to the corpus.
    """

    clip: str
    path: Path
    speaker: str = ""
    sex: str = ""
    emotion: str = ""
    sentence: str = ""
    session: str = ""
    partition: str = ""
    utterance: str = ""
    arousal: float | None = None
    dominance: float | None = None
    valence: float | None = None
    skip: str = ""


def sound_files(folder: Path) -> list[Path]:
    """Sound files at any depth, in sorted order, links followed.

    Raises
    ------
    InputError
        If the folder is missing or holds none.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; put the corpus there, or a link to it")
    # Path.rglob does not follow links to folders; people link their copies.
    found = [path for path in _walk(folder) if path.suffix.lower() in SUFFIXES]
    if not found:
        suffixes = " ".join(sorted(SUFFIXES))
        raise InputError(f"{folder}: holds no sound files ({suffixes}); copy the corpus there")
    return found


def refuse(folder: Path, problems: Iterable[str]) -> None:
    """Raise one line for all names that do not parse; say nothing when there are none."""
    problems = list(problems)
    if problems:
        shown = "; ".join(problems[:3]) + ("; ..." if len(problems) > 3 else "")
        raise InputError(
            f"{folder}: {len(problems)} files do not belong: {shown}; rename or remove them"
        )


def _walk(folder: Path) -> list[Path]:
    """Files below a folder in sorted order; hidden ones and macOS' resource forks left out."""
    files = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__MACOSX":
            continue
        files += _walk(path) if path.is_dir() else [path]
    return files
