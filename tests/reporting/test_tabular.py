"""Tables as CSV and LaTeX."""

import csv
import io

from pipeline.reporting import tabular
from pipeline.reporting.tabular import CROSS, Cell, Column, Table
from pipeline.scoring.target import MINUS

COLUMNS = (Column("Run", notes="model"), Column("UAR %", True), Column("Change", True))
ROWS = [
    [Cell("a_b", notes=("tim", "demo"), code=True), Cell("60.0", "[50.0, 70.0]", strong=True),
     Cell(f"{MINUS}1.5")],
    [Cell("c & d", mark="picked"), Cell("40.0"), Cell("\N{EN DASH}", notes=(f"{CROSS} low",))],
]  # fmt: skip
TABLE = Table("sub/results", "All\nof it", COLUMNS, ROWS)


def test_csv_has_a_column_for_intervals_and_notes_where_there_are_any():
    head, one, two = csv.reader(io.StringIO(tabular.as_csv(TABLE)))
    assert head == ["Run", "Run, model", "UAR %", "UAR %, 95 % interval", "Change", "Change, note"]
    assert one == ["a_b", "tim; demo", "60.0", "[50.0, 70.0]", "-1.5", ""]
    assert two == ["c & d, picked", "", "40.0", "", "\N{EN DASH}", f"{CROSS} low"]


def test_csv_has_no_cell_that_a_spreadsheet_computes():
    columns = (Column("Run"), Column("@UAR", True))
    rows = [[Cell("=1+2", notes=("-x",)), Cell(f"{MINUS}2.5", "+[1]")]]
    head, row = csv.reader(io.StringIO(tabular.as_csv(Table("t", "", columns, rows))))
    assert head == ["Run", "Run, note", "'@UAR", "'@UAR, 95 % interval"]
    assert row == ["'=1+2", "'-x", "-2.5", "'+[1]"]


def test_latex_escapes_and_prints_bold():
    lines = tabular.as_latex(TABLE).splitlines()
    assert lines[0] == "% All of it"
    assert r"\begin{tabular}{lrr}" in lines
    assert r"a\_b & \textbf{60.0} [50.0, 70.0] & $-$1.5 \\" in lines
    assert r"c \& d, picked & 40.0 & -- \\" in lines
    assert lines[-1] == r"\end{tabular}"


def test_every_sign_that_latex_reads_as_a_command_is_escaped():
    assert tabular.tex("\\ & % $ # _ { } ~ ^") == (
        r"\textbackslash{} \& \% \$ \# \_ \{ \} \textasciitilde{} \textasciicircum{}"
    )


def test_a_table_without_rows_is_its_head():
    empty = Table("empty", "Nothing", COLUMNS, [])
    assert tabular.as_csv(empty) == "Run,UAR %,Change\n"


def test_files(tmp_path):
    tabular.write([TABLE], tmp_path)
    assert (tmp_path / "sub" / "results.csv").read_text() == tabular.as_csv(TABLE)
    assert (tmp_path / "sub" / "results.tex").read_text() == tabular.as_latex(TABLE)
