"""DCNN-BLSTM: its layers, its graph, and the names of its weights."""

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.models import layers
from pipeline.models.dcnn_blstm import Settings, cnns

# Of red, green and blue in 0..1, by which networks trained on ImageNet are usually fed.
IMAGENET = {"mean": (0.485, 0.456, 0.406), "deviation": (0.229, 0.224, 0.225)}
SMALLEST = {"resnet50v2": 32, "alexnet": 67, "small": 16}  # image that the network can take

# ---- layers ----------------------------------------------------------------------------------
# Layers are registered under the names that saved models hold.


@keras.saving.register_keras_serializable(package="ser")
class Orthogonal(keras.initializers.Initializer):
    """Rows of a random orthogonal matrix, drawn by numpy: one seed, the same on any backend.

    Parameters
    ----------
    seed : int
        Seed of the same numbers in every call.

    References
    ----------
    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks", ICLR 2014.
    """

    def __init__(self, seed: int):
        self.seed = seed

    def __call__(self, shape, dtype=None):
        """Draw a matrix of ``shape``, not taller than wide."""
        height, width = shape
        normal = np.random.default_rng(self.seed).normal(size=(width, height))
        q, r = np.linalg.qr(normal)
        rows = (q * np.sign(np.diag(r))).T  # (height, width)
        return keras.ops.convert_to_tensor(rows.astype("float32"), dtype=dtype)

    def get_config(self) -> dict:
        """Give back the constructor's arguments."""
        return {"seed": self.seed}


@keras.saving.register_keras_serializable(package="ser", name="OwnSegments")
class SegmentMask(keras.layers.Layer):
    """Mask of a clip's own segments, without padding: the first, and all that are not zero.

    Input: (batch, segments, frames, bins, channels). Output: (batch, segments), bool.
    """

    def call(self, x):
        """Look for anything but zeros."""
        count = keras.ops.shape(x)[1]
        first = keras.ops.arange(count) == 0  # so that a mean is taken over one at least
        return keras.ops.logical_or(first, keras.ops.any(x != 0, axis=(2, 3, 4)))


@keras.saving.register_keras_serializable(package="ser", name="ScaledToOne")
class MinMaxScale(keras.layers.Layer):
    """Each channel of a clip brought to 0..1 over all its own segments; padding stays zero.

    A channel that never changes becomes 0. Of 0..1 a mean is then subtracted, and a deviation
    divides it.

    Input: (batch, segments, frames, bins, channels) and `SegmentMask` of it. Output: the former.

    Parameters
    ----------
    mean, deviation : float or tuple of float, one for each channel
    """

    def __init__(self, *, mean=0.0, deviation=1.0, **kwargs):
        super().__init__(**kwargs)
        self.mean, self.deviation = mean, deviation

    def call(self, x, own):
        """Subtract the lowest, divide by the range; then normalise."""
        own = own[:, :, None, None, None]
        axes = {"axis": (1, 2, 3), "keepdims": True}
        lowest = keras.ops.min(keras.ops.where(own, x, np.inf), **axes)
        highest = keras.ops.max(keras.ops.where(own, x, -np.inf), **axes)
        scaled = (x - lowest) / keras.ops.maximum(highest - lowest, keras.config.epsilon())
        mean, deviation = (np.float32(value) for value in (self.mean, self.deviation))
        return keras.ops.where(own, (scaled - mean) / deviation, 0.0)

    def get_config(self) -> dict:
        """Give back the constructor's arguments."""
        return super().get_config() | {"mean": self.mean, "deviation": self.deviation}


@keras.saving.register_keras_serializable(package="ser", name="Apart")
class MergeSegments(keras.layers.Layer):
    """Segments of all clips merged into one batch.

    Input: (batch, segments, ...). Output: (batch * segments, ...).
    """

    def call(self, x):
        """Merge the first two axes."""
        return keras.ops.reshape(x, (-1, *x.shape[2:]))


@keras.saving.register_keras_serializable(package="ser", name="Together")
class SplitSegments(keras.layers.Layer):
    """Vectors of a batch of segments split by clip, as `MergeSegments` merged them.

    Input: (batch * segments, features) and (batch, segments). Output: (batch, segments, features).
    """

    def call(self, vectors, own):
        """Split the first axis."""
        return keras.ops.reshape(vectors, (*keras.ops.shape(own), vectors.shape[-1]))

    def compute_output_shape(self, vectors_shape, own_shape):
        """Shape of the output: one vector for each segment of a clip."""
        return (*own_shape, vectors_shape[-1])


