"""Workers: the same answers wherever the blocks run, in order, and errors as one line."""

import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import parallel, workers
from pipeline.config.records import Engine, Sound
from pipeline.errors import InputError
from pipeline.features.cepstral import Mfcc
from pipeline.features.recipes import FeatureRecipe, WaveformRecipe
from pipeline.files import audio, tables
from pipeline.stages.extract import extract
from pipeline.stages.waveforms import waveforms

PACKAGE = Path(parallel.__file__).parent
BLOCKS = [slice(start, min(start + 3, 20)) for start in range(0, 20, 3)]


@pytest.fixture(scope="module")
def cluster():
    """Give a scheduler with two workers, each a process with one thread."""
    from distributed import LocalCluster

    settings = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with LocalCluster(**settings, dashboard_address=":0") as started:
        yield started


@pytest.fixture
def scheduler(cluster):
    """Give the scheduler's address when both workers are there, also after one was ended."""
    cluster.wait_for_workers(2, timeout=30)
    return cluster.scheduler_address


@pytest.fixture(params=["threads", "processes", "scheduler"])
def where(request, monkeypatch):
    """Give each place to work at."""
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    if request.param == "scheduler":
        return request.getfixturevalue("scheduler")
    return request.param


def test_answers_come_in_the_order_of_the_blocks(where):
    data = np.arange(20.0)

    def work(block):
        return data[block].sum(), os.getpid()

    answers = parallel.each(work, iter(BLOCKS), "made", where)
    assert [total for total, _ in answers] == [data[block].sum() for block in BLOCKS]
    here = {pid for _, pid in answers} == {os.getpid()}
    assert here == (where == "threads")
    assert parallel.each(work, [], "made", where) == []


def test_blocks_are_begun_in_order(monkeypatch):
    monkeypatch.setattr(parallel, "cores", lambda: 1)
    begun, blocks = [], [slice(start, start + 1) for start in range(40)]
    parallel.each(begun.append, blocks, "made", "threads")
    assert begun == blocks


def test_work_travels_once_to_each_process(where, tmp_path):
    class Heavy:
        def __init__(self, folder):
            self.folder = folder

        def __setstate__(self, state):
            self.folder = state["folder"]
            (self.folder / f"{time.monotonic_ns()}-{os.getpid()}").touch()

        def __call__(self, block):
            return block.start

    blocks = [slice(start, start + 1) for start in range(20)]
    assert parallel.each(Heavy(tmp_path), blocks, "made", where) == list(range(20))
    travelled = [path.name.rpartition("-")[2] for path in tmp_path.iterdir()]
    assert len(travelled) == len(set(travelled)) <= (0 if where == "threads" else 2)


def test_an_error_of_the_user_s_comes_through_as_it_is(where):
    def work(block):
        if block.start:
            raise InputError(f"clip {block.start}: broken")

    with pytest.raises(InputError, match=r"\Aclip 3: broken\Z"):
        parallel.each(work, [slice(0, 3), slice(3, 6)], "made", where)


def test_when_an_error_comes_through_nobody_here_works_on(monkeypatch):
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    working, failed = threading.Event(), []

    def work(block):
        if block.start == 0:
            working.wait(10)
            raise InputError("clip 0: broken")
        working.set()
        time.sleep(0.2)
        failed.append(block)

    with pytest.raises(InputError):
        parallel.each(work, [slice(0, 1), slice(1, 2)], "made", "threads")
    assert failed == [slice(1, 2)]


def test_blas_has_one_thread(where):
    def threads(_):
        from threadpoolctl import threadpool_info

        np.ones((2, 2)) @ np.ones((2, 2))
        return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}

    assert set.union(*parallel.each(threads, BLOCKS, "made", where)) == {1}


@pytest.mark.parametrize("where", ["processes", "scheduler"])
def test_workers_that_die_are_named(where, request, monkeypatch):
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    message = r"engine\.workers: processes: one died at this work; it may need more memory"
    if where == "scheduler":
        where = request.getfixturevalue("scheduler")
        message = r"engine\.workers: tcp://\S+: workers or scheduler died at this work; give them"

    def work(block):
        if block.start == 0:
            os.kill(os.getpid(), 9)

    with pytest.raises(InputError, match=message) as error:
        parallel.each(work, BLOCKS, "made", where)
    assert len(str(error.value).splitlines()) == 1


