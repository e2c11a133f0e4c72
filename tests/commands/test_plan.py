"""Plan: each stage that dvc repro would run, with the reason, and the time it took before."""

import re
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(finished, tmp_path_factory):
    """Give a clone in which everything ran."""
    folder = tmp_path_factory.mktemp("plan") / "clone"
    shutil.copytree(finished, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture
def plan(clone, environment):
    """Give ``plan()``: exit status and lines of ``ser plan``; the clone is put back afterwards."""
    kept = {path: path.read_text() for path in (clone / name for name in EDITED)}

    def run():
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", "plan"],
            **{"cwd": clone, "env": environment, "capture_output": True, "text": True},
        )
        return done.returncode, (done.stdout + done.stderr).splitlines()

    yield run
    for path, content in kept.items():
        path.write_text(content)


EDITED = ("params.yaml", "pipeline/models/tim_net/network.py", "reports/summary.md")


def edit(path, found, replacement):
    """Replace the first place of a text that is there."""
    text = path.read_text()
    assert found in text
    path.write_text(text.replace(found, replacement, 1))


def test_after_a_repro_there_is_nothing_to_run(plan):
    assert plan() == (0, ["up to date; dvc repro would run nothing"])


def test_a_setting_is_named_with_what_it_was_and_what_follows(plan, clone):
    edit(clone / "params.yaml", "epochs: 1,", "epochs: 3,")
    status, lines = plan()
    assert status == 0
    train, evaluate, report, whole = lines
    shown = r"train@tiny: run\.training\.epochs is 3, was 1 \(about (.*)\)"
    assert re.fullmatch(shown, train)
    assert evaluate.startswith("evaluate@tiny: run.training.epochs is 3, was 1 (about ")
    assert report.startswith("report: ")
    assert re.fullmatch(r"3 of 8 stages, about .*", whole)


def test_code_is_named_by_its_file(plan, clone):
    path = clone / "pipeline/models/tim_net/network.py"
    edit(path, "momentum=0.99", "momentum=0.98")
    _, lines = plan()
    assert [line.split(" (")[0] for line in lines[:2]] == [
        "train@tiny: pipeline/models/tim_net/network.py",
        "evaluate@tiny: pipeline/models/tim_net/network.py",
    ]
    edit(path, "momentum=0.98", "momentum=0.99")
    edit(path, '"""TIM-Net:', '"""The network TIM-Net:')  # no code
    assert plan() == (0, ["up to date; dvc repro would run nothing"])


def test_what_is_gone_is_made_again_and_what_is_new_for_the_first_time(plan, clone):
    (clone / "reports/summary.md").unlink()
    line = "  demo-speakers5: {corpus: demo, protocol: speakers5}\n"
    edit(clone / "params.yaml", line, line + line.replace("speakers5", "random5"))
    _, lines = plan()
    assert "split@demo-random5: never run (no time known)" in lines
    assert any(line.startswith("report: reports/summary.md is deleted (about ") for line in lines)
    assert re.fullmatch(r"2 of 9 stages, about .* and 1 of unknown time", lines[-1])


def test_a_mistake_is_one_line(plan, clone):
    edit(clone / "params.yaml", "epochs: 1,", "epochs: -1,")
    status, lines = plan()
    assert (status, len(lines)) == (1, 1)
    assert lines[0].startswith("plan: params.yaml: runs.tiny.")
