"""What the trainings of lab.py came to, on each backend."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LAB = Path(__file__).with_name("lab.py")
BACKENDS = ("jax", "tensorflow")


@pytest.fixture(scope="session")
def labs(environment, tmp_path_factory):
    """Give the results of both backends, which compute beside each other."""
    root = f"{LAB.parents[2]}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    folders = {name: tmp_path_factory.mktemp(f"lab-{name}") for name in BACKENDS}
    processes = {
        name: subprocess.Popen(
            [sys.executable, LAB, folder],
            env=environment | {"KERAS_BACKEND": name, "PYTHONPATH": root},
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, folder in folders.items()
    }
    said = {name: process.communicate()[1] for name, process in processes.items()}
    for name, process in processes.items():
        assert process.returncode == 0, said[name]
    return {
        name: json.loads((folder / "results.json").read_text()) | {"stderr": said[name]}
        for name, folder in folders.items()
    }


@pytest.fixture(params=BACKENDS)
def lab(labs, request):
    """Give the results of one backend, then of the other."""
    return labs[request.param]
