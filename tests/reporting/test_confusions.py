"""Worst confusions, by the fraction of an emotion's clips, and the surest clips of each."""

import pandas as pd

from pipeline.files import tables
from pipeline.reporting import confusions
from pipeline.reporting.results import read_run
from tests.made_runs import write_run


def rewritten(folder, rows):
    """Replace the predictions of some clips: name to what is predicted, and how surely."""
    table = tables.read(folder / "predictions.csv")
    for clip, (label, probability) in rows.items():
        own = table["clip"] == clip
        table.loc[own, "predicted"] = label
        table.loc[own, [f"p_{label}"]] = str(probability)
    tables.write(table, folder / "predictions.csv")
    return read_run(folder)


def test_a_run_that_is_always_right_has_none(tmp_path):
    assert confusions.worst(read_run(write_run(tmp_path, "a", right=1.0)), 3) == []


def test_the_surest_come_first_and_each_once(tmp_path):
    rows = {"sad-1": ("calm", 0.6), "sad-4": ("calm", 0.9), "sad-7": ("calm", 0.7),
            "happy-2": ("fear", 0.5)}  # fmt: skip
    run = rewritten(write_run(tmp_path, "a", right=1.0), rows)
    first, second = confusions.worst(run, 2)
    assert (first.true, first.predicted, first.count, first.fraction) == ("sad", "calm", 3, 0.1)
    assert [one["clip"] for one in first.clips] == ["sad-4", "sad-7"]
    assert first.clips[0] == {"clip": "sad-4", "speaker": "4", "fold": 5, "probability": 0.9,
                              "unlike": ""}  # fmt: skip
    assert (second.true, second.count) == ("happy", 1)
    twice = pd.concat([run.predictions, run.predictions], ignore_index=True)
    again = type(run)(**vars(run) | {"predictions": twice})
    assert [one["clip"] for one in confusions.worst(again, 2)[0].clips] == ["sad-4", "sad-7"]


def test_five_at_most(tmp_path):
    assert len(confusions.worst(read_run(write_run(tmp_path, "a", right=0.2)), 1)) == 5
