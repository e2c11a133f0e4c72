"""CPAC: its layers, its graph, and the names of its weights."""

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.models import layers
from pipeline.models.cpac import Settings

EDGE = 38  # frames, and coefficients, that leave one step after three blocks and a convolution

# ---- layers ----------------------------------------------------------------------------------


def squash(x):
    """Bring the length of each vector, its last axis, below 1: ``|x|^2 / (1 + |x|^2) x / |x|``.

    Under the root of the divisor, 1e-7 is added.
    """
    square = keras.ops.sum(keras.ops.square(x), axis=-1, keepdims=True)
    return square / (1 + square) / keras.ops.sqrt(square + 1e-7) * x


def normalised(x):
    """Bring each vector, the last axis, to length 1; the square of a length is 1e-12 at least."""
    square = keras.ops.sum(keras.ops.square(x), axis=-1, keepdims=True)
    return x * keras.ops.rsqrt(keras.ops.maximum(square, 1e-12))


@keras.saving.register_keras_serializable(package="ser")
class FirstStatistics(keras.layers.BatchNormalization):
    """Batch normalisation by the statistics it starts with, 0 and 1, in training too.

    Input and output: (batch, ..., channels): ``gamma x / sqrt(1 + epsilon) + beta``.
    """

    def call(self, x, training=False):
        """Normalise as after training, whatever is asked for."""
        return super().call(x, training=False)


@keras.saving.register_keras_serializable(package="ser")
class PrimaryCapsules(keras.layers.Layer):
    """Channels read as capsules.

    Input: (batch, steps, ..., capsules * channels). Output: (batch, steps * ... * capsules,
    channels), each capsule squashed.

    Parameters
    ----------
    channels : int > 0
        Channels of a capsule.
    """

    def __init__(self, channels: int, **kwargs):
        super().__init__(**kwargs)
        self.channels = channels

    def call(self, x):
        """Part the channels, and squash."""
        capsules = int(np.prod(x.shape[2:])) // self.channels  # of a step in time
        steps = -1 if x.shape[1] is None else x.shape[1] * capsules
        return squash(keras.ops.reshape(x, (-1, steps, self.channels)))

    def get_config(self) -> dict:
        """Give back the constructor's arguments."""
        return super().get_config() | {"channels": self.channels}


@keras.saving.register_keras_serializable(package="ser")
class RoutedCapsules(keras.layers.Layer):
    """Capsules of a clip, routed by agreement from those of its steps, with shared weights.

    ``u_ij = W_j x_i`` is what capsule i says of capsule j. Starting from ``b = 0``, each round has
    ``c_i = softmax_j(b_i)`` and ``o_j = sum_i c_ij u_ij``; in all but the last, ``o_j`` is brought
    to length 1 and ``b_ij = o_j . u_ij`` takes the place of the old b.

    Input: (batch, capsules in, channels). Output: (batch, capsules, channels), squashed.

    Parameters
    ----------
    capsules : int > 0
        Capsules of a clip.
    routings : int > 0
        Rounds.
    seed : int
        Seed of the weights (channels, capsules * channels) at the start, Glorot uniform.
    """

    def __init__(self, capsules: int, *, routings: int, seed: int, **kwargs):
        super().__init__(**kwargs)
        self.capsules = capsules
        self.routings = routings
        self.seed = seed

    def build(self, input_shape):
        """Make the weights, the same for each capsule that comes in."""
        channels = input_shape[-1]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(channels, self.capsules * channels),
            initializer=layers.GlorotUniform(self.seed),
        )

    def call(self, x):
        """Transform each capsule, and route."""
        channels = x.shape[-1]
        u = keras.ops.matmul(x, self.kernel)  # (batch, in, capsules * channels)
        u = keras.ops.reshape(u, (-1, x.shape[1] or -1, self.capsules, channels))
        u = keras.ops.transpose(u, (0, 2, 1, 3))  # (batch, capsules, in, channels)
        c = 1 / self.capsules  # softmax of b = 0, which XLA would work out for a minute
        for left in reversed(range(self.routings)):
            o = keras.ops.sum(c * u, axis=2, keepdims=True)  # (batch, capsules, 1, channels)
            if left:
                b = keras.ops.sum(normalised(o) * u, axis=-1, keepdims=True)
                c = keras.ops.softmax(b, axis=1)  # (batch, capsules, in, 1)
        return squash(keras.ops.squeeze(o, axis=2))

    def get_config(self) -> dict:
        """Give back the constructor's arguments."""
        own = {name: getattr(self, name) for name in ("capsules", "routings", "seed")}
        return super().get_config() | own


