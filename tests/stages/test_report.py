"""Stage report: what is written, what is removed, equal bytes."""

import os
import subprocess
import sys

import pytest

from pipeline.errors import InputError
from pipeline.stages.report import report as stage
from tests.made_runs import (
    RUNS,
    report,
    write_rated,
    write_run,
    write_three,
)

AGAIN = """
import pathlib, sys
from pipeline.stages.report import report
folder = pathlib.Path(sys.argv[1])
pages = [folder / name for name in ("index.html", "summary.md", "plots", "tables", "cards")]
report(folder, folder / "recorded", folder / "across", *pages, runs=dict.fromkeys(sys.argv[2:]))
"""


@pytest.fixture
def reports(tmp_path):
    """Three runs."""
    return write_three(tmp_path)


def test_without_recorded_runs_nothing_is_said_of_them(reports):
    (reports / "recorded").mkdir()
    (reports / "recorded" / "README.md").write_text("What lies here.\n")
    (reports / "recorded" / ".x.part").mkdir()  # left by a command that was killed
    report(reports, RUNS)
    for name in ("index.html", "summary.md"):
        assert "recorded" not in (reports / name).read_text().lower()


def test_results_of_a_run_that_is_no_line_are_removed(reports):
    write_run(reports, "old")
    write_run(reports, "older")
    (reports / "older" / "notes.txt").touch()
    kept = [path.name for path in reports.iterdir() if path.name not in ("old", "older")]
    report(reports, kept)
    assert not (reports / "old").exists()
    assert [path.name for path in (reports / "older").iterdir()] == ["notes.txt"]
    assert all((reports / name / "run.json").exists() for name in kept)


def test_the_folders_of_what_was_recorded_are_there_even_if_empty(tmp_path):
    write_run(tmp_path, "a")
    made = [tmp_path / name for name in ("index.html", "summary.md", "plots", "tables", "cards")]
    folders = [tmp_path / name for name in ("recorded", "across")]
    for folder in folders:
        with pytest.raises(InputError, match=f"{folder.name}: no such folder; take it back from"):
            stage(tmp_path, *folders, *made, runs={"a": None})
        folder.mkdir()


def test_same_results_same_bytes(reports, tmp_path):
    write_rated(reports, "cluster-msp")
    runs = [*RUNS, "cluster-msp"]
    report(reports, runs)
    first = [(reports / name).read_bytes() for name in ("index.html", "summary.md")]
    again = subprocess.run(
        [sys.executable, "-c", AGAIN, reports, *runs],
        env=os.environ | {"PYTHONHASHSEED": "7"},
    )
    assert again.returncode == 0
    assert [(reports / name).read_bytes() for name in ("index.html", "summary.md")] == first


def test_no_run_at_all(tmp_path):
    with pytest.raises(InputError, match="no run to report; name one under runs"):
        report(tmp_path, [])


def test_help_is_quick():
    code = (
        "import sys, runpy; sys.argv = ['ser', 'report', '--help']\n"
        "try: runpy.run_module('pipeline', run_name='__main__')\n"
        "finally: print([m for m in ('matplotlib', 'jinja2') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
