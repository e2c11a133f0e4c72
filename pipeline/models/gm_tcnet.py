"""GM-TCNet: gated multi-scale temporal convolutional network.

A stack of blocks sees ever more of the past, the dilation doubling from block to block. A block is
two levels of three gated causal convolutions each. What the blocks give is added up, pooled over
time, and a softmax layer names the emotion.

References
----------
J.-X. Ye, X.-C. Wen, X.-Z. Wang, Y. Xu, Y. Luo, C.-L. Wu, L.-Y. Chen, K.-H. Liu, "GM-TCNet: Gated
Multi-scale Temporal Convolutional Network using Emotion Causality for Speech Emotion Recognition",
Speech Communication, 2022. https://arxiv.org/abs/2210.15834

Notes
-----
Where paper and published code differ, this is the code, which made the published numbers:

* The code has 7 blocks; the published size of 1.13 MB is that of 8, ``blocks: 8``.
* The gate is ``sigmoid(relu(...))``, so it lies in [0.5, 1).
* There is neither normalisation nor dropout, and the features come as they are: the first losses
  are large.
* The three branches of a level have the same dilation; they differ by their first weights alone.

Here alone the six convolutions of a level run as one with six times the filters, which is faster
and computes the same; and the weights are drawn from a seed of the run.
"""

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.models import layers

BRANCHES = 3  # of a level

# ---- layers ----------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="ser")
class GatedBranches(keras.layers.Layer):
    """Mean of three gated causal convolutions: ``mean_b relu(A_b x) sigmoid(relu(G_b x))``.

    Frame t of each convolution sees t, t - dilation, ..., zeros before the clip.

    Input: (batch, frames, channels). Output: (batch, frames, filters).

    Parameters
    ----------
    filters : int > 0
        Of each convolution.
    kernel : int > 0
        Frames that a convolution sees.
    dilation : int > 0
        Frames from one of these to the next.
    seed : int
        Of the kernels at the start, Glorot uniform; the biases are zero.
    """

    def __init__(self, filters: int, *, kernel: int, dilation: int, seed: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel = kernel
        self.dilation = dilation
        self.seed = seed

    def build(self, input_shape):
        """Make kernel and bias of each convolution, the gates after those that they weaken."""
        rng = np.random.default_rng(self.seed)
        shape = (self.kernel, input_shape[-1], self.filters)
        self.kernels, self.biases = [], []
        for part in ("main", "gate"):
            for branch in range(1, BRANCHES + 1):
                name = f"branch{branch}_{part}"
                draw = layers.GlorotUniform(layers.draw_seed(rng))
                kernel = self.add_weight(name=f"{name}_kernel", shape=shape, initializer=draw)
                bias = self.add_weight(name=f"{name}_bias", shape=shape[-1:], initializer="zeros")
                self.kernels.append(kernel)
                self.biases.append(bias)

    def call(self, x):
        """Convolve with all kernels at once, weaken by the gates, take the mean."""
        kernel = keras.ops.concatenate(self.kernels, axis=-1)
        bias = keras.ops.concatenate(self.biases)
        past = (self.kernel - 1) * self.dilation
        x = keras.ops.pad(x, [[0, 0], [past, 0], [0, 0]])  # (batch, past + frames, channels)
        x = keras.ops.conv(x, kernel, padding="valid", dilation_rate=self.dilation)
        x = keras.ops.relu(x + bias)  # (batch, frames, 2 * BRANCHES * filters)
        main, gate = keras.ops.split(x, 2, axis=-1)  # (batch, frames, BRANCHES * filters)
        gated = keras.ops.split(main * keras.ops.sigmoid(gate), BRANCHES, axis=-1)
        return sum(gated) / BRANCHES  # (batch, frames, filters)

    def get_config(self) -> dict:
        """Give back the constructor's arguments."""
        own = {name: getattr(self, name) for name in ("filters", "kernel", "dilation", "seed")}
        return super().get_config() | own


# ---- graph -----------------------------------------------------------------------------------


def build(
    input_shape: tuple[int | None, int],
    outputs: int,
    *,
    blocks: int = 7,
    filters: int = 39,
    kernel: int = 2,
    seed: int = 0,
) -> keras.Model:
    """Build the network, untrained.

    Parameters
    ----------
    input_shape : (frames, coefficients)
        Of one clip. The weights do not depend on the number of frames, which may be None.
    outputs : int
        Number of classes.
    blocks : int > 0
        With dilations 1, 2, 4, ... at their first level and twice that at their second; seven see
        382 frames.
    filters : int > 0
        Channels inside; need not equal the coefficients.
    kernel : int > 0
        Frames that a convolution sees, ``dilation`` apart.
    seed : int
        Of the weights; one seed gives the same weights on every backend.

    Returns
    -------
    keras.Model
        (batch, frames, coefficients) to the probabilities (batch, outputs). The layer ``pooled``
        gives the vector (batch, filters) that they are made from.

    Raises
    ------
    InputError
        If the input has another rank, or a setting is out of bounds.
    """
    if len(input_shape) != 2:
        raise InputError(f"gm_tcnet takes (frames, coefficients); got shape {tuple(input_shape)}")
    for name, value in {"blocks": blocks, "filters": filters, "kernel": kernel}.items():
        if value < 1:
            raise InputError(f"gm_tcnet: {name}: must be at least 1, got {value}")

    rng = np.random.default_rng(seed)
    inputs = keras.Input(input_shape, name="features")
    x = keras.layers.Conv1D(
        filters, 1, kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)), name="in"
    )(inputs)  # (batch, frames, filters)
    skips = []
    for j in range(blocks):
        if j:
            x = keras.layers.Add(name=f"residual{j}")([x, skips[-1]])
        skip = x
        for level in (1, 2):
            skip = GatedBranches(
                filters,
                kernel=kernel,
                dilation=level * 2**j,
                seed=layers.draw_seed(rng),
                name=f"block{j}_level{level}",
            )(skip)  # (batch, frames, filters)
        skips.append(skip)
    x = keras.layers.Add(name="skips")(skips)
    x = keras.layers.LeakyReLU(negative_slope=0.05, name="leaky_relu")(x)
    x = keras.layers.GlobalAveragePooling1D(name="pooled")(x)  # (batch, filters)
    head = keras.layers.Dense(
        outputs,
        activation="softmax",
        kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)),
        name="head",
    )
    return keras.Model(inputs, head(x), name="gm_tcnet")  # (batch, outputs)


