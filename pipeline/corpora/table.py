"""A corpus of your own with a table of labels: any sound files and one CSV file.

Layout: sound files at any depth and, in the same folder, ``labels.csv`` with the columns ``path``
(within the folder) and ``label`` (may be empty: not labelled), and any of ``clip`` (its name; the
path without suffix and with ``-`` for ``/`` if there is no such column), ``speaker``, ``sex`` (f or
m), ``sentence``, ``session``, ``style``, ``partition`` (train, validation, test, test2, test3),
``utterance``, ``parent`` (the clip it was made from by augmentation), ``arousal``, ``dominance``,
``valence``. An empty field is one that is not known. Sound files that the table does not name are
skipped.

Order: of the rows.
"""

from pathlib import Path, PurePosixPath

from pipeline import text
from pipeline.corpora.clip import Clip, sound_files
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.files.index import RATINGS

NAME = "a corpus with a table"
TEXTS = tuple("clip speaker sex sentence session style partition utterance parent".split())
COLUMNS = ("path", "label", *TEXTS, *RATINGS)
WORDS = {
    "sex": ("f", "m", ""),
    "partition": ("train", "validation", "test", "test2", "test3", ""),
}


def expected(*, file: str = "labels.csv") -> None:
    """Nothing is known of what a corpus of one's own holds.

    Parameters
    ----------
    file : str
        As for ``clips``.
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
        not known, or a row of it names no sound file, repeats a clip, or holds a bad value.
    """
    files = {path.relative_to(folder).as_posix(): path for path in sound_files(folder)}
    table = tables.read(folder / file)
    _check_columns(list(table.columns), folder / file)
    found, problems, names, paths = [], [], set(), set()
    for row in table.to_dict("records"):
        row = {column: value.strip() for column, value in row.items()}
        path = str(PurePosixPath(row["path"]))
        name = row.get("clip") or _name(path)
        problem = _problem(row)
        if path not in files:
            problem = "no such sound file"
        elif path in paths:
            problem = "has two rows"
        elif name in names:
            problem = f"a second clip {name}"
        if problem:
            problems.append(f"{row['path'] or 'a row without path'} ({problem})")
            continue
        names.add(name)
        paths.add(path)
        labels = {column: row[column] for column in TEXTS if column in row}
        ratings = {column: float(row[column]) for column in RATINGS if row.get(column)}
        known = labels | ratings | {"clip": name, "emotion": row["label"]}
        found.append(Clip(path=files[path], **known))
    orphans = [c for c in found if c.parent and (c.parent not in names or c.parent == c.clip)]
    problems += [f"{clip.clip} (no other clip is its parent {clip.parent})" for clip in orphans]
    if problems:
        shown = "; ".join(problems[:3]) + ("; ..." if len(problems) > 3 else "")
        raise InputError(f"{folder / file}: {len(problems)} rows cannot be used: {shown}")
    left = [name for name in files if name not in paths]
    skip = f"not in {file}"
    return found + [Clip(clip=_name(name), path=files[name], skip=skip) for name in left]


def _name(path: str) -> str:
    """Name of a clip by its path: ``a/b.wav`` is ``a-b``."""
    return "-".join([*PurePosixPath(path).parts[:-1], PurePosixPath(path).stem])


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


def _problem(row: dict[str, str]) -> str:
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
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False
