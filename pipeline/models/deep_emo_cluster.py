"""Temporal DeepEmoCluster: attributes of a clip and clusters of its chunks, from one network.

A clip is cut into 11 chunks of a second. Seven convolutions make a vector of each, a temporal
network lets the chunks of a clip know of each other, and two branches read every chunk: one
predicts the attributes (arousal, dominance, valence) and one the cluster that k-means put the
chunk into. The clip's answer is the mean over its chunks.

`build` gives what is used in the end: features in, attributes out. `with_clusters` puts the other
branch on it for training. Both share their weights, so that the first is trained with the second.

References
----------
W.-C. Lin and C. Busso, "Deep temporal clustering features for speech emotion recognition", Speech
Communication 157, 2024, 103027. https://doi.org/10.1016/j.specom.2023.103027

W.-C. Lin, K. Sridhar, C. Busso, "DeepEmoCluster: a semi-supervised framework for latent cluster
representation of speech emotions", ICASSP 2021. (``none``: the same without a temporal network.)
https://doi.org/10.1109/ICASSP39728.2021.9414035

Notes
-----
Where paper and published code differ, this is the code, which made the published numbers:

* The convolutions are called VGG-16; they are seven, with strides in place of pooling.
* The dropout that the code asks of the GRU has no effect in a single layer; there is none here.
* The Triplet variant has no dropout at all.

The features are mel spectra of linear power in chunks of 62 frames; a clip of fewer frames gets
silence behind. The network itself scales them and its answers, by what training clips have: it
takes features as they are and gives ratings as the corpus has them. The authors trained a network
for each attribute; ``outputs`` may be more than 1.
"""

import re
from pathlib import Path

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.files import torch_checkpoint
from pipeline.models import layers

LIMIT = 3  # of a scaled bin, in deviations
FILTERS = (32, 32, 64, 64, 128, 128, 128)  # of the convolutions
STRIDES = (1, 1, 2, 2, 2, 2, 2)
WIDTH = 256  # of every vector behind them
DEVIATION = 0.01  # of the weights of dense layers at the start
TEMPORAL = ("gru", "cnn", "trans", "triplet", "none")

