"""Networks of a matrix or two as TFLite, ONNX and PyTorch files, without what made them."""

import io
import pickle
import sys
import types
import warnings
from collections import OrderedDict

import numpy as np

from pipeline import quiet
from pipeline.files import torch_checkpoint

KERNEL = np.random.default_rng(1).normal(size=(100, 6)).astype(np.float32)
HEAD = np.random.default_rng(2).normal(size=(6, 3)).astype(np.float32)


def tflite(shape, matrix, clips=None):
    """TFLite file: a clip (1, *shape), laid flat, by a matrix; in 8 bits if clips are given."""
    import tensorflow as tf

    function = tf.function(
        lambda x: tf.reshape(x, (1, -1)) @ matrix, [tf.TensorSpec((1, *shape), tf.float32)]
    )
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])
    if clips is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([clip[None]] for clip in clips)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    # of scales that it takes from clips it says that it was given none
    with quiet.libraries(), warnings.catch_warnings(action="ignore", category=UserWarning):
        return converter.convert()


def onnx(shape, matrix):
    """ONNX file: a clip (1, *shape), laid flat, by a matrix."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Flatten", ["features"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["answers"]),
    ]
    ends = {"features": (1, *shape), "answers": (1, matrix.shape[1])}
    source, target = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, axes) for name, axes in ends.items()
    )
    weights = [numpy_helper.from_array(matrix, "matrix")]
    graph = helper.make_graph(nodes, "made_here", [source], [target], weights)
    opsets = [helper.make_opsetid("", 13)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


def two_layers(rate):
    """ONNX file of layers ``hidden`` and ``vector`` that takes 100 samples, and states a rate."""
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["sound", "kernel"], ["fed"]),
            helper.make_node("Relu", ["fed"], ["hidden"]),
            helper.make_node("MatMul", ["hidden", "head"], ["vector"]),
        ],
        "made_here",
        [helper.make_tensor_value_info("sound", TensorProto.FLOAT, [1, 100])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 3])],
        [numpy_helper.from_array(KERNEL, "kernel"), numpy_helper.from_array(HEAD, "head")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, {"sample_rate": str(rate)})
    return model.SerializeToString()


def lstm(monkeypatch):
    """PyTorch checkpoint of an LSTM layer of 3 bins and a linear one, and its weights by name."""
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
    return b"".join(content), state