# ---- graph -----------------------------------------------------------------------------------


def build(
    input_shape: tuple[int | None, int],
    outputs: int,
    settings: Settings,
    seed: int,
) -> keras.Model:
    """Build the network, untrained.

    Parameters
    ----------
    input_shape : (frames, coefficients)
        Shape of one clip, each at least 38. The weights do not depend on the number of frames,
        which may be None.
    outputs : int
        Number of classes.
    settings : Settings
    seed : int
        Seed of the weights and the dropout; one seed gives the same weights on every backend.

    Returns
    -------
    keras.Model
        (batch, frames, coefficients) to the probabilities (batch, outputs). The layer ``mean``
        gives the vector (batch, filters) that they are made from.

    Raises
    ------
    InputError
        If the input has another rank, or leaves no capsule.
    """
    if len(input_shape) != 2 or min(input_shape[1], input_shape[0] or EDGE) < EDGE:
        raise InputError(
            f"cpac takes (frames, coefficients), at least {EDGE} of each; got shape "
            f"{tuple(input_shape)}"
        )
    rng = np.random.default_rng(seed)
    inputs = keras.Input(input_shape, name="features")
    x = keras.layers.Reshape((-1, input_shape[1], 1), name="image")(inputs)
    for i, dropout in enumerate([settings.dropout, settings.dropout / 2, settings.dropout / 2], 1):
        # of 39 coefficients 18, then 8, then 3; frames alike
        x = _convolution(f"block{i}_conv", settings.filters, rng)(x)
        x = FirstStatistics(epsilon=1e-3, name=f"block{i}_bn")(x)
        x = keras.layers.Activation("elu", name=f"block{i}_elu")(x)
        x = keras.layers.AveragePooling2D(2, name=f"block{i}_pool")(x)
        x = keras.layers.Dropout(dropout, seed=layers.draw_seed(rng), name=f"block{i}_drop")(x)
    x = _convolution("primary_conv", settings.capsules * settings.filters, rng)(x)
    x = PrimaryCapsules(settings.filters, name="primary")(x)  # (batch, capsules in, filters)
    attended = keras.layers.Attention(use_scale=True, name="attention")([x, x])
    x = keras.layers.Multiply(name="attended")([x, attended])
    x = RoutedCapsules(
        settings.capsules,
        routings=settings.routings,
        seed=layers.draw_seed(rng),
        name="capsules",
    )(x)  # (batch, capsules, filters)
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)  # (batch, filters)
    x = keras.layers.Dropout(settings.head_dropout, seed=layers.draw_seed(rng), name="drop")(x)
    head = keras.layers.Dense(
        outputs,
        activation="softmax",
        kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)),
        name="head",
    )
    return keras.Model(inputs, head(x), name="cpac")  # (batch, outputs)


def _convolution(name, filters, rng) -> keras.layers.Conv2D:
    """Convolution of 3 x 3, within the image: two frames and two coefficients fewer."""
    return keras.layers.Conv2D(
        filters, 3, kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)), name=name
    )


# ---- weights ---------------------------------------------------------------------------------


def role_names(model: keras.Model) -> dict[str, keras.Variable]:
    """Name each weight by its role: ``block2.bn.gamma``, ``capsules.kernel``."""
    return layers.role_names(model)


def set_weights(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Set all weights by role."""
    layers.assign(role_names(model), weights)