# ---- layers ----------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="ser")
class Normal(keras.initializers.Initializer):
    """Normal with mean 0, drawn by numpy: one seed, the same weights on any backend.

    Parameters
    ----------
    deviation : float
        ``deviation > 0``.
    seed : int
        The same numbers every time it is called.
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


@keras.saving.register_keras_serializable(package="ser")
class Scaled(keras.layers.Layer):
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


@keras.saving.register_keras_serializable(package="ser")
class Ratings(keras.layers.Layer):
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


@keras.saving.register_keras_serializable(package="ser")
class Images(keras.layers.Layer):
    """Every chunk on its own, as an image of one channel.

    Input: (batch, chunks, frames, bins). Output: (batch * chunks, frames, bins, 1).
    """

    def call(self, x):
        """Put the axes of clips and chunks into one."""
        return keras.ops.reshape(x, (-1, *x.shape[2:], 1))


@keras.saving.register_keras_serializable(package="ser")
class Clips(keras.layers.Layer):
    """The chunks of a clip together again.

    Input: (batch * chunks, width). Output: (batch, chunks, width).

    Parameters
    ----------
    chunks : int
        Of a clip.
    """

    def __init__(self, *, chunks: int, **kwargs):
        super().__init__(**kwargs)
        self.chunks = chunks

    def call(self, x):
        """Take the axes of clips and chunks apart."""
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


# ---- graph -----------------------------------------------------------------------------------


def build(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    temporal: str = "gru",
    dropout: float = 0.5,
    temporal_dropout: float = 0.3,
    seed: int = 0,
) -> keras.Model:
    """Build the network without the branch for clusters, untrained.

    Parameters
    ----------
    input_shape : (chunks, frames, bins)
        Of one clip, ``chunks >= 2``. The weights depend on the bins and on the frames of a chunk,
        but not on the number of chunks.
    outputs : int
        Number of attributes.
    temporal : {"gru", "cnn", "trans", "triplet", "none"}
        What stands between the chunks: a recurrent network of both directions, two convolutions
        over chunks and channels, a layer of self-attention, or nothing, where the embeddings are
        to be ordered by a triplet loss, or are not.
    dropout : float, ``0 <= dropout < 1``
        Share of the embedding silenced; the Triplet variant has none whatever it says.
    temporal_dropout : float, ``0 <= temporal_dropout < 1``
        Share silenced inside the temporal network, ``cnn`` and ``trans``.
    seed : int
        Of the weights and the dropout; one seed gives the same weights on every backend.

    Returns
    -------
    keras.Model
        (batch, *input_shape) to the attributes (batch, outputs), in the units of the ratings. The
        layers ``embedding`` and ``temporal`` give (batch, chunks, 256), before and behind the
        temporal network, and ``head`` the attributes of each chunk (batch, chunks, outputs), as
        they were scaled for training. Nothing is scaled until the weights of ``scaled`` and
        ``ratings`` are set.

    Raises
    ------
    InputError
        If the input has another rank or no fixed size, or a setting is out of bounds.
    """
    if len(input_shape) != 3 or None in input_shape or input_shape[0] < 2:
        raise InputError(
            "deep_emo_cluster takes (chunks, frames, bins), 2 chunks or more, all known; "
            f"got shape {tuple(input_shape)}; give the feature segment and chunks"
        )
    if temporal not in TEMPORAL:
        raise InputError(
            f"deep_emo_cluster: temporal: must be one of {', '.join(TEMPORAL)}, got {temporal!r}"
        )
    for name, value in {"dropout": dropout, "temporal_dropout": temporal_dropout}.items():
        if not 0 <= value < 1:
            raise InputError(f"deep_emo_cluster: {name}: must be in [0, 1), got {value}")

    rng = np.random.default_rng(seed)
    inputs = x = keras.Input(input_shape, name="features")
    x = Scaled(name="scaled")(x)
    x = Images(name="images")(x)  # (batch * chunks, frames, bins, 1)
    for i, (filters, stride) in enumerate(zip(FILTERS, STRIDES, strict=True), start=1):
        # Zeros on every side, which "same" gives where the stride is 1, and there alone; a layer
        # that puts them there takes a quarter more memory in training.
        padding = "same" if stride == 1 else "valid"
        if stride > 1:
            x = keras.layers.ZeroPadding2D(1, name=f"pad{i}")(x)
        x = _convolution(f"conv{i}", filters, 3, rng, strides=stride, padding=padding)(x)
        x = _normalised(f"bn{i}", x)  # at the end (batch * chunks, 2, 4, 128) of (62, 128)
    x = keras.layers.Flatten(name="flat")(x)  # (batch * chunks, 1024)
    x = _dense("dense", WIDTH, rng, activation="relu")(x)  # (batch * chunks, 256)
    x = Clips(chunks=input_shape[0], name="embedding")(x)  # (batch, chunks, 256)
    if temporal != "triplet":
        x = _dropout("drop", dropout, rng)(x)
    x = _TEMPORAL[temporal](x, temporal_dropout, rng)
    x = keras.layers.Identity(name="temporal")(x)  # (batch, chunks, 256)
    x = _dense("attributes", WIDTH, rng, activation="relu")(x)
    x = _dense("head", outputs, rng)(x)  # (batch, chunks, outputs)
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    x = Ratings(name="ratings")(x)
    return keras.Model(inputs, x, name="deep_emo_cluster")  # (batch, outputs)


def with_clusters(model: keras.Model, clusters: int, *, seed: int = 0) -> keras.Model:
    """Put the branch for clusters on a network; what it shares with it is trained in both.

    Parameters
    ----------
    model : keras.Model
        Made by `build`.
    clusters : int >= 2
        Number of them, K.
    seed : int
        Of the branch's weights.

    Returns
    -------
    keras.Model
        Takes what ``model`` takes and gives a dictionary, for each chunk of a clip:
        ``attributes (batch, chunks, outputs)`` and ``clusters (batch, chunks, K)``, logits, for the
        losses; ``points (batch, chunks, 256)``, which k-means sorts, in inference; and
        ``embedding (batch, chunks, 256)``, which the triplet variant gives a second time as
        ``ordered``, for its loss; and ``ratings (batch, outputs)``, what ``model`` gives.

    Raises
    ------
    InputError
        If ``clusters`` is out of bounds.
    """
    if clusters < 2:
        raise InputError(f"deep_emo_cluster: clusters: must be at least 2, got {clusters}")
    rng = np.random.default_rng([seed, clusters])
    # k-means sees the points, from before the ReLU
    points = _dense("points", WIDTH, rng)(model.get_layer("temporal").output)
    heights = keras.layers.ReLU(name="heights")(points)
    outputs = {
        "attributes": model.get_layer("head").output,
        "clusters": _dense("clusters", clusters, rng)(heights),
        "points": points,
        "embedding": model.get_layer("embedding").output,
        "ratings": model.output,
    }
    if "ordered" in {layer.name for layer in model.layers}:
        outputs["ordered"] = model.get_layer("ordered").output
    return keras.Model(model.input, outputs, name="deep_emo_cluster_training")


def _gru(x, dropout, rng):
    """Give each chunk 128 channels that came from before it, and 128 from behind it."""
    size, ways = WIDTH // 2, []
    for name in ("forward", "backward"):
        drawn = {
            f"{part}_initializer": layers.Uniform(size**-0.5, layers.draw_seed(rng))
            for part in ("kernel", "recurrent", "bias")
        }
        way = {"go_backwards": name == "backward", "return_sequences": True, "name": name}
        ways.append(keras.layers.GRU(size, **drawn, **way)(x))  # (batch, chunks, 128)
    forward, backward = ways
    backward = layers.ReverseTime(name="backward_reversed")(backward)
    return keras.layers.Concatenate(name="both")([forward, backward])  # (batch, chunks, 256)


def _cnn(x, dropout, rng):
    """Look at a square of chunks and channels, twice."""
    chunks = x.shape[1]
    x = keras.layers.Reshape((chunks, WIDTH, 1), name="image")(x)  # (batch, chunks, 256, 1)
    for i, filters in enumerate((16, 1), start=1):
        x = _convolution(f"look{i}", filters, 5, rng, padding="same")(x)
        x = _normalised(f"look{i}_bn", x)  # (batch, chunks, 256, filters)
    x = _dropout("look_drop", dropout, rng)(x)
    return keras.layers.Reshape((chunks, WIDTH), name="seen")(x)  # (batch, chunks, 256)


def _trans(x, dropout, rng):
    """Let each chunk attend to all: a transformer's encoder of one head, normalised behind."""
    x = PositionCode(name="positions")(x)
    limit = (6 / (4 * WIDTH)) ** 0.5  # Xavier's, as if the three were one matrix
    query, key, value = (
        keras.layers.Dense(
            WIDTH,
            kernel_initializer=layers.Uniform(limit, layers.draw_seed(rng)),
            name=f"attend_{name}",
        )(x)
        for name in ("query", "key", "value")
    )
    scores = keras.layers.Dot(axes=2, name="attend_scores")([query, key])
    scores = keras.layers.Rescaling(WIDTH**-0.5, name="attend_scaled")(scores)
    shares = keras.layers.Softmax(name="attend_shares")(scores)  # (batch, chunks, chunks)
    shares = _dropout("attend_drop", dropout, rng)(shares)
    seen = keras.layers.Dot(axes=(2, 1), name="attend_seen")([shares, value])
    seen = _dense("attend_out", WIDTH, rng)(seen)  # (batch, chunks, 256)
    x = _added("norm1", x, seen, dropout, rng)
    fed = _dense("feed1", WIDTH, rng, activation="relu")(x)
    fed = _dropout("feed_drop", dropout, rng)(fed)
    fed = _dense("feed2", WIDTH, rng)(fed)
    return _added("norm2", x, fed, dropout, rng)


