"""Exported models, used: TFLite and ONNX files, asked about one clip at a time.

The only module that knows their interpreters.
"""

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline import quiet
from pipeline.errors import InputError
from pipeline.features import framing
from pipeline.inference.cards import Card

FORMATS = ("tflite", "onnx")
ONNX_MISSING = "onnx: needs the packages onnx, onnxruntime and tf2onnx; pip install -e '.[export]'"


@dataclass(frozen=True)
class Exported:
    """A model of one clip.

    Attributes
    ----------
    shape : tuple of int
        Shape of its input; -1 stands for any: of sound, and of the frames of a classical model.
    values : int
        Number of values that it gives: probabilities of emotions, or attributes.
    answer : callable
        Function from (1, ...) float32 to (1, values) float32.
    """

    shape: tuple[int, ...]
    values: int
    answer: Callable[[np.ndarray], np.ndarray]

    @property
    def fused(self) -> bool:
        """Whether it takes sound (1, samples); a feature has frames and bins."""
        return len(self.shape) == 2

    def predict(self, clips: list[np.ndarray]) -> np.ndarray:
        """Values of clips.

        Parameters
        ----------
        clips : list of ndarray, shape (samples,) or (frames, ...), float32
            A feature may be shorter than the network's; zeros are added at the end.

        Returns
        -------
        ndarray, shape (clips, values), float32
        """
        if self.fused:
            given = [clip[None] for clip in clips]
        else:
            any_length = self.shape[1] < 0
            given = [
                clip[None] if any_length else framing.rectangle([clip], self.shape[1:])
                for clip in clips
            ]
        return np.concatenate([self.answer(clip) for clip in given])


def load(content: bytes, kind: str) -> Exported:
    """Make a model of a file's content.

    Parameters
    ----------
    content : bytes
    kind : {"tflite", "onnx"}

    Returns
    -------
    Exported

    Raises
    ------
    InputError
        If the content is of another kind, or a package is missing.
    """
    return {"tflite": _tflite, "onnx": _onnx}[kind](content)


def read(path: Path, kind: str, card: Card) -> Exported:
    """Read a file that ``ser export`` wrote.

    Parameters
    ----------
    path : Path
    kind : {"tflite", "onnx"}
    card : Card
        Card of the bundle that it was exported from.

    Returns
    -------
    Exported

    Raises
    ------
    InputError
        If there is no such file, it is a folder or not of that kind, or belongs to another bundle.
    """
    if path.is_dir():
        raise InputError(f"{path}: a folder; name one of the files that ser export wrote there")
    if not path.is_file():
        raise InputError(f"{path}: no such file; write it with ser export")
    try:
        model = load(path.read_bytes(), kind)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    shape, values = (1, *card.input_shape), len(card.target.outputs)
    if card.classical:
        shape = (1, -1, *shape[2:])
    if model.shape not in (shape, (1, -1)) or model.values != values:
        raise InputError(
            f"{path}: takes {model.shape} and gives {model.values} values, the models of run "
            f"{card.run} take {shape} and give {values}; it is of another bundle"
        )
    return model


def _tflite(content: bytes) -> Exported:
    """Run a TFLite file; what it takes or gives in 8 bits is converted by its own scales."""
    try:
        with quiet.libraries():
            import tensorflow as tf
    except ImportError:
        raise InputError("tflite: needs the package tensorflow; pip install -e '.[cpu]'") from None
    try:
        with (
            warnings.catch_warnings(action="ignore", category=UserWarning),  # of its next home
            quiet.libraries(),
        ):
            interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
    except ValueError:
        raise InputError("not a TFLite model; write it with ser export") from None
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()

    lock = threading.Lock()  # it is for one thread at a time
    shape = tuple(int(size) for size in source["shape_signature"])

    def answer(clip: np.ndarray) -> np.ndarray:
        with lock:
            interpreter.resize_tensor_input(source["index"], clip.shape)
            with quiet.libraries():  # it names its delegate
                interpreter.allocate_tensors()
            interpreter.set_tensor(source["index"], _to_steps(clip, source))
            interpreter.invoke()
            return _from_steps(interpreter.get_tensor(target["index"]), target)

    return Exported(shape, int(target["shape"][-1]), answer)


def _to_steps(values: np.ndarray, tensor: dict) -> np.ndarray:
    """Round values to the integers that a tensor holds, if it does."""
    if tensor["dtype"] == np.float32:
        return values
    (scale, zero), limits = tensor["quantization"], np.iinfo(tensor["dtype"])
    steps = np.rint(values / scale) + zero
    return np.clip(steps, limits.min, limits.max).astype(tensor["dtype"])


def _from_steps(values: np.ndarray, tensor: dict) -> np.ndarray:
    """Give the values that a tensor's integers stand for, if it holds such."""
    if tensor["dtype"] == np.float32:
        return values
    scale, zero = tensor["quantization"]
    return ((values.astype(np.float32) - zero) * scale).astype(np.float32)


def _onnx(content: bytes) -> Exported:
    """Run an ONNX file."""
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as state
    except ImportError:
        raise InputError(ONNX_MISSING) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except (state.InvalidProtobuf, state.InvalidGraph, state.InvalidArgument, state.Fail):
        raise InputError("not an ONNX model; write it with ser export") from None
    (source,), (target,) = session.get_inputs(), session.get_outputs()
    shape = tuple(size if isinstance(size, int) else -1 for size in source.shape)
    return Exported(
        shape, target.shape[-1], lambda clip: session.run([target.name], {source.name: clip})[0]
    )
