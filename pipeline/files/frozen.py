"""Trained networks in files that a user has: TFLite, ONNX, and LSTMs in PyTorch checkpoints.

No code that a file may hold is run and nothing is fetched: TFLite and ONNX files are read from
memory, with the operations that their runtimes have built in; of a checkpoint only numbers are read
(`torch_checkpoint`), for a network that is known here.
"""

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from pipeline import quiet
from pipeline.errors import InputError
from pipeline.files import torch_checkpoint

KINDS = {".tflite": "tflite", ".onnx": "onnx", ".pt": "torch", ".pth": "torch", ".ckpt": "torch"}
RATE = "sample_rate"  # key of the metadata of an ONNX file


@dataclass(frozen=True)
class Frozen:
    """A network that is asked and not trained.

    Attributes
    ----------
    shape : tuple of int
        Shape of its input, windows first; -1 stands for any size.
    rate : int or None
        Rate in hertz of the sound that it takes, where the file states one.
    answer : callable
        Function from one window (1, ...) float32 to what the layer gives.
    """

    shape: tuple[int, ...]
    rate: int | None
    answer: Callable[[np.ndarray], np.ndarray]


def sha256(path: Path) -> str:
    """SHA-256 of a file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; put the file there") from None


def read(path: Path, wanted: str, layer: str = "") -> Frozen:
    """Read a network.

    Parameters
    ----------
    path : Path
        Its name ends in one of ``KINDS``.
    wanted : str
        SHA-256 of the file.
    layer : str
        Name of the tensor that is given; by default the only output. Of a checkpoint ``lstm``, the
        last state of the last layer; by default what the linear layer makes of it.

    Raises
    ------
    InputError
        If the file is missing, another one or of no such kind, or has no such layer.
    """
    if path.suffix not in KINDS:
        raise InputError(f"{path}: wanted a file that ends in {', '.join(KINDS)}")
    read = {"tflite": _tflite, "onnx": _onnx, "torch": _torch}[KINDS[path.suffix]]
    try:
        return read(path, _content(path, wanted), layer)
    except InputError as error:
        message = str(error)
        raise InputError(message if str(path) in message else f"{path}: {message}") from None


@lru_cache(4)
def _content(path: Path, wanted: str) -> bytes:
    """Bytes of a file; another one than was meant is refused."""
    found = sha256(path)
    if found != wanted:
        raise InputError(f"{path}: its SHA-256 is {found}, wanted {wanted}; another file")
    return path.read_bytes()


def _chosen(layer: str, outputs: list[str], known: list[str]) -> str:
    """Name of the tensor that is given."""
    if not layer and len(outputs) == 1:
        return outputs[0]
    if layer not in known:
        found = f"no {layer!r}" if layer else f"{len(outputs)} outputs"
        shown = ", ".join(map(repr, [*outputs, *known][: len(outputs) + 8]))
        raise InputError(f"layer: {found}; name one of its tensors: {shown}, ...")
    return layer


def _tflite(path: Path, content: bytes, layer: str) -> Frozen:
    """Run a TFLite file."""
    try:
        with quiet.libraries():
            import tensorflow as tf
    except ImportError:
        raise InputError("tflite: needs the package tensorflow; pip install -e '.[cpu]'") from None
    resolver: Any = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    try:
        with (
            warnings.catch_warnings(action="ignore", category=UserWarning),  # of its next home
            quiet.libraries(),
        ):
            interpreter = tf.lite.Interpreter(
                model_content=content,
                num_threads=1,
                experimental_op_resolver_type=resolver,
                experimental_preserve_all_tensors=bool(layer),
            )
    except (ValueError, RuntimeError):
        raise InputError("not a TFLite file, or of operations that are not built in") from None
    sources, targets = interpreter.get_input_details(), interpreter.get_output_details()
    if len(sources) != 1 or sources[0]["dtype"] != np.float32:
        raise InputError(f"wanted one input of float32, it has {len(sources)}")
    places = {tensor["name"]: tensor["index"] for tensor in interpreter.get_tensor_details()}
    name = _chosen(layer, [tensor["name"] for tensor in targets], list(places))

    def answer(window: np.ndarray) -> np.ndarray:
        if tuple(interpreter.get_input_details()[0]["shape"]) != window.shape:
            interpreter.resize_tensor_input(sources[0]["index"], window.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(sources[0]["index"], window)
        interpreter.invoke()
        return interpreter.get_tensor(places[name])

    return Frozen(tuple(int(n) for n in sources[0]["shape_signature"]), None, answer)


def _onnx(path: Path, content: bytes, layer: str) -> Frozen:
    """Run an ONNX file."""
    try:
        import onnx
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state
    except ImportError:
        raise InputError("onnx: needs onnx and onnxruntime; pip install -e '.[export]'") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    try:
        model = onnx.load_model_from_string(content)
        outputs = [output.name for output in model.graph.output]
        name = _chosen(layer, outputs, [n for node in model.graph.node for n in node.output])
        if name not in outputs:
            model.graph.output.append(onnx.ValueInfoProto(name=name))
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
    except InputError:
        raise
    except (RuntimeError, ValueError, TypeError, *_errors(state)) as error:
        reason = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise InputError(f"not an ONNX file that can be run ({reason})") from None
    sources, stated = session.get_inputs(), session.get_modelmeta().custom_metadata_map
    if len(sources) != 1 or sources[0].type != "tensor(float)":
        raise InputError(f"wanted one input of float32, it has {len(sources)}")
    shape = tuple(size if isinstance(size, int) else -1 for size in sources[0].shape)
    rate = int(stated[RATE]) if stated.get(RATE, "").isdigit() else None
    return Frozen(shape, rate, lambda window: session.run([name], {sources[0].name: window})[0])


def _errors(state: Any) -> list[type[Exception]]:
    """What reading and preparing an ONNX file raises, besides errors of Python's own."""
    from google.protobuf.message import DecodeError

    names = "Fail InvalidArgument InvalidGraph InvalidProtobuf NotImplemented RuntimeException"
    return [DecodeError, *(getattr(state, name) for name in names.split())]


