"""A corpus of your own with a table of labels: any sound files and one CSV file.

Layout: sound files at any depth and, in the same folder, ``labels.csv`` with the columns ``path``
(within the folder) and ``label`` (may be empty: not labelled), and any of ``clip`` (its name; the
path without suffix and with ``-`` for ``/`` if there is no such column), ``speaker``, ``sex`` (f or
m), ``sentence``, ``session``, ``style``, ``partition`` (train, validation, test, test2, test3),
``utterance``, ``parent`` (the clip it was made from by augmentation), ``arousal``, ``dominance``,
``valence``. An empty field is one that is not known. A path may differ from the file's in case,
blanks, backslashes and the Unicode form of accents, or begin with the corpus's own folder, if one
file alone is meant. Sound files that the table does not name are skipped.

Order: of the rows.
"""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline import text
from pipeline.corpora.clip import NO_SOUND, Clip, by_path, sound_files
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.files.index import RATINGS

NAME = "a corpus with a table"
TEXTS = tuple("clip speaker sex sentence session style partition utterance parent".split())
COLUMNS = ("path", "label", *TEXTS, *RATINGS)
SHOWN = 3  # of the rows that cannot be used
WORDS = {
    "sex": ("f", "m", ""),
    "partition": ("train", "validation", "test", "test2", "test3", ""),
}


def expected(*, file: str = "labels.csv") -> None:
    """Nothing is known of what a corpus of one's own holds.

    Parameters
    ----------
    file : str
        Settings as for ``clips``.
    """


def clips(folder: Path, *, file: str = "labels.csv") -> list[Clip]:
    """Every sound file that the table names, then, to be skipped, the others.

    Parameters
    ----------
    folder : Path
        The corpus.
    file : str
        The table, within the folder.

    Returns
    -------
    list of Clip

    Raises
    ------
    InputError
        If the folder is missing or empty, there is no table, it lacks a column or has one that is
        not known, or a row of it has no path, repeats a clip, or holds a bad value.
    """
    files = {path.relative_to(folder).as_posix(): path for path in sound_files(folder)}
    table = tables.read_labels(folder / file)
    _check_columns(list(table.columns), folder / file)
    find, named = _finder(folder, files), by_path(files)
    found, problems, missing, names, paths = [], [], 0, set(), set()
    for line, row in zip(table.index, table.to_dict("records"), strict=True):
        found_at = find(row["path"])
        path = found_at or row["path"]
        name = row.get("clip") or named.get(path, path)
        problem = _problem(row)
        if not path:
            problem = NO_SOUND
        elif path in paths:
            problem = "has two rows"
        elif name in names:
            problem = f"a second clip {name}"
        if problem:
            problems.append(f"{row['path'] or f'line {line} without a path'} ({problem})")
            continue
        names.add(name)
        paths.add(path)
        absent = ""
        if not found_at:
            few = missing < SHOWN  # the nearest of many names takes long to find
            absent, missing = _missing(path, files) if few else NO_SOUND, missing + 1
        labels = {column: row[column] for column in TEXTS if column in row}
        ratings = {column: float(row[column]) for column in RATINGS if row.get(column)}
        known: dict[str, Any] = labels | ratings | {"clip": name, "emotion": row["label"]}
        found.append(Clip(path=files.get(path, folder / path), absent=absent, **known))
    orphans = [c for c in found if c.parent and (c.parent not in names or c.parent == c.clip)]
    problems += [f"{clip.clip} (no other clip is its parent {clip.parent})" for clip in orphans]
    if problems:
        shown = "; ".join(problems[:SHOWN]) + ("; ..." if len(problems) > SHOWN else "")
        raise InputError(f"{folder / file}: {len(problems)} rows cannot be used: {shown}")
    left = [name for name in files if name not in paths]
    skip = f"not in {file}"
    return found + [Clip(clip=named[name], path=files[name], skip=skip) for name in left]


def _finder(folder: Path, files: Iterable[str]) -> Callable[[str], str]:
    """Make a function that finds the file a path of the table means, "" if there is none.

    Spreadsheets and other systems write one name in several ways: with backslashes, blanks, other
    letters' case or composed accents; from the root of a disk, or with the corpus's own name.
    """
    alike: dict[str, list[str]] = {}
    for name in files:
        alike.setdefault(_plain(name), []).append(name)
    exact, own = set(files), _plain(folder.resolve().name)

    def find(path: str) -> str:
        if (plain := str(PurePosixPath(path))) in exact:
            return plain
        parts = _plain(path).split("/")
        rooted = path.startswith(("/", "\\", "~")) or parts[0].endswith(":")
        for first in range(len(parts)):
            if first and not rooted and parts[first - 1] != own:
                continue
            meant = alike.get("/".join(parts[first:]), [])
            if len(meant) == 1:
                return meant[0]
        return ""

    return find


def _plain(path: str) -> str:
    """Give a path as it is compared."""
    path = unicodedata.normalize("NFC", path.replace("\\", "/")).casefold()
    path = "".join(sign for sign in path if unicodedata.category(sign) != "Cf")  # invisible
    return str(PurePosixPath("/".join(part.strip() for part in path.split("/"))))


def _missing(path: str, files: Iterable[str]) -> str:
    """Say that a file is not there, and which one may be meant."""
    bare = {re.sub(r"(?<!\d)0+(?=\d)", "", name): name for name in files}  # as spreadsheets do it
    near = bare.get(re.sub(r"(?<!\d)0+(?=\d)", "", path))
    near = [near] if near else difflib.get_close_matches(path, [*files], 1)
    return NO_SOUND + (f", did you mean {near[0]}?" if near else "")


def _check_columns(columns: list[str], path: Path) -> None:
    """Refuse a table with a column that is not known, or without one that is needed."""
    for column in columns:
        if column not in COLUMNS:
            raise InputError(
                f"{path}: no column is called {column!r}; {text.nearest(column, COLUMNS)}"
            )
    for column in ("path", "label"):
        if column not in columns:
            raise InputError(f"{path}: has no column {column}; wanted path,label and what is known")


def _problem(row: dict[Any, str]) -> str:
    """What is wrong with the values of a row, or ``""``."""
    for column, words in WORDS.items():
        if row.get(column, "") not in words:
            return f"{column} {row[column]!r}; wanted {', '.join(filter(None, words))} or nothing"
    for column in RATINGS:
        if row.get(column) and not _is_number(row[column]):
            return f"{column} {row[column]!r}; wanted a number or nothing"
    return ""


def _is_number(text: str) -> bool:
    """Whether a text is a finite decimal number."""
    return bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,2})?", text, re.ASCII | re.I))
