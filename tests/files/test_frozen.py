"""Networks in files: what they take, state and give, and what is refused in one line."""

import hashlib

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.files import frozen
from tests import networks

WINDOW = np.random.default_rng(0).normal(size=(1, 100)).astype(np.float32)
HIDDEN = np.maximum(WINDOW @ networks.KERNEL, 0)


@pytest.fixture
def kept(tmp_path):
    """Give ``kept(name, content, layer)``: a file that is read as the one that was meant."""

    def read(name, content, layer=""):
        path = tmp_path / name
        path.write_bytes(content)
        return frozen.read(path, hashlib.sha256(content).hexdigest(), layer)

    return read


@pytest.fixture
def two_layers():
    """Give the content of an ONNX file of two layers that states a rate."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    return networks.two_layers(16000)


@pytest.mark.parametrize(
    ("layer", "wanted"), [("", HIDDEN @ networks.HEAD), ("hidden", HIDDEN)], ids=["last", "hidden"]
)
def test_an_onnx_file_and_a_layer_of_it(kept, two_layers, layer, wanted):
    network = kept("made.onnx", two_layers, layer)
    assert (network.shape, network.rate) == ((1, 100), 16000)
    np.testing.assert_allclose(network.answer(WINDOW), wanted, rtol=1e-4, atol=1e-5)


def test_a_tflite_file(kept):
    network = kept("made.tflite", networks.tflite((2, 3), networks.HEAD))
    assert (network.shape, network.rate) == ((1, 2, 3), None)
    window = WINDOW[:, :6].reshape(1, 2, 3)
    for given in (window, 2 * window):
        wanted = given.reshape(1, 6) @ networks.HEAD
        np.testing.assert_allclose(network.answer(given), wanted, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layer", ["", "lstm"])
def test_an_lstm_of_a_checkpoint_is_its_formulae(kept, monkeypatch, layer):
    content, state = networks.lstm(monkeypatch)
    network = kept("made.pt", content, layer)
    assert (network.shape, network.rate) == ((-1, -1, 3), None)
    window = WINDOW[:, :12].reshape(1, 4, 3)
    h = c = np.zeros(4)
    for x in window[0]:
        z = state["lstm.weight_ih_l0"] @ x + state["lstm.weight_hh_l0"] @ h
        z = z + state["lstm.bias_ih_l0"] + state["lstm.bias_hh_l0"]
        i, f, g, o = z[:4], z[4:8], z[8:12], z[12:]
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
    made = np.maximum(state["linear.weight"] @ h + state["linear.bias"], 0)
    wanted = h if layer else made / np.linalg.norm(made)
    np.testing.assert_allclose(network.answer(window), wanted[None], rtol=1e-4, atol=1e-5)


# ---- what is refused -------------------------------------------------------------------------


def test_another_file_than_was_meant_is_refused(tmp_path):
    path = tmp_path / "made.onnx"
    with pytest.raises(InputError) as error:
        frozen.sha256(path)
    assert str(error.value) == f"{path}: No such file or directory; put the file there"
    path.write_bytes(b"something else")
    found = hashlib.sha256(b"something else").hexdigest()
    assert frozen.sha256(path) == found
    with pytest.raises(InputError) as error:
        frozen.read(path, "0" * 64)
    assert str(error.value) == f"{path}: its SHA-256 is {found}, wanted {'0' * 64}; another file"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.tflite", "not a TFLite file, or of operations that are not built in"),
        ("a.onnx", "not an ONNX file that can be run ("),
        ("a.bin", "wanted a file that ends in .tflite, .onnx, .pt, .pth, .ckpt"),
    ],
)
def test_what_is_no_such_file_is_named(kept, tmp_path, name, message):
    if name.endswith("onnx"):
        pytest.importorskip("onnxruntime")
    with pytest.raises(InputError) as error:
        kept(name, b"something else")
    assert str(error.value).startswith(f"{tmp_path / name}: {message}")
    assert len(str(error.value).splitlines()) == 1


def test_a_layer_that_there_is_not_is_answered_with_those_there_are(kept, two_layers, monkeypatch):
    message = r"layer: no 'hiden'; name one of its tensors: 'vector', 'fed', 'hidden', 'vector', "
    with pytest.raises(InputError, match=message):
        kept("made.onnx", two_layers, "hiden")
    with pytest.raises(InputError, match="layer: no 'hidden'; known: lstm, or leave it out"):
        kept("made.pt", networks.lstm(monkeypatch)[0], "hidden")
