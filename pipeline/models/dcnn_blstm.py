"""DCNN-BLSTM with attention: an image network on pieces of a clip, then time, then attention.

A clip comes as segments, each an image of frames by mel bands whose three channels are the log-mel
spectrogram and its two differences. A convolutional network made for photographs gives a vector of
each segment; a bidirectional LSTM reads the vectors in turn, each of its outputs attends to all of
them, their mean goes through dense layers, and a softmax layer names the emotion.

Segments of zeros are padding behind a clip: the LSTM, the attention, the mean and the batch
statistics of the convolutional network pass over them.

References
----------
H. Zhang, R. Gou, J. Shang, F. Shen, Y. Wu, G. Dai, "Pre-trained Deep Convolution Neural Network
Model With Attention for Speech Emotion Recognition", Frontiers in Physiology 12:643202, 2021.
https://doi.org/10.3389/fphys.2021.643202

Notes
-----
The authors published no code. The defaults are the network of an independent repetition, which
departs from the paper in what follows; the settings that lead back are in brackets:

* ResNet50V2 in place of AlexNet (``cnn: alexnet``), starting from ImageNet (``cnn_weights``), for
  which AlexNet has no weights here.
* Segments go in as they are, 64 x 64. The paper's are resized (``resize: 227``).
* Eight segments, the first 3 s. The paper takes all of a clip (``length: whole`` of the waveform).
* Attention has no weights but one scale. A second repetition has query, key and value layers, sums
  over the segments, and goes on with 512 and 256 units (``attention: projected``,
  ``dense: [512, 256]``); it brings each channel of a clip to 0..1 (``scaled: true``).

What the paper itself has for the last point is not known here. AlexNet is in one column, without
response normalisation and dropout. The running variances of ResNet50V2 are fed with biased ones.
"""

import textwrap
from pathlib import Path

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.models import layers

CNNS = ("resnet50v2", "alexnet", "small")
ATTENTIONS = ("dot", "projected")
SMALLEST = {"resnet50v2": 32, "alexnet": 67, "small": 16}  # image that the network can take

# ---- layers ----------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="ser")
class Orthogonal(keras.initializers.Initializer):
    """Rows of a random orthogonal matrix, drawn by numpy: one seed, the same on any backend.

    Parameters
    ----------
    seed : int
        The same numbers every time it is called.

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


@keras.saving.register_keras_serializable(package="ser")
class OwnSegments(keras.layers.Layer):
    """Which segments are a clip's own and not padding: the first, and all that are not zero.

    Input: (batch, segments, frames, bins, channels). Output: (batch, segments), bool.
    """

    def call(self, x):
        """Look for anything but zeros."""
        count = keras.ops.shape(x)[1]
        first = keras.ops.arange(count) == 0  # so that a mean is taken over one at least
        return keras.ops.logical_or(first, keras.ops.any(x != 0, axis=(2, 3, 4)))


@keras.saving.register_keras_serializable(package="ser")
class OwnImages(keras.layers.Layer):
    """Which images are not zero, in the shape in which batch normalisation takes a mask.

    Input: (images, frames, bins, channels). Output: (images, 1, 1), bool.
    """

    def call(self, x):
        """Look for anything but zeros."""
        return keras.ops.any(x != 0, axis=(1, 2, 3))[:, None, None]


@keras.saving.register_keras_serializable(package="ser")
class OwnBatchNormalization(keras.layers.BatchNormalization):
    """Batch normalisation whose statistics are those of a clip's own segments alone.

    Input: (images, height, width, channels) and `OwnImages`. Output: the former.
    """

    def build(self, x_shape, own_shape):
        """Make scale, offset and running statistics of each channel."""
        super().build(x_shape)

    def call(self, x, own, training=False):
        """Normalise by the statistics of the batch in training, else by the running ones."""
        return super().call(x, training=training, mask=own)

    def compute_output_shape(self, x_shape, own_shape):
        """As the images came in."""
        return x_shape


@keras.saving.register_keras_serializable(package="ser")
class ScaledToOne(keras.layers.Layer):
    """Each channel of a clip brought to 0..1 over all its own segments; padding stays zero.

    A channel that never changes becomes 0.

    Input: (batch, segments, frames, bins, channels) and `OwnSegments` of it. Output: the former.
    """

    def call(self, x, own):
        """Subtract the lowest, divide by the range."""
        own = own[:, :, None, None, None]
        axes = {"axis": (1, 2, 3), "keepdims": True}
        lowest = keras.ops.min(keras.ops.where(own, x, np.inf), **axes)
        highest = keras.ops.max(keras.ops.where(own, x, -np.inf), **axes)
        scaled = (x - lowest) / keras.ops.maximum(highest - lowest, keras.config.epsilon())
        return keras.ops.where(own, scaled, 0.0)


@keras.saving.register_keras_serializable(package="ser")
class Apart(keras.layers.Layer):
    """The segments of all clips as one batch.

    Input: (batch, segments, ...). Output: (batch * segments, ...).
    """

    def call(self, x):
        """Let the first two axes run into one."""
        return keras.ops.reshape(x, (-1, *x.shape[2:]))


@keras.saving.register_keras_serializable(package="ser")
class Together(keras.layers.Layer):
    """The vectors of all segments, clip by clip again.

    Input: (batch * segments, features) and (batch, segments). Output: (batch, segments, features).
    """

    def call(self, vectors, own):
        """Give the first axis back its two."""
        return keras.ops.reshape(vectors, (*keras.ops.shape(own), vectors.shape[-1]))

    def compute_output_shape(self, vectors_shape, own_shape):
        """Of a clip's segments one vector each."""
        return (*own_shape, vectors_shape[-1])


