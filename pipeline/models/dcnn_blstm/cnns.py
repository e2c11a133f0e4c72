"""Convolutional networks that make a vector of an image; statistics leave out images of zeros."""

import textwrap
import warnings
from pathlib import Path

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.models import layers


@keras.saving.register_keras_serializable(package="ser", name="OwnImages")
class ImageMask(keras.layers.Layer):
    """Mask of the images that are not zero, in the shape in which batch normalisation takes a mask.

    Input: (images, frames, bins, channels). Output: (images, 1, 1), bool.
    """

    def call(self, x):
        """Look for anything but zeros."""
        return keras.ops.any(x != 0, axis=(1, 2, 3))[:, None, None]


@keras.saving.register_keras_serializable(package="ser", name="OwnBatchNormalization")
class MaskedBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation whose statistics are of the images under the mask alone.

    Input: (images, height, width, channels) and `ImageMask`. Output: the former.
    """

    def build(self, x_shape, own_shape):
        """Make scale, offset and running statistics of each channel."""
        super().build(x_shape)

    def call(self, x, own, training=False):
        """Normalise by the statistics of the batch in training, else by the running ones."""
        return super().call(x, training=training, mask=own)

    def compute_output_shape(self, x_shape, own_shape):
        """Shape of the output, that of the images."""
        return x_shape


def build(
    name: str, shape: tuple[int, ...], weights: str, *, freeze: bool, rng: np.random.Generator
) -> keras.Model:
    """Build a network of images, with its first weights.

    Parameters
    ----------
    name : str
        ``cnn`` of the settings.
    shape : (height, width, 3)
        Shape of an image.
    weights : str
        ``cnn_weights`` of the settings.
    freeze : bool
        ``freeze`` of the settings.
    rng : Generator
        Draws the weights that no file gives.

    Returns
    -------
    keras.Model
        (images, height, width, 3) to (images, features).

    Raises
    ------
    InputError
        If the weights cannot be had.
    """
    plain = {"resnet50v2": resnet50v2, "alexnet": alexnet, "small": small}[name]
    plain = _fetched(plain, shape) if weights == "imagenet" else plain(shape)
    if weights not in ("imagenet", "none"):
        _read(plain, weights)
    image = keras.Input(shape)
    own = ImageMask(name="own")(image)

    def drawn(layer):
        config = layer.get_config()
        if "kernel_initializer" in config:
            initializer = layers.GlorotUniform(layers.draw_seed(rng))
            config["kernel_initializer"] = keras.saving.serialize_keras_object(initializer)
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        return (MaskedBatchNormalization if normalises else type(layer)).from_config(config)

    def called(layer, x, **settings):
        return (
            layer(x, own) if isinstance(layer, MaskedBatchNormalization) else layer(x, **settings)
        )

    cnn = keras.models.clone_model(plain, image, clone_function=drawn, call_function=called)
    if weights != "none":
        cnn.set_weights(plain.get_weights())
    cnn.trainable = not freeze
    return cnn


def resnet50v2(shape, weights=None) -> keras.Model:
    """Pre-activated residual network of 50 layers, up to the average over the image."""
    return keras.applications.ResNet50V2(
        include_top=False, weights=weights, input_shape=shape, pooling="avg", name="cnn"
    )


def alexnet(shape) -> keras.Model:
    """Five convolutions and two dense layers (Krizhevsky, Sutskever and Hinton, NIPS 2012)."""
    image = x = keras.Input(shape)
    for i, (filters, size, stride) in enumerate(
        [(96, 11, 4), (256, 5, 1), (384, 3, 1), (384, 3, 1), (256, 3, 1)], start=1
    ):
        x = keras.layers.Conv2D(
            filters,
            size,
            strides=stride,
            padding="same" if stride == 1 else "valid",
            activation="relu",
            name=f"conv{i}",
        )(x)
        if i in (1, 2, 5):
            x = keras.layers.MaxPooling2D(3, strides=2, name=f"pool{i}")(x)
    x = keras.layers.Flatten(name="flat")(x)
    for i in (6, 7):
        x = keras.layers.Dense(4096, activation="relu", name=f"fc{i}")(x)
    return keras.Model(image, x, name="cnn")


def small(shape) -> keras.Model:
    """Three convolutions whose windows do not overlap, which is quick on a CPU, and the average."""
    image = x = keras.Input(shape)
    for i, (filters, size) in enumerate([(32, 4), (64, 2), (128, 2)], start=1):
        x = keras.layers.Conv2D(filters, size, strides=size, use_bias=False, name=f"conv{i}")(x)
        # Some dozen steps must do for the running statistics.
        x = keras.layers.BatchNormalization(momentum=0.9, name=f"bn{i}")(x)
        x = keras.layers.ReLU(name=f"relu{i}")(x)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D(name="average")(x), name="cnn")


def _fetched(network, shape) -> keras.Model:
    """Network with its ImageNet weights, from Keras's cache or the network."""
    try:
        return network(shape, weights="imagenet")
    except Exception as error:  # Keras raises nothing narrower where a download fails
        reason = textwrap.shorten(str(error), 240)
        raise InputError(
            f"dcnn_blstm: cnn_weights: imagenet cannot be downloaded ({reason}); "
            "go online once, or set the path of the file, or none"
        ) from None


def _read(cnn, path) -> None:
    """Set a CNN to the weights of a file."""
    if not Path(path).is_file():
        raise InputError(f"dcnn_blstm: cnn_weights: {path}: no such file; known: imagenet, none")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras goes on without what it lacks
            cnn.load_weights(path)
    except (ValueError, OSError, KeyError, UserWarning) as error:
        reason = textwrap.shorten(str(error), 120)
        raise InputError(f"dcnn_blstm: cnn_weights: {path}: not of this CNN ({reason})") from None
