"""Verify: the first epochs come out again to the last digit, or the first difference is named."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from pipeline.commands.verify import verify
from pipeline.errors import InputError
from tests.rewriting import rewrite

pytestmark = pytest.mark.slow

RATED = """\
sounds:
  demo-whole-16k: {corpus: demo, waveform: whole-16k}
data:
  demo-mel32-chunks: {sound: demo-whole-16k, feature: mel32-chunks}
folds:
  demo-speakers2: {corpus: demo, protocol: speakers2}
runs:
  rated:
    {model: deep_emo_cluster, corpus: demo, data: demo-mel32-chunks, folds: demo-speakers2,
     settings: {temporal: none, attributes: [arousal, valence], clusters: 2, epochs: 2, batch: 64}}
"""


@pytest.fixture(scope="module")
def rated(finished, tmp_path_factory, repro):
    """Give a copy of the clone in which a run on attributes went through."""
    folder = shutil.copytree(finished, tmp_path_factory.mktemp("rated") / "clone")
    params = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(re.sub(r"(?ms)^sounds:.*?(?=^engine)", RATED, params))
    repro(folder)
    return folder


@pytest.fixture
def bundle(finished, tmp_path, monkeypatch):
    """Give a copy of the bundle, which may be changed, and stand where its run is known."""
    monkeypatch.chdir(finished)
    return shutil.copytree(finished / "models" / "tiny", tmp_path / "tiny")


def change(bundle, **values):
    """Set values of the card."""
    rewrite(bundle / "card.json", **values)


def run(bundle, finished, environment):
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "verify", bundle],
        **{"cwd": finished, "env": environment, "capture_output": True, "text": True},
    )


def test_a_run_is_what_this_machine_trains(finished, environment):
    done = run("models/tiny", finished, environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "models/tiny: fold-01, 1 epoch: identical\n"


def test_so_is_a_run_on_attributes(rated, environment):
    done = run("models/rated", rated, environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "models/rated: fold-01, 2 epochs: identical\n"


def test_the_first_difference_is_named(bundle, finished, environment):
    rows = (bundle / "history.csv").read_text().splitlines()
    values = dict(zip(rows[0].split(","), rows[1].split(","), strict=True))
    rows[1] = rows[1].replace(values["loss"], "1.5")
    (bundle / "history.csv").write_text("\n".join(rows))
    card = json.loads((bundle / "card.json").read_text())
    change(bundle, versions=card["versions"] | {"keras": "3.0"})
    done = run(bundle, finished, environment)
    assert done.returncode == 1
    said = f"verify: {bundle}: fold-01, epoch 1: loss {values['loss']} here, 1.5 in history.csv; "
    said += f"keras {card['versions']['keras']} here, 3.0 then\n"
    assert done.stderr.endswith(said)


def test_published_weights_are_not_verified(bundle):
    change(bundle, weights={"best_1.hdf5": "0"})
    with pytest.raises(InputError, match="tiny: its weights were published, not trained here"):
        verify(bundle)


def test_a_run_that_is_not_known_here(bundle):
    change(bundle, run="other")
    with pytest.raises(InputError, match=r"tiny: no run other in the dvc\.yaml and params"):
        verify(bundle)


def test_no_project_here(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"tiny: no run tiny in the dvc\.yaml and params"):
        verify(bundle)


def test_other_folds(bundle):
    change(bundle, certificate="of others")
    with pytest.raises(InputError, match="tiny: trained on other folds or features; run dvc repro"):
        verify(bundle)


def test_another_backend(bundle, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    with pytest.raises(InputError, match="tiny: trained with jax; KERAS_BACKEND says tensorflow"):
        verify(bundle)


def test_no_epochs(bundle):
    with pytest.raises(InputError, match="epochs: must be at least 1, got 0"):
        verify(bundle, epochs=0)
