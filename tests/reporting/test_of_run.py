"""Tables of one run: the numbers of its files, and what is left out where they say nothing."""

import json

import pandas as pd
import pytest

from pipeline.reporting import of_run
from pipeline.reporting.results import DASH, read_run
from tests.made_runs import LABELS, write_rated, write_run


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


@pytest.fixture
def folder(tmp_path):
    return write_run(tmp_path, "a", right=0.9)


def change(folder, edit):
    """Edit the predictions of a run."""
    rows = pd.read_csv(folder / "predictions.csv", dtype=str, keep_default_na=False)
    edit(rows).to_csv(folder / "predictions.csv", index=False)
    return read_run(folder)


def test_metrics_of_the_whole_and_of_a_fold(folder):
    scores = json.loads((folder / "metrics.json").read_text())
    scores |= {"mcc_fold_mean": 0.81234, "mcc_fold_std": 0.05}
    (folder / "metrics.json").write_text(json.dumps(scores))
    found = {row[0]: row[1:] for row in texts(of_run.metrics(read_run(folder)))}
    assert found["UAR %"] == ["90.0", "90.1", "3.1"]
    assert found["MCC"] == ["0.800", "0.812", "0.050"]
    assert found["Log-loss"] == ["1.234", DASH, DASH]
    assert found["Calibration error (ECE) %"] == ["8.9", DASH, DASH]


def test_metrics_that_an_older_run_lacks_are_left_out(folder):
    scores = json.loads((folder / "metrics.json").read_text())
    kept = {k: v for k, v in scores.items() if k.startswith(("uar", "war", "chance", "majority"))}
    (folder / "metrics.json").write_text(json.dumps(kept | {"macro_f1": 0.5}))
    run = read_run(folder)
    assert [row[0] for row in texts(of_run.metrics(run))] == ["UAR %", "WAR %", "Macro F1 %"]
    assert texts(of_run.classes(run))[0] == ["neutral", DASH, DASH, "30"]


def test_metrics_of_attributes(tmp_path):
    found = texts(of_run.metrics(read_run(write_rated(tmp_path, "b", attributes=["valence"]))))
    assert [row[:2] for row in found] == [["CCC valence", "0.400"], ["RMSE valence", "1.000"]]


def test_the_worst_confusions_come_first(folder):
    def edit(rows):
        sad = rows.index[rows.label == "sad"]
        rows.loc[rows.predicted != rows.label, "predicted"] = rows.label
        rows.loc[sad[:12], "predicted"] = "neutral"
        rows.loc[rows.index[rows.label == "fear"][:3], "predicted"] = "angry"
        return rows

    rows = texts(of_run.confused(change(folder, edit)))
    assert rows == [["sad", "neutral", "12", "40.0"], ["fear", "angry", "3", "10.0"]]


def test_the_surest_mistakes_come_first(folder):
    def edit(rows):
        rows["predicted"] = rows.label
        for place, (guess, sure) in {5: ("sad", "0.7"), 50: ("fear", "0.9")}.items():
            rows.loc[place, [f"p_{label}" for label in LABELS]] = "0"
            rows.loc[place, ["predicted", f"p_{guess}"]] = [guess, sure]
        return rows

    rows = texts(of_run.mistakes(change(folder, edit)))
    assert rows == [
        ["calm-20", "3", "calm", "fear", "90.0"],
        ["neutral-5", "6", "neutral", "sad", "70.0"],
    ]


def test_groups_have_their_clips_and_classes(folder):
    men, women = texts(of_run.groups(read_run(folder), "sex"))[::-1]
    assert (men[:3], women[:3]) == (["m", "120", "8"], ["f", "120", "8"])
    assert len(of_run.groups(read_run(folder), "speaker").rows) == 6
    assert "sentence" not in read_run(folder).groups


def test_settings_that_differ_from_the_models_own(folder):
    assert texts(of_run.changed(read_run(folder))) == [["epochs", "8", "500"]]
    facts = json.loads((folder / "run.json").read_text())
    facts["model_defaults"] |= {"epochs": 8}
    (folder / "run.json").write_text(json.dumps(facts))
    assert of_run.changed(read_run(folder)).rows == []


def test_tables_without_rows_are_not_written(tmp_path):
    names = [table.name for table in of_run.tables(read_run(write_rated(tmp_path, "b")))]
    assert "b/metrics" in names
    assert not {"b/classes", "b/confusions", "b/mistakes", "b/floors"} & set(names)