def _added(name, x, more, dropout, rng):
    """Sum of ``x`` and some of ``more``, normalised over the channels."""
    more = _dropout(f"{name}_drop", dropout, rng)(more)
    both = keras.layers.Add(name=f"{name}_sum")([x, more])
    return keras.layers.LayerNormalization(epsilon=1e-5, name=name)(both)


def _triplet(x, dropout, rng):
    """Let the chunks be; the layer says that a triplet loss orders them."""
    return keras.layers.Identity(name="ordered")(x)


def _none(x, dropout, rng):
    """Let the chunks be."""
    return x


_TEMPORAL = dict(zip(TEMPORAL, (_gru, _cnn, _trans, _triplet, _none), strict=True))


def _convolution(name, filters, kernel, rng, **settings) -> keras.layers.Conv2D:
    """Convolution by a square kernel, of weights that keep the size of what runs backwards."""
    deviation = (2 / (kernel**2 * filters)) ** 0.5
    return keras.layers.Conv2D(
        filters,
        kernel,
        kernel_initializer=Normal(deviation, layers.draw_seed(rng)),
        name=name,
        **settings,
    )


def _normalised(name, x):
    """Normalise ``x`` over all but its channels, and rectify."""
    x = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _dense(name, units, rng, **settings) -> keras.layers.Dense:
    """Dense layer of small weights."""
    initializer = Normal(DEVIATION, layers.draw_seed(rng))
    return keras.layers.Dense(units, kernel_initializer=initializer, name=name, **settings)


