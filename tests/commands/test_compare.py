"""The command compare: two runs, and two revisions of a real DVC repository."""

import json
import shutil
import subprocess
import sys

import pytest

from pipeline.commands.compare import compare
from pipeline.errors import InputError
from pipeline.protocols.vocabulary import LEAKS
from pipeline.reporting.results import DASH, FACTS, RUN_FACTS

CLIPS = [(f"c{n}", f"s{n % 8}", "angry" if n // 8 % 2 else "sad") for n in range(40)]


def write_run(folder, right, *, missing=0):
    """Write a run of eight speakers, of whose clips so many of ten are named rightly."""
    folder.mkdir(parents=True)
    rows = ["clip,speaker,fold,seed,label,predicted,p_angry,p_sad"]
    for n, (clip, speaker, label) in list(enumerate(CLIPS))[missing:]:
        other = "sad" if label == "angry" else "angry"
        named = label if n // 8 < right else other
        given = ("0.8", "0.2") if named == "angry" else ("0.2", "0.8")
        rows.append(",".join([clip, speaker, str(n % 2 + 1), "0", label, named, *given]))
    (folder / "predictions.csv").write_text("\n".join(rows) + "\n")
    (folder / "history.csv").write_text("fold,seed,epoch,loss,accuracy\n1,0,1,1.5,0.5\n")
    metrics = {"chance_uar": 0.5, "majority_war": 0.5}
    for name in ("uar", "war"):
        ends = ("", "_low", "_high", "_fold_mean", "_fold_std", "_fold_01")
        metrics |= {f"{name}{end}": right / 5 for end in ends}
    (folder / "metrics.json").write_text(json.dumps(metrics))
    facts = dict.fromkeys([*FACTS, *RUN_FACTS], "") | {"labels": ["angry", "sad"]}
    facts |= {"selection": "last", "length": {"policy": "centre"}, "attributes": []}
    facts |= {"leaks": {kind: {"clips": 0} for kind in LEAKS}}
    facts |= {"quality": {"quarantined": {}, "duplicates": []}}
    (folder / "run.json").write_text(json.dumps(facts))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Give a working folder with two runs."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "reports/runs/good", 5)
    write_run(tmp_path / "reports/runs/bad", 3)
    return tmp_path


def test_two_runs_have_a_row_for_each_measure(place, capsys):
    compare("good", "bad")
    rest = " " * 11 + DASH  # of McNemar's test, as the folds share no speakers
    assert capsys.readouterr().out.splitlines() == [
        "good and bad: 40 clips of 8 speakers, the same folds",
        "                  difference      95 % interval        p  p, adjusted  p, McNemar",
        "  UAR                  +40.0     [+41.7, +41.7]    0.008        0.008" + rest,
        "  WAR                  +40.0     [+40.0, +40.0]    0.008        0.008" + rest,
    ]


def test_other_clips_are_refused(place):
    write_run(place / "reports/runs/part", 3, missing=8)
    with pytest.raises(InputError, match="good and part: they were not tested on the same clips"):
        compare("good", "part")


def test_a_mistyped_run_is_answered_with_the_nearest(place):
    with pytest.raises(InputError, match="goood: no such run; did you mean good"):
        compare("goood", "bad")


def test_revisions_are_compared_run_by_run(place, environment, capsys, monkeypatch):
    for name in ("DVC_SITE_CACHE_DIR", "DVC_GLOBAL_CONFIG_DIR", "DVC_NO_ANALYTICS"):
        monkeypatch.setenv(name, environment[name])

    def shell(*command):
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def commit(tag):
        shell(sys.executable, "-m", "dvc", "add", "--quiet", "reports/runs")
        shell("git", "add", "--all")
        author = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        shell("git", *author, "commit", "--quiet", "--message", tag)
        shell("git", "tag", tag)

    shell("git", "init", "--quiet")
    shell(sys.executable, "-m", "dvc", "init", "--quiet")
    commit("before")
    shutil.rmtree(place / "reports/runs/bad")
    write_run(place / "reports/runs/bad", 4)
    commit("after")
    compare("after", "before")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "bad of after and of before: 40 clips of 8 speakers, the same folds"
    assert lines[3].split()[:2] == ["WAR", "+20.0"]
    assert lines[4].startswith("good of after and of before")
    assert lines[7].split()[:4] == ["WAR", "+0.0", "[+0.0,", "+0.0]"]
    with pytest.raises(InputError, match="befor: neither a run nor a revision with results"):
        compare("befor", "after")
