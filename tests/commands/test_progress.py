"""The command progress: where a training stands, from what it keeps."""

import json
import os
import time

import numpy as np
import pytest

from pipeline.commands.progress import progress
from pipeline.errors import InputError
from pipeline.files import checkpoints

ROW = {"epoch": 3, "loss": 0.5, "accuracy": 0.75}


@pytest.fixture
def unfinished(tmp_path, monkeypatch):
    """Give the folder of a training of three folds, in which the first was finished before."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "models/.tim_net-demo.part" / checkpoints.FOLDER
    folder.mkdir(parents=True)
    history = [{"epoch": epoch, "loss": 0.25, "accuracy": 1.0} for epoch in range(1, 11)]
    (folder / "fold-01.json").write_text(json.dumps({"fold": 1, "history": history}))
    names = ["fold-01", "fold-02", "fold-03"]
    checkpoints.begin(folder, names, 10, ("loss", "accuracy"))
    return folder


def keep(folder, epoch, *names, seconds=0):
    """Write a checkpoint, so many seconds ago."""
    facts = {"epoch": epoch, "names": names, "records": [{"history": [ROW]} for _ in names]}
    path = folder / f"{names[0]}.npz"
    checkpoints.write(path, [np.zeros(3)], facts)
    os.utime(path, (time.time() - seconds,) * 2)


def shift(folder, seconds):
    """Let the training have begun earlier."""
    (path,) = folder.glob("*.plan")
    plan = json.loads(path.read_text())
    path.write_text(json.dumps(plan | {"begun": plan["begun"] - seconds}))
    for left in folder.iterdir():
        os.utime(left, (time.time() - seconds,) * 2)


def test_every_fold_has_a_line_and_the_last_one_gives_the_time_left(unfinished, capsys):
    shift(unfinished, 60)
    keep(unfinished, 3, "fold-02")
    progress("tim_net-demo")
    assert capsys.readouterr().out.splitlines() == [
        "fold-01   finished, loss 0.250, accuracy 1.000",
        "fold-02   epoch 3 of 10, loss 0.500, accuracy 0.750",
        "fold-03   no checkpoint yet",
        # three epochs in a minute, seventeen are left
        "models/tim_net-demo: 13 of 30 epochs, about 5 min 40 s left",
    ]


def test_stacked_folds_share_a_checkpoint(unfinished, capsys):
    keep(unfinished, 4, "fold-02", "fold-03")
    progress("models/tim_net-demo")
    assert "fold-03   epoch 4 of 10, loss" in capsys.readouterr().out


def test_without_a_checkpoint_no_time_is_guessed(unfinished, capsys):
    progress("tim_net-demo")
    assert capsys.readouterr().out.endswith("models/tim_net-demo: 10 of 30 epochs\n")


def test_a_training_that_ended_is_named(unfinished, capsys):
    shift(unfinished, 7200)
    keep(unfinished, 3, "fold-02", seconds=3600)
    progress("tim_net-demo")
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == (
        "models/tim_net-demo: 13 of 30 epochs, nothing was kept for 1 h 0 min: "
        "the training has probably ended; dvc repro goes on from here"
    )


def test_a_damaged_checkpoint_is_none(unfinished, capsys):
    (unfinished / "fold-02.npz").write_bytes(b"PK")
    progress("tim_net-demo")
    assert "fold-02   no checkpoint yet" in capsys.readouterr().out


def test_a_finished_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models/a").mkdir(parents=True)
    (tmp_path / "models/a/card.json").touch()
    progress("a")
    assert capsys.readouterr().out == "models/a: finished; ser predict models/a asks it\n"


def test_a_mistyped_run_is_answered_with_the_nearest(unfinished):
    with pytest.raises(InputError, match=r"tim_nt: no training has begun; did you mean tim_net"):
        progress("tim_nt")
