"""Trainings in processes of their own, and a corpus of four clips."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from tests import chatter
from tests.stages import indexing, training


@pytest.fixture(scope="session")
def trained(environment):
    """Give ``trained(library, *jobs)``: train in another process; killed ones give None."""

    def run(library, *jobs):
        done = subprocess.run(
            [sys.executable, training.__file__, json.dumps(jobs, default=str)],
            cwd=Path(__file__).parents[2],
            env=environment | {"KERAS_BACKEND": library, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
        )
        if done.returncode == -signal.SIGKILL:
            return None
        assert done.returncode == 0, done.stderr
        assert chatter.lines(done.stderr) == []
        return json.loads(done.stdout)

    return run


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """Give a copy of a corpus that has four clips, 1 s each, named by RAVDESS's rule."""
    indexing.expect(monkeypatch, names=frozenset(indexing.NAMES))
    folder = tmp_path / "raw"
    folder.mkdir()
    for number, name in enumerate(indexing.NAMES):
        soundfile.write(folder / f"{name}.wav", indexing.noise(number), indexing.RATE)
    return folder
