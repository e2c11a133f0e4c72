"""The library that computes, chosen and set up before Keras is imported."""

import ctypes
import os
import platform

from pipeline.errors import InputError

BACKENDS = ("jax", "tensorflow")

# glibc's mallopt: one arena, no private mappings, nothing given back to the system. XLA frees some
# 250 MB after every step of TIM-Net; getting them back from the system, page by page, took 40 % of
# the step on a CPU (reports/benchmarks/engine.md).
KEEP_MEMORY = {"M_ARENA_MAX": (-8, 1), "M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, 2**31 - 1)}


def choose(name: str) -> None:
    """Let Keras compute with ``name`` unless the environment names another (``KERAS_BACKEND``).

    Every operation runs on one thread, so that results do not depend on the number of cores; cores
    are used by training folds beside each other.
    """
    name = os.environ.setdefault("KERAS_BACKEND", name)
    if name not in BACKENDS:
        raise InputError(f"KERAS_BACKEND: no {name!r}; wanted {' or '.join(BACKENDS)}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if name == "jax":
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen=false {flags}".strip()
        if platform.libc_ver()[0] == "glibc":
            for option, value in KEEP_MEMORY.values():
                ctypes.CDLL(None).mallopt(option, value)
    else:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
