"""The library that computes, chosen and set up before Keras is imported."""

import ctypes
import os
import platform
import sys

from pipeline.errors import InputError

BACKENDS = ("jax", "tensorflow")
EIGEN = "--xla_cpu_multi_thread_eigen"

# glibc's mallopt: one arena, no private mappings, nothing given back to the system. XLA frees some
# 250 MB after every step of TIM-Net; getting them back from the system, page by page, took 40 % of
# the step on a CPU (`make bench BENCH=engine`).
KEEP_MEMORY = {"M_ARENA_MAX": (-8, 1), "M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, 2**31 - 1)}

# What glibc reads once, as a process starts: small blocks that each thread keeps for itself. With
# the usual seven, threads that compile or train beside each other wait for the one arena.
CACHE = "glibc.malloc.tcache_count=2000"


def with_cache() -> None:
    """Start this command again with ``CACHE`` in its environment, unless it is there.

    To be called before anything else; it returns in the second life. Elsewhere than on glibc it
    does nothing.
    """
    held = os.environ.get("GLIBC_TUNABLES", "")
    if platform.libc_ver()[0] == "glibc" and "tcache_count" not in held:
        os.environ["GLIBC_TUNABLES"] = ":".join(filter(None, [held, CACHE]))
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def choose(name: str) -> str:
    """Let Keras compute with ``name`` unless the environment names another (``KERAS_BACKEND``).

    Every operation runs on one thread, so that results do not depend on the number of cores; cores
    are used by training folds beside each other.

    Parameters
    ----------
    name : str
        One of ``BACKENDS``.

    Returns
    -------
    str
        The backend that computes.

    Raises
    ------
    InputError
        If the environment names an unknown one.
    """
    name = os.environ.get("KERAS_BACKEND") or name
    if name not in BACKENDS:
        raise InputError(f"KERAS_BACKEND: no {name!r}; wanted {' or '.join(BACKENDS)}")
    os.environ["KERAS_BACKEND"] = name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if name == "jax":
        # Keras loads TensorFlow whenever it saves a model; without oneDNN it does so in silence.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
        flags = os.environ.get("XLA_FLAGS", "")
        if EIGEN not in flags:
            os.environ["XLA_FLAGS"] = f"{flags} {EIGEN}=false".strip()
        if platform.libc_ver()[0] == "glibc":
            for option, value in KEEP_MEMORY.values():
                ctypes.CDLL(None).mallopt(option, value)
    else:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    return name
