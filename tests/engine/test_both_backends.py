"""The same on TensorFlow as on JAX: Keras computes with one of them in a process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from tests.engine.made_up import RATED, rated_clips, train, without_dropout

ROOT = Path(__file__).parents[2]
OTHER = {"jax": "tensorflow", "tensorflow": "jax"}[keras.config.backend()]
pytestmark = pytest.mark.slow


def on_the_other(*words):
    """Run Python on the other backend."""
    environment = os.environ | {"KERAS_BACKEND": OTHER, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "of", ["backends and not corpus", pytest.param("backends and corpus", marks=pytest.mark.corpus)]
)
def test_what_is_marked_holds_on_the_other_backend(tmp_path, of):
    words = ["-m", "pytest", "-m", of, "tests/engine", "tests/models"]
    on_the_other(*words, "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'there'}")


def histories(folder):
    """Losses of all folds; and of attributes, of the first epoch.

    Without dropout, of which each backend has its own. Which chunk goes into which cluster, and
    which clip is drawn, hangs on the last digit from the second epoch on.
    """
    emotions = train(folder / "emotions", build=without_dropout)
    attributes = train(folder / "attributes", rated_clips()[0], training=RATED, epochs=1)
    return [
        [row for fold in trained.folds.values() for row in fold["history"]]
        for trained in (emotions, attributes)
    ]


def test_backends_agree(tmp_path):
    """Measured: losses on emotions to 2e-7."""
    code = f"""
import json, pathlib
from tests.engine.test_both_backends import histories
print(json.dumps(histories(pathlib.Path({str(tmp_path / "there")!r}))))
"""
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    theirs = json.loads(on_the_other("-c", code))
    ours = histories(tmp_path / "here")
    assert list(map(len, ours)) == [3 * 4, 2]
    for mine, other, rel in zip(ours, theirs, (1e-5, 1e-4), strict=True):
        for row, wanted in zip(mine, other, strict=True):
            none = {key for key, value in wanted.items() if value is None}
            assert {key for key, value in row.items() if value is None} == none
            numbers = ({k: v for k, v in r.items() if k not in none} for r in (row, wanted))
            assert next(numbers) == pytest.approx(next(numbers), rel=rel, abs=rel / 10)
