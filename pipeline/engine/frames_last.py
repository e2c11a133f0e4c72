"""A network over frames as a processor trains it fastest: frames last, convolutions as products.

Keras has channels last: (clips, frames, channels). XLA's loops then run over a few dozen channels,
its sums over clips and frames are scalar, and half of a convolution's time goes into bringing its
operands into order. With (channels, clips, frames) loops are long, and a dilated convolution is one
product of its kernel and the frames that it sees. Values differ in rounding alone.
(`make bench BENCH=engine`)
"""

from functools import cache

import jax
import keras
from jax import numpy as jnp

from pipeline.models import layers

FIRST, LAST = (1, 2, 0), (2, 0, 1)  # of (channels, clips, frames); of (clips, frames, channels)


class Transposed(keras.layers.Layer):
    """The axes of a tensor in another order."""

    def __init__(self, axes: tuple[int, ...], **kwargs):
        super().__init__(**kwargs)
        self.axes = axes

    def call(self, x):
        """Transpose."""
        return keras.ops.transpose(x, self.axes)


class Convolution(keras.layers.Conv1D):
    """Causal convolution: (channels, clips, frames) to (filters, clips, frames)."""

    def build(self, input_shape):
        """Make the weights of Keras' layer."""
        super().build((None, None, input_shape[0]))
        self.input_spec = None

    def compute_output_shape(self, input_shape):
        """Filters take the place of channels."""
        return (self.filters, *input_shape[1:])

    def call(self, x):
        """Convolve."""
        return layers.convolved(x, self.kernel.value, self.bias.value, self.dilation_rate[0])


class Normalisation(keras.layers.BatchNormalization):
    """Batch normalisation of (channels, clips, frames), with sums as products."""

    def build(self, input_shape):
        """Make the weights and statistics of Keras' layer."""
        super().build((None, None, input_shape[0]))
        self.input_spec = None

    def call(self, x, training=False, mask=None):
        """Normalise by the statistics of the batch, and add them to the running ones."""
        x, mean, variance = normalised(x, self.gamma.value, self.beta.value, self.epsilon)
        for running, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            running.assign(running * self.momentum + now * (1 - self.momentum))
        return x


class Dropout(keras.layers.SpatialDropout1D):
    """Channels of clips dropped from (channels, clips, frames), those that Keras' layer drops."""

    def call(self, x, training=False):
        """Draw in Keras' order of axes."""
        if not self.rate:
            return x
        drawn = jnp.ones((x.shape[1], 1, x.shape[0]), x.dtype)
        kept = keras.random.dropout(drawn, self.rate, seed=self.seed_generator)
        return x * kept.transpose(LAST)


class Mean(keras.layers.GlobalAveragePooling1D):
    """Mean over frames: (channels, clips, frames) to (clips, channels)."""

    def compute_output_shape(self, input_shape):
        """Frames are gone."""
        return (input_shape[1], input_shape[0])

    def call(self, x, mask=None):
        """Add up and divide."""
        return keras.ops.transpose(keras.ops.mean(x, axis=-1))


def summed(x):
    """Sum (channels, clips, frames) to (channels, 1, 1) in a product, which XLA does at speed."""
    flat = x.reshape(len(x), -1)
    return (flat @ jnp.ones((flat.shape[1], 1), x.dtype))[..., None]


@jax.custom_vjp
def normalised(x, gamma, beta, epsilon) -> tuple:
    """Normalise (channels, clips, frames); give the mean and the variance (channels,) as well."""
    return _forwards(x, gamma, beta, epsilon)[0]


def _forwards(x, gamma, beta, epsilon):
    count = x.shape[1] * x.shape[2]
    mean = summed(x) / count
    centred = x - mean
    variance = summed(centred * centred) / count
    scale = jax.lax.rsqrt(variance + epsilon)
    y = centred * (scale * gamma[:, None, None]) + beta[:, None, None]
    return (y, mean[:, 0, 0], variance[:, 0, 0]), (x, mean, scale, gamma)


def _backwards(kept, given):
    """Give the gradients by x, gamma and beta; the statistics are not differentiated further."""
    x, mean, scale, gamma = kept
    dy, count = given[0], x.shape[1] * x.shape[2]
    unit = (x - mean) * scale
    of_beta, of_gamma = summed(dy), summed(dy * unit)
    of_x = scale * gamma[:, None, None] * (dy - of_beta / count - unit * (of_gamma / count))
    return of_x, of_gamma[:, 0, 0], of_beta[:, 0, 0], 0.0


