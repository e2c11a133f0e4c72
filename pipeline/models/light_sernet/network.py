"""Light-SERNet: its layer, its graph, and the names of its weights."""

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.models import layers
from pipeline.models.light_sernet import Settings

# ---- layers ----------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="ser")
class BatchNormalization(keras.layers.Layer):
    """Batch normalisation whose running variance is fed with unbiased variances.

    A batch is normalised by its own, biased variance. What goes into the running one is that times
    ``n / (n - 1)``, ``n`` the values of one channel, as in TensorFlow's fused operation, which the
    authors' code ran; Keras's layer takes it as it is.

    Input and output: (batch, frames, bins, channels).
    """

    MOMENTUM = 0.99
    EPSILON = 1e-3

    def build(self, input_shape):
        """Make scale, offset and running statistics of each channel."""
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros")
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=shape, initializer="zeros", trainable=False
        )
        self.moving_variance = self.add_weight(
            name="moving_variance", shape=shape, initializer="ones", trainable=False
        )

    def call(self, x, training=False):
        """Normalise by the statistics of the batch in training, else by the running ones."""
        mean, variance = self.moving_mean, self.moving_variance
        if training:
            mean, variance = keras.ops.moments(x, axes=(0, 1, 2))  # (channels,) each
            n = keras.ops.cast(keras.ops.size(x[..., 0]), x.dtype)
            unbiased = variance * n / keras.ops.maximum(n - 1, 1)
            for running, value in (self.moving_mean, mean), (self.moving_variance, unbiased):
                running.assign(self.MOMENTUM * running + (1 - self.MOMENTUM) * value)
        return keras.ops.batch_normalization(
            x, mean, variance, axis=-1, offset=self.beta, scale=self.gamma, epsilon=self.EPSILON
        )


# ---- graph -----------------------------------------------------------------------------------


def build(
    input_shape: tuple[int | None, ...],
    outputs: int,
    settings: Settings,
    seed: int,
) -> keras.Model:
    """Build the network, untrained.

    Parameters
    ----------
    input_shape : (frames, bins) or (frames, bins, 1)
        Shape of one clip; bins are coefficients or frequencies. The weights depend on neither
        number; that of the frames may be None.
    outputs : int
        Number of classes.
    settings : Settings
    seed : int
        Seed of the weights and the dropout; one seed gives the same weights on every backend.

    Returns
    -------
    keras.Model
        (batch, frames, bins) or (batch, frames, bins, 1) to the probabilities (batch, outputs). The
        layer ``gap`` gives the vector (batch, 320) that they are made from.

    Raises
    ------
    InputError
        If the input has another rank, or several channels.
    """
    if len(input_shape) not in (2, 3) or input_shape[2:] not in ((), (1,)):
        raise InputError(
            f"light_sernet takes (frames, bins) or (frames, bins, 1); got shape {input_shape}"
        )

    rng = np.random.default_rng(seed)
    inputs = keras.Input(input_shape, name="features")
    image = keras.layers.Reshape((-1, input_shape[1], 1), name="image")
    image = image(inputs)  # (batch, frames, bins, 1)
    paths = []
    for i, kernel in enumerate([(11, 1), (1, 9), (3, 3)], start=1):
        path = _convolution(f"path{i}", image, 32, kernel, rng=rng)
        paths.append(_pool(f"path{i}", path, (2, 2)))
    x = keras.layers.Concatenate(name="paths")(paths)  # (batch, frames / 2, bins / 2, 96)
    sizes = [(64, (2, 2)), (96, (2, 2)), (128, (2, 1)), (160, (2, 1))]
    regularizer = keras.regularizers.L2(settings.l2)
    bare = {"use_bias": False, "kernel_regularizer": regularizer, "rng": rng}
    for i, (filters, pool) in enumerate(sizes, start=1):
        x = _convolution(f"body{i}", x, filters, (3, 3), **bare)
        x = _pool(f"body{i}", x, pool)  # at the end (batch, frames / 32, bins / 8, 160)
    x = _convolution("body5", x, 320, (1, 1), **bare)
    x = keras.layers.GlobalAveragePooling2D(name="gap")(x)  # (batch, 320)
    x = keras.layers.Dropout(settings.dropout, seed=layers.draw_seed(rng), name="drop")(x)
    head = keras.layers.Dense(
        outputs,
        activation="softmax",
        kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)),
        name="head",
    )
    return keras.Model(inputs, head(x), name="light_sernet")  # (batch, outputs)


def _convolution(name, x, filters, kernel, *, rng, **settings):
    """Convolve ``x`` (batch, frames, bins, channels), zeros around it, normalise and rectify."""
    x = keras.layers.Conv2D(
        filters,
        kernel,
        padding="same",
        kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)),
        name=f"{name}_conv",
        **settings,
    )(x)  # (batch, frames, bins, filters)
    x = BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _pool(name, x, size):
    """Average cells of ``size``; where the last is not full, over what it holds."""
    return keras.layers.AveragePooling2D(size, padding="same", name=f"{name}_pool")(x)


# ---- weights ---------------------------------------------------------------------------------


def role_names(model: keras.Model) -> dict[str, keras.Variable]:
    """Name each weight by its role: ``path1.conv.bias``, ``body5.bn.gamma``, ``head.kernel``."""
    return layers.role_names(model)


def set_weights(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Set all weights by role."""
    layers.assign(role_names(model), weights)
