"""A database in audformat: what audb publishes, or a folder saved with the library audformat.

Layout: ``db.yaml`` with its tables next to it and the sound files that they name. Of the database
are read, where it has them, the schemes (or columns, or labels of a scheme) ``speaker``, ``gender``
as sex, ``transcription`` as sentence, ``arousal``, ``dominance`` and ``valence``; and of the tables
with the emotion the split as partition (``dev`` is validation). Labels must be of whole files.
Sound files without a label are skipped. A clip is named by its path without suffix and with ``-``
for ``/``.

The library audformat is not among the dependencies (it brings pyarrow, which changes how pandas
holds texts everywhere): ``.venv/bin/python -m pip install "audformat>=1.4,<2"``.

Order: path.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline import text
from pipeline.corpora.clip import NO_SOUND, Clip, by_path, sound_files
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.files.index import RATINGS
from pipeline.order import natural

NAME = "an audformat database"
TEXTS = {"speaker": "speaker", "gender": "sex", "transcription": "sentence"}
SEXES = {"female": "f", "male": "m"}
PARTITIONS = {"train": "train", "dev": "validation", "test": "test"}


def expected(*, emotion: str = "emotion", table: str = "") -> None:
    """Nothing is known of what a database holds.

    Parameters
    ----------
    emotion, table : str
        Settings as for ``clips``.
    """


def clips(folder: Path, *, emotion: str = "emotion", table: str = "") -> list[Clip]:
    """Every sound file below ``folder``, labelled from the tables of the database.

    Parameters
    ----------
    folder : Path
        The database.
    emotion : str
        The scheme (or column) that holds the emotions.
    table : str
        The one table to take them from; ``""``: all that have the scheme.

    Returns
    -------
    list of Clip

    Raises
    ------
    InputError
        If the library is not installed, the folder is missing or empty or holds no database, there
        is no such scheme or table, labels are of parts of files or differ between tables, or a file
        is in two splits.
    """
    files = {path.relative_to(folder).as_posix(): path for path in sound_files(folder)}
    database = _load(folder)
    if table and table not in database.tables:
        nearest = text.nearest(table, tuple(database.tables))
        raise InputError(f"{folder}: no table {table!r}; {nearest}")
    rows = _get(database, folder, emotion, [*TEXTS, *RATINGS], tables=table or None)
    if rows.empty:
        nearest = text.nearest(emotion, tuple(database.schemes))
        raise InputError(f"{folder}: nothing is labelled with a scheme {emotion!r}; {nearest}")
    if rows.index.nlevels > 1:
        raise InputError(
            f"{folder}: labels of {emotion} are of parts of files; cut them into files of their own"
        )
    partitions = _partitions(database, folder, emotion, table)
    columns = {emotion: "emotion", **TEXTS, **{name: name for name in RATINGS}}
    rows = rows.astype(object).where(rows.notna(), None).rename(columns=columns)
    labels = {
        file: {column: value for column, value in row.items() if value is not None}
        for file, row in rows.to_dict("index").items()
    }
    clips = by_path(files)
    found = [
        _clip(clips[name], files[name], labels.get(name), partitions.get(name, ""))
        for name in natural(files)
    ]
    gone = natural(labels.keys() - files.keys())
    return found + [
        replace(_clip(name, folder / name, labels[name], partitions.get(name, "")), absent=NO_SOUND)
        for name in gone
    ]


def _clip(clip: str, path: Path, labels: dict[str, Any] | None, partition: str) -> Clip:
    """One sound file with what the tables say of it, if they name it."""
    if labels is None:
        return Clip(clip=clip, path=path, skip="not labelled by the database")
    texts = {key: str(value).strip() for key, value in labels.items() if key not in RATINGS}
    ratings = {key: float(value) for key, value in labels.items() if key in RATINGS}
    sex = SEXES.get(texts.get("sex", ""), "")
    known: dict[str, Any] = texts | ratings | {"sex": sex}
    return Clip(clip=clip, path=path, partition=partition, **known)


def _load(folder: Path) -> Any:
    """Read the database, an ``audformat.Database``, with the library of that name."""
    try:
        import audformat
    except ImportError:
        raise InputError(
            f"{folder}: audformat is not installed; "
            'run .venv/bin/python -m pip install "audformat>=1.4,<2"'
        ) from None
    if not (folder / "db.yaml").is_file():
        raise InputError(f"{folder}: holds no db.yaml; put the database there, not nested")
    tables.read_text(folder / "db.yaml")  # names a git-LFS pointer
    try:
        return audformat.Database.load(str(folder))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{folder}: not an audformat database ({_line(error)})") from None


def _get(database: Any, folder: Path, emotion: str, others: list[str], **where: Any) -> Any:
    """Labels by file, in one column per scheme; NaN where there is none."""
    try:
        return database.get(emotion, others, **where)
    except (ValueError, TypeError) as error:  # tables that contradict each other
        raise InputError(f"{folder}: {_line(error)}; name one table in the settings") from None


def _partitions(database: Any, folder: Path, emotion: str, table: str) -> dict[str, str]:
    """Partition of each file whose emotion is in a table of a split."""
    found = {}
    for split_id, split in database.splits.items():
        if split.type not in PARTITIONS:
            continue
        partition = PARTITIONS[split.type]
        rows = _get(database, folder, emotion, [], tables=table or None, splits=split_id)
        for file in rows.index:
            if found.setdefault(file, partition) != partition:
                raise InputError(f"{folder}: {file} is in {found[file]} and in {partition}")
    return found


def _line(error: Exception) -> str:
    """The message of an error of the library, which may have many lines, on one."""
    return " ".join(str(error).split())[:200]
