"""Converters: files of every network answer as it does, and are as small as published.

The files are made in a process of its own: TensorFlow converts, and a process computes with one
backend.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline import models
from pipeline.commands import export
from pipeline.config import params
from pipeline.inference import exported
from pipeline.scoring.targets import Emotions
from tests import rated
from tests.models import running

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ONNX = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime", "tf2onnx"))
KINDS = (("tflite", "int8-full"), ("tflite", "float32"), *((("onnx", "float32"),) if ONNX else ()))
# Every model, small: shape of a clip and settings.
MODELS = {
    "cpac": ((40, 39), {"filters": 8}),
    "dcnn_blstm": ((3, 64, 64, 3), {"cnn": "small"}),
    "deep_emo_cluster": ((3, 62, 64), {}),
    "gm_tcnet": ((40, 39), {"blocks": 2}),
    "light_sernet": ((64, 40), {}),
    "tim_net": ((40, 39), {"blocks": 2, "filters": 8}),
}


@pytest.fixture(scope="module")
def found(environment, tmp_path_factory):
    """Measure all in one process."""
    path = tmp_path_factory.mktemp("conversion") / "found.json"
    asked = environment | {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, __file__, path], env=asked, check=True)
    return json.loads(path.read_text())


def test_every_network_has_its_shape_here():
    assert set(MODELS) == {name for name in models.names() if not models.facts(name).classical}


@pytest.mark.parametrize("name", MODELS)
def test_files_answer_as_the_network_does(found, name):
    of_kind = found["deviations"][name]
    assert of_kind["tflite float32"] < 5e-5  # measured: 1.2e-5 at most
    assert of_kind["tflite int8-full"] < 0.1
    assert of_kind["spread"] > 0.1


@pytest.mark.skipif(not ONNX, reason="the extra export is not installed")
@pytest.mark.parametrize("name", MODELS)
def test_onnx_answers_as_the_network_does(found, name):
    assert found["deviations"][name]["onnx float32"] < 5e-5


@pytest.mark.parametrize("file", ["int8.tflite", "fused-int8.tflite"])
def test_light_sernet_is_as_small_as_published(found, file):
    """Its float files have more room; measured: +0.4 % at most, fused +4.3 %."""
    published = export.published_size(file, light_sernet())
    assert found["light_sernet"][file]["bytes"] <= 1.05 * published


@pytest.mark.parametrize("file", ["int8.tflite", "fused-int8.tflite"])
def test_only_input_and_output_have_names(found, file):
    assert found["light_sernet"][file]["named inside"] == []


def light_sernet():
    """Card of Light-SERNet as published, on the recipe of params.yaml."""
    held = params.load(ROOT / "params.yaml")
    spec = held.features["mfcc40-tf"].spec(held.waveforms["light-sernet-3s"].spec(48000))
    settings = {"model": "light_sernet", "input_shape": (184, 40), "spec": spec}
    return rated.card(Path(), Emotions(tuple("abcdefg")), **settings)


# ---- in the new process ----------------------------------------------------------------------


def deviations(name):
    """Export a small model with random weights; largest deviation of each kind, and what varies."""
    from pipeline.inference import conversion

    shape, settings = MODELS[name]
    model = running.build(name, shape, 4, **settings)
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    card, found = rated.card(Path(), Emotions(tuple("abcd")), input_shape=shape), {}
    for format, kind in KINDS:
        if kind == "float32":
            let_answers_vary(model, x)
        wanted = model.predict_on_batch(x)
        content = conversion.network(model, card, format, kind, False, x)
        answers = exported.load(content, format).predict(list(x))
        found[f"{format} {kind}"] = float(np.abs(answers - wanted).max())
    return found | {"spread": float(np.ptp(wanted, axis=0).max())}


def let_answers_vary(model, x):
    """Set the last layer so that clips get different answers, as untrained ones do not."""
    import keras

    head, vectors = model.get_layer("head"), keras.Model(model.input, model.get_layer("head").input)
    v = vectors.predict_on_batch(x).astype(float)
    v = v.reshape(-1, v.shape[-1])
    kernel = np.random.default_rng(1).normal(size=(v.shape[1], 4)) / (
        v.std(axis=0)[:, None] + 1e-30
    )
    kernel /= v.shape[1] ** 0.5
    head.set_weights([kernel, -v.mean(axis=0) @ kernel])


def sizes():
    """Bytes of Light-SERNet's files, and the names of tensors that are no input or output."""
    import tensorflow as tf

    from pipeline.inference import conversion

    model, found = running.build("light_sernet", (184, 40), 7), {}
    for file, is_fused in (("int8.tflite", False), ("fused-int8.tflite", True)):
        content = conversion.network(model, light_sernet(), "tflite", "int8", is_fused, None)
        graph = tf.lite.Interpreter(model_content=content)
        ends = {end["name"] for end in graph.get_input_details() + graph.get_output_details()}
        named = {tensor["name"] for tensor in graph.get_tensor_details()} - {""} - ends
        found[file] = {"bytes": len(content), "named inside": sorted(named)}
    return found


if __name__ == "__main__":
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    measured = {"deviations": {name: deviations(name) for name in MODELS}, "light_sernet": sizes()}
    Path(sys.argv[1]).write_text(json.dumps(measured))
