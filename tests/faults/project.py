"""A small project that ran once, whose copies are harmed."""

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML

ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "KERAS_BACKEND": "jax",
    "CUDA_VISIBLE_DEVICES": "",
    "JAX_PLATFORMS": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "DVC_NO_ANALYTICS": "1",
}


class Stage(NamedTuple):
    """A stage of the graph: its name, the words after ``python -m``, and what it writes."""

    name: str
    command: list[str]
    outs: list[str]


def finished(folder: Path) -> Path:
    """Give a clone of this working tree in which one tiny run went through."""
    from tests.conftest import clone

    if not (folder / "dvc.lock").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        clone(folder)
        done = call(folder, "dvc", "repro")
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
    return folder


def stages(folder: Path) -> list[Stage]:
    """Stages of a clone in the order that they ran in."""
    held = YAML(typ="safe").load(folder / "dvc.lock")["stages"]
    order = "check demo index split waveforms extract train evaluate report".split()
    found = [
        Stage(
            name,
            shlex.split(stage["cmd"].partition(" --listed")[0])[2:],
            [out["path"] for out in stage["outs"]],
        )
        for name, stage in held.items()
    ]
    return sorted(found, key=lambda stage: order.index(stage.name.partition("@")[0]))


def call(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """Run a module as a command in a clone."""
    process = started(folder, *words)
    said, errors = process.communicate()
    return subprocess.CompletedProcess(words, process.returncode, said, errors)


def started(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start a module as a command in a clone."""
    corner = folder.parent / f".{folder.name}.dvc"
    own = {"DVC_SITE_CACHE_DIR": str(corner / "site"), "DVC_GLOBAL_CONFIG_DIR": str(corner / "own")}
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=os.environ | ENVIRONMENT | own,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def copy(source: Path, target: Path, *left_out: str) -> Path:
    """Copy a clone, without what is left out."""
    ignored = shutil.ignore_patterns("__pycache__", *left_out)
    return shutil.copytree(source, target, ignore=ignored)


def content(folder: Path, *paths: str) -> dict[str, str]:
    """Hash of each file at or below some paths."""
    files = [path for name in paths for path in [folder / name, *(folder / name).rglob("*")]]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.is_file()
    }


def remove(folder: Path, *paths: str) -> None:
    """Remove outputs, as DVC does before it runs a stage."""
    for name in paths:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
