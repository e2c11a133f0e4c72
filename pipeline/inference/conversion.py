"""Networks as TFLite and ONNX files, made by the converters of TensorFlow.

Loads TensorFlow; graphs.py writes classical models without it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from pipeline import quiet
from pipeline.inference import fused
from pipeline.inference.cards import Card

OPSET = 18  # of ONNX


def network(
    model: Any, card: Card, format: str, kind: str, fuse: bool, representative: np.ndarray
) -> bytes:
    """Convert a network.

    Parameters
    ----------
    model : keras.Model
        Network, on TensorFlow.
    card : Card
        Card of its bundle.
    format, kind : str
        ``tflite``: float32, float16, int8 (weights alone) or int8-full; ``onnx``: float32.
    fuse : bool
        Put the recipe in front of it, so that the file takes sound.
    representative : ndarray, shape (clips, frames, ...)
        Features that int8-full takes its scales from.

    Returns
    -------
    bytes
        Content of the file, which takes one clip: features (1, frames, ...) or sound (1, samples).
    """
    shape = card.input_shape
    if kind == "int8-full":
        _unroll(model)
    if fuse:
        taken = tf.TensorSpec((1, None), tf.float32, name="sound")
    else:
        taken = tf.TensorSpec((1, *shape), tf.float32, name="features")

    def answer(given):
        if fuse:
            given = fused.feature(given[0], card.spec, shape)[None]
        return model(given, training=False)

    graph = tf.function(answer, input_signature=[taken])
    if format == "onnx":
        import tf2onnx

        with quiet.libraries():
            network, _ = tf2onnx.convert.from_function(graph, [taken], opset=OPSET)
        return network.SerializeToString()
    return _tflite(model, graph, kind, representative)


def _tflite(model: Any, graph: Callable, kind: str, representative: np.ndarray) -> bytes:
    """Convert a graph of a model."""
    holder = tf.Module()  # the converter freezes the variables that it finds there
    holder.variables_of_the_model = [variable.value for variable in model.variables]
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [graph.get_concrete_function()], holder
    )
    if kind != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if kind == "int8-full":
        converter.representative_dataset = lambda: ([clip[None]] for clip in representative)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    with quiet.libraries():
        content = converter.convert()
    return _unnamed(content)


def _unnamed(content: bytes) -> bytes:
    """Drop the names of all tensors but input and output: a seventh of TIM-Net's int8 file."""
    from tensorflow.lite.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    for graph in model.subgraphs:
        ends = {*graph.inputs, *graph.outputs}
        for place, tensor in enumerate(graph.tensors):
            if place not in ends:
                tensor.name = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _unroll(model: Any) -> None:
    """Write recurrences out step by step: while it takes its scales, TFLite dies of a loop."""
    import keras

    for layer in model.layers:
        both = isinstance(layer, keras.layers.Bidirectional)
        for part in (layer.forward_layer, layer.backward_layer) if both else (layer,):
            if isinstance(part, keras.layers.RNN):
                part.unroll = True