# ---- weights ---------------------------------------------------------------------------------


def role_names(model: keras.Model) -> dict[str, keras.Variable]:
    """Name each weight by its role: ``block0.level1.branch2.gate.bias``, ``in.kernel``.

    Parameters
    ----------
    model : keras.Model
        Made by `build`.

    Returns
    -------
    dict of str to keras.Variable
        Of ``branch2``, ``main`` is the convolution that ``gate`` weakens.
    """
    return {
        variable.path.replace("/", ".").replace("_", "."): variable for variable in model.weights
    }


def set_weights(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Set all weights of a model made by `build`.

    Parameters
    ----------
    model : keras.Model
        Made by `build`.
    weights : dict of str to ndarray
        By role, as `role_names` gives them.

    Raises
    ------
    InputError
        If the weights are of another network: other classes, blocks, filters or coefficients.
    """
    layers.assign(role_names(model), weights)


# ---- configuration ---------------------------------------------------------------------------

TRAINING = {
    "epochs": 300,
    "batch": 64,
    "loss": "cross_entropy",
    "label_smoothing": 0.0,
    "optimiser": "adam",
    "learning_rate": 1e-3,
    "beta_1": 0.93,
    "beta_2": 0.98,
    "epsilon": 1e-8,
}

# Recalls in percent. What was published was chosen on the test folds; the authors of TIM-Net, many
# of whom wrote GM-TCNet too, ran it again without that.
# fmt: off
PUBLISHED = [
    {"corpus": "casia", "protocol": "10 random folds, best epoch on test",
     "uar": 90.17, "war": 90.17, "source": "published, as in TIM-Net's README"},
    {"corpus": "emodb", "protocol": "10 random folds, best epoch on test",
     "uar": 90.48, "war": 91.39, "source": "published, as in TIM-Net's README"},
    {"corpus": "emodb", "protocol": "10 random folds, best epoch on test",
     "uar": 90.45, "war": 91.40, "source": "the same, in another version of that README"},
    {"corpus": "ravdess", "protocol": "10 random folds, best epoch on test",
     "uar": 87.64, "war": 87.35, "source": "published, as in TIM-Net's README"},
    {"corpus": "ravdess", "protocol": "10 random folds, best epoch on test",
     "uar": 87.30, "war": 87.64, "source": "the same, in another version of that README"},
    {"corpus": "savee", "protocol": "10 random folds, best epoch on test",
     "uar": 86.02, "war": 83.88, "source": "published, as in TIM-Net's README"},
    {"corpus": "savee", "protocol": "10 random folds, best epoch on test",
     "uar": 84.40, "war": 86.01, "source": "the same, in another version of that README"},
    {"corpus": "casia", "protocol": "10 random folds, no choice on test",
     "uar": 85.50, "war": 85.50, "source": "run again by TIM-Net's authors"},
    {"corpus": "emodb", "protocol": "10 random folds, no choice on test",
     "uar": 86.17, "war": 85.70, "source": "run again by TIM-Net's authors"},
    {"corpus": "ravdess", "protocol": "10 random folds, no choice on test",
     "uar": 82.78, "war": 82.62, "source": "run again by TIM-Net's authors"},
    {"corpus": "savee", "protocol": "10 random folds, no choice on test",
     "uar": 75.83, "war": 73.57, "source": "run again by TIM-Net's authors"},
]
# fmt: on
