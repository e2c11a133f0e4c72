"""GM-TCNet: its layer, its graph, and the names of its weights."""

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.models import layers
from pipeline.models.gm_tcnet import Settings

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
        Channels of each convolution.
    kernel : int > 0
        Frames that a convolution sees.
    dilation : int > 0
        Frames from one of these to the next.
    seed : int
        Seed of the kernels at the start, Glorot uniform; the biases are zero.
    """

    def __init__(self, filters: int, *, kernel: int, dilation: int, seed: int, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel = kernel
        self.dilation = dilation
        self.seed = seed

    def build(self, input_shape):
        """Make kernel and bias of each convolution, the gates after what they gate."""
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
        """Convolve with all kernels at once, gate, take the mean."""
        kernel, bias = self._joined()
        past = (self.kernel - 1) * self.dilation
        x = keras.ops.pad(x, [[0, 0], [past, 0], [0, 0]])  # (batch, past + frames, channels)
        x = keras.ops.conv(x, kernel, padding="valid", dilation_rate=self.dilation)
        return self._gated(x + bias, -1)  # (batch, frames, filters)

    def frames_last(self, x):
        """Do the same to (channels, batch, frames), in training (`pipeline.engine.frames_last`)."""
        kernel, bias = self._joined()
        x = layers.convolved(x, kernel, bias, self.dilation)
        return self._gated(x, 0)  # (filters, batch, frames)

    def _joined(self) -> tuple:
        """Join all kernels and all biases into one each, of 2 * BRANCHES * filters."""
        return keras.ops.concatenate(self.kernels, axis=-1), keras.ops.concatenate(self.biases)

    def _gated(self, x, axis: int):
        """Gate the branches, which follow one another on an axis, and take their mean."""
        main, gate = keras.ops.split(keras.ops.relu(x), 2, axis=axis)
        gated = keras.ops.split(main * keras.ops.sigmoid(gate), BRANCHES, axis=axis)
        return sum(gated) / BRANCHES

    def get_config(self) -> dict:
        """Give back the constructor's arguments."""
        own = {name: getattr(self, name) for name in ("filters", "kernel", "dilation", "seed")}
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
        Shape of one clip. The weights do not depend on the number of frames, which may be None.
    outputs : int
        Number of classes.
    settings : Settings
        Seven blocks see 382 frames.
    seed : int
        Seed of the weights; one seed gives the same weights on every backend.

    Returns
    -------
    keras.Model
        (batch, frames, coefficients) to the probabilities (batch, outputs). The layer ``pooled``
        gives the vector (batch, filters) that they are made from.

    Raises
    ------
    InputError
        If the input has another rank.
    """
    if len(input_shape) != 2:
        raise InputError(f"gm_tcnet takes (frames, coefficients); got shape {tuple(input_shape)}")
    rng = np.random.default_rng(seed)
    inputs = keras.Input(input_shape, name="features")
    x = keras.layers.Conv1D(
        settings.filters,
        1,
        kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)),
        name="in",
    )(inputs)  # (batch, frames, filters)
    skips = []
    for j in range(settings.blocks):
        if j:
            x = keras.layers.Add(name=f"residual{j}")([x, skips[-1]])
        skip = x
        for level in (1, 2):
            skip = GatedBranches(
                settings.filters,
                kernel=settings.kernel,
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

    In ``branch2``, ``gate`` gates the convolution ``main``.
    """
    return {
        variable.path.replace("/", ".").replace("_", "."): variable for variable in model.weights
    }


def set_weights(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Set all weights by role."""
    layers.assign(role_names(model), weights)
