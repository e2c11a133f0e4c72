"""CSV and JSON files: written whole or not at all, the same bytes for the same content."""

import csv
import json
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import InputError
from pipeline.text import cell

if TYPE_CHECKING:
    import pandas as pd

CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")  # but tab and ends of lines
JSON_BYTES = 2**28
BACKWARDS = re.compile("[\u202a-\u202e]")  # lets words be read in another order
# In JSON control characters are written by their numbers.
HIDDEN = re.compile(
    r"(?<!\\)(?:\\\\)*\\(?:[bf]|u00(?:0[0-8bcef]|1.|7f|8.|9.)|u202[89a-e])",
    re.IGNORECASE,
)
GIT_LFS_POINTER = "version https://git-lfs"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to next to ``path``; move it into place when the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        with named(path):
            yield temporary
            os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a folder to write to; put it in the place of ``path`` when the block succeeds."""
    import tempfile  # slow

    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".", suffix=".part") as temporary:
        folder = Path(temporary) / "made"
        folder.mkdir()
        yield folder
        shutil.rmtree(path, ignore_errors=True)
        os.replace(folder, path)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Name a file in an error of the system while it is written, which does not by itself."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


def read(path: Path) -> "pd.DataFrame":
    """Read a CSV file with every column as text; an empty field is ``""``."""
    try:
        import pandas as pd  # slow, and what only writes JSON has no need of it

        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (ValueError, UnicodeDecodeError) as error:  # pandas' parser errors are ValueErrors
        reason = str(error).strip()  # ends with a line break
        raise InputError(f"{path}: not a CSV table ({reason})") from None


def read_labels(path: Path) -> "pd.DataFrame":
    """Read a table that people made: a row to a line, every column as text without outer blanks.

    Parameters
    ----------
    path : Path
        UTF-8, with commas between the fields; the first line names the columns.

    Returns
    -------
    DataFrame
        Its index are the rows' lines in the file; what a row lacks at its end is ``""``.

    Raises
    ------
    InputError
        If it is not there, or not such a table: a quote is not closed in its line and would
        swallow the next ones, or a row has more fields than there are columns.
    """
    lines = re.split("\r\n|\n|\r", read_text(path))
    _check_lines(lines, path)
    rows = {}
    for number, line in enumerate(lines, 1):
        if number == 1 and line.strip() == "sep=,":  # for one spreadsheet
            continue
        try:
            (fields,) = csv.reader([line], strict=True, skipinitialspace=True)
        except (csv.Error, ValueError) as error:
            wrong = f"a quote that does not enclose its field ({error})"
            if "unexpected end" in str(error):
                wrong = 'a quote (") that is not closed in its line'
            raise InputError(
                f'{path}: line {number}: {wrong}; enclose the field in quotes and write "" for a '
                "quote in it"
            ) from None
        rows[number] = [field.strip() for field in fields]
    rows = {number: row for number, row in rows.items() if any(row)}
    if not rows:
        raise InputError(
            f"{path}: holds no rows; wanted a line of columns and a line for each clip"
        )
    columns = rows.pop(min(rows))
    while columns and not columns[-1]:
        columns.pop()  # spreadsheets write empty columns
    if again := [column for column in columns if columns.count(column) > 1]:
        raise InputError(f"{path}: two columns are called {again[0]!r}")
    for number, row in rows.items():
        if any(row[len(columns) :]):
            raise InputError(
                f"{path}: line {number} has {len(row)} fields, there are {len(columns)} columns: a "
                "comma within a field shifts the others; enclose the field in quotes"
            )
        row += [""] * (len(columns) - len(row))
    cells = [row[: len(columns)] for row in rows.values()]
    import pandas as pd

    return pd.DataFrame(cells, index=[*rows], columns=columns, dtype=object)


def _check_lines(lines: list[str], path: Path) -> None:
    """Refuse signs that no table holds, and columns that are divided by something else."""
    for number, line in enumerate(lines, 1):
        if sign := CONTROL.search(line):
            raise InputError(
                f"{path}: line {number} holds {sign[0]!r}, which no text does; save the file as "
                "UTF-8, with commas between the fields"
            )
    first = next((line for line in lines if line.strip()), "").replace('"', "").strip()
    if "," not in first and (other := re.search(r"[;\t|:\uff0c\u3001 ]", first)):
        raise InputError(f"{path}: its columns are divided by {other[0]!r}; save it with commas")


def read_text(path: Path, encoding: str = "utf-8-sig") -> str:
    """Read a text file of a corpus.

    Raises
    ------
    InputError
        If it is not there, a git-LFS pointer, or not of this encoding.
    """
    try:
        if stat.S_ISFIFO(Path(path).stat().st_mode):  # would wait for a writer
            raise InputError(f"{path}: a pipe, not a file; remove it")
        data = Path(path).read_bytes()
        text = data.decode(encoding)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(f"{path}: line {line} is not UTF-8; save the file as UTF-8") from None
    if text.startswith(GIT_LFS_POINTER):
        raise InputError(f"{path}: a git-LFS pointer, not the file; run git lfs pull")
    return text


def write(frame: "pd.DataFrame", path: Path) -> None:
    """Write a CSV file: UTF-8, LF, no index, floats as the shortest text that reads back equal."""
    form = {"index": False, "lineterminator": "\n", "encoding": "utf-8"}
    with replacing(path) as temporary:
        frame.to_csv(temporary, **form)
        # the writer does not enclose a carriage return, at which readers end the row
        if b"\r" in temporary.read_bytes():
            frame.to_csv(temporary, quoting=csv.QUOTE_NONNUMERIC, **form)


def write_for_people(frame: "pd.DataFrame", path: Path) -> None:
    """Write a CSV file as `write`, in which a spreadsheet takes no text for a formula."""
    shown = {
        name: [cell(value) if isinstance(value, str) else value for value in frame[name]]
        for name in frame.select_dtypes(exclude="number").columns  # a number keeps its type
    }
    write(frame.assign(**shown).rename(columns=cell), path)


def sha256(data: Mapping | list) -> str:
    """SHA-256 of plain data, by its canonical JSON."""
    import hashlib  # slow, and reading params.yaml has no need of it

    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    import hashlib

    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> dict:
    """Read a JSON object.

    Raises
    ------
    InputError
        If there is none, or it is something else.
    """
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise InputError(f"{path}: not a file; remove it")
        if path.stat().st_size > JSON_BYTES:
            raise InputError(f"{path}: larger than any JSON file of this pipeline")
        text = path.read_text(encoding="utf-8")
        if HIDDEN.search(text) or CONTROL.search(text) or BACKWARDS.search(text):
            raise InputError(f"{path}: holds a control character, as no file of this pipeline does")
        held = json.loads(text)
        if "\\u" in text:  # a half of a character is no text, and an error where it is shown
            json.dumps(held, ensure_ascii=False).encode()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except RecursionError:
        raise InputError(f"{path}: not JSON (nested too deep)") from None
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error})") from None
    if not isinstance(held, dict):
        raise InputError(f"{path}: holds no JSON object")
    return held


def write_json(data: dict, path: Path) -> None:
    """Write a JSON object: sorted keys, indented by two, a newline at the end, no NaN."""
    text = json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