def _torch(path: Path, content: bytes, layer: str) -> Frozen:
    """Run LSTM layers, and a linear one, ReLU and length 1 after them, as GE2E encoders have."""
    state = torch_checkpoint.read_state(path, keys=("state_dict", "model_state"))
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    layers = []
    while f"lstm.weight_ih_l{len(layers)}" in state:
        layers.append([state[f"lstm.{name}_l{len(layers)}"] for name in names])
    if not layers or "linear.weight" not in state:
        raise InputError("wanted weights lstm.weight_ih_l0, ... and linear.weight, as of GE2E")
    if layer not in ("", "lstm"):
        raise InputError(f"layer: no {layer!r}; known: lstm, or leave it out")

    def answer(window: np.ndarray) -> np.ndarray:
        x = window.astype(np.float32)  # (1, frames, bins)
        for of_input, of_state, bias, other in layers:
            x = _lstm(x, of_input, of_state, bias + other)  # (1, frames, units)
        last = x[:, -1]
        if layer:
            return last
        made = np.maximum(last @ state["linear.weight"].T + state["linear.bias"], 0)
        return made / np.maximum(np.linalg.norm(made, axis=-1, keepdims=True), 1e-5)

    return Frozen((-1, -1, layers[0][0].shape[1]), None, answer)


def _lstm(
    x: np.ndarray, of_input: np.ndarray, of_state: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    """States of one layer (batch, frames, units); gates: in, forget, cell, out."""
    fed, units = x @ of_input.T + bias, of_state.shape[1]
    state = cell = np.zeros((len(x), units), np.float32)
    states = []
    for t in range(x.shape[1]):
        gates = fed[:, t] + state @ of_state.T  # (batch, 4 units)
        i, f, g, o = np.split(gates, 4, axis=-1)
        cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(g)
        state = _sigmoid(o) * np.tanh(cell)
        states.append(state)
    return np.stack(states, axis=1)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """Logistic function, by the tangent, which does not overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))
