"""Embeddings from files made here, against what their formulae give; what is refused."""

import hashlib
import io
import json
import pickle
import subprocess
import sys
import types
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import code
from pipeline.errors import InputError
from pipeline.features import recipes
from pipeline.features.embedding import file
from pipeline.files import torch_checkpoint
from pipeline.files.spec import Spec
from tests.specs import SOUND

ROOT = Path(__file__).parents[2]
RATE = 16000
KERNEL = np.random.default_rng(1).normal(size=(100, 6)).astype(np.float32)
HEAD = np.random.default_rng(2).normal(size=(6, 3)).astype(np.float32)


def signals(clips=2, samples=350):
    return np.random.default_rng(0).normal(0, 0.1, (clips, samples)).astype(np.float32)


def hashed(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def settings(path, **line):
    """Settings as params.yaml gives them."""
    line = {"function": "embedding.file", "path": str(path), "sha256": hashed(path)} | line
    return recipes.read_feature(line, "features.mine").settings


def windows(clip, hop=100):
    """Full windows of 100 samples."""
    return np.stack([clip[i : i + 100] for i in range(0, len(clip) - 99, hop)])


@pytest.fixture
def onnx_file(tmp_path):
    """A network of two layers that takes 100 samples, and states their rate."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["sound", "kernel"], ["fed"]),
            helper.make_node("Relu", ["fed"], ["hidden"]),
            helper.make_node("MatMul", ["hidden", "head"], ["vector"]),
        ],
        "made_here",
        [helper.make_tensor_value_info("sound", kind, [1, 100])],
        [helper.make_tensor_value_info("vector", kind, [1, 3])],
        [
            onnx.numpy_helper.from_array(KERNEL, "kernel"),
            onnx.numpy_helper.from_array(HEAD, "head"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {"sample_rate": str(RATE)})
    path = tmp_path / "made.onnx"
    path.write_bytes(model.SerializeToString())
    return path


# ---- ONNX ------------------------------------------------------------------------------------


def test_windows_of_sound_through_a_layer(onnx_file):
    clips = signals()
    found = file(clips, RATE, settings(onnx_file, hop=50))
    hidden = file(clips, RATE, settings(onnx_file, hop=50, layer="hidden"))
    assert (found.shape, hidden.shape) == ((2, 6, 3), (2, 6, 6))
    for clip, values, inner in zip(clips, found, hidden, strict=True):
        wanted = np.maximum(windows(clip, 50) @ KERNEL, 0)
        np.testing.assert_allclose(inner, wanted, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(values, wanted @ HEAD, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pool", ["mean", "max", "mean_std"])
def test_vectors_are_pooled(onnx_file, pool):
    clips = signals()
    vectors = file(clips, RATE, settings(onnx_file))
    found = file(clips, RATE, settings(onnx_file, pool=pool))
    made = {"mean": [vectors.mean(axis=1)], "max": [vectors.max(axis=1)]}
    made["mean_std"] = [vectors.mean(axis=1), vectors.std(axis=1)]
    np.testing.assert_allclose(found[:, 0], np.concatenate(made[pool], axis=-1), rtol=1e-6)


def test_a_short_clip_is_padded_and_the_input_scaled(onnx_file):
    clip = signals(1, 60)
    found = file(clip, RATE, settings(onnx_file, gain=2.0, offset=0.5))
    padded = np.pad(2 * clip + 0.5, ((0, 0), (0, 40)))
    np.testing.assert_allclose(
        found[0], np.maximum(padded @ KERNEL, 0) @ HEAD, rtol=1e-4, atol=1e-5
    )


# ---- TFLite ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tflite_file(tmp_path_factory, environment):
    """Two frames of three bins through a matrix; made in a process of its own."""
    path = tmp_path_factory.mktemp("tflite") / "made.tflite"
    done = subprocess.run(
        [sys.executable, __file__, path],
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return path


def test_frames_of_another_feature_through_a_tflite_file(tflite_file):
    line = {"function": "spectral.mel", "n_mels": 3, "n_fft": 64, "hop": 32}
    given = settings(tflite_file, rate=RATE, input=line, hop=1)
    found = file(signals(2, 320), RATE, given)
    function, inner = given.source()
    mel = function.of(signals(2, 320), RATE, inner)  # (clips, 11, 3)
    wanted = np.stack([mel[:, i : i + 2].reshape(2, 6) @ HEAD for i in range(10)], axis=1)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


# ---- PyTorch ---------------------------------------------------------------------------------


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A checkpoint of one LSTM layer and a linear one, and its weights."""
    rng = np.random.default_rng(3)
    shapes = {"weight_ih": (16, 3), "weight_hh": (16, 4), "bias_ih": (16,), "bias_hh": (16,)}
    state = {f"lstm.{k}_l0": rng.normal(0, 0.5, s) for k, s in shapes.items()}
    state |= {"linear.weight": rng.normal(size=(5, 4)), "linear.bias": rng.normal(size=5)}
    state = {name: value.astype(np.float32) for name, value in state.items()}
    package, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def rebuild(*_):
        raise AssertionError("called")

    for module, name in ((package, "FloatStorage"), (utils, "_rebuild_tensor_v2")):
        made = types.FunctionType(rebuild.__code__, {}, name)
        made.__module__, made.__qualname__ = module.__name__, name
        setattr(module, name, made)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    class Tensor:
        def __init__(self, key, array):
            self.key, self.array = key, array

        def __reduce__(self):
            strides = tuple(step // 4 for step in self.array.strides)
            stored = Stored(self.key, self.array.size)
            return utils._rebuild_tensor_v2, (stored, 0, self.array.shape, strides, False, {})

    class Stored:
        def __init__(self, key, size):
            self.key, self.size = key, size

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if isinstance(value, Stored):
                return "storage", package.FloatStorage, value.key, "cpu", value.size, None

    def dump(value):
        into = io.BytesIO()
        Pickler(into, 2).dump(value)
        return into.getvalue()

    tensors = OrderedDict((n, Tensor(str(i), a)) for i, (n, a) in enumerate(state.items()))
    content = [
        *map(dump, (torch_checkpoint.MAGIC, 1001, {"little_endian": True})),
        dump({"step": 1, "model_state": tensors}),
        dump([str(i) for i in range(len(state))]),
    ]
    for array in state.values():
        content += [array.size.to_bytes(8, "little"), array.tobytes()]
    path = tmp_path / "made.pt"
    path.write_bytes(b"".join(content))
    return path, state


def test_an_lstm_of_a_checkpoint_is_its_formulae(checkpoint):
    path, state = checkpoint
    line = {"function": "spectral.mel", "n_mels": 3, "n_fft": 64, "hop": 32}
    given = settings(path, rate=RATE, input=line, window=4)
    found = file(10 * signals(1, 320), RATE, given)
    function, inner = given.source()
    mel = function.of(10 * signals(1, 320), RATE, inner)[0]
    for window, vector in zip((mel[:4], mel[4:8]), found[0], strict=True):
        h = c = np.zeros(4)
        for x in window:
            z = state["lstm.weight_ih_l0"] @ x + state["lstm.weight_hh_l0"] @ h
            z = z + state["lstm.bias_ih_l0"] + state["lstm.bias_hh_l0"]
            i, f, g, o = z[:4], z[4:8], z[8:12], z[12:]
            c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            h = np.tanh(c) / (1 + np.exp(-o))
        made = np.maximum(state["linear.weight"] @ h + state["linear.bias"], 0)
        np.testing.assert_allclose(vector, made / np.linalg.norm(made), rtol=1e-4, atol=1e-5)


# ---- recipes ---------------------------------------------------------------------------------


def test_a_spec_holds_the_hash_and_all_settings_and_comes_back(checkpoint):
    path, _ = checkpoint
    line = {"function": "embedding.file", "path": str(path), "sha256": hashed(path), "rate": RATE}
    line |= {"input": {"function": "spectral.mel", "n_mels": 3}, "pretrained_on": ["ravdess"]}
    recipe = recipes.read_feature(line, "features.mine")
    spec = recipe.spec(SOUND)
    assert spec.settings["sha256"] == hashed(path)
    assert spec.settings["input"]["n_fft"] == 2048
    assert list(spec.settings["pretrained_on"]) == ["ravdess"]
    again = Spec.from_json(json.loads(json.dumps(spec.to_json())))
    clip = 10 * signals(1, 4000)[0]
    for one in (spec, again):
        assert recipes.feature([clip], one)[0].shape == (1, 5)
    modules = code.modules("extract", recipe)
    assert modules == ("stages.extract", "features.embedding", "features.spectral")


# ---- errors ----------------------------------------------------------------------------------


def refusal(given, rate=RATE):
    with pytest.raises(InputError) as error:
        file(signals(), rate, given)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def test_a_line_without_the_hash_is_given_it(onnx_file):
    line = {"function": "embedding.file", "path": str(onnx_file)}
    with pytest.raises(InputError) as error:
        recipes.read_feature(line, "features.mine")
    assert str(error.value) == f"features.mine.sha256: missing; {onnx_file} has {hashed(onnx_file)}"


def test_another_file_is_refused(onnx_file):
    given = settings(onnx_file)
    onnx_file.write_bytes(b"something else")
    assert refusal(given).startswith(f"{onnx_file}: its SHA-256 is {hashed(onnx_file)}, wanted ")
    assert refusal(settings(onnx_file)).startswith(f"{onnx_file}: not an ONNX file")
    onnx_file.unlink()
    assert refusal(given) == f"{onnx_file}: No such file or directory; put the file there"


def test_what_does_not_fit_is_one_line(onnx_file, tmp_path):
    assert refusal(settings(onnx_file, layer="hiden")).startswith(
        f"{onnx_file}: layer: no 'hiden'; name one of its tensors: 'vector', 'fed', 'hidden'"
    )
    assert refusal(settings(onnx_file), 22050).startswith(
        "rate: the network takes 16000 Hz, the waveforms have 22050; take a recipe"
    )
    assert refusal(settings(onnx_file, window=80)).startswith("window: the file takes 100, got 80")
    mel = {"function": "spectral.mel", "n_fft": 64, "hop": 32, "n_mels": 3}
    assert "takes (1, 100), the input is (windows, frames, 3)" in refusal(
        settings(onnx_file, input=mel)
    )
    other = tmp_path / "made.bin"
    other.write_bytes(b"")
    assert refusal(settings(other)).startswith(f"{other}: wanted a file that ends in .tflite")


if __name__ == "__main__":
    import tensorflow as tf

    function = tf.function(
        lambda x: tf.reshape(x, (1, 6)) @ HEAD, [tf.TensorSpec((1, 2, 3), tf.float32)]
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    open(sys.argv[1], "wb").write(converter.convert())  # noqa: SIM115
