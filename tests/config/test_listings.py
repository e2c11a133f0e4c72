"""A stage is made by what check listed: other lines or code stop it, and are named."""

import shlex
import shutil
import subprocess
import sys

import pytest
from ruamel.yaml import YAML

pytestmark = pytest.mark.slow

# Runs a stage and edits a file when it first calls a function.
EDITED = """
import importlib, pathlib, runpy, sys

place, file, found, replacement, *arguments = sys.argv[1:]
owner, _, name = place.rpartition(".")
owner = importlib.import_module(owner)
function, file = getattr(owner, name), pathlib.Path(file)

def edited(*args, **kwargs):
    text = file.read_text()
    assert found in text
    file.write_text(text.replace(found, replacement, 1))
    setattr(owner, name, function)
    return function(*args, **kwargs)

setattr(owner, name, edited)
sys.argv = ["ser", *arguments]
runpy.run_module("pipeline", run_name="__main__")
"""
BEFORE, WRITES = "pipeline.config.params.load", "pipeline.files.tables.write"
PARAMS, CODE = "params.yaml", "pipeline/protocols/protocol.py"


@pytest.fixture
def run(finished, environment, tmp_path):
    """Give ``run(stage, place, file, found, replacement)``: run it, a file edited meanwhile."""
    ignored = shutil.ignore_patterns("__pycache__", ".git", ".dvc")
    clone = shutil.copytree(finished, tmp_path / "clone", ignore=ignored)
    stages = YAML(typ="safe").load(finished / "dvc.lock")["stages"]

    def command(stage, place, *edit):
        words = shlex.split(stages[stage]["cmd"])[3:]
        return subprocess.run(
            [sys.executable, "-c", EDITED, place, *edit, *words],
            **{"cwd": clone, "env": environment, "capture_output": True, "text": True},
            check=False,
        )

    return command


@pytest.mark.parametrize(
    ("stage", "edit", "named"),
    [
        (
            "split@demo-speakers5",
            (PARAMS, "s5: {kind: speakers, folds: 5", "s5: {kind: speakers, folds: 4"),
            "folds.rule.folds is 4, was 5",
        ),
        (
            "index@demo",
            (PARAMS, "demo: {parser: demo}", "demo: {parser: demo, allow_partial: true}"),
            "corpus.allow_partial is true, was false",
        ),
        (
            "train@tiny",
            (PARAMS, "epochs: 1,", "epochs: 7,"),
            "run.training.epochs is 7, was 1",
        ),
        ("split@demo-speakers5", (CODE, "\nfrom ", "\nNEW = 1\nfrom "), CODE),
    ],
)  # fmt: skip
def test_an_edit_before_a_stage_begins_is_named(run, stage, edit, named):
    done = run(stage, BEFORE, *edit)
    assert done.returncode == 1, done.stderr
    name, _, line = stage.partition("@")
    place = f"features/code/{name}/{line}"
    message = f"{name}: {place}: edited after check listed it: {named}; run dvc repro again"
    assert done.stderr.splitlines() == [message]


def test_an_edit_of_code_while_a_stage_runs_is_named(run):
    done = run("split@demo-speakers5", WRITES, CODE, "\nfrom ", "\nNEW = 1\nfrom ")
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1].endswith(f"listed it: {CODE}; run dvc repro again")


@pytest.mark.parametrize(
    "edit",
    [
        (PARAMS, "# What is computed", "# Everything that is computed"),
        (PARAMS, "memory_mb: ", "memory_mb: 1"),
        (PARAMS, "epochs: 1,", "epochs: 7,"),
        (CODE, "\nfrom ", "\n# why\nfrom "),
    ],
)
def test_an_edit_of_anything_else_is_not(run, edit):
    done = run("split@demo-speakers5", BEFORE, *edit)
    assert done.returncode == 0, done.stderr


def test_an_edit_of_a_line_while_it_is_made_is_of_the_next_time(run):
    line = (PARAMS, "s5: {kind: speakers, folds: 5", "s5: {kind: speakers, folds: 4")
    done = run("split@demo-speakers5", WRITES, *line)
    assert done.returncode == 0, done.stderr