@keras.saving.register_keras_serializable(package="ser")
class Total(keras.layers.Layer):
    """Sum over the segments; those of padding are zero.

    Input: (batch, segments, features). Output: (batch, features).
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x):
        """Add up."""
        return keras.ops.sum(x, axis=1)

    def compute_mask(self, x, mask=None):
        """Of no segments, none is padding."""
        return None


# ---- graph -----------------------------------------------------------------------------------


def build(
    input_shape: tuple[int | None, ...],
    outputs: int,
    *,
    cnn: str = "resnet50v2",
    cnn_weights: str = "none",
    freeze: bool = False,
    resize: int = 0,
    scaled: bool = False,
    units: int = 128,
    attention: str = "dot",
    dense: tuple[int, ...] = (256, 128, 128),
    dropout: float = 0.25,
    seed: int = 0,
) -> keras.Model:
    """Build the network, untrained but for what ``cnn_weights`` gives.

    Parameters
    ----------
    input_shape : (segments, frames, bins, 3)
        Of one clip. The number of segments may be None, frames and bins may not.
    outputs : int
        Number of classes.
    cnn : {"resnet50v2", "alexnet", "small"}
        What makes a vector of a segment: ResNet50V2 up to its global average (2048 features), the
        paper's AlexNet up to its last layer but one (4096), or three convolutions that train in
        seconds (128).
    cnn_weights : str
        Where the CNN starts from: "none" (drawn from the seed), "imagenet" (ResNet50V2 alone;
        downloaded once by keras.applications), or the path of a file of weights for this very CNN,
        ``.h5`` of keras.applications without top, or ``.weights.h5`` of Keras.
    freeze : bool
        Leave the CNN as it starts and train what follows.
    resize : int >= 0
        Height and width to which segments are brought (bilinear); 0 leaves them.
    scaled : bool
        Whether each channel of a clip is brought to 0..1 first.
    units : int > 0
        Of the LSTM, in each direction.
    attention : {"dot", "projected"}
        ``softmax(s H H^T) H`` of the LSTM's outputs ``H``, ``s`` learnt, averaged over the
        segments; or ``softmax(Q K^T / sqrt(2 units)) V`` of three dense layers of ``H``, summed.
    dense : tuple of int > 0
        Units of the layers ahead of the softmax layer.
    dropout : float, ``0 <= dropout < 1``
        Share silenced behind the first and the last of these.
    seed : int
        Of the weights and the dropout; one seed gives the same weights on every backend.

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
        If the input has another shape or is too small for the CNN, a setting is out of bounds, or
        the CNN's weights cannot be had.
    """
    _check(input_shape, cnn, cnn_weights, freeze, resize, attention)
    for name, values in {"units": (units,), "dense": dense or (0,)}.items():
        if min(values) < 1:
            raise InputError(f"dcnn_blstm: {name}: must be at least 1, got {min(values)}")
    if not 0 <= dropout < 1:
        raise InputError(f"dcnn_blstm: dropout: must be in [0, 1), got {dropout}")

    rng = np.random.default_rng(seed)
    inputs = keras.Input(input_shape, name="features")
    own = OwnSegments(name="own")(inputs)  # (batch, segments)
    x = ScaledToOne(name="scaled")(inputs, own) if scaled else inputs
    x = Apart(name="apart")(x)  # (batch * segments, frames, bins, 3)
    if resize:
        x = keras.layers.Resizing(resize, resize, name="resized")(x)
    x = _cnn(cnn, x.shape[1:], cnn_weights, freeze, rng)(x)  # (batch * segments, features)
    x = Together(name="vectors")(x, own)  # (batch, segments, features)
    flags = keras.ops.cast(own, "float32")[..., None]
    stem = keras.layers.Concatenate(name="stem")([x, flags])  # (batch, segments, features + 1)
    x, own = stem[..., :-1], stem[..., -1] > 0
    x = _blstm(units, rng)(x, mask=own)  # (batch, segments, 2 * units)
    x = _attend(attention, x, own, rng)  # (batch, 2 * units)
    for i, width in enumerate(dense, start=1):
        x = _dense(f"dense{i}", width, rng, activation="relu")(x)  # (batch, width)
        if i in (1, len(dense)):
            x = keras.layers.Dropout(dropout, seed=layers.draw_seed(rng), name=f"drop{i}")(x)
    head = _dense("head", outputs, rng, activation="softmax")
    return keras.Model(inputs, head(x), name="dcnn_blstm")  # (batch, outputs)


def _check(input_shape, cnn, cnn_weights, freeze, resize, attention) -> None:
    """Refuse an input or a choice that leads to no network."""
    if len(input_shape) != 4 or input_shape[3] != 3 or None in input_shape[1:]:
        raise InputError(
            f"dcnn_blstm takes (segments, frames, bins, 3); got shape {tuple(input_shape)}"
        )
    for name, value, known in [("cnn", cnn, CNNS), ("attention", attention, ATTENTIONS)]:
        if value not in known:
            raise InputError(f"dcnn_blstm: {name}: no {value!r}; known: {', '.join(known)}")
    if resize < 0:
        raise InputError(f"dcnn_blstm: resize: must be at least 0, got {resize}")
    height, width = (resize, resize) if resize else input_shape[1:3]
    if min(height, width) < SMALLEST[cnn]:
        raise InputError(
            f"dcnn_blstm: {cnn} takes images of {SMALLEST[cnn]} x {SMALLEST[cnn]} or more, "
            f"got {height} x {width}; set resize"
        )
    if cnn_weights == "imagenet" and cnn != "resnet50v2":
        raise InputError(
            f"dcnn_blstm: cnn_weights: imagenet has none of {cnn}; take cnn resnet50v2, or a file"
        )
    if freeze and cnn_weights == "none":
        raise InputError("dcnn_blstm: freeze: a CNN of random weights learns nothing; "
                         "set cnn_weights")  # fmt: skip


def _attend(attention, x, own, rng):
    """Let the segments of ``x`` (batch, segments, features) attend to all; one vector of them."""
    if attention == "dot":
        x = keras.layers.Attention(use_scale=True, name="attention")([x, x], mask=[own, own])
        return keras.layers.GlobalAveragePooling1D(name="pooled")(x, mask=own)
    size = x.shape[-1]
    query, key, value = (_dense(name, size, rng)(x) for name in ("query", "key", "value"))
    query = keras.layers.Rescaling(size**-0.5, name="scaled_query")(query)
    x = keras.layers.Attention(name="attention")([query, value, key], mask=[own, own])
    return Total(name="pooled")(x)


def _blstm(units, rng) -> keras.layers.Bidirectional:
    """LSTM that reads forwards beside one that reads backwards."""
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


# ---- convolutional networks ------------------------------------------------------------------


def _cnn(name, shape, weights, freeze, rng) -> keras.Model:
    """Network (images, height, width, 3) -> (images, features), with its first weights."""
    plain = {"resnet50v2": _resnet50v2, "alexnet": _alexnet, "small": _small}[name]
    plain = _fetched(plain, shape) if weights == "imagenet" else plain(shape)
    if weights not in ("imagenet", "none"):
        _read(plain, weights)
    image = keras.Input(shape)
    own = OwnImages(name="own")(image)

    def drawn(layer):
        config = layer.get_config()
        if "kernel_initializer" in config:
            initializer = layers.GlorotUniform(layers.draw_seed(rng))
            config["kernel_initializer"] = keras.saving.serialize_keras_object(initializer)
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        return (OwnBatchNormalization if normalises else type(layer)).from_config(config)

    def called(layer, x, **settings):
        return layer(x, own) if isinstance(layer, OwnBatchNormalization) else layer(x, **settings)

    cnn = keras.models.clone_model(plain, image, clone_function=drawn, call_function=called)
    if weights != "none":
        cnn.set_weights(plain.get_weights())
    cnn.trainable = not freeze
    return cnn


def _resnet50v2(shape, weights=None) -> keras.Model:
    """Pre-activated residual network of 50 layers, up to the average over the image."""
    return keras.applications.ResNet50V2(
        include_top=False, weights=weights, input_shape=shape, pooling="avg", name="cnn"
    )


def _alexnet(shape) -> keras.Model:
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


def _small(shape) -> keras.Model:
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
        cnn.load_weights(path)
    except (ValueError, OSError, KeyError) as error:
        reason = textwrap.shorten(str(error), 120)
        raise InputError(f"dcnn_blstm: cnn_weights: {path}: not of this CNN ({reason})") from None


# ---- weights ---------------------------------------------------------------------------------


def role_names(model: keras.Model) -> dict[str, keras.Variable]:
    """Name each weight: ``cnn.conv1_conv.kernel``, ``blstm.forward.bias``, ``attention.scale``.

    Parameters
    ----------
    model : keras.Model
        Made by `build`.

    Returns
    -------
    dict of str to keras.Variable
        Trained weights and running statistics.
    """
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
    """Set all weights and running statistics of a model made by `build`.

    Parameters
    ----------
    model : keras.Model
        Made by `build`.
    weights : dict of str to ndarray
        By role, as `role_names` names them.

    Raises
    ------
    InputError
        If the weights are of another network, or of other classes.
    """
    layers.assign(role_names(model), weights)


# ---- configuration ---------------------------------------------------------------------------

# The repetition's, which stops early by a validation set (``selection: best_validation``) and names
# no number of epochs; 30 is that of the other one.
TRAINING = {
    "epochs": 30,
    "batch": 32,
    "loss": "cross_entropy",
    "label_smoothing": 0.0,
    "optimiser": "adam",
    "learning_rate": 1e-4,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-7,
}

# Recalls in percent, from the abstract; what could be read tells no protocol. The repetition gives
# no results.
# fmt: off
PUBLISHED = [
    {"corpus": "emodb", "protocol": "not stated in the abstract",
     "uar": 87.86, "war": None, "source": "paper"},
    {"corpus": "iemocap", "protocol": "not stated in the abstract",
     "uar": 68.50, "war": None, "source": "paper"},
]
# fmt: on