@keras.saving.register_keras_serializable(package="ser", name="Total")
class SumSegments(keras.layers.Layer):
    """Sum over the segments; those of padding are zero.

    Input: (batch, segments, features). Output: (batch, features).
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x):
        """Sum."""
        return keras.ops.sum(x, axis=1)

    def compute_mask(self, x, mask=None):
        """Give none: without segments there is no padding."""
        return None


# ---- graph -----------------------------------------------------------------------------------


def build(
    input_shape: tuple[int | None, ...],
    outputs: int,
    settings: Settings,
    seed: int,
) -> keras.Model:
    """Build the network, untrained but for what ``cnn_weights`` gives.

    Parameters
    ----------
    input_shape : (segments, frames, bins, 3)
        Shape of one clip. The number of segments may be None, frames and bins may not.
    outputs : int
        Number of classes.
    settings : Settings
    seed : int
        Seed of the weights and the dropout; one seed gives the same weights on every backend.

    Returns
    -------
    keras.Model
        (batch, segments, frames, bins, 3) to the probabilities (batch, outputs). Segments of zeros
        are padding. The layer ``vectors`` gives (batch, segments, features) of the CNN, ``stem``
        the same and which segments are the clip's own, so that what follows needs nothing else and
        a frozen CNN sees each clip once; ``pooled``
        the vector (batch, 2 * units) that the attention makes of them.

    Raises
    ------
    InputError
        If the input has another shape or is too small for the CNN, or the CNN's weights cannot be
        had.
    """
    _check(input_shape, settings)
    rng = np.random.default_rng(seed)
    inputs = keras.Input(input_shape, name="features")
    own = SegmentMask(name="own")(inputs)  # (batch, segments)
    x = inputs
    if settings.scaled:
        normal = IMAGENET if settings.imagenet else {}
        x = MinMaxScale(name="scaled", **normal)(inputs, own)
    x = MergeSegments(name="apart")(x)  # (batch * segments, frames, bins, 3)
    if settings.resize:
        x = keras.layers.Resizing(settings.resize, settings.resize, name="resized")(x)
    cnn = cnns.build(
        settings.cnn, x.shape[1:], settings.cnn_weights, freeze=settings.freeze, rng=rng
    )
    x = cnn(x)  # (batch * segments, features)
    x = SplitSegments(name="vectors")(x, own)  # (batch, segments, features)
    flags = keras.ops.cast(own, "float32")[..., None]
    stem = keras.layers.Concatenate(name="stem")([x, flags])  # (batch, segments, features + 1)
    x, own = stem[..., :-1], stem[..., -1] > 0
    x = _blstm(settings.units, rng)(x, mask=own)  # (batch, segments, 2 * units)
    x = _attend(settings.attention, x, own, rng)  # (batch, 2 * units)
    for i, width in enumerate(settings.dense, start=1):
        x = _dense(f"dense{i}", width, rng, activation="relu")(x)  # (batch, width)
        if i in (1, len(settings.dense)):
            x = keras.layers.Dropout(settings.dropout, seed=layers.draw_seed(rng), name=f"drop{i}")(
                x
            )
    head = _dense("head", outputs, rng, activation="softmax")
    return keras.Model(inputs, head(x), name="dcnn_blstm")  # (batch, outputs)


def _check(input_shape, settings) -> None:
    """Refuse an input that leads to no network."""
    if len(input_shape) != 4 or input_shape[3] != 3 or None in input_shape[1:]:
        raise InputError(
            f"dcnn_blstm takes (segments, frames, bins, 3); got shape {tuple(input_shape)}"
        )
    cnn, resize = settings.cnn, settings.resize
    height, width = (resize, resize) if resize else input_shape[1:3]
    if min(height, width) < SMALLEST[cnn]:
        raise InputError(
            f"dcnn_blstm: {cnn} takes images of {SMALLEST[cnn]} x {SMALLEST[cnn]} or more, "
            f"got {height} x {width}; set resize"
        )


def _attend(attention, x, own, rng):
    """Let the segments of ``x`` (batch, segments, features) attend to all; one vector of them."""
    if attention == "dot":
        x = keras.layers.Attention(use_scale=True, name="attention")([x, x], mask=[own, own])
        return keras.layers.GlobalAveragePooling1D(name="pooled")(x, mask=own)
    size = x.shape[-1]
    query, key, value = (_dense(name, size, rng)(x) for name in ("query", "key", "value"))
    query = keras.layers.Rescaling(size**-0.5, name="scaled_query")(query)
    x = keras.layers.Attention(name="attention")([query, value, key], mask=[own, own])
    return SumSegments(name="pooled")(x)


def _blstm(units, rng) -> keras.layers.Bidirectional:
    """One LSTM that reads forwards and one that reads backwards."""
    forward, backward = (
        keras.layers.LSTM(
            units,
            return_sequences=True,
            go_backwards=backwards,
            kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)),
            recurrent_initializer=Orthogonal(layers.draw_seed(rng)),
            seed=layers.draw_seed(rng),  # of a dropout that is not used, but a state of the model
        )
        for backwards in (False, True)
    )
    return keras.layers.Bidirectional(forward, backward_layer=backward, name="blstm")


def _dense(name, units, rng, **settings) -> keras.layers.Dense:
    """Fully connected layer."""
    initializer = layers.GlorotUniform(layers.draw_seed(rng))
    return keras.layers.Dense(units, kernel_initializer=initializer, name=name, **settings)


# ---- weights ---------------------------------------------------------------------------------


def role_names(model: keras.Model) -> dict[str, keras.Variable]:
    """Name each weight: ``cnn.conv1_conv.kernel``, ``blstm.forward.bias``, ``attention.scale``."""
    roles = {}
    for layer in model.layers:
        if layer.name == "cnn":
            roles |= {f"cnn.{part.name}.{v.name}": v for part in layer.layers for v in part.weights}
        elif layer.name == "blstm":
            halves = {"forward": layer.forward_layer, "backward": layer.backward_layer}
            roles |= {f"blstm.{way}.{v.name}": v for way, half in halves.items()
                      for v in half.weights}  # fmt: skip
        else:
            roles |= {f"{layer.name}.{v.name}": v for v in layer.weights}
    return roles


def set_weights(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Set all weights by role."""
    layers.assign(role_names(model), weights)
