"""Work in parallel blocks, with a progress bar; the only module that runs dask.

Where the blocks run is a setting, ``engine.workers``. *threads* of this process, one per core: what
takes time here (decoding, resampling, FFT, numpy) releases the interpreter. *processes*, one per
core, where a plug-in's Python does not. Or the workers of a dask scheduler, by its address
(``tcp://host:8786``): they run in this project's environment and see its folder under the same
path. Results are the same everywhere. BLAS is held to one thread per worker, which is faster than
letting it spin and keeps one order of summation.

Work may carry what is known of 100 000 clips: it travels to each process once, blocks travel alone.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cloudpickle
from threadpoolctl import threadpool_limits

from pipeline import workers
from pipeline.errors import InputError
from pipeline.progress import Progress, showing

PATIENCE = 10  # seconds for a scheduler to answer

_received = []  # in a process of a pool: the work it was started for


def each(
    work: Callable[[slice], Any], blocks: Iterable[slice], title: str, where: str = "threads"
) -> list:
    """Call ``work(block)`` for every block of clips; give the answers in the blocks' order.

    Parameters
    ----------
    work : callable
        Raises what is raised here. For processes and schedulers it travels by cloudpickle.
    blocks : iterable of slice
        Rows of the clips, with a stop each.
    title : str
        Title of the progress bar.
    where : str
        ``threads``, ``processes`` or the address of a scheduler.

    Raises
    ------
    InputError
        If no scheduler answers, it has no workers, or they cannot do the work.
    """
    blocks = list(blocks)
    with showing(sum(map(_size, blocks)), title, "clips") as bar:
        if not blocks:
            return []
        if workers.remote(where):
            with _client(where) as client:
                _machines(client, where)
                return _gathered(client, where, work, blocks, bar)
        return _computed(where, work, blocks, bar)


def shared(work: Callable[[slice], list], total: int, title: str, where: str) -> list:
    """Let every machine work on some of the models: all of them here, or one part per dask worker.

    Parameters
    ----------
    work : callable
        Gives an answer for each of the models ``range(total)[share]``.
    total : int
        Number of models.
    title : str
        Title of the progress bar, which is shown for a scheduler only; without a title there is
        none.
    where : str
        Workers as in ``each``.

    Returns
    -------
    list
        Answers in the models' order.

    Raises
    ------
    InputError
        If no scheduler answers, it has no workers, or they cannot do the work.
    """
    if not workers.remote(where):
        return work(slice(0, total, 1))
    with showing(total, title, "models") as bar, _client(where) as client:
        machines = _machines(client, where)[:total]
        shares = [slice(i, total, len(machines)) for i in range(len(machines))]
        answers, found = _gathered(client, where, work, shares, bar, machines), [None] * total
    for share, some in zip(shares, answers, strict=True):
        found[share] = some
    return found


def cores() -> int:
    """Cores this process may use; on a dask worker, the threads it was given."""
    if "distributed" in sys.modules:
        try:
            return sys.modules["distributed"].get_worker().state.nthreads
        except ValueError:  # not on a worker
            pass
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _computed(where: str, work: Callable, blocks: list[slice], bar: Progress) -> list:
    """Do the blocks in threads or processes of this machine."""
    import dask
    from dask.callbacks import Callback

    keys = [f"block-{i:06}" for i in range(len(blocks), 0, -1)]  # dask begins with the last name
    sizes = dict(zip(keys, map(_size, blocks), strict=True))
    call = dask.delayed(work if where == "threads" else _do_received, pure=False)
    tasks = [call(block, dask_key_name=key) for key, block in zip(keys, blocks, strict=True)]
    try:
        with (
            _pool(where, work) as pool,
            Callback(posttask=lambda key, *_: bar.update(sizes.get(key, 0))),
            threadpool_limits(1, "blas"),
        ):
            return list(dask.compute(*tasks, scheduler=where, pool=pool, chunksize=1))
    except BrokenProcessPool:
        raise InputError(
            "engine.workers: processes: one died at this work; it may need more memory than there "
            "is, then take threads"
        ) from None


def _pool(where: str, work: Callable) -> Executor:
    """A pool of our own: leaving it waits for the workers still at it when another one failed."""
    if where == "threads":
        return ThreadPoolExecutor(cores())
    fresh = multiprocessing.get_context("spawn")  # not a copy of a process that runs threads
    pool = ProcessPoolExecutor(cores(), fresh, _receive, (cloudpickle.dumps(work),))
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until each is ready
    for _ in range(cores()):
        pool.submit(os.getpid)  # starts a process, which inherits that
    signal.pthread_sigmask(signal.SIG_SETMASK, held)
    return pool


def _receive(work: bytes) -> None:
    """Make ready a process of a pool."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches it too: end without a word
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # then locks of libraries have no names, of which Python prints lines if this process is killed
    multiprocessing.set_start_method("fork", force=True)
    threadpool_limits(1, "blas")
    _received[:] = [cloudpickle.loads(work)]


