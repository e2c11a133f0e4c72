"""Results: read, checked, and refused in one line."""

import json
import re

import pytest

from pipeline.errors import InputError
from pipeline.reporting.page import page
from pipeline.reporting.results import read_recorded, read_run
from pipeline.scoring.targets import Emotions
from tests.made_runs import (
    APART,
    SHARED,
    leak,
    report,
    write_rated,
    write_recorded,
    write_run,
)


def test_confusion_counts_clips_by_true_label(tmp_path):
    folder = write_run(tmp_path, "a", right=0.9)
    run = read_run(folder)
    rows = [line.split(",") for line in (folder / "predictions.csv").read_text().split()[1:]]
    assert sum(map(sum, run.confusion)) == 240
    assert [sum(row) for row in run.confusion] == [30] * 8  # rows are true labels
    angry_as_happy = sum(row[5] == "angry" and row[6] == "happy" for row in rows)
    assert run.confusion[4][2] == angry_as_happy
    matrix = re.search(r'<table class="matrix">.*?</table>', page([run], []), re.S)[0]
    cells = [int(n) for n in re.findall(r"--fraction:[^>]*>(\d+)<", matrix)]
    assert cells == [count for row in run.confusion for count in row]
    percent = [int(n) for n in re.findall(r"<small>(\d+)&nbsp;%", matrix)]
    assert percent == [round(100 * count / 30) for count in cells if count]


@pytest.mark.parametrize(
    ("facts", "objections"),
    [
        ({}, []),
        ({"selection": "best_validation"}, []),
        ({"selection": "leaky"}, ["picked on test"]),
        ({"leaks": SHARED}, ["samples shared", "speakers shared"]),
        ({"leaks": APART | {"speaker": None}}, ["speakers not known"]),
        ({"leaks": APART | {"speaker": leak(0, unlabelled=9)}}, ["speakers not known"]),
        ({"weights": "authors, 2023"}, ["trained elsewhere"]),
    ],
)
def test_what_makes_a_number_honest(tmp_path, facts, objections):
    run = read_run(write_run(tmp_path, "a", **facts))
    assert run.objections == objections
    assert ("<mark>" in page([run], [])) == ("picked on test" in objections)


def test_a_recording_older_than_attributes_is_of_emotions(tmp_path):
    folder = write_recorded(tmp_path, "a")
    facts = json.loads((folder / "run.json").read_text())
    del facts["attributes"]
    (folder / "run.json").write_text(json.dumps(facts))
    assert isinstance(read_recorded(folder).target, Emotions)


def test_what_a_recording_does_not_know_is_not_said(tmp_path):
    folder = write_recorded(tmp_path, "a", seconds=None, weights="authors, 2023", training=None)
    assert read_recorded(folder).made == "AMD EPYC 9654, 2 cores, jax, 2026-11-20"
    write_run(tmp_path, "b")
    report(tmp_path, ["b"])
    assert "| no: trained elsewhere | AMD" in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize("name", ["run.json", "metrics.json", "how.json"])
def test_a_recorded_run_that_is_not_whole(tmp_path, name):
    write_run(tmp_path, "a")
    folder = write_recorded(tmp_path, "b")
    (folder / name).write_text("{}")
    remedy = "; take it back from git, or record the run again"
    with pytest.raises(InputError, match=f"recorded/b: {name} has no .*{remedy}"):
        report(tmp_path, ["a"])
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"recorded/b: {name} is missing{remedy}"):
        report(tmp_path, ["a"])
    assert not (tmp_path / "index.html").exists()


@pytest.mark.parametrize("name", ["run.json", "metrics.json", "predictions.csv", "history.csv"])
def test_a_missing_file(tmp_path, name):
    folder = write_run(tmp_path, "a")
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"a: {name} is missing; run dvc pull, or .*@a$"):
        report(tmp_path, ["a"])
    assert not (tmp_path / "index.html").exists()


def test_broken_files(tmp_path):
    folder = write_run(tmp_path, "a")
    whole = {file.name: file.read_text() for file in folder.iterdir()}

    def refuses(name, text, message):
        (folder / name).write_text(text)
        with pytest.raises(InputError, match=message + ".*; run dvc pull, or .*@a$"):
            read_run(folder)
        (folder / name).write_text(whole[name])

    refuses("metrics.json", "{", "metrics.json: not JSON")
    refuses("metrics.json", '{"uar": 1}', "metrics.json has no uar_low")
    refuses("run.json", "{}", "run.json has no model")
    refuses("run.json", whole["run.json"].replace('"pcm"', '"x"'), "run.json leaks has no pcm")
    refuses("run.json", whole["run.json"].replace('"duplicates"', '"x"'), "has no duplicates")
    refuses("run.json", whole["run.json"].replace('"last"', '"x"'), "selection is 'x', wanted one")
    refuses("run.json", whole["run.json"].replace('"centre"', '"x"'), "length.policy is 'x', want")
    refuses("predictions.csv", "clip\n", "has no speaker, fold, seed, label, predicted")
    refuses("predictions.csv", whole["predictions.csv"].replace(",sad,", ",bored,"), "'bored'")
    refuses("history.csv", "fold,seed,epoch,loss,accuracy\n1,0,1,x,1\n", "history.csv: .*'x'")


def test_broken_files_of_a_run_on_attributes(tmp_path):
    folder = write_rated(tmp_path, "a", attributes=["arousal"])
    whole = {file.name: file.read_text() for file in folder.iterdir()}

    def refuses(name, old, new, message):
        assert old in whole[name]
        (folder / name).write_text(whole[name].replace(old, new))
        with pytest.raises(InputError, match=message + ".*; run dvc pull, or .*@a$"):
            read_run(folder)
        (folder / name).write_text(whole[name])

    known = "attributes is 'anger', wanted one of arousal, dominance, valence"
    refuses("run.json", '["arousal"]', '["anger"]', known)
    refuses("run.json", '["arousal"]', '["valence"]', "metrics.json has no ccc_valence, ccc_val")
    refuses("metrics.json", "rmse_", "x_", "metrics.json has no rmse_arousal")
    refuses("metrics.json", "_fold_01", "_x", "metrics.json has no ccc_arousal_fold_01")
    refuses("predictions.csv", "predicted_", "x_", "predictions.csv has no predicted_arousal")
    refuses("predictions.csv", ",1,", ",1,x", "predictions.csv: .*'x")
    refuses("history.csv", "epoch", "x", "history.csv has no epoch")
