"""Work over blocks of clips, in parallel, with a progress bar; the only module that runs dask.

Threads: decoding, resampling, FFT and numpy release the interpreter. BLAS is held to one thread per
worker, which is faster than letting it spin and keeps one order of summation.
"""

import os
from collections.abc import Callable, Iterable

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
    with (
        tqdm(total=clips, desc=title, unit=" clips", disable=None) as bar,
        Callback(posttask=lambda key, *_: bar.update(sizes.get(key, 0))),
        threadpool_limits(1, "blas"),
    ):
        dask.compute(*tasks, scheduler="threads", num_workers=cores())


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))
