"""TIM-Net: its layers, its graph, and the names of its weights."""

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.models import layers
from pipeline.models.tim_net import Settings

# ---- layers ----------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="ser")
class WeightFusion(keras.layers.Layer):
    """Sum of the blocks' vectors, each with a learned weight of any sign.

    Input: a list of (batch, filters), one for each block. Output: (batch, filters).

    Parameters
    ----------
    seed : int
        Seed of the weights at the start, uniform on [-0.05, 0.05).
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
    seed : int
        Seed of the weights and the dropout; one seed gives the same weights on every backend.

    Returns
    -------
    keras.Model
        (batch, frames, coefficients) to the probabilities (batch, outputs). The layer ``fused``
        gives the vector (batch, filters) that they are made from.

    Raises
    ------
    InputError
        If the input has another rank.
    """
    if len(input_shape) != 2:
        raise InputError(f"tim_net takes (frames, coefficients); got shape {tuple(input_shape)}")
    rng = np.random.default_rng(seed)
    inputs = keras.Input(input_shape, name="features")
    backwards = layers.ReverseTime(name="reverse")(inputs)
    forward = _convolution("fwd_in", settings.filters, 1, 1, rng)(
        inputs
    )  # (batch, frames, filters)
    backward = _convolution("bwd_in", settings.filters, 1, 1, rng)(
        backwards
    )  # (batch, frames, filters)
    pooled = []
    for j in range(settings.blocks):
        forward = _temporal_aware_block(forward, f"fwd_tab{j}", 2**j, settings, rng)
        backward = _temporal_aware_block(backward, f"bwd_tab{j}", 2**j, settings, rng)
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


def _temporal_aware_block(x, name, dilation, settings, rng):
    """Gate each value of ``x`` (batch, frames, filters) by what came before it in time."""
    gate = x
    for i in (1, 2):
        gate = _convolution(f"{name}_conv{i}", settings.filters, settings.kernel, dilation, rng)(
            gate
        )
        gate = keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{name}_bn{i}")(
            gate
        )
        gate = keras.layers.ReLU(name=f"{name}_relu{i}")(gate)
        gate = keras.layers.SpatialDropout1D(
            settings.dropout, seed=layers.draw_seed(rng), name=f"{name}_drop{i}"
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
    """Name each weight by its role: ``fwd.tab3.conv2.kernel``, ``bwd.in.bias``, ``fuse.kernel``."""
    return {r.replace("fused.", "fuse."): v for r, v in layers.role_names(model).items()}


def set_weights(model: keras.Model, weights: dict[str, np.ndarray]) -> None:
    """Set all weights by role."""
    layers.assign(role_names(model), weights)
