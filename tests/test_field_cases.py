"""The shared set of faulty files and tables that people met: whole, or refused with the reason.

``field_cases/try_cases.py`` can be run by hand; here most cases are tried within this process, for
speed. Those that could hang or take all memory run as a process of their own.
"""

import contextlib
import csv
import io
import os
import sys
from pathlib import Path

import pytest

from pipeline.commandline import main
from tests.field_cases import try_cases

ROOT = Path(__file__).parents[1]
APART = ("streamed.flac", "total_2e35.flac", "recipe:fifo")
with (try_cases.HERE / "cases.csv").open(encoding="utf-8", newline="") as file:
    CASES = [*csv.DictReader(file)]


def run_here(command, cwd, python, *limits, apart=try_cases.run):
    """Run a stage within this process: its exit code and what it printed."""
    if command[1:3] != ["-m", "pipeline"]:
        return apart(command, cwd, python, *limits)
    out, code = io.StringIO(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["ser", *command[3:]])
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            try:
                main()
            except SystemExit as ended:
                code = ended.code or 0
    return code, out.getvalue()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}-{case['file']}")
def test_a_case_of_the_field(case, monkeypatch):
    if case["file"] not in APART:
        monkeypatch.setattr(try_cases, "run", run_here)
    template = try_cases.stage_command(ROOT)
    verdict, came = try_cases.one(case, ROOT, sys.executable, template, None)
    assert verdict == "PASS", f"{case['what']}: wanted {case['expected']}; came {came}"


def test_all_kinds_are_there():
    assert {case["kind"] for case in CASES} == set("ABCDEFGHIJKLZ")
    assert os.listdir(try_cases.HERE / "files")
