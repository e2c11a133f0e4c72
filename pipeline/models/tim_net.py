"""TIM-Net: temporal-aware bi-directional multi-scale network.

Two stacks of gated causal convolutions, one over the clip and one over its reversal, see ever
more of it, the dilation doubling from block to block. Every block is pooled over time; a learned
weight for each block makes one vector of them all, and a softmax layer names the emotion.

References
----------
J. Ye, X.-C. Wen, Y. Wei, Y. Xu, K. Liu, H. Shan, "Temporal Modeling Matters: A Novel Temporal
Emotional Modeling Approach for Speech Emotion Recognition", ICASSP 2023.
https://doi.org/10.1109/ICASSP49357.2023.10096370

Notes
-----
Where paper and published code differ, this is the code, which made the published numbers:

* The paper fuses past and future at each frame. The backward stream is not turned round again
  before the sum; pooling over time makes that the same.
* The gate is ``sigmoid(relu(...))``, so it lies in [0.5, 1): a block weakens, never silences.
* The fusion weights are free: no softmax, no sign, no bias.
* IEMOCAP was run with 10 blocks, all other corpora with 8.

Here alone the weights are drawn from a seed; the authors set none.
"""

import re
from pathlib import Path

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.files import keras2_weights
from pipeline.models import layers

# ---- layers ----------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="ser")
class WeightFusion(keras.layers.Layer):
    """Sum of the blocks' vectors, each with a learned weight of any sign.

    Input: a list of (batch, filters), one for each block. Output: (batch, filters).

    Parameters
    ----------
    seed : int
        Of the weights at the start, uniform on [-0.05, 0.05).
    """

    def __init__(self, *, seed: int, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed

    def build(self, input_shape):
        """Make one weight for each block."""
        self.kernel = self.add_weight(
            name="kernel",
            shape=(len(input_shape), 1),
            initializer=layers.Uniform(0.05, self.seed),
        )

    def call(self, pooled):
        """Weigh and add."""
        x = keras.ops.stack(pooled, axis=-1)  # (batch, filters, blocks)
        return keras.ops.squeeze(keras.ops.matmul(x, self.kernel), axis=-1)  # (batch, filters)

    def get_config(self) -> dict:
        """Give back the constructor's arguments."""
        return super().get_config() | {"seed": self.seed}


# ---- graph -----------------------------------------------------------------------------------


def build(
    input_shape: tuple[int | None, int],
    outputs: int,
    *,
    blocks: int = 8,
    filters: int = 39,
    kernel: int = 2,
    dropout: float = 0.1,
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
        Temporal-aware blocks of each direction, with dilations 1, 2, 4, ...; 10 for IEMOCAP.
    filters : int > 0
        Channels inside; need not equal the coefficients.
    kernel : int > 0
        Frames that a convolution sees, ``dilation`` apart.
    dropout : float, ``0 <= dropout < 1``
        Share of channels silenced after each ReLU.
    seed : int
        Of the weights and the dropout; one seed gives the same weights on every backend.

    Returns
    -------
    keras.Model
        (batch, frames, coefficients) to the probabilities (batch, outputs). The layer ``fused``
        gives the vector (batch, filters) that they are made from.

    Raises
    ------
    InputError
        If the input has another rank, or a setting is out of bounds.
    """
    if len(input_shape) != 2:
        raise InputError(f"tim_net takes (frames, coefficients); got shape {tuple(input_shape)}")
    for name, value in {"blocks": blocks, "filters": filters, "kernel": kernel}.items():
        if value < 1:
            raise InputError(f"tim_net: {name}: must be at least 1, got {value}")
    if not 0 <= dropout < 1:
        raise InputError(f"tim_net: dropout: must be in [0, 1), got {dropout}")

    rng = np.random.default_rng(seed)
    shape = {"filters": filters, "kernel": kernel, "dropout": dropout, "rng": rng}
    inputs = keras.Input(input_shape, name="features")
    backwards = layers.ReverseTime(name="reverse")(inputs)
    forward = _convolution("fwd_in", filters, 1, 1, rng)(inputs)  # (batch, frames, filters)
    backward = _convolution("bwd_in", filters, 1, 1, rng)(backwards)  # (batch, frames, filters)
    pooled = []
    for j in range(blocks):
        forward = _temporal_aware_block(forward, f"fwd_tab{j}", dilation=2**j, **shape)
        backward = _temporal_aware_block(backward, f"bwd_tab{j}", dilation=2**j, **shape)
        both = keras.layers.Add(name=f"sum{j}")([forward, backward])
        mean = keras.layers.GlobalAveragePooling1D(name=f"pool{j}")
        pooled.append(mean(both))  # (batch, filters)
    fused = WeightFusion(seed=layers.draw_seed(rng), name="fused")(pooled)  # (batch, filters)
    head = keras.layers.Dense(
        outputs,
        activation="softmax",
        kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)),
        name="head",
    )
    return keras.Model(inputs, head(fused), name="tim_net")  # (batch, outputs)


def _temporal_aware_block(x, name, *, dilation, filters, kernel, dropout, rng):
    """Weaken each value of ``x`` (batch, frames, filters) by a gate that looks back in time."""
    gate = x
    for i in (1, 2):
        gate = _convolution(f"{name}_conv{i}", filters, kernel, dilation, rng)(gate)
        gate = keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{name}_bn{i}")(
            gate
        )
        gate = keras.layers.ReLU(name=f"{name}_relu{i}")(gate)
        gate = keras.layers.SpatialDropout1D(
            dropout, seed=layers.draw_seed(rng), name=f"{name}_drop{i}"
        )(gate)
    gate = keras.layers.Activation("sigmoid", name=f"{name}_gate")(gate)
    return keras.layers.Multiply(name=name)([x, gate])


def _convolution(name, filters, kernel, dilation, rng) -> keras.layers.Conv1D:
    """Causal convolution: frame t sees t, t - dilation, ..., zeros before the clip."""
    return keras.layers.Conv1D(
        filters,
        kernel,
        padding="causal",
        dilation_rate=dilation,
        kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)),
        name=name,
    )


# ---- weights ---------------------------------------------------------------------------------


def role_names(model: keras.Model) -> dict[str, keras.Variable]:
    """Name each weight by its role: ``fwd.tab3.conv2.kernel``, ``bwd.in.bias``, ``fuse.kernel``.

    Parameters
    ----------
    model : keras.Model
        Made by `build`.

    Returns
    -------
    dict of str to keras.Variable
        Trained weights and running statistics.
    """
    return {r.replace("fused.", "fuse."): v for r, v in layers.role_names(model).items()}


def set_weights(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Set all weights and running statistics of a model made by `build`.

    Parameters
    ----------
    model : keras.Model
        Made by `build`.
    weights : dict of str to ndarray
        By role, as `read_published` gives them.

    Raises
    ------
    InputError
        If the weights are of another network: other classes, blocks, filters or coefficients.
    """
    layers.assign(role_names(model), weights)


def read_published(path: Path) -> dict[str, np.ndarray]:
    """Read weights that the authors published, a Keras 2 HDF5 file for each fold.

    Its layers are numbered through as they were made, on and on over all models of one process,
    so only the order of the numbers tells what a layer is.

    Parameters
    ----------
    path : Path
        Such as ``10-fold_weights_best_1.hdf5``.

    Returns
    -------
    dict of str to ndarray
        By role, for `set_weights`. The outputs stand in the authors' order of classes; of
        RAVDESS: angry, calm, disgust, fear, happy, neutral, sad, surprise.

    Raises
    ------
    InputError
        If the file cannot be read, or holds another network.
    """
    made = _in_order_made(keras2_weights.read_keras2(path))
    blocks = max(1, round(len(made.get("batch_normalization", [])) / 4))
    # A block makes its forward half before its backward half.
    halves = [f"{way}.tab{j}" for j in range(blocks) for way in ("fwd", "bwd")]
    roles = {
        "batch_normalization": [f"{half}.bn{i}" for half in halves for i in (1, 2)],
        "conv1d": ["fwd.in", "bwd.in", *(f"{half}.conv{i}" for half in halves for i in (1, 2))],
        "dense": ["head"],
        "weight_layer": ["fuse"],
    }
    found = {kind: len(made[kind]) for kind in sorted(made)}
    wanted = {kind: len(roles[kind]) for kind in roles}
    if found != wanted:
        raise InputError(f"{path}: found layers {found}; TIM-Net of {blocks} blocks has {wanted}")
    return {
        f"{role}.{weight}": array
        for kind in roles
        for role, layer in zip(roles[kind], made[kind], strict=True)
        for weight, array in layer.items()
    }


def _in_order_made(found: dict[str, dict]) -> dict[str, list[dict]]:
    """Sort layers by the number that ends their name, apart for each kind; no number is the first.

    The file's own order is by depth in the graph, which puts forward and backward in turns.
    """
    named = [(*re.fullmatch(r"(.+?)(?:_(\d+))?", name).groups("0"), name) for name in found]
    kinds = {}
    for kind, _, name in sorted(named, key=lambda parts: int(parts[1])):
        kinds.setdefault(kind, []).append(found[name])
    return kinds


# ---- configuration ---------------------------------------------------------------------------

TRAINING = {
    "epochs": 500,
    "batch": 64,
    "loss": "cross_entropy",
    "label_smoothing": 0.1,
    "optimiser": "adam",
    "learning_rate": 1e-3,
    "beta_1": 0.93,
    "beta_2": 0.98,
    "epsilon": 1e-8,
}

# Recalls in percent. The first six were chosen on the test folds, which the authors later mended.
# fmt: off
PUBLISHED = [
    {"corpus": "casia", "protocol": "10 random folds, best epoch on test",
     "uar": 94.67, "war": 94.67, "source": "paper"},
    {"corpus": "emodb", "protocol": "10 random folds, best epoch on test",
     "uar": 95.17, "war": 95.70, "source": "paper"},
    {"corpus": "emovo", "protocol": "10 random folds, best epoch on test",
     "uar": 92.00, "war": 92.00, "source": "paper"},
    {"corpus": "iemocap", "protocol": "10 random folds, best epoch on test",
     "uar": 72.50, "war": 71.65, "source": "paper"},
    {"corpus": "ravdess", "protocol": "10 random folds, best epoch on test",
     "uar": 91.93, "war": 92.08, "source": "paper"},
    {"corpus": "savee", "protocol": "10 random folds, best epoch on test",
     "uar": 86.31, "war": 87.71, "source": "authors' README, until August 2023"},
    {"corpus": "casia", "protocol": "10 random folds, last epoch",
     "uar": 91.08, "war": 91.08, "source": "authors' README, corrected"},
    {"corpus": "emodb", "protocol": "10 random folds, last epoch",
     "uar": 89.19, "war": 90.28, "source": "authors' README, corrected"},
    {"corpus": "emovo", "protocol": "10 random folds, last epoch",
     "uar": None, "war": 86.56, "source": "mean of the folds in the authors' curves"},
    {"corpus": "iemocap", "protocol": "10 random folds, last epoch",
     "uar": None, "war": 68.29, "source": "mean of the folds in the authors' curves"},
    {"corpus": "ravdess", "protocol": "10 random folds, last epoch",
     "uar": 90.04, "war": 90.07, "source": "authors' README, corrected"},
    {"corpus": "savee", "protocol": "10 random folds, last epoch",
     "uar": 77.26, "war": 79.36, "source": "authors' README, corrected"},
]
# fmt: on