def _do_received(block: slice) -> Any:
    """Do a block of the work that this process was started for."""
    return _received[0](block)


def _gathered(
    client,
    where: str,
    work: Callable,
    blocks: list[slice],
    bar: Progress,
    machines: list | None = None,
) -> list:
    """Let the workers of a scheduler do the blocks, block ``i`` on ``machines[i]`` if given."""
    from distributed import CancelledError, KilledWorker, as_completed

    futures = []
    try:
        held = client.scatter(_Pinned(work, Path.cwd()), broadcast=True, hash=False)
        pins = [{"workers": machine, "allow_other_workers": True} for machine in machines or ()]
        futures = [
            client.submit(_do, held, block, pure=False, **pin)
            for block, pin in zip(blocks, pins or [{}] * len(blocks), strict=True)
        ]
        sizes = dict(zip(futures, map(_size, blocks), strict=True))
        for future in as_completed(futures):
            if future.status != "finished":  # else it would be fetched, of a dead worker in vain
                future.result()
            bar.update(sizes[future])
        return client.gather(futures)
    except (KilledWorker, CancelledError):  # cancelled: the last worker that held the work is gone
        raise InputError(
            f"engine.workers: {where}: workers or scheduler died at this work; give them more "
            "memory, or take threads"
        ) from None
    except ImportError as error:
        raise InputError(
            f"engine.workers: {where}: the workers cannot import {error.name}; "
            "start them in this project's environment"
        ) from None
    finally:
        client.cancel(futures)


def _do(work: Callable, block: slice) -> Any:
    """Do a block on a worker of a scheduler."""
    return work(block)


class _Pinned:
    """Work in the folder of the caller, on one thread of BLAS."""

    def __init__(self, work: Callable, folder: Path):
        self.work, self.folder = work, folder

    def __call__(self, block: slice) -> Any:
        try:
            os.chdir(self.folder)
        except OSError:
            raise InputError(
                f"engine.workers: a worker does not see {self.folder}; workers need the project's "
                "folder under the same path"
            ) from None
        with threadpool_limits(1, "blas"):
            return self.work(block)


@contextmanager
def _client(where: str) -> Iterator:
    """Give a client of the scheduler."""
    from distributed import Client

    for name in ("distributed", "distributed.client"):  # what goes wrong is said in one line
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        # first by itself: a client that met nobody may hang when it is thrown away
        asyncio.run(asyncio.wait_for(_greet(where), PATIENCE))
        client = Client(where, timeout=PATIENCE)
    except (OSError, ValueError, MemoryError):  # another protocol's greeting may read as a size
        raise InputError(
            f"engine.workers: {where}: nobody answers; start one with dask scheduler, "
            "or take threads"
        ) from None
    with client:
        yield client


async def _greet(where: str) -> None:
    """Connect to the scheduler that speaks dask's protocol there."""
    from distributed.comm import connect

    comm = await connect(where, timeout=PATIENCE)
    await comm.close()


def _machines(client, where: str) -> list[str]:
    """Addresses of the workers of a client's scheduler, one at least."""
    machines = sorted(client.scheduler_info(n_workers=-1)["workers"])
    if not machines:
        raise InputError(f"engine.workers: {where} has no workers; start dask worker {where}")
    return machines


def _size(block: slice) -> int:
    """How much a block holds."""
    return len(range(block.stop)[block])
