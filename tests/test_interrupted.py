"""A graph that is run again: only what changed, and after a kill what an undisturbed run gives."""

import hashlib
import re
import shlex
import shutil
import signal
import subprocess
import sys

import pytest
from ruamel.yaml import YAML

# Runs a module as a command and kills it at the nth call of one of its functions.
KILLED = """
import functools, importlib, os, runpy, signal, sys

place, nth, module, *arguments = sys.argv[1:]
owner, _, name = place.rpartition(".")
try:
    owner = importlib.import_module(owner)
except ModuleNotFoundError:  # a class
    owner, _, inner = owner.rpartition(".")
    owner = getattr(importlib.import_module(owner), inner)
function, calls = getattr(owner, name), []

@functools.wraps(function)
def counted(*args, **kwargs):
    calls.append(place)
    if len(calls) == int(nth):
        os.kill(os.getpid(), signal.SIGKILL)
    return function(*args, **kwargs)

setattr(owner, name, counted)
sys.argv = [module, *arguments]
runpy.run_module(module, run_name="__main__")
"""
# In the middle of the work: clips, chunks or models half written, or one file of two in its place.
MOMENTS = {
    "demo": ("pipeline.files.audio.write_pcm16", 20),
    "index@demo": ("os.replace", 2),
    "split@demo-speakers5": ("os.replace", 2),
    "waveforms@demo-centred": ("pipeline.files.stores.Draft.fill", 3),
    "extract@demo-centred-mfcc39": ("pipeline.files.stores.Draft.fill", 3),
    "train@tiny": ("pipeline.files.bundles.write_model", 2),
    "evaluate@tiny": ("os.replace", 2),
    "report": ("os.replace", 2),
}


def copy(finished, folder, *left_out):
    """Copy the clone in which everything ran."""
    ignored = shutil.ignore_patterns("__pycache__", *left_out)
    return shutil.copytree(finished, folder / "clone", ignore=ignored)


def edit(path, found, replacement):
    """Replace a text that is there once."""
    text = path.read_text()
    assert len(re.findall(found, text)) == 1
    path.write_text(re.sub(found, replacement, text))


def content(path):
    """Hash of a file, or of every file of a folder; None if there is none."""
    if path.is_dir():
        return {file.name: content(file) for file in sorted(path.iterdir())}
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else None


def test_the_graph_runs_what_changed_and_nothing_else(finished, repro, tmp_path):
    clone = copy(finished, tmp_path)
    assert repro(clone) == []

    edit(clone / "params.yaml", r"(?m)\A# ", "# To be read first. ")
    assert repro(clone) == []

    learning = ["train@tiny", "evaluate@tiny", "report"]
    edit(clone / "params.yaml", "n_mfcc: 39", "n_mfcc: 20")
    assert repro(clone) == ["extract@demo-centred-mfcc39", *learning]

    edit(clone / "params.yaml", r"(?m)^  tim_net: \{\}", "  tim_net: {dropout: 0.2}")
    assert repro(clone) == learning

    edit(clone / "pipeline" / "corpora" / "demo.py", r'\A"""', '"""In short: made up. ')
    assert repro(clone) == ["index@demo"]  # the same index comes out


@pytest.mark.parametrize("name", MOMENTS)
def test_a_killed_stage_leaves_nothing_half_written(finished, environment, tmp_path, name):
    locks = (finished / "dvc.lock", finished / "features" / "dvc.lock")
    stage = {k: v for lock in locks for k, v in YAML().load(lock)["stages"].items()}[name]
    clone = copy(finished, tmp_path, ".git", ".dvc")
    outs = [out["path"] for out in stage["outs"]]
    wanted = [content(finished / out) for out in outs]
    for out in outs:
        make_old(clone / out)
    old = [content(clone / out) for out in outs]

    place, nth = MOMENTS[name]
    command = [sys.executable, *shlex.split(stage["cmd"])[1:]]
    run = {"cwd": clone, "env": environment, "capture_output": True, "text": True}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, place, str(nth), *command[2:]], **run, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    for out, before, after in zip(outs, old, wanted, strict=True):
        assert content(clone / out) in (None, before, after), f"{out} is half written"
    assert [content(clone / out) for out in outs] != wanted

    again = subprocess.run(command, **run, check=False)
    assert again.returncode == 0, again.stderr
    assert [content(clone / out) for out in outs] == wanted
    assert not list(clone.rglob("*.part"))


def make_old(path):
    """Put an older output in the place of this one."""
    if path.is_dir():
        shutil.rmtree(path)
        path.mkdir()
        path = path / "README.md"  # a name that every stage takes for its own
    path.write_text("old\n")