def _dropout(name, share, rng) -> keras.layers.Dropout:
    """Dropout with a seed of its own."""
    return keras.layers.Dropout(share, seed=layers.draw_seed(rng), name=name)


# ---- weights ---------------------------------------------------------------------------------


def role_names(model: keras.Model) -> dict[str, keras.Variable]:
    """Name each weight by its role: ``conv1.kernel``, ``look1_bn.gamma``, ``head.bias``.

    Parameters
    ----------
    model : keras.Model
        Made by `build` or `with_clusters`.

    Returns
    -------
    dict of str to keras.Variable
        Trained weights and running statistics.
    """
    return {v.path.replace("/gru_cell", "").replace("/", "."): v for v in model.weights}


def set_weights(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Set all weights and running statistics of a model; the scales only if they are given.

    Parameters
    ----------
    model : keras.Model
        Made by `build` or `with_clusters`. The first has no branch for clusters and leaves the
        weights of one, ``points`` and ``clusters``, out.
    weights : dict of str to ndarray
        By role, as `read_published` gives them; ``scaled.mean``, ``scaled.std (bins,)`` and
        ``ratings.mean``, ``ratings.std (outputs,)`` may be left out.

    Raises
    ------
    InputError
        If the weights are of another network.
    """
    variables = role_names(model)
    branch = {} if "points.kernel" in variables else {"points", "clusters"}
    given = {r: w for r, w in weights.items() if r.split(".")[0] not in branch}
    kept = {r: keras.ops.convert_to_numpy(variables[r]) for r in SCALES}
    layers.assign(variables, kept | given)


def read_published(path: Path) -> dict[str, np.ndarray]:
    """Read weights that the authors published.

    Parameters
    ----------
    path : Path
        Such as ``TempDeepEmoCluster_epoch30_batch64_10clusters_Act_Temp-CNN.pth.tar``.

    Returns
    -------
    dict of str to ndarray
        By role, for `set_weights`, the branch for clusters with them.

    Raises
    ------
    InputError
        If the file cannot be read, or holds another network.
    """
    return from_torch(torch_checkpoint.read_state(path), path)


def from_torch(state: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """Turn weights of the authors' network into those of this one.

    Parameters
    ----------
    state : dict of str to ndarray
        As `pipeline.files.torch_checkpoint.read_state` gives it.
    path : Path
        To name in errors.

    Returns
    -------
    dict of str to ndarray
        By role, for `set_weights`.

    Raises
    ------
    InputError
        If a name is unknown, or another network's.
    """
    weights = {}
    state = {name.replace(".module.", "."): array for name, array in state.items()}
    for name, array in state.items():
        layer, _, kind = name.rpartition(".")
        if kind == "num_batches_tracked" or name == "pos_enc.pe":  # counted or computed here
            continue
        if match := re.fullmatch(r"temporal_net\.(weight|bias)_(ih|hh)_l0(_reverse)?", name):
            part, of, reverse = match.groups()
            role = "backward" if reverse else "forward"
            if part == "bias":
                pair = [state.get(name.replace("_hh_", f"_{of}_")) for of in ("ih", "hh")]
                if of == "hh" and pair[0] is not None:
                    weights[f"{role}.bias"] = np.stack([_gates(bias) for bias in pair])
            else:
                kernel = "kernel" if of == "ih" else "recurrent_kernel"
                weights[f"{role}.{kernel}"] = _gates(array).T
        elif kind.startswith("in_proj_"):
            part = {"in_proj_weight": "kernel", "in_proj_bias": "bias"}.get(kind)
            for to, third in zip(("query", "key", "value"), np.split(array, 3), strict=True):
                weights[f"attend_{to}.{part}"] = third.T
        elif layer in ROLES and kind in ("weight", "bias", "running_mean", "running_var"):
            role = ROLES[layer]
            weights[f"{role}.{_part(role, kind)}"] = _turned(role, array)
        else:
            raise InputError(f"{path}: DeepEmoCluster has no {name}; wanted its checkpoint")
    return weights


def _part(role: str, kind: str) -> str:
    """Keras's name of a weight of a role."""
    if "bn" in role or "norm" in role:
        names = {"weight": "gamma", "bias": "beta"}
        names |= {"running_mean": "moving_mean", "running_var": "moving_variance"}
        return names[kind]
    return {"weight": "kernel"}.get(kind, kind)


def _turned(role: str, array: np.ndarray) -> np.ndarray:
    """A weight with its axes in Keras's order."""
    if role == "dense" and array.ndim == 2:  # of 128 channels by 8 places, the channels now last
        array = array.reshape(len(array), FILTERS[-1], -1).swapaxes(1, 2).reshape(len(array), -1)
    return np.transpose(array, (2, 3, 1, 0)) if array.ndim == 4 else array.T


def _gates(array: np.ndarray) -> np.ndarray:
    """Gates of a GRU from PyTorch's order to Keras's: reset, update, new to update, reset, new."""
    reset, update, new = np.split(array, 3)
    return np.concatenate([update, reset, new])


SCALES = tuple(f"{layer}.{weight}" for layer in ("scaled", "ratings") for weight in ("mean", "std"))
# Layers of the authors' network by their role here. Those of a sequence count what has no weights.
ROLES = (
    {f"cnn_features.{3 * i - 3}": f"conv{i}" for i in range(1, 8)}
    | {f"cnn_features.{3 * i - 2}": f"bn{i}" for i in range(1, 8)}
    | {"temporal_net.0": "look1", "temporal_net.1": "look1_bn"}
    | {"temporal_net.3": "look2", "temporal_net.4": "look2_bn"}
    | {"temporal_net.self_attn.out_proj": "attend_out"}
    | {f"temporal_net.linear{i}": f"feed{i}" for i in (1, 2)}
    | {f"temporal_net.norm{i}": f"norm{i}" for i in (1, 2)}
    | {"cnn_out.0": "dense", "emo_regressor.0": "attributes", "top_layer_attri": "head"}
    | {"classifier.0": "points", "top_layer_class": "clusters"}
)


# ---- configuration ---------------------------------------------------------------------------

# Adam steps after plain descent on the same gradients; the layer that names clusters, made anew
# for every epoch, has a rate of its own. ``attributes`` are what is predicted, several by one
# network; ``unlabeled`` is how many clips without ratings are learnt from before each epoch.
TRAINING = {
    "attributes": ("arousal",),
    "unlabeled": 0,
    "epochs": 30,
    "batch": 64,
    "clusters": 10,
    "learning_rate": 5e-4,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
    "descent_rate": 1e-3,
    "clusters_rate": 0.05,
}

# Concordance of the attributes over the test partition, "Test1" of 1.8 and "Test" of 1.6.
# fmt: off
PUBLISHED = [
    {"corpus": "msp_podcast", "protocol": "1.8, gru, 10 clusters, best epoch on validation",
     "arousal": 0.5730, "dominance": 0.4663, "valence": 0.1590, "source": "authors' README"},
    {"corpus": "msp_podcast", "protocol": "1.8, cnn, 10 clusters, best epoch on validation",
     "arousal": 0.5630, "dominance": 0.4728, "valence": 0.1471, "source": "authors' README"},
    {"corpus": "msp_podcast", "protocol": "1.8, trans, 10 clusters, best epoch on validation",
     "arousal": 0.5672, "dominance": 0.4632, "valence": 0.1712, "source": "authors' README"},
    {"corpus": "msp_podcast", "protocol": "1.8, triplet, 10 clusters, best epoch on validation",
     "arousal": 0.5664, "dominance": 0.4774, "valence": 0.1648, "source": "authors' README"},
    {"corpus": "msp_podcast",
     "protocol": "1.8, trans, 30/30/10 clusters, 100000/100000/15000 unlabelled clips, "
                 "best epoch on validation",
     "arousal": 0.5741, "dominance": 0.4839, "valence": 0.1801,
     "source": "authors' README, later"},
    {"corpus": "msp_podcast",
     "protocol": "1.6, none, 10/30/30 clusters, 40000 unlabelled clips, 50 epochs",
     "arousal": 0.6732, "dominance": 0.5547, "valence": 0.1902,
     "source": "authors' README of the predecessor"},
]
# fmt: on
