"""Embeddings from files made here, against what their formulae give; what is refused."""

import hashlib
import json

import numpy as np
import pytest

from pipeline.config import code
from pipeline.errors import InputError
from pipeline.features import recipes
from pipeline.features.embedding import file
from pipeline.files import frozen
from pipeline.files.spec import Spec
from tests import networks
from tests.networks import HEAD, KERNEL
from tests.specs import SOUND

RATE = 16000


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
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    path = tmp_path / "made.onnx"
    path.write_bytes(networks.two_layers(RATE))
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


def test_frames_of_another_feature_through_a_tflite_file(tmp_path):
    path = tmp_path / "made.tflite"
    path.write_bytes(networks.tflite((2, 3), HEAD))
    line = {"function": "spectral.mel", "n_mels": 3, "n_fft": 64, "hop": 32}
    given = settings(path, rate=RATE, input=line, hop=1)
    found = file(signals(2, 320), RATE, given)
    function, inner = given.source()
    mel = function.of(signals(2, 320), RATE, inner)  # (clips, 11, 3)
    wanted = np.stack([mel[:, i : i + 2].reshape(2, 6) @ HEAD for i in range(10)], axis=1)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


# ---- PyTorch ---------------------------------------------------------------------------------


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A checkpoint of one LSTM layer and a linear one."""
    path = tmp_path / "made.pt"
    path.write_bytes(networks.lstm(monkeypatch)[0])
    return path


def test_windows_of_frames_through_a_checkpoint(checkpoint):
    line = {"function": "spectral.mel", "n_mels": 3, "n_fft": 64, "hop": 32}
    given = settings(checkpoint, rate=RATE, input=line, window=4)
    found = file(10 * signals(1, 320), RATE, given)
    function, inner = given.source()
    mel = function.of(10 * signals(1, 320), RATE, inner)[0]
    network = frozen.read(checkpoint, hashed(checkpoint))
    for window, vector in zip((mel[:4], mel[4:8]), found[0], strict=True):
        np.testing.assert_allclose(vector, network.answer(window[None])[0], rtol=1e-5)


# ---- recipes ---------------------------------------------------------------------------------


def test_a_spec_holds_the_hash_and_all_settings_and_comes_back(checkpoint):
    path = checkpoint
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


def test_what_does_not_fit_is_one_line(onnx_file):
    assert refusal(settings(onnx_file), 22050).startswith(
        "rate: the network takes 16000 Hz, the waveforms have 22050; take a recipe"
    )
    assert refusal(settings(onnx_file, window=80)).startswith("window: the file takes 100, got 80")
    mel = {"function": "spectral.mel", "n_fft": 64, "hop": 32, "n_mels": 3}
    assert "takes (1, 100), the input is (windows, frames, 3)" in refusal(
        settings(onnx_file, input=mel)
    )
