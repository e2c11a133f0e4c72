"""Work in parallel blocks, with a progress bar; the only module that runs dask.

Where the blocks run is a setting, ``engine.workers``. *threads* of this process, one per core: what
takes time here (decoding, resampling, FFT, numpy) releases the interpreter. *processes*, one per
core, where a plug-in's Python does not. Or the workers of a dask scheduler, by its address
(``tcp://host:8786``): they run in this project's environment and see its folder under the same
path. Results are the same everywhere. BLAS is held to one thread per worker, which is faster than
letting it spin and keeps one order of summation.
"""

import multiprocessing
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits
from tqdm import tqdm

from pipeline.errors import InputError

LOCAL = ("threads", "processes")
ADDRESS = re.compile(r"(tcp|tls|ucx|ws|wss)://.+")
PATIENCE = 10  # seconds for a scheduler to answer


def known(where: str) -> bool:
    """Whether ``where`` is a place to work at: one of ``LOCAL``, or the address of a scheduler."""
    return where in LOCAL or remote(where)


def remote(where: str) -> bool:
    """Whether ``where`` is the address of a dask scheduler."""
    return bool(ADDRESS.fullmatch(where))


def each(
    work: Callable[[slice], Any], blocks: Iterable[slice], title: str, where: str = "threads"
) -> list:
    """Call ``work(block)`` for every block of clips; give the answers in the blocks' order.

    Parameters
    ----------
    work : callable
        Raises what is raised here. For processes and schedulers it travels by cloudpickle.
    blocks : iterable of slice
        With a stop each.
    title : str
        Of the progress bar.
    where : str
        ``threads``, ``processes`` or the address of a scheduler.

    Raises
    ------
    InputError
        If no scheduler answers, it has no workers, or they cannot do the work.
    """
    blocks = list(blocks)
    if remote(where):
        with _client(where) as client:
            _machines(client, where)
            return _gathered(client, where, work, blocks, title)
    import dask
    from dask.callbacks import Callback

    tasks = [dask.delayed(work, pure=False)(block) for block in blocks]
    sizes = {task.key: size for task, size in zip(tasks, _sizes(blocks), strict=True)}
    with (
        _pool(where) as pool,
        _bar(sum(sizes.values()), title) as bar,
        Callback(posttask=lambda key, *_: bar.update(sizes.get(key, 0))),
        threadpool_limits(1, "blas"),
    ):
        return list(dask.compute(*tasks, scheduler=where, pool=pool, chunksize=1))


def shared(work: Callable[[slice], list], total: int, title: str, where: str) -> list:
    """Let every machine do a share of some units: all of them here, or one share per dask worker.

    Parameters
    ----------
    work : callable
        Gives an answer for each of the units ``range(total)[share]``.
    total : int
        How many units there are.
    title : str
        Of the progress bar, which is shown for a scheduler only.
    where : str
        As in ``each``.

    Returns
    -------
    list
        Answers in the units' order.

    Raises
    ------
    InputError
        As in ``each``.
    """
    if not remote(where):
        return work(slice(0, total, 1))
    with _client(where) as client:
        machines = _machines(client, where)[:total]
        shares = [slice(i, total, len(machines)) for i in range(len(machines))]
        answers, found = _gathered(client, where, work, shares, title, machines), [None] * total
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


def _pool(where: str) -> Executor:
    """A pool of our own: leaving it waits for the workers still at it when another one failed."""
    if where == "threads":
        return ThreadPoolExecutor(cores())
    fresh = multiprocessing.get_context("spawn")  # not a copy of a process that runs threads
    return ProcessPoolExecutor(cores(), fresh, initializer=threadpool_limits, initargs=(1, "blas"))


def _gathered(
    client,
    where: str,
    work: Callable,
    blocks: list[slice],
    title: str,
    machines: list | None = None,
) -> list:
    """Let the workers of a scheduler do the blocks, block ``i`` on ``machines[i]`` if given."""
    from distributed import KilledWorker, as_completed

    sizes = _sizes(blocks)
    work = _Pinned(work, Path.cwd())
    futures = [
        client.submit(work, block, pure=False, workers=machine, allow_other_workers=True)
        for block, machine in zip(blocks, machines or [None] * len(blocks), strict=True)
    ]
    of = {future.key: size for future, size in zip(futures, sizes, strict=True)}
    try:
        with _bar(sum(sizes), title) as bar:
            for future in as_completed(futures):
                future.result()
                bar.update(of[future.key])
        return client.gather(futures)
    except KilledWorker:
        raise InputError(
            f"engine.workers: {where}: workers died at this work; give them more memory"
        ) from None
    except ImportError as error:
        raise InputError(
            f"engine.workers: {where}: the workers cannot import {error.name}; "
            "start them in this project's environment"
        ) from None
    finally:
        client.cancel(futures)


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

    try:
        client = Client(where, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError):
        raise InputError(
            f"engine.workers: {where}: nobody answers; start one with dask scheduler, "
            "or take threads"
        ) from None
    with client:
        yield client


def _machines(client, where: str) -> list[str]:
    """Addresses of the workers of a client's scheduler, one at least."""
    machines = sorted(client.scheduler_info(n_workers=-1)["workers"])
    if not machines:
        raise InputError(f"engine.workers: {where} has no workers; start dask worker {where}")
    return machines


def _sizes(blocks: list[slice]) -> list[int]:
    """How much each block holds."""
    return [len(range(block.stop)[block]) for block in blocks]


def _bar(total: int, title: str) -> tqdm:
    """A progress bar on a terminal, nothing in a log."""
    return tqdm(total=total, desc=title, unit=" clips", disable=None)