def test_a_worker_that_dies_once_does_not_stop_the_others(scheduler, tmp_path):
    def work(block):
        if block.start == 9 and not (tmp_path / "dead").exists():
            (tmp_path / "dead").touch()
            os.kill(os.getpid(), 9)
        return block.start

    answers = parallel.each(work, BLOCKS, "made", scheduler)
    assert answers == [block.start for block in BLOCKS]


# ---- a scheduler -----------------------------------------------------------------------------


def test_work_is_done_in_the_folder_of_the_caller(scheduler, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (
        parallel.each(lambda _: os.getcwd(), BLOCKS[:2], "made", scheduler) == [str(tmp_path)] * 2
    )

    monkeypatch.setattr(Path, "cwd", lambda: Path("/elsewhere/project"))
    message = "a worker does not see /elsewhere/project; workers need the project's folder under"
    with pytest.raises(InputError, match=message):
        parallel.each(lambda _: None, BLOCKS, "made", scheduler)


def test_workers_of_another_environment_are_named(scheduler):
    def work(_):
        import of_another_environment  # noqa: F401

    message = r"the workers cannot import of_another_environment; start them in this project's"
    with pytest.raises(InputError, match=message):
        parallel.each(work, BLOCKS, "made", scheduler)


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr(parallel, "PATIENCE", 0.5)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        silent = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        message = rf"engine\.workers: {silent}: nobody answers; start one with dask scheduler"
        for listen in (False, True):
            if listen:
                listening.listen()
            with pytest.raises(InputError, match=message):
                parallel.each(lambda _: None, BLOCKS, "made", silent)
            with pytest.raises(InputError, match=message):
                parallel.shared(lambda _: [], 1, "made", silent)
    with pytest.raises(InputError, match="nobody answers"):
        parallel.each(lambda _: None, BLOCKS, "made", "tcp://no such host:8786")


def wait_for(path):
    """Wait for a file, a minute at most."""
    until = time.monotonic() + 60
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)


@pytest.fixture
def deserted():
    """Give a scheduler without workers, which starts no process."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, processes=True, dashboard_address=":0") as started:
        yield started


def test_a_scheduler_without_workers_is_named(deserted):
    where = deserted.scheduler_address
    message = rf"engine\.workers: {where} has no workers; start dask worker {where}"
    with pytest.raises(InputError, match=message):
        parallel.each(lambda _: None, BLOCKS, "made", where)
    with pytest.raises(InputError, match=message):
        parallel.shared(lambda _: [], 1, "made", where)


@pytest.mark.parametrize("gone", ["the only worker", "the scheduler"])
def test_nobody_waits_for_those_who_are_gone(deserted, tmp_path, gone):
    where = deserted.scheduler_address
    command = [sys.executable, "-m", "distributed.cli.dask_worker", where, "--no-nanny"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": tmp_path}
    worker = subprocess.Popen([*command, "--nthreads", "1", "--no-dashboard"], **quiet)

    def work(block):
        (tmp_path / "working").touch()
        time.sleep(30)

    def go():
        wait_for(tmp_path / "working")
        worker.kill() if gone == "the only worker" else deserted.close()

    try:
        deserted.wait_for_workers(1, timeout=30)
        threading.Thread(target=go).start()
        message = rf"engine\.workers: {where}: workers or scheduler died at this work"
        with pytest.raises(InputError, match=message):
            parallel.each(work, BLOCKS, "made", where)
    finally:
        worker.kill()
        worker.wait()


# ---- shares ----------------------------------------------------------------------------------


def test_units_are_shared_and_come_back_in_order(where):
    def work(share):
        return [(unit, os.getpid()) for unit in range(7)[share]]

    found = parallel.shared(work, 7, "made", where)
    assert [unit for unit, _ in found] == list(range(7))
    machines = {pid for _, pid in found}
    assert len(machines) == (2 if workers.remote(where) else 1)
    assert (os.getpid() in machines) != workers.remote(where)


def test_fewer_units_than_workers(where):
    assert parallel.shared(lambda share: [*range(1)][share], 1, "made", where) == [0]
    assert parallel.shared(lambda share: [*range(0)][share], 0, "made", where) == []


def test_an_error_in_a_share_comes_through(where):
    def work(share):
        raise InputError("run made: training diverged")

    with pytest.raises(InputError, match=r"\Arun made: training diverged\Z"):
        parallel.shared(work, 3, "made", where)


# ---- the stages ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Give a corpus of 70 short clips (three chunks) with its index."""
    folder, lines = tmp_path_factory.mktemp("raw"), []
    for number in range(70):
        path = folder / f"{number:02}.wav"
        audio.write_pcm16(path, np.random.default_rng(number).normal(0, 0.1, 2000), 8000)
        lines.append({"clip": path.stem, "path": path.name, "seconds": 0.25, "sample_rate": 8000})
        lines[-1] |= {"pcm_hash": audio.pcm_hash(*audio.read(path)), "status": "ok"}
    tables.write(pd.DataFrame(lines), folder / "index.csv")
    return folder


