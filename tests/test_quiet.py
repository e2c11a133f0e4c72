"""Libraries that write past Python: silent, unless they are asked, or what they do fails."""

import os
import subprocess
import sys

import pytest

from pipeline import quiet

QUIET = """
import logging, sys
from pathlib import Path
import numpy as np
from pipeline import quiet
from pipeline.engine import backend
from pipeline.files import frozen
logging.getLogger("pipeline").setLevel(getattr(logging, sys.argv[1]))
path, clip = Path(sys.argv[2]), np.ones((3, 2), np.float32)
if path.exists():  # the network of a feature is asked before any backend is chosen
    frozen.read(path, frozen.sha256(path)).answer(clip[None])
assert backend.start("tensorflow") == "tensorflow"
import keras
from pipeline.inference import exported
import tensorflow as tf
for _ in range(6):  # of which TensorFlow thinks that it is one, traced again
    layers = [keras.Input((3, 2)), keras.layers.Flatten(), keras.layers.Dense(2)]
    model = keras.Sequential(layers)
    model.predict_on_batch(clip[None])
with quiet.libraries():
    content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
exported.load(content, "tflite").predict([clip])
path.write_bytes(content)
"""


def test_tensorflow_its_converter_and_tflite_say_nothing_unless_asked(tmp_path):
    for level in ("DEBUG", "INFO"):  # the second asks the file that the first has made
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", QUIET, level, tmp_path / "made.tflite"],
            env={key: value for key, value in os.environ.items() if key[:3] not in ("TF_", "KER")},
            **{"capture_output": True, "text": True, "check": True},
        )
        assert (done.stderr.strip() == "") == (level == "INFO")


SLOW = """
import logging, sys
from pipeline.engine import backend
logging.getLogger("pipeline").setLevel(getattr(logging, sys.argv[1]))
assert backend.start("jax") == "jax"
import jax
function = jax.jit(lambda x: (jax.nn.softmax(jax.numpy.zeros_like(x), axis=1) * x).sum())
function(jax.numpy.ones((4800, 6, 138)))  # XLA works the softmax out, for seconds
"""


def test_xla_says_nothing_of_a_program_that_compiles_slowly_unless_asked():
    names = "TF_CPP_MIN_LOG_LEVEL", "JAX_COMPILATION_CACHE_DIR"
    for level in ("DEBUG", "INFO"):
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SLOW, level],
            env={key: value for key, value in os.environ.items() if key not in names},
            **{"capture_output": True, "text": True, "check": True},
        )
        assert ("slow_operation_alarm" in done.stderr) == (level == "DEBUG")
        assert (done.stderr == "") == (level == "INFO")


def test_what_was_kept_back_is_shown_if_the_block_fails(capfd):
    with pytest.raises(ZeroDivisionError), quiet.libraries():
        os.write(2, b"the reason\n")
        raise ZeroDivisionError
    with quiet.libraries():
        os.write(2, b"chatter\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "the reason\nafter\n"