normalised.defvjp(_forwards, _backwards)


def _causal(layer: keras.layers.Conv1D) -> bool:
    linear = layer.activation is keras.activations.linear and layer.use_bias
    plain = layer.strides == (1,) and layer.groups == 1 and layer.data_format == "channels_last"
    return linear and plain and (layer.padding == "causal" or layer.kernel_size == (1,))


def _usual(layer: keras.layers.BatchNormalization) -> bool:
    whole = layer.scale and layer.center and layer.axis in (-1, 2)
    return whole and layer.trainable and not layer.renorm and not layer.synchronized


def _vectors(layer: keras.layers.GlobalAveragePooling1D) -> bool:
    return layer.data_format == "channels_last" and not layer.keepdims


# a layer of (clips, frames, channels), when it is replaced, and by what
REPLACED = {
    keras.layers.Conv1D: (_causal, Convolution),
    keras.layers.BatchNormalization: (_usual, Normalisation),
    keras.layers.SpatialDropout1D: (lambda _: True, Dropout),
    keras.layers.GlobalAveragePooling1D: (_vectors, Mean),
}
# what takes each value by itself
BY_ITSELF = keras.layers.ReLU, keras.layers.LeakyReLU, keras.layers.Add, keras.layers.Multiply
FUNCTIONS = {"elu", "gelu", "relu", "sigmoid", "silu", "softplus", "tanh"}


@cache
def _own(kind: type) -> type:
    """Kind of layer whose `call` is what another has as ``frames_last``."""

    def build(self, input_shape):
        kind.build(self, (None, None, input_shape[0]))

    return type(kind.__name__, (kind,), {"build": build, "call": kind.frames_last})


def _replaced(layer: keras.Layer) -> type | None:
    """What takes the place of a layer, if anything does."""
    ranks = [len(x.shape) for x in keras.tree.flatten(layer.input)]
    if ranks != [3] or layer.compute_dtype != "float32":
        return None
    if hasattr(layer, "frames_last"):
        return _own(type(layer))
    fits, other = REPLACED.get(type(layer), (lambda _: False, None))
    return other if fits(layer) else None


def reordered(model: keras.Model) -> keras.Model:
    """Give a network to train that computes what another does, with frames last where it can.

    A layer of our own takes part by a method ``frames_last(x)``: its ``call``, for (channels,
    clips, frames).

    Parameters
    ----------
    model : keras.Model
        Any; layers unknown here, and convolutions that are not causal, stay as they are. So does a
        network whole that hides frames from its layers (``Masking``).

    Returns
    -------
    keras.Model
        Fresh weights, in the order of the other's; the other network itself if no convolution of
        it is faster so.
    """
    hides = any(isinstance(layer, keras.layers.Masking) for layer in model.layers)
    if hides or isinstance(model, keras.Sequential):
        return model
    kinds = {layer: _replaced(layer) for layer in model.layers}
    if not any(kind and kind not in (Normalisation, Dropout, Mean) for kind in kinds.values()):
        return model
    last, replaced = set(), set()  # tensors that have frames last; layers that want them so

    def cloned(layer: keras.Layer) -> keras.Layer:
        new = (kinds[layer] or type(layer)).from_config(layer.get_config())
        if kinds[layer]:
            replaced.add(new)
        return new

    def usual(x) -> tuple:
        return (*x.shape[1:], x.shape[0]) if id(x) in last else x.shape

    def brought(x, wanted: bool):
        if (id(x) in last) == wanted:
            return x
        return Transposed(LAST if wanted else FIRST)(x)

    def called(layer: keras.Layer, *inputs, **settings):
        tensors = keras.tree.flatten(inputs)
        by_itself = isinstance(layer, BY_ITSELF) or (
            isinstance(layer, keras.layers.Activation) and layer.activation.__name__ in FUNCTIONS
        )
        alike = len({usual(x) for x in tensors}) == 1  # nothing is broadcast
        kept = by_itself and alike and any(id(x) in last for x in tensors)
        wanted = layer in replaced or kept
        inputs = keras.tree.map_structure(lambda x: brought(x, wanted), inputs)
        y = layer(*inputs, **settings)
        if wanted and not isinstance(layer, Mean):
            last.update(id(x) for x in keras.tree.flatten(y))
        return y

    new = keras.models.clone_model(model, clone_function=cloned, call_function=called)
    found = [[(v.path.split("/")[-2:], v.shape) for v in one.weights] for one in (model, new)]
    return new if found[0] == found[1] else model