def run(raw, folder, where):
    """Run both stages; give every file of the stores that they wrote."""
    engine = Engine("jax", "auto", 100, where)
    recipe = WaveformRecipe(16000, "kaiser_best", "whole")
    sound = Sound("made", recipe, corpus="made", waveform="made")
    waveforms(raw, raw / "index.csv", folder / "w.zarr", sound=sound, engine=engine)
    feature = FeatureRecipe("cepstral.mfcc", Mfcc())
    extract(folder / "w.zarr", folder / "f.zarr", feature=feature, engine=engine)
    files = sorted(path for path in folder.glob("*.zarr/**/*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.mark.parametrize("where", ["processes", "scheduler"])
def test_stores_are_the_same_wherever_they_are_made(raw, where, tmp_path, request, monkeypatch):
    monkeypatch.setattr(parallel, "cores", lambda: 2)
    where = request.getfixturevalue("scheduler") if where == "scheduler" else where
    wanted = run(raw, tmp_path / "here", "threads")
    assert run(raw, tmp_path / "there", where) == wanted
    assert len(wanted) == 2 * (3 + 4 + 6)


def test_a_file_missing_elsewhere_is_one_line_and_the_rest_is_kept(raw, scheduler, tmp_path):
    (raw / "69.wav").rename(raw / "away.wav")
    try:
        with pytest.raises(InputError, match=r"\A\S+/69\.wav: no such file\Z"):
            run(raw, tmp_path, scheduler)
    finally:
        (raw / "away.wav").rename(raw / "69.wav")
    assert [path.suffix for path in tmp_path.iterdir()] == [".part"]
    run(raw, tmp_path, scheduler)
    assert not list(tmp_path.glob("*.part"))


# ---- the command -----------------------------------------------------------------------------

COMMAND = """
import sys, time
from pathlib import Path
from pipeline import commandline, parallel

def slow(block):
    if block.start >= 2:
        Path("working").touch()
        time.sleep(1)

def made():
    parallel.each(slow, [slice(i, i + 1) for i in range(int(sys.argv[2]))], "made", sys.argv[1])

if __name__ == "__main__":
    commandline.command(made, [])
"""


@pytest.mark.parametrize(
    ("where", "blocks"),
    [("threads", 600), ("processes", 600), ("processes", 3), ("scheduler", 600)],
    ids=["threads", "processes", "an idle process", "scheduler"],
)
def test_ctrl_c_ends_it_within_seconds_and_without_a_word(where, blocks, request, tmp_path):
    if where == "scheduler":
        where = request.getfixturevalue("scheduler")
    (tmp_path / "made.py").write_text(COMMAND)
    running = subprocess.Popen(
        [sys.executable, "made.py", where, str(blocks)],
        **{"cwd": tmp_path, "stderr": subprocess.PIPE, "text": True},
        env=os.environ | {"PYTHONPATH": str(PACKAGE.parent)},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job ignores it
    )
    wait_for(tmp_path / "working")
    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert running.returncode == 130
    assert said == ""


def test_on_a_terminal_a_bar_tells_how_far_it_is_and_elsewhere_nothing_does(tmp_path):
    (tmp_path / "made.py").write_text(COMMAND)
    run = {"cwd": tmp_path, "env": os.environ | {"PYTHONPATH": str(PACKAGE.parent)}, "check": True}
    command = [sys.executable, "made.py", "threads", "2"]
    assert subprocess.run(command, **run, capture_output=True).stderr == b""
    terminal, its_end = os.openpty()
    termios.tcsetwinsize(its_end, (24, 80))
    subprocess.run(command, **run, stderr=its_end)
    said = os.read(terminal, 10**5).decode()
    os.close(its_end)
    os.close(terminal)
    assert said.startswith("\rmade:   0%|")
    assert re.search(r"\rmade: 100%\|.*\| 2/2 \[00:\d\d<00:00, [ \d.]+(clips/s|s/ clips)\]", said)


def test_cores_are_those_this_process_may_use():
    assert 1 <= parallel.cores() <= multiprocessing.cpu_count()
