"""The library that computes: the environment comes first, and a mistake in it is one line."""

import os
import platform
import subprocess
import sys

import pytest

from pipeline.engine import backend
from pipeline.errors import InputError


@pytest.fixture
def environment(monkeypatch):
    """Give an empty environment, and leave this process's memory alone."""
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    return os.environ


@pytest.mark.parametrize("name", backend.BACKENDS)
def test_the_environment_comes_first(environment, name):
    assert backend.choose(name) == environment["KERAS_BACKEND"] == name
    other = "jax" if name == "tensorflow" else "tensorflow"
    assert backend.choose(other) == name
    environment["KERAS_BACKEND"] = ""
    assert backend.choose(other) == other


def test_an_unknown_backend(environment):
    environment["KERAS_BACKEND"] = "torch"
    with pytest.raises(InputError, match="KERAS_BACKEND: no 'torch'; wanted jax or tensorflow"):
        backend.choose("jax")


def test_operations_run_on_one_thread(environment):
    environment["XLA_FLAGS"] = "--xla_dump_to=x"
    for _ in range(2):  # twice is once: the flags are part of what JAX knows a program by
        backend.choose("jax")
    flags = environment["XLA_FLAGS"].split()
    assert flags[:2] == ["--xla_dump_to=x", "--xla_cpu_multi_thread_eigen=false"]
    assert len(flags) == len(set(flags))
    environment["KERAS_BACKEND"] = "tensorflow"
    backend.choose("tensorflow")
    assert environment["TF_NUM_INTRAOP_THREADS"] == "1"


def test_the_users_flags_stay(environment):
    held = "--xla_cpu_multi_thread_eigen=true --xla_cpu_experimental_ynn_fusion_type=dot"
    environment["XLA_FLAGS"] = held
    backend.choose("jax")
    assert environment["XLA_FLAGS"] == held


def test_keras_loads_nothing_that_is_not_used(tmp_path):
    program = f"""
import sys
from pipeline.engine import backend
backend.start("jax")
import keras
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
model.save({str(tmp_path / "model.keras")!r})
assert not {"tensorflow", "sklearn", "matplotlib"} & sys.modules.keys()
keras.models.load_model({str(tmp_path / "model.keras")!r})
import tensorflow, sklearn.svm, matplotlib.figure  # are still to be had
"""
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


PRODUCTS = """
import hashlib, os, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:int(sys.argv[1])])
from pipeline.engine import backend
backend.choose("jax")
import jax, numpy as np
draw = np.random.default_rng(0).normal
x, w = draw(size=(64, 188, 39)).astype("f"), draw(size=(2, 39, 39)).astype("f")
flat = x.reshape(-1, 39)
convolved = lambda w: (jax.lax.conv_general_dilated(
    x, w, (1,), "SAME", dimension_numbers=("NWC", "WIO", "NWC")) ** 2).sum()
found = jax.jit(lambda a: a.T @ a)(flat), jax.jit(jax.grad(convolved))(w)
print(hashlib.sha256(b"".join(np.asarray(each).tobytes() for each in found)).hexdigest())
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="cores cannot be taken away")
def test_results_do_not_depend_on_the_number_of_cores():
    if len(os.sched_getaffinity(0)) == 1:
        pytest.skip("one core")
    clean = {key: value for key, value in os.environ.items() if key not in ("NPROC", "XLA_FLAGS")}
    one, two = (
        subprocess.run(
            [sys.executable, "-c", PRODUCTS, cores],
            **{"env": clean, "capture_output": True, "text": True, "check": True},
        ).stdout
        for cores in ("1", "2")
    )
    assert one == two
