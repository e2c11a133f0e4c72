"""Tables, built once: the page shows them, and files hold them as CSV and LaTeX."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import text
from pipeline.scoring.target import MINUS

MOST = 5  # columns that fit half of a page
CROSS = "\N{BALLOT X}"  # at the start of a note: it is a warning
# what LaTeX reads as commands, and signs that its fonts lack
TEX = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    MINUS: "$-$",
    "±": r"$\pm$",
    "≈": r"$\approx$",
    "\N{EN DASH}": "--",
}


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    heading : str
    number : bool
        Whether it holds numbers, which stand at the right.
    interval, notes : str
        Headings of what its cells have besides their text, for which CSV has columns of their own.
    """

    heading: str
    number: bool = False
    interval: str = "95 % interval"
    notes: str = "note"


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes
    ----------
    text : str
    interval : str
        Interval of a number: ``[88.1, 94.0]``.
    notes : tuple of str
        Lines below it, in small print; one that starts with ``CROSS`` is a warning.
    tone : str
        ``good``, ``bad``, ``muted`` or nothing.
    strong : bool
        Whether it is printed bold.
    code : bool
        Whether it is a name in files, which a line may break anywhere.
    link : str
        Id on the page that it leads to.
    mark : str
        Warning that is not to be overlooked, after the text.
    """

    text: str
    interval: str = ""
    notes: tuple[str, ...] = ()
    tone: str = ""
    strong: bool = False
    code: bool = False
    link: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row names the row.

    Attributes
    ----------
    name : str
        Of its files: ``results-emotions``, ``tim_net-demo/classes``.
    caption : str
        What it holds, in one line.
    columns : tuple of Column
    rows : list of list of Cell
    blocks : bool
        Whether a line parts rows whose first cells have other notes: runs of one model and corpus.
    prose : bool
        Whether its cells hold sentences; like a table of many columns it needs a wide screen.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]
    blocks: bool = False
    prose: bool = False

    @property
    def wide(self) -> bool:
        """Whether it needs a wide screen: elsewhere its rows are cards."""
        return self.prose or len(self.columns) > MOST


def cells(texts: Sequence[str]) -> list[Cell]:
    """Make cells of texts."""
    return [Cell(text) for text in texts]


def as_csv(table: Table) -> str:
    """Lay a table out as CSV, every sign of UTF-8 but a minus that spreadsheets read.

    Text that they would take for a formula has an apostrophe ahead of it. What cells have besides
    their text, intervals and notes, stands in columns of its own.
    """
    columns = [list(column) for column in zip(*table.rows, strict=True)] or [[]] * len(
        table.columns
    )
    parts: list[tuple[str, list[str]]] = []
    for column, found in zip(table.columns, columns, strict=True):
        parts += _parts(column, found)
    with io.StringIO() as file:
        writer = csv.writer(file, lineterminator="\n")
        for row in zip(*([heading, *texts] for heading, texts in parts), strict=True):
            writer.writerow(text.cell(words.replace(MINUS, "-")) for words in row)
        return file.getvalue()


def _parts(column: Column, found: list[Cell]) -> Iterator[tuple[str, list[str]]]:
    """Headings and texts of a column: its own, and those of intervals and notes if it has any."""
    yield column.heading, [_plain(cell) for cell in found]
    for heading, texts in (
        (column.interval, [cell.interval for cell in found]),
        (column.notes, ["; ".join(cell.notes) for cell in found]),
    ):
        if any(texts):
            yield f"{column.heading}, {heading}", texts


def as_latex(table: Table) -> str:
    r"""Lay a table out as a LaTeX tabular of the package booktabs, without the notes of cells.

    >>> print(as_latex(Table("t", "A & B", (Column("run"), Column("%", True)),
    ...                      [[Cell("a_1"), Cell("60.0", "[50.0, 70.0]", strong=True)]])))
    % A & B
    % \usepackage{booktabs}
    \begin{tabular}{lr}
    \toprule
    run & \% \\
    \midrule
    a\_1 & \textbf{60.0} [50.0, 70.0] \\
    \bottomrule
    \end{tabular}
    <BLANKLINE>
    """

    def line(texts: Iterator[str]) -> str:
        return " & ".join(texts) + r" \\"

    def shown(cell: Cell) -> str:
        text = tex(_plain(cell))
        text = rf"\textbf{{{text}}}" if cell.strong else text
        return " ".join(filter(None, [text, tex(cell.interval)]))

    sides = "".join("r" if column.number else "l" for column in table.columns)
    lines = [
        f"% {' '.join(table.caption.split())}",
        r"% \usepackage{booktabs}",
        rf"\begin{{tabular}}{{{sides}}}",
        r"\toprule",
        line(tex(column.heading) for column in table.columns),
        r"\midrule",
        *(line(map(shown, row)) for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def tex(text: str) -> str:
    r"""Escape what LaTeX would read as a command.

    >>> tex("50 % of a_b")
    '50 \\% of a\\_b'
    """
    return "".join(TEX.get(sign, sign) for sign in " ".join(text.split()))


def _plain(cell: Cell) -> str:
    """Text of a cell with its warning."""
    return ", ".join(filter(None, [cell.text, cell.mark]))


def write(tables: Sequence[Table], folder: Path) -> None:
    """Write each table twice, ``NAME.csv`` and ``NAME.tex``.

    Parameters
    ----------
    tables : sequence of Table
    folder : Path
        Folder to write to; a name may have a folder of its own in it.
    """
    for table in tables:
        for suffix, words in {"csv": as_csv(table), "tex": as_latex(table)}.items():
            path = folder / f"{table.name}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(words, encoding="utf-8", newline="\n")
