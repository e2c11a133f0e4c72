"""The library that computes, chosen and set up before Keras is imported."""

import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline import quiet
from pipeline.errors import InputError

BACKENDS = ("jax", "tensorflow")

# What XLA reads. Operations on one thread each, where it minds that. Nothing left to YNNPACK, whose
# sums are wrong in their last value or end the process with jaxlib 0.10.2 (jax issues 39103, 39257
# and 40412; tests/engine/test_compiler.py).
XLA_FLAGS = {
    "--xla_cpu_multi_thread_eigen": "false",
    "--xla_cpu_experimental_ynn_fusion_type": "",
}

# Threads of XLA, on any machine. It parts long sums of a product into so many, whatever the flag
# above says: with a thread for each core, results would depend on the number of cores.
THREADS = 8

# What glibc reads once, as a process starts. Huge pages: XLA frees the memory of a step after it
# and gets it back from the system for the next, 512 pages at once in place of one by one. Small
# blocks that each thread keeps for itself, more than the usual seven: or threads that compile or
# train at the same time wait for one another. (`make bench BENCH=engine`)
TUNABLES = "glibc.malloc.hugetlb=1:glibc.malloc.tcache_count=2000"


def with_tunables() -> None:
    """Start this command again with ``TUNABLES`` in its environment, unless they are there.

    To be called before anything else; it returns in the second life. Elsewhere than on glibc it
    does nothing.
    """
    held = os.environ.get("GLIBC_TUNABLES", "")
    if platform.libc_ver()[0] == "glibc" and "hugetlb" not in held:
        os.environ["GLIBC_TUNABLES"] = ":".join(filter(None, [held, TUNABLES]))
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def choose(name: str) -> str:
    """Let Keras compute with ``name`` unless the environment names another (``KERAS_BACKEND``).

    Operations run on one thread (``XLA_FLAGS``), but for JAX's long sums (``THREADS``); cores are
    used by training folds at the same time. What the environment says comes first.

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
    if name == "jax":
        # what fails is raised; XLA calls it an error that a program takes long to compile
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if quiet.asked() else "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # or it has something to say
        os.environ.setdefault("NPROC", str(THREADS))
        held = os.environ.get("XLA_FLAGS", "")
        missing = [f"{flag}={value}" for flag, value in XLA_FLAGS.items() if flag not in held]
        os.environ["XLA_FLAGS"] = " ".join([held, *missing]).strip()
    else:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    return name


def start(name: str) -> str:
    """Choose a backend and import Keras with it, in silence and without what nothing here uses.

    Keras imports scikit-learn and matplotlib for wrappers and pictures, and as soon as it saves a
    model TensorFlow, to ask whether what it saves is a shape or a type of TensorFlow; with JAX
    nothing is. It finds none of them installed, which spares seconds of every process. A program
    that wants those parts of Keras imports it first.

    Parameters
    ----------
    name : str
        Name as in `choose`.

    Returns
    -------
    str
        The backend that computes.

    Raises
    ------
    InputError
        If the environment names an unknown one.
    """
    library = choose(name)
    if library == "tensorflow" and library not in sys.modules:
        with quiet.libraries():
            import tensorflow  # noqa: F401
    logging.getLogger("tensorflow").addFilter(quiet.wanted)
    with _absent("sklearn", "matplotlib"):
        import keras
    if library == "jax":
        with _absent("tensorflow"):
            keras.saving.serialize_keras_object(keras.initializers.Zeros())  # it asks but once
    return library


@contextmanager
def _absent(*names: str) -> Iterator[None]:
    """Let imports of packages fail that have not been imported."""
    held = {name: None for name in names if name not in sys.modules}
    sys.modules.update(held)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in held:
            del sys.modules[name]
