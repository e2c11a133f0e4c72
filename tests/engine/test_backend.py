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


QUIET = """
import logging, os, sys
from pipeline.engine import backend
logging.getLogger("pipeline").setLevel(getattr(logging, sys.argv[1]))
assert backend.start("tensorflow") == "tensorflow"
import keras
from pipeline.inference import exported
import tensorflow as tf
import numpy as np
model = keras.Sequential([keras.Input((3, 2)), keras.layers.Flatten(), keras.layers.Dense(2)])
model.predict_on_batch(np.ones((1, 3, 2), np.float32))
with backend.quiet_libraries():
    content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
exported.load(content, "tflite").predict([np.ones((3, 2), np.float32)])
"""


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_tensorflow_its_converter_and_tflite_say_nothing_unless_asked(level):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", QUIET, level],
        env={key: value for key, value in os.environ.items() if key[:3] not in ("TF_", "KER")},
        **{"capture_output": True, "text": True, "check": True},
    )
    said = [line for line in done.stderr.splitlines() if line]
    assert (said == []) == (level == "INFO")


def test_what_was_kept_back_is_shown_if_the_block_fails(capfd):
    with pytest.raises(ZeroDivisionError), backend.quiet_libraries():
        os.write(2, b"the reason\n")
        raise ZeroDivisionError
    with backend.quiet_libraries():
        os.write(2, b"chatter\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "the reason\nafter\n"
