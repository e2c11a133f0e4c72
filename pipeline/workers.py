"""Work over blocks of clips, in parallel, with a progress bar; the only module that runs dask.

Threads: decoding, resampling, FFT and numpy release the interpreter. BLAS is held to one thread per
worker, which is faster than letting it spin and keeps one order of summation.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import dask
from dask.callbacks import Callback
from threadpoolctl import threadpool_limits
from tqdm import tqdm


def each(work: Callable, blocks: Iterable[slice], title: str) -> None:
    """Call ``work(block)`` for every block; what it raises is raised here."""
    blocks = list(blocks)
    clips = sum(block.stop - block.start for block in blocks)
    tasks = [dask.delayed(work, pure=False)(block) for block in blocks]
    sizes = {task.key: block.stop - block.start for task, block in zip(tasks, blocks, strict=True)}
    # disable=None: a bar on a terminal, nothing in a log
    # A pool of our own: leaving it waits for the workers still at it when another one failed.
    with (
        ThreadPoolExecutor(cores()) as pool,
        tqdm(total=clips, desc=title, unit=" clips", disable=None) as bar,
        Callback(posttask=lambda key, *_: bar.update(sizes.get(key, 0))),
        threadpool_limits(1, "blas"),
    ):
        dask.compute(*tasks, scheduler="threads", pool=pool)


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
