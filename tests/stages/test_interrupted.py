"""A graph that is run again: only what changed, and after a kill what an undisturbed run gives."""

import hashlib
import re
import shlex
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from ruamel.yaml import YAML

from pipeline.files import stores

pytestmark = pytest.mark.slow

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
# Runs a module as a command; says how often it called some of a module's functions with a clip.
COUNTED = """
import functools, importlib, runpy, sys

place, module, *arguments = sys.argv[1:]
owner, _, name = place.rpartition(".")
owner = importlib.import_module(owner)
function, clips = getattr(owner, name), []

@functools.wraps(function)
def counted(given, *args):
    clips.extend(clip.any() for clip in (given if isinstance(given, list) else [given]))
    return function(given, *args)

setattr(owner, name, counted)
sys.argv = [module, *arguments]
runpy.run_module(module, run_name="__main__")
print("clips:", sum(clips))
"""
# In the middle of the work: clips, chunks or models half written, or one file of two in its place.
MOMENTS = {
    "check": ("pathlib.Path.write_text", 3),
    "demo": ("pipeline.files.audio.write_pcm16", 20),
    "index@demo": ("os.replace", 2),
    "split@demo-speakers5": ("os.replace", 2),
    "waveforms@demo-centred": ("pipeline.files.drafts.Draft.fill", 3),
    "extract@demo-mfcc39": ("pipeline.files.drafts.Draft.fill", 3),
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
    edit(clone / "params.yaml", r"(?m)\A# ", "# To be read first. ")
    assert repro(clone) == ["check"]

    learning = ["train@tiny", "evaluate@tiny", "report"]
    edit(clone / "params.yaml", "n_mfcc: 39", "n_mfcc: 20")
    # The same index comes out, so that neither split nor waveforms runs.
    edit(clone / "pipeline" / "corpora" / "demo.py", r"\Z", "NEW = 1\n")
    wanted = ["check", "index@demo", "extract@demo-mfcc39", *learning]
    assert sorted(repro(clone)) == sorted(wanted)

    edit(clone / "params.yaml", r"settings: \{", "settings: {dropout: 0.2, ")
    assert repro(clone) == ["check", *learning]


@pytest.mark.parametrize("name", MOMENTS)
def test_a_killed_stage_leaves_nothing_half_written(finished, environment, tmp_path, name):
    stage = YAML().load(finished / "dvc.lock")["stages"][name]
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


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("waveforms@demo-centred", "pipeline.features.recipes.waveform"),
        ("extract@demo-mfcc39", "pipeline.features.recipes.whole"),
    ],
)
def test_what_a_killed_stage_finished_is_not_computed_again(
    finished, environment, tmp_path, name, place
):
    stage = YAML().load(finished / "dvc.lock")["stages"][name]
    clone = copy(finished, tmp_path, ".git", ".dvc", ".*.made")
    store = clone / stage["outs"][0]["path"]
    wanted = content(store)
    rows = len(stores.read(store).length[:])
    shutil.rmtree(store)
    command = shlex.split(stage["cmd"])[2:]
    run = {"cwd": clone, "env": environment, "capture_output": True, "text": True}
    fill = "pipeline.files.drafts.Draft.fill"
    killed = subprocess.run([sys.executable, "-c", KILLED, fill, "4", *command], **run)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    (done,) = store.parent.glob(f".{store.name}.*.part/done")
    count = sum(len(np.load(file)["length"]) for file in done.glob("*.npz"))
    assert 0 < count < rows

    again = subprocess.run([sys.executable, "-c", COUNTED, place, *command], **run)
    assert again.stdout.splitlines()[-1] == f"clips: {rows - count}", again.stderr
    assert content(store) == wanted
    once_more = subprocess.run([sys.executable, "-c", COUNTED, place, *command], **run)
    assert once_more.stdout.splitlines()[-1] == "clips: 0", once_more.stderr
    assert content(store) == wanted


def test_a_comment_does_not_let_a_killed_training_begin_again(finished, environment, tmp_path):
    stage = YAML().load(finished / "dvc.lock")["stages"]["train@tiny"]
    clone = copy(finished, tmp_path, ".git", ".dvc")
    shutil.rmtree(clone / "models" / "tiny")
    command = shlex.split(stage["cmd"])[2:]
    run = {"cwd": clone, "env": environment, "capture_output": True, "text": True}
    place = "pipeline.files.bundles.write_model"
    killed = subprocess.run([sys.executable, "-c", KILLED, place, "4", *command], **run)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    written = {path.name: path.stat().st_mtime_ns for path in clone.rglob("fold-*.keras")}

    edit(clone / "pipeline" / "engine" / "loop.py", r'\A"""', '"""In short: every fold. ')
    edit(clone / "pipeline" / "files" / "bundles.py", r"\Z", "# why\n")
    again = subprocess.run([sys.executable, "-m", *command], **run)
    assert again.returncode == 0, again.stderr
    bundle = clone / "models" / "tiny"
    kept = [name for name, time in written.items() if (bundle / name).stat().st_mtime_ns == time]
    assert "fold-01.keras" in kept  # the last ones were written, and not yet counted
    assert content(bundle) == content(finished / "models" / "tiny")


def make_old(path):
    """Put an older output in the place of this one."""
    if path.is_dir():
        shutil.rmtree(path)
        path.mkdir()
        path = path / "README.md"  # a name that every stage takes for its own
    path.write_text("old\n")
