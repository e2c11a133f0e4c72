"""Layers that DeepEmoCluster alone has."""

import keras
import numpy as np

LIMIT = 3  # of a scaled bin, in deviations

# Layers are registered under the names that saved models hold.


@keras.saving.register_keras_serializable(package="ser")
class Normal(keras.initializers.Initializer):
    """Normal with mean 0, drawn by numpy: one seed, the same weights on any backend.

    Parameters
    ----------
    deviation : float
        ``deviation > 0``.
    seed : int
        Seed of the same numbers in every call.
    """

    def __init__(self, deviation: float, seed: int):
        self.deviation = deviation
        self.seed = seed

    def __call__(self, shape, dtype=None):
        """Draw an array of ``shape``."""
        draw = np.random.default_rng(self.seed).normal(0, self.deviation, shape)
        return keras.ops.convert_to_tensor(draw.astype("float32"), dtype=dtype)

    def get_config(self) -> dict:
        """Give back the constructor's arguments."""
        return {"deviation": self.deviation, "seed": self.seed}


@keras.saving.register_keras_serializable(package="ser", name="Scaled")
class ScaleBins(keras.layers.Layer):
    """Each bin with its mean over the training clips at 0, by deviations, cut off at +-3.

    A bin that never changed in training, deviation 0, becomes 0.

    Input and output: (batch, chunks, frames, bins). Weights, not trained: ``mean`` and ``std``,
    each (bins,), 0 and 1 until they are set.
    """

    def build(self, input_shape: tuple):
        """Make the weights."""
        bins = input_shape[-1:]
        self.mean = self.add_weight(shape=bins, trainable=False, initializer="zeros", name="mean")
        self.std = self.add_weight(shape=bins, trainable=False, initializer="ones", name="std")

    def call(self, x):
        """Scale and cut off."""
        mean, std = (keras.ops.convert_to_tensor(weight) for weight in (self.mean, self.std))
        still = keras.ops.equal(std, 0)
        scores = (x - mean) / keras.ops.where(still, 1.0, std)
        return keras.ops.clip(keras.ops.where(still, 0.0, scores), -LIMIT, LIMIT)


@keras.saving.register_keras_serializable(package="ser", name="Ratings")
class UnscaleRatings(keras.layers.Layer):
    """Scores of the attributes in the units that clips are rated in: ``score * std + mean``.

    Input and output: (batch, attributes). Weights, not trained: ``mean`` and ``std`` of the
    training clips' ratings, each (attributes,), 0 and 1 until they are set.
    """

    def build(self, input_shape: tuple):
        """Make the weights."""
        size = input_shape[-1:]
        self.mean = self.add_weight(shape=size, trainable=False, initializer="zeros", name="mean")
        self.std = self.add_weight(shape=size, trainable=False, initializer="ones", name="std")

    def call(self, x):
        """Scale back."""
        return x * self.std + self.mean


@keras.saving.register_keras_serializable(package="ser", name="Images")
class MergeChunks(keras.layers.Layer):
    """Chunks of all clips merged into one batch, each an image of one channel.

    Input: (batch, chunks, frames, bins). Output: (batch * chunks, frames, bins, 1).
    """

    def call(self, x):
        """Merge the first two axes."""
        return keras.ops.reshape(x, (-1, *x.shape[2:], 1))


@keras.saving.register_keras_serializable(package="ser", name="Clips")
class SplitChunks(keras.layers.Layer):
    """Vectors of a batch of chunks split by clip, as `MergeChunks` merged them.

    Input: (batch * chunks, width). Output: (batch, chunks, width).

    Parameters
    ----------
    chunks : int
        Number of chunks of a clip.
    """

    def __init__(self, *, chunks: int, **kwargs):
        super().__init__(**kwargs)
        self.chunks = chunks

    def call(self, x):
        """Split the first axis."""
        return keras.ops.reshape(x, (-1, self.chunks, x.shape[1]))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Shape of the output; JAX cannot divide a number of clips that is not known."""
        return (None, self.chunks, input_shape[1])

    def get_config(self) -> dict:
        """Give back the constructor's arguments."""
        return super().get_config() | {"chunks": self.chunks}


@keras.saving.register_keras_serializable(package="ser")
class PositionCode(keras.layers.Layer):
    """Adds sines to even channels and cosines to odd ones, slower from pair to pair.

    ``sin(t / 10000 ^ (i / channels))`` to channel ``i`` of chunk ``t``, and the cosine of the same
    to channel ``i + 1``, for even ``i``.

    Input and output: (batch, chunks, channels), channels even.
    """

    def call(self, x):
        """Add the code."""
        chunks, channels = x.shape[1:]
        slowness = 10000.0 ** (np.arange(0, channels, 2) / channels)
        angles = np.arange(chunks)[:, None] / slowness  # (chunks, channels / 2)
        code = np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(chunks, channels)
        return x + code.astype(np.float32)
