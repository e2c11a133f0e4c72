"""Temporal DeepEmoCluster: its graphs, and the names of its weights."""

from collections.abc import Callable

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.models import layers
from pipeline.models.deep_emo_cluster import TEMPORAL, Settings
from pipeline.models.deep_emo_cluster import layers as own

FILTERS = (32, 32, 64, 64, 128, 128, 128)  # of the convolutions
STRIDES = (1, 1, 2, 2, 2, 2, 2)
WIDTH = 256  # of every vector after them
DEVIATION = 0.01  # of the weights of dense layers at the start
# Weights that a checkpoint of the authors' has not.
SCALES = tuple(f"{layer}.{weight}" for layer in ("scaled", "ratings") for weight in ("mean", "std"))

# ---- graph -----------------------------------------------------------------------------------


def build(
    input_shape: tuple[int, ...],
    outputs: int,
    settings: Settings,
    seed: int,
) -> keras.Model:
    """Build the network without the branch for clusters, untrained.

    Parameters
    ----------
    input_shape : (chunks, frames, bins)
        Shape of one clip, ``chunks >= 2``. The weights depend on the bins and on the frames of a
        chunk, but not on the number of chunks.
    outputs : int
        Number of attributes.
    settings : Settings
    seed : int
        Seed of the weights and the dropout; one seed gives the same weights on every backend.

    Returns
    -------
    keras.Model
        (batch, *input_shape) to the attributes (batch, outputs), in the units of the ratings. The
        layers ``embedding`` and ``temporal`` give (batch, chunks, 256), before and after the
        temporal network, and ``head`` the attributes of each chunk (batch, chunks, outputs), as
        they were scaled for training. Nothing is scaled until the weights of ``scaled`` and
        ``ratings`` are set.

    Raises
    ------
    InputError
        If the input has another rank, or no fixed size.
    """
    if len(input_shape) != 3 or None in input_shape or input_shape[0] < 2:
        raise InputError(
            "deep_emo_cluster takes (chunks, frames, bins), 2 chunks or more, all known; "
            f"got shape {tuple(input_shape)}; give the feature segment and chunks"
        )

    rng = np.random.default_rng(seed)
    inputs = x = keras.Input(input_shape, name="features")
    x = own.ScaleBins(name="scaled")(x)
    x = own.MergeChunks(name="images")(x)  # (batch * chunks, frames, bins, 1)
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
    x = own.SplitChunks(chunks=input_shape[0], name="embedding")(x)  # (batch, chunks, 256)
    if settings.temporal != "triplet":
        x = _dropout("drop", settings.dropout, rng)(x)
    x = _TEMPORAL[settings.temporal](x, settings.temporal_dropout, rng)
    x = keras.layers.Identity(name="temporal")(x)  # (batch, chunks, 256)
    x = _dense("attributes", WIDTH, rng, activation="relu")(x)
    x = _dense("head", outputs, rng)(x)  # (batch, chunks, outputs)
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    x = own.UnscaleRatings(name="ratings")(x)
    return keras.Model(inputs, x, name="deep_emo_cluster")  # (batch, outputs)


def with_clusters(model: keras.Model, clusters: int, *, seed: int = 0) -> keras.Model:
    """Put the branch for clusters on a network; their common layers are trained in both.

    Parameters
    ----------
    model : keras.Model
        Made by `build`.
    clusters : int >= 2
        Number of clusters, K.
    seed : int
        Seed of the branch's weights.

    Returns
    -------
    keras.Model
        Takes what ``model`` takes and gives a dictionary, for each chunk of a clip:
        ``attributes (batch, chunks, outputs)`` and ``clusters (batch, chunks, K)``, logits, for the
        losses; ``points (batch, chunks, 256)``, which k-means clusters, in inference; and
        ``embedding (batch, chunks, 256)``, which the triplet variant gives a second time as
        ``ordered``, for its loss; and ``ratings (batch, outputs)``, what ``model`` gives.
    """
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
    """Give each chunk 128 channels that came from before it, and 128 from after it."""
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
    """Let each chunk attend to all: a transformer's encoder of one head, norm last."""
    x = own.PositionCode(name="positions")(x)
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
    weights = keras.layers.Softmax(name="attend_shares")(scores)  # (batch, chunks, chunks)
    weights = _dropout("attend_drop", dropout, rng)(weights)
    seen = keras.layers.Dot(axes=(2, 1), name="attend_seen")([weights, value])
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


_TEMPORAL: dict[str, Callable] = dict(
    zip(TEMPORAL, (_gru, _cnn, _trans, _triplet, _none), strict=True)
)


def _convolution(name, filters, kernel, rng, **settings) -> keras.layers.Conv2D:
    """Convolution by a square kernel, of weights that keep the size of what runs backwards."""
    deviation = (2 / (kernel**2 * filters)) ** 0.5
    return keras.layers.Conv2D(
        filters,
        kernel,
        kernel_initializer=own.Normal(deviation, layers.draw_seed(rng)),
        name=name,
        **settings,
    )


def _normalised(name, x):
    """Normalise ``x`` over all but its channels, and rectify."""
    x = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _dense(name, units, rng, **settings) -> keras.layers.Dense:
    """Dense layer of small weights."""
    initializer = own.Normal(DEVIATION, layers.draw_seed(rng))
    return keras.layers.Dense(units, kernel_initializer=initializer, name=name, **settings)


def _dropout(name, rate, rng) -> keras.layers.Dropout:
    """Dropout with a seed of its own."""
    return keras.layers.Dropout(rate, seed=layers.draw_seed(rng), name=name)


# ---- weights ---------------------------------------------------------------------------------


def role_names(model: keras.Model) -> dict[str, keras.Variable]:
    """Name each weight by its role: ``conv1.kernel``, ``look1_bn.gamma``, ``head.bias``."""
    return {v.path.replace("/gru_cell", "").replace("/", "."): v for v in model.weights}


def set_weights(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Set all weights and running statistics of a model; the scales only if they are given.

    Parameters
    ----------
    model : keras.Model
        Made by `build` or `with_clusters`. The first has no branch for clusters and leaves the
        weights of one, ``points`` and ``clusters``, out.
    weights : dict of str to ndarray
        Arrays by role, as `read_published` gives them; ``scaled.mean``, ``scaled.std (bins,)`` and
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
