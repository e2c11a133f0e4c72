"""Parts that more than one model needs: initialisers, a layer, and weights set by role."""

import keras
import numpy as np

from pipeline.errors import InputError


@keras.saving.register_keras_serializable(package="ser")
class Uniform(keras.initializers.Initializer):
    """Uniform on ``[-limit, limit)``, drawn by numpy: one seed, the same weights on any backend.

    Parameters
    ----------
    limit : float
        ``limit > 0``.
    seed : int
        Seed of the same numbers in every call.
    """

    def __init__(self, limit: float, seed: int):
        self.limit = limit
        self.seed = seed

    def __call__(self, shape, dtype=None):
        """Draw an array of ``shape``."""
        draw = np.random.default_rng(self.seed).uniform(-self.limit, self.limit, shape)
        return keras.ops.convert_to_tensor(draw.astype("float32"), dtype=dtype)

    def get_config(self) -> dict:
        """Give back the constructor's arguments."""
        return {"limit": self.limit, "seed": self.seed}


@keras.saving.register_keras_serializable(package="ser")
class GlorotUniform(keras.initializers.Initializer):
    """Uniform with ``limit = sqrt(6 / (fan_in + fan_out))``, drawn by numpy as `Uniform` is.

    Parameters
    ----------
    seed : int
        Seed of the same numbers in every call.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", AISTATS 2010, eq. 16.
    """

    def __init__(self, seed: int):
        self.seed = seed

    def __call__(self, shape, dtype=None):
        """Draw a kernel of ``shape``: (..., channels in, channels out), as Keras lays them out."""
        *window, channels_in, channels_out = shape
        fans = np.prod(window, dtype=int) * (channels_in + channels_out)
        return Uniform(float(np.sqrt(6 / fans)), self.seed)(shape, dtype=dtype)

    def get_config(self) -> dict:
        """Give back the constructor's arguments."""
        return {"seed": self.seed}


@keras.saving.register_keras_serializable(package="ser")
class ReverseTime(keras.layers.Layer):
    """The clip played backwards.

    Input and output: (batch, frames, ...); frames may be chunks.
    """

    def call(self, x):
        """Flip the frames."""
        return keras.ops.flip(x, axis=1)


def convolved(x, kernel, bias, dilation: int):
    """Causal convolution over the last axis, as one product.

    Parameters
    ----------
    x : tensor (channels, clips, frames)
    kernel : tensor (places, channels, filters)
        As Keras lays it out, the place of the latest frame last.
    bias : tensor (filters,)
    dilation : int > 0
        Frames from one place to the next.

    Returns
    -------
    tensor (filters, clips, frames)
    """
    (places, channels, filters), (_, clips, frames) = kernel.shape, x.shape
    seen = []  # what each place of the kernel sees
    for i in range(places):
        past = min((places - 1 - i) * dilation, frames)
        seen.append(keras.ops.pad(x, ((0, 0), (0, 0), (past, 0)))[..., :frames] if past else x)
    seen = keras.ops.reshape(keras.ops.concatenate(seen), (places * channels, -1))
    kernel = keras.ops.transpose(keras.ops.reshape(kernel, (-1, filters)))
    # as a product, for its gradient: a sum over frames, which XLA does faster as one
    bias = keras.ops.matmul(bias[:, None], keras.ops.ones((1, clips * frames), x.dtype))
    return keras.ops.reshape(keras.ops.matmul(kernel, seen) + bias, (filters, clips, frames))


def draw_seed(rng: np.random.Generator) -> int:
    """Draw the seed of one layer, ``0 <= seed < 2 ** 31``."""
    return int(rng.integers(2**31))


def role_names(model: keras.Model) -> dict[str, keras.Variable]:
    """Name each weight by its role, which is its layer's name, dotted, and its own.

    Parameters
    ----------
    model : keras.Model
        Its layers are named after roles: the bias of ``path1_conv`` is ``path1.conv.bias``.

    Returns
    -------
    dict of str to keras.Variable
        Trained weights and running statistics.
    """
    roles = {}
    for variable in model.weights:
        layer, weight = variable.path.split("/")
        roles[f"{layer.replace('_', '.')}.{weight}"] = variable
    return roles


def assign(variables: dict[str, keras.Variable], weights: dict[str, np.ndarray]) -> None:
    """Set every variable to the weight of the same role, or none of them.

    Parameters
    ----------
    variables : dict of str to keras.Variable
        Variables of a model by role.
    weights : dict of str to ndarray
        Arrays of the same roles and shapes.

    Raises
    ------
    InputError
        If a role is missing or unknown, a shape differs, or the head has other classes.
    """
    heads = [given["head.bias"].shape[0] for given in (weights, variables) if "head.bias" in given]
    if len(set(heads)) > 1:
        raise InputError(f"weights: a head of {heads[0]} classes, the run has {heads[1]}")
    if missing := sorted(variables.keys() - weights.keys()):
        raise InputError(f"weights: {len(missing)} missing, the first {missing[0]}")
    if surplus := sorted(weights.keys() - variables.keys()):
        raise InputError(f"weights: {len(surplus)} the model has no place for, as {surplus[0]}")
    for role, variable in variables.items():
        found, wanted = tuple(weights[role].shape), tuple(variable.shape)
        if found != wanted:
            raise InputError(f"weights: {role}: found shape {found}, the model has {wanted}")
    for role, variable in variables.items():
        variable.assign(weights[role])
