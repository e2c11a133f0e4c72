"""Commands: what the command line takes, what it costs, and how it fails."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline import commandline
from pipeline.config import params
from pipeline.config.params import Corpus, Run
from pipeline.errors import InputError
from pipeline.protocols.protocol import Protocol

ROOT = Path(__file__).parents[1]
NAMES = [*commandline.STAGES, *commandline.COMMANDS]
HEAVY = "tensorflow keras jax librosa sklearn matplotlib numba".split()
HELP = """
import runpy, sys
try:
    runpy.run_module("pipeline", run_name="__main__")
finally:
    print(*(name for name in HEAVY if name in sys.modules), file=sys.stderr)
"""


@pytest.fixture
def called():
    """Give a stage that takes one of everything, and the list of what it was called with."""
    calls = []

    def stage(
        source: Path,
        others: list[Path],
        *,
        corpus: Corpus,
        protocol: Protocol,
        runs: dict[str, Run],
        fold: int | None = None,
        remark: str = "none",
        csv: Path | None = None,
        dry_run: bool = False,
    ):
        """Do nothing."""
        calls.append(locals())

    return stage, calls


def test_a_signature_becomes_a_command(called, monkeypatch):
    monkeypatch.chdir(ROOT)
    stage, calls = called
    line = "a b c --corpus demo --protocol random5 --fold 3 --csv d --dry-run"
    commandline.command(stage, line.split())
    (given,) = calls
    assert given["source"] == Path("a")
    assert given["others"] == [Path("b"), Path("c")]
    assert (given["fold"], given["remark"], given["csv"]) == (3, "none", Path("d"))
    assert given["dry_run"] is True
    assert isinstance(given["corpus"], Corpus) and given["corpus"].name == "demo"
    assert given["protocol"] == params.load().protocols["random5"]
    assert all(isinstance(run, Run) for run in given["runs"].values())


def test_options_left_out_have_the_function_s_defaults(called, monkeypatch):
    monkeypatch.chdir(ROOT)
    stage, calls = called
    commandline.command(stage, "a b --corpus demo --protocol random5".split())
    assert [calls[0][key] for key in ("fold", "remark", "csv", "dry_run")] == [
        *(None, "none", None, False)
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "the following arguments are required: SOURCE, OTHERS, --corpus, --protocol"),
        ("a b --corpus demo", "the following arguments are required: --protocol"),
        ("a b --corpus demo --protocol random5 --fold x", "--fold: invalid int value: 'x'"),
        ("a b --corpus demo --protocol random5 --runs x", "unrecognized arguments: --runs x"),
    ],
)
def test_a_wrong_command_line_shows_the_usage_and_exits_2(called, capsys, line, message):
    with pytest.raises(SystemExit) as error:
        commandline.command(called[0], line.split(), prog="ser stage")
    assert error.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("usage: ser stage ")
    assert message in said


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("demmo random5", "stage: params.yaml: corpora: no 'demmo'; did you mean demo?\n"),
        ("demo randm5", "stage: params.yaml: protocols: no 'randm5'; did you mean random5?\n"),
    ],
)
def test_a_name_that_params_yaml_lacks_is_one_line(called, capsys, monkeypatch, line, message):
    monkeypatch.chdir(ROOT)
    corpus, protocol = line.split()
    with pytest.raises(SystemExit) as error:
        commandline.command(called[0], ["a", "b", "--corpus", corpus, "--protocol", protocol])
    assert error.value.code == 1
    assert capsys.readouterr().err == message


def test_without_records_params_yaml_is_not_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    calls = []

    def stage(folder: Path):
        calls.append(folder)

    commandline.command(stage, ["here"])
    assert calls == [Path("here")]


def test_what_the_user_can_mend_is_one_line_and_exit_1(capsys):
    def weigh():
        raise InputError("weights: found 9 files, wanted 10")

    with pytest.raises(SystemExit) as error:
        commandline.command(weigh, [])
    assert error.value.code == 1
    assert capsys.readouterr().err == "weigh: weights: found 9 files, wanted 10\n"


def test_what_the_user_cannot_mend_keeps_its_traceback():
    def stage():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        commandline.command(stage, [])


@pytest.mark.parametrize("name", NAMES)
def test_help_is_there_at_once(name):
    code = f"HEAVY = {HEAVY}; import sys; sys.argv = ['ser', '{name}', '--help']\n{HELP}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stdout.startswith("usage: ")
    assert done.stderr == "\n", f"--help loads {done.stderr}"


def test_importing_the_package_makes_no_files_and_reads_no_settings(tmp_path):
    code = f"import {', '.join(f'pipeline.stages.{stage}' for stage in commandline.STAGES)}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        **{"cwd": tmp_path, "capture_output": True, "text": True, "check": False},
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(tmp_path.iterdir())


def test_a_stage_fails_with_one_line_as_a_command():
    line = "index.csv random5.csv random5.json --corpus demo --protocol random5"
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "split", *line.split()],
        **{"cwd": ROOT, "capture_output": True, "text": True, "check": False},
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == "split: demo/random5: index.csv: no such file\n"


def test_interrupting_says_nothing_and_exits_130(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", "demo", tmp_path / "demo"],
        **{"cwd": ROOT, "stderr": subprocess.PIPE, "text": True},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job ignores it
    ) as process:
        while process.poll() is None and not list(tmp_path.glob(".demo.part/wav/*")):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert (process.returncode, said) == (130, "")
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["--help"], 0), (["sing"], 2)])
def test_ser_lists_its_commands(monkeypatch, capsys, arguments, status):
    monkeypatch.setattr(sys, "argv", ["ser", *arguments])
    with pytest.raises(SystemExit) as error:
        commandline.main()
    assert error.value.code == status
    said = capsys.readouterr().err
    assert said.splitlines() == [
        "usage: ser NAME ...",
        *(f"  ser {name} --help" for name in NAMES),
    ]


def test_ser_runs_a_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ser", "predict", "--help"])
    with pytest.raises(SystemExit) as error:
        commandline.main()
    assert error.value.code == 0
    assert capsys.readouterr().out.startswith("usage: ser predict ")
