"""Workers that are killed in the middle of a stage: one line, or the others do their work.

What ends a worker is a signal that it cannot answer, as that of a system without memory is.
"""

import re
import shlex
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest
from ruamel.yaml import YAML

from tests.stages.test_interrupted import content, copy

pytestmark = pytest.mark.slow

# Put at the end of a module: a process that calls the function for the second time is killed, if
# one is to be.
MORTAL = """

def _mortal(inner):
    import functools, os, signal

    calls = []

    @functools.wraps(inner)
    def counted(*args, **kwargs):
        calls.append(inner)
        for death in ("death-1", "death-2") if len(calls) == 2 else ():
            try:
                os.rmdir(death)
            except FileNotFoundError:
                continue
            os.kill(os.getpid(), signal.SIGKILL)
        return inner(*args, **kwargs)

    return counted


{0} = _mortal({0})
"""
# Of each stage: the module and its function that workers die in, and the library it starts.
STAGES = {
    "extract@demo-mfcc39": ("pipeline/features/recipes.py", "whole"),
    "train@tiny": ("pipeline/files/bundles.py", "write_model"),
}


@pytest.fixture
def stage(request, finished, environment, tmp_path):
    """Give ``stage(where)``: run a stage with its workers there; and what it has to write."""
    name, clone = request.param, copy(finished, tmp_path, ".git", ".dvc", ".*.made")
    held = YAML().load(finished / "dvc.lock")["stages"][name]
    command = shlex.split(held["cmd"].partition(" --listed")[0])[1:]
    out = clone / held["outs"][0]["path"]
    shutil.rmtree(out)
    module, function = STAGES[name]
    with (clone / module).open("a") as file:
        file.write(MORTAL.format(function))
    params = (clone / "params.yaml").read_text()

    def run(where, deaths=0):
        for number in range(deaths):
            (clone / f"death-{number + 1}").mkdir()
        text = re.sub("(?m)^  workers: threads", f"  workers: {where}", params)
        assert where == "threads" or text != params
        (clone / "params.yaml").write_text(text)
        settings = {"cwd": clone, "env": environment, "capture_output": True, "text": True}
        return subprocess.run([sys.executable, *command, "--quiet"], **settings, timeout=600)

    run.clone, run.out, run.wanted = clone, out, content(finished / held["outs"][0]["path"])
    return run


@contextmanager
def workers(count, folder, environment):
    """Give the address of a scheduler with so many workers, which nobody starts again."""
    from distributed import Client

    known = ["--scheduler-file", str(folder.parent / "scheduler.json"), "--no-dashboard"]
    worker = ["worker", *known, "--nthreads", "1", "--no-nanny"]
    commands = [["scheduler", "--port", "0", "--host", "127.0.0.1", *known], *[worker] * count]
    run = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run["env"] = environment | {"PYTHONPATH": str(folder)}
    started = [
        subprocess.Popen([sys.executable, "-m", "dask", *words], **run) for words in commands
    ]
    try:
        with Client(scheduler_file=known[1], timeout=60) as client:
            client.wait_for_workers(count, timeout=60)
            address = client.scheduler.address
        yield address
    finally:
        for process in started:
            process.kill()
            process.wait()


def kept(out):
    """Files of finished work next to what a stage writes."""
    found = [*out.parent.glob(f".{out.name}*.part/**/*.npz"), *out.parent.glob(".*/fold-*.keras")]
    return {path: path.stat().st_mtime_ns for path in found}


@pytest.mark.parametrize("stage", ["extract@demo-mfcc39"], indirect=True)
def test_a_killed_process_is_one_line_and_a_rerun_goes_on(stage):
    done = stage("processes", deaths=1)
    assert done.returncode == 1, done.stderr
    line = r"extract: engine\.workers: processes: one died at this work; .+\n"
    assert re.fullmatch(line, done.stderr)
    assert not stage.out.exists()
    before = kept(stage.out)
    assert before
    again = stage("processes")
    assert (again.returncode, again.stderr) == (0, "")
    assert content(stage.out) == stage.wanted


@pytest.mark.parametrize("stage", STAGES, indirect=True)
def test_what_a_killed_worker_of_a_scheduler_left_is_done_by_the_other(stage, environment):
    with workers(2, stage.clone, environment) as where:
        done = stage(where, deaths=1)
    assert (done.returncode, done.stderr) == (0, "")
    assert not list(stage.clone.glob("death-*"))
    assert content(stage.out) == stage.wanted


@pytest.mark.parametrize("stage", ["train@tiny"], indirect=True)
def test_without_workers_left_it_is_one_line_and_a_rerun_goes_on(stage, environment):
    with workers(2, stage.clone, environment) as where:
        done = stage(where, deaths=2)
    assert done.returncode == 1, done.stderr
    assert re.fullmatch(r"\w+: .*workers or scheduler died at this work; .+\n", done.stderr)
    assert not stage.out.exists()
    assert (before := kept(stage.out))
    again = stage("threads")
    assert (again.returncode, again.stderr) == (0, "")
    assert content(stage.out) == stage.wanted
    after = {path.name: path.stat().st_mtime_ns for path in stage.out.glob("*.keras")}
    assert any(after.get(path.name) == time for path, time in before.items())
