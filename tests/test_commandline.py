"""Commands: what the command line takes, what it costs, and how it fails."""

import importlib
import logging
import os
import re
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Literal

import pytest

from pipeline import commandline
from pipeline.config import params
from pipeline.config.records import Corpus, Run
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
        way: Literal["forward", "backward"] = "forward",
    ):
        """Do nothing.

        Parameters
        ----------
        source : Path
            Path to ``read``.
        fold, remark : optional
            First of
            both.
        way : {"forward", "backward"}
            Where to.
        """
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


@pytest.mark.parametrize(("line", "second"), [("one", None), ("one two", "two")])
def test_what_stands_last_may_be_left_out(line, second):
    calls = []

    def compare(first: str, second: str | None = None) -> None:
        """Compare."""
        calls.append((first, second))

    commandline.command(compare, line.split())
    assert calls == [("one", second)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "SOURCE requires an argument. "),
        ("a b --corpus demo", "--protocol requires an argument. "),
        ("a --corpus demo --protocol random5", "OTHERS requires an argument. "),
        (
            "a b --corpus demo --protocol random5 --fold x",
            'Invalid value for --fold: unable to convert "x" into int. ',
        ),
        (
            "a b --corpus demo --protocol random5 --runs x",
            "Unknown option: --runs. Did you mean --corpus? ",
        ),
        (
            "a b --corpus demo --protocl random5",
            "Unknown option: --protocl. Did you mean --protocol? ",
        ),
        (
            "a b --corpus demo --protocol random5 --remarks x",
            "Unknown option: --remarks. Did you mean --remark? ",
        ),
        (
            "a b --corpus demo --protocol random5 --way backwrd",
            'Choose from: "forward", "backward". Did you mean "backward"? ',
        ),
    ],
)
def test_a_wrong_command_line_is_one_line_and_exit_2(called, capsys, line, message):
    with pytest.raises(SystemExit) as error:
        commandline.command(called[0], line.split(), prog="ser stage")
    assert error.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("stage: ")
    assert said.endswith(f"{message}See ser stage --help.\n")
    assert said.count("\n") == 1


def test_help_shows_the_docstring_with_choices_and_defaults(called, capsys):
    commandline.command(called[0], ["--help"])
    said = " ".join(capsys.readouterr().out.replace("\u2502", "").split())
    assert said.startswith(
        "Usage: ser stage --corpus NAME --protocol NAME [OPTIONS] SOURCE OTHERS Do nothing."
    )
    for shown in (
        "SOURCE Path to read. [required]",
        "--way CHOICE Where to. [choices: forward, backward] [default: forward]",
        "--fold INT First of both.",
        "--remark STR First of both. [default: none]",
        "--dry-run",
        "--quiet -q",
        "--verbose -v",
    ):
        assert shown in said
    assert "--runs" not in said


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
    assert done.stdout.startswith(f"Usage: ser {name} ")
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
    line = "index.csv folds.csv folds.json --folds demo-random5"
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


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_ser_lists_stages_and_commands_with_a_line_each(monkeypatch, capsys, arguments):
    monkeypatch.setattr(sys, "argv", ["ser", *arguments])
    commandline.main()
    said = capsys.readouterr().out
    titles = [line for line in said.splitlines() if line.startswith("\u256d")]
    assert [title.split()[1].strip(",") for title in titles] == [
        *("Stages", "Commands", "Everywhere")
    ]
    for name, line in (commandline.STAGES | commandline.COMMANDS).items():
        assert re.search(rf"(?m)^\u2502 {name} +{re.escape(line)} +\u2502$", said)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_listed_is_what_the_docstring_begins_with(name):
    folder = "stages" if name in commandline.STAGES else "commands"
    module = commandline.MODULES.get(name, name)
    function = getattr(importlib.import_module(f"pipeline.{folder}.{module}"), module)
    line = (commandline.STAGES | commandline.COMMANDS)[name]
    assert function.__doc__.splitlines()[0] == line


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("predct x.wav", "ser: no command 'predct'; did you mean predict?\n"),
        ("trian", "ser: no command 'trian'; did you mean train?\n"),
        ("sing", f"ser: no command 'sing'; known: {', '.join(NAMES)}\n"),
        ("--verson", "ser: no option '--verson'; did you mean --version?\n"),
        ("predict a b --cvs c", "Unknown option: --cvs. Did you mean --csv? "),
        ("export a --to b --format tfilte", 'Did you mean "tflite"? See ser export --help.\n'),
    ],
)
def test_what_is_mistyped_is_answered_with_the_nearest_name(monkeypatch, capsys, typed, message):
    monkeypatch.setattr(sys, "argv", ["ser", *typed.split()])
    with pytest.raises(SystemExit) as error:
        commandline.main()
    assert error.value.code == 2
    assert message in capsys.readouterr().err


def test_ser_names_its_version(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["ser", "--version"])
    commandline.main()
    assert capsys.readouterr().out == f"ser-pipeline {metadata.version('ser-pipeline')}\n"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["split", "a", "b", "c", "--folds", ""], "demo-speakers5"),
        (["train", "--run", ""], "tim_net-demo"),
    ],
)
def test_the_shell_completes_names_of_params_yaml(monkeypatch, capsys, typed, offered):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["ser", "__complete", *typed])
    if typed[0] == "train":
        monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
    commandline.main()
    assert offered in capsys.readouterr().out.split("\n")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "halfway\nstage: weights: not there\n"),
        (["-q"], "stage: weights: not there\n"),
        (["-v"], "step 1\nhalfway\n"),
    ],
)
def test_quiet_and_verbose(capsys, flags, said):
    def stage():
        log = logging.getLogger("pipeline")
        log.debug("step 1")
        log.info("halfway")
        raise InputError("weights: not there")

    with pytest.raises(SystemExit) as error:
        commandline.command(stage, flags)
    assert error.value.code == 1
    found = capsys.readouterr().err
    if flags == ["-v"]:
        assert found.startswith(said)
        assert "Traceback" in found
        assert "took 0 s" in found
        assert found.endswith("stage: weights: not there\n")
    else:
        assert found == said
