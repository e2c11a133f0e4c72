"""Record: what evaluate wrote is kept to the byte, with what made it, or nothing is."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import commandline, parallel
from pipeline.commands.record import record
from pipeline.config import params
from pipeline.errors import DamagedError, InputError
from pipeline.files import checked, tables
from pipeline.inference import cards
from pipeline.reporting.results import read_recorded
from pipeline.stages.evaluate import evaluate

RUN = {"backend": "jax", "device": "cpu", "corpus": "demo", "folds": 2, "tested_folds": [1, 2]}
STATED = ("metrics.json", "predictions.csv", "history.csv")
FILES = {"run.json", *STATED}
FOLDER = Path("reports/recorded/tiny")


def git(*arguments):
    command = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def write_run(**changed):
    """Write what record reads of a run; the rest of it is made up."""
    folder = Path("reports/runs/tiny")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps(RUN | changed))
    (folder / "metrics.json").write_text('{"uar":   0.5}')  # not as this pipeline spaces it
    (folder / "predictions.csv").write_text("clip\n")
    (folder / "history.csv").write_text("epoch\n")


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """Stand in a repository with one commit and a run."""
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("runs: {}\n")
    git("init", "--quiet")
    git("add", "params.yaml")
    git("commit", "--quiet", "--message", "first")
    git("tag", "v1")  # a commit is named by its hash all the same
    write_run()
    return tmp_path


@pytest.fixture
def programs(clone, monkeypatch):
    """Give a folder that holds all the programs there are: git."""
    folder = clone / "programs"
    folder.mkdir()
    (folder / "git").symlink_to(shutil.which("git"))
    monkeypatch.setenv("PATH", str(folder))
    return folder


def nothing_recorded():
    recorded = FOLDER.parent
    return not recorded.exists() or not list(recorded.iterdir())


# ---- what is kept ----------------------------------------------------------------------------


def test_what_evaluate_wrote_is_kept_to_the_byte(clone, capsys):
    record("tiny", note=" 100 of 500 epochs\n", seconds=11430)
    assert {path.name for path in FOLDER.iterdir()} == FILES | {"how.json"}
    for name in FILES:
        assert (FOLDER / name).read_bytes() == Path("reports/runs/tiny", name).read_bytes()
    how = json.loads((FOLDER / "how.json").read_text())
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", how.pop("date"))
    assert re.search(r"\w", how.pop("hardware"))
    assert how == {
        "cores": parallel.cores(),
        "backend": "jax",
        "seconds": 11430,
        "command": "dvc repro evaluate@tiny",
        "commit": git("rev-parse", "HEAD"),
        "note": "100 of 500 epochs",
    }
    assert capsys.readouterr().out.startswith("reports/recorded/tiny: recorded; run dvc repro rep")


def test_a_changed_file_is_told(clone):
    Path("params.yaml").write_text("runs: {tiny: {}}\n")
    record("tiny", note="a run of one's own")
    how = json.loads((FOLDER / "how.json").read_text())
    assert how["commit"] == git("rev-parse", "HEAD") + "-dirty"
    assert how["seconds"] is None


def test_recording_again_replaces(clone):
    record("tiny", note="first")
    (FOLDER / "stale").write_text("")
    write_run(corpus="emodb")
    record("tiny", note="second")
    assert {path.name for path in FOLDER.iterdir()} == FILES | {"how.json"}
    assert json.loads((FOLDER / "how.json").read_text())["note"] == "second"
    assert json.loads((FOLDER / "run.json").read_text())["corpus"] == "emodb"
    assert [path.name for path in FOLDER.parent.iterdir()] == ["tiny"]


def test_a_gpu_is_named_if_the_run_was_trained_on_it(clone, programs):
    smi = programs / "nvidia-smi"
    smi.write_text("#!/bin/sh\necho NVIDIA H200\n")
    smi.chmod(0o755)
    record("tiny", note="on the processor")
    assert "NVIDIA" not in json.loads((FOLDER / "how.json").read_text())["hardware"]
    write_run(device="gpu")
    record("tiny", note="on the GPU")
    assert json.loads((FOLDER / "how.json").read_text())["hardware"].startswith("NVIDIA H200, ")


def test_it_is_a_command_of_ser(clone, monkeypatch):
    words = ["ser", "record", "tiny", "--note", "10 of 500 epochs", "--seconds", "60"]
    monkeypatch.setattr(sys, "argv", words)
    commandline.main()
    how = json.loads((FOLDER / "how.json").read_text())
    assert (how["note"], how["seconds"]) == ("10 of 500 epochs", 60)


def test_the_report_reads_what_was_recorded(clone, finished):
    shutil.rmtree("reports/runs/tiny")
    shutil.copytree(finished / "reports" / "runs" / "tiny", "reports/runs/tiny")
    record("tiny", note="1 of 500 epochs", seconds=61)
    recorded = read_recorded(FOLDER)
    assert recorded.title == "tim_net on demo"
    assert recorded.epochs == 1
    assert ", jax, 1 min 1 s, " in recorded.made


# ---- folds that were trained apart -----------------------------------------------------------


@pytest.fixture
def tested(clone, finished):
    """Give ``tested(*folds, **changed)``: results of some folds of a run, as evaluate has them."""
    features, given = (
        finished / "features",
        {"run": params.load(finished / "params.yaml").runs["tiny"]},
    )
    names = ["index.csv", "quality.json"]
    paths = [
        features / "data" / "demo-mfcc39.zarr",
        *(features / "corpora" / "demo" / n for n in names),
    ]
    paths += [features / "folds" / f"demo-speakers5.{end}" for end in ("csv", "json")]

    def test(*folds, **changed):
        bundle, report = clone / "tiny", Path("reports/runs/tiny")
        for folder in (bundle, report):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(finished / "models" / "tiny", bundle)
        card, history = cards.read(bundle), tables.read(bundle / "history.csv")
        tables.write(history[history.fold.astype(int).isin(folds)], bundle / "history.csv")
        held = tuple(one for one in card.folds if one.fold in folds)
        cards.write(replace(card, folds=held), bundle)
        evaluate(bundle, *paths, report, **given)
        facts = checked.read(report / "run.json")
        checked.write(facts | changed, report / "run.json", [report / n for n in STATED])

    return test


def test_pieces_make_what_the_whole_run_is(tested, capsys):
    tested(1, 2, 3, 4, 5)
    record("tiny", note="whole")
    whole = {name: (FOLDER / name).read_bytes() for name in FILES}
    shutil.rmtree(FOLDER)
    tested(4, 2)
    record("tiny", note="a first piece", seconds=60)
    assert (
        capsys.readouterr()
        .out.splitlines()[-1]
        .startswith("reports/recorded/tiny: recorded, folds 2, 4 of 5; run dvc repro report, ")
    )
    assert read_recorded(FOLDER).folds_in_words == "2 of 5"
    tested(1, 3, 5)
    record("tiny", note="the rest", seconds=100)
    assert {name: (FOLDER / name).read_bytes() for name in FILES} == whole
    how = tables.read_json(FOLDER / "how.json")
    assert (how["note"], how["seconds"]) == ("the rest", 160)
    assert [(one["folds"], one["seconds"]) for one in how["pieces"]] == [
        ([2, 4], 60),
        ([1, 3, 5], 100),
    ]
    assert read_recorded(FOLDER).partial == ""


def test_more_folds_of_the_same_training_replace_fewer(tested):
    tested(1, 2)
    record("tiny", note="two")
    tested(1, 2, 3)
    record("tiny", note="three")
    assert tables.read_json(FOLDER / "run.json")["tested_folds"] == [1, 2, 3]
    assert [one["folds"] for one in tables.read_json(FOLDER / "how.json")["pieces"]] == [[1, 2, 3]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data_sha256": "of others"}, "recorded with another data_sha256; remove"),
        ({"certificate": "of others"}, "recorded with another certificate; remove"),
        ({"training": {"batch": 32}}, "recorded with training.batch 64, now 32; remove"),
        ({"training": {"unheard_of": 1, "batch": 64}, "tested_folds": [2]}, "has fold 2 already"),
        ({"versions": {"keras": "3.0"}}, "recorded with keras .*, now 3.0; remove"),
        ({"tested_folds": [2, 3]}, "has fold 2 already; train and evaluate the others alone, or"),
    ],
)
def test_folds_made_otherwise_are_not_added(tested, changed, message):
    tested(1, 2)
    record("tiny", note="two")
    before = {path.name: path.read_bytes() for path in FOLDER.iterdir()}
    tested(3, **changed)
    with pytest.raises(InputError, match=f"^reports/recorded/tiny: {message}"):
        record("tiny", note="another")
    assert {path.name: path.read_bytes() for path in FOLDER.iterdir()} == before


def test_nothing_is_added_to_what_was_recorded_without_its_clips(tested):
    tested(1, 2, 3, 4, 5)
    record("tiny", note="whole")
    (FOLDER / "predictions.csv").unlink()
    tested(3)
    with pytest.raises(
        InputError, match=r"predictions\.csv: no such file; remove reports/recorded/"
    ):
        record("tiny", note="one")


# ---- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"note": " "}, "note: is empty; say what a reader must know"),
        ({"seconds": 0}, "seconds: must be at least 1, got 0"),
        ({"run": "reports/runs/tiny"}, "run: must be the name of a folder in reports/runs, got re"),
        ({"run": "big"}, r"big/run\.json: no such file; run dvc pull, or dvc repro evaluate@big$"),
    ],
)
def test_what_cannot_be_recorded(clone, given, message):
    with pytest.raises(InputError, match=message):
        record(**{"run": "tiny", "note": "100 of 500 epochs"} | given)
    assert nothing_recorded()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "metrics.json",
            "{",
            r"tiny/metrics\.json: not JSON .*dvc repro evaluate@tiny$",
        ),
        (
            "run.json",
            "{}",
            r"tiny/run\.json: has no backend, device, folds, tested_folds; run dvc pull, .*@tiny$",
        ),
    ],
)
def test_broken_results_are_refused(clone, name, text, message):
    Path("reports/runs/tiny", name).write_text(text)
    with pytest.raises(InputError, match=message):
        record("tiny", note="100 of 500 epochs")
    assert nothing_recorded()


@pytest.mark.parametrize("name", STATED)
def test_what_evaluate_did_not_write_so_is_not_recorded(clone, name):
    folder = Path("reports/runs/tiny")
    checked.write(RUN, folder / "run.json", [folder / n for n in STATED])
    (folder / name).write_text((folder / name).read_text() + " ")
    with pytest.raises(
        DamagedError, match=rf"tiny/{name}: not as it was written, by its SHA-256 in run"
    ):
        record("tiny", note="100 of 500 epochs")
    assert nothing_recorded()


def test_a_run_of_a_gpu_is_recorded_where_there_is_one(clone, programs):
    write_run(device="gpu")
    with pytest.raises(
        InputError, match=r"nvidia-smi: .*; the run was trained on a GPU; record it"
    ):
        record("tiny", note="100 of 500 epochs")
    assert nothing_recorded()


def test_outside_a_clone_there_is_no_commit(clone, monkeypatch):
    shutil.rmtree(".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", os.path.dirname(clone))
    with pytest.raises(InputError, match=r"git: .*; git knows no commit here; record inside a"):
        record("tiny", note="100 of 500 epochs")
    assert nothing_recorded()
