"""Light-SERNet: a small fully convolutional network.

Three convolutions look at the feature side by side: along time, along the coefficients, and at both
in a square. Five more of growing width, with average pooling between them, make one vector of each
clip, and a softmax layer names the emotion.

References
----------
A. Aftab, A. Morsali, S. Ghaemmaghami, B. Champagne, "Light-SERNet: A Lightweight Fully
Convolutional Neural Network for Speech Emotion Recognition", ICASSP 2022.
https://doi.org/10.1109/ICASSP43922.2022.9746679

Notes
-----
Where paper and published code differ, this is the code:

* The paper writes the kernels of the first two paths as 9 x 1 and 1 x 11. They see 11 frames of one
  coefficient, and 9 coefficients of one frame.
* The feature it was made for has a Hann window (paper: Hamming), a mel range from 80 Hz (40 Hz) and
  frames 16 ms apart ("16 ms overlap").

The authors fed 3 s or 7 s of MFCCs, a log-mel spectrogram or a magnitude spectrogram.
"""

import keras
import numpy as np

from pipeline.errors import InputError
from pipeline.models import layers

# ---- layers ----------------------------------------------------------------------------------


@keras.saving.register_keras_serializable(package="ser")
class BatchNormalization(keras.layers.Layer):
    """Batch normalisation whose running variance is fed with unbiased variances.

    A batch is normalised by its own, biased variance. What goes into the running one is that times
    ``n / (n - 1)``, ``n`` the values of one channel, as in TensorFlow's fused operation, which the
    authors' code ran; Keras's layer takes it as it is.

    Input and output: (batch, frames, bins, channels).
    """

    MOMENTUM = 0.99
    EPSILON = 1e-3

    def build(self, input_shape):
        """Make scale, offset and running statistics of each channel."""
        shape = (input_shape[-1],)
        self.gamma = self.add_weight(name="gamma", shape=shape, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=shape, initializer="zeros")
        self.moving_mean = self.add_weight(
            name="moving_mean", shape=shape, initializer="zeros", trainable=False
        )
        self.moving_variance = self.add_weight(
            name="moving_variance", shape=shape, initializer="ones", trainable=False
        )

    def call(self, x, training=False):
        """Normalise by the statistics of the batch in training, else by the running ones."""
        mean, variance = self.moving_mean, self.moving_variance
        if training:
            mean, variance = keras.ops.moments(x, axes=(0, 1, 2))  # (channels,) each
            n = keras.ops.cast(keras.ops.size(x[..., 0]), x.dtype)
            unbiased = variance * n / keras.ops.maximum(n - 1, 1)
            for running, value in (self.moving_mean, mean), (self.moving_variance, unbiased):
                running.assign(self.MOMENTUM * running + (1 - self.MOMENTUM) * value)
        return keras.ops.batch_normalization(
            x, mean, variance, axis=-1, offset=self.beta, scale=self.gamma, epsilon=self.EPSILON
        )


# ---- graph -----------------------------------------------------------------------------------


def build(
    input_shape: tuple[int | None, ...],
    outputs: int,
    *,
    dropout: float = 0.3,
    l2: float = 1e-6,
    seed: int = 0,
) -> keras.Model:
    """Build the network, untrained.

    Parameters
    ----------
    input_shape : (frames, bins) or (frames, bins, 1)
        Of one clip; bins are coefficients or frequencies. The weights depend on neither number;
        that of the frames may be None.
    outputs : int
        Number of classes.
    dropout : float, ``0 <= dropout < 1``
        Share of the clip's vector silenced ahead of the softmax layer.
    l2 : float >= 0
        Times the sum of the squared kernels of the five convolutions behind the paths, added to
        the loss.
    seed : int
        Of the weights and the dropout; one seed gives the same weights on every backend.

    Returns
    -------
    keras.Model
        (batch, frames, bins) or (batch, frames, bins, 1) to the probabilities (batch, outputs). The
        layer ``gap`` gives the vector (batch, 320) that they are made from.

    Raises
    ------
    InputError
        If the input has another rank or several channels, or a setting is out of bounds.
    """
    if len(input_shape) not in (2, 3) or input_shape[2:] not in ((), (1,)):
        raise InputError(
            f"light_sernet takes (frames, bins) or (frames, bins, 1); got shape {input_shape}"
        )
    if not 0 <= dropout < 1:
        raise InputError(f"light_sernet: dropout: must be in [0, 1), got {dropout}")
    if l2 < 0:
        raise InputError(f"light_sernet: l2: must be at least 0, got {l2}")

    rng = np.random.default_rng(seed)
    inputs = keras.Input(input_shape, name="features")
    image = keras.layers.Reshape((-1, input_shape[1], 1), name="image")
    image = image(inputs)  # (batch, frames, bins, 1)
    paths = []
    for i, kernel in enumerate([(11, 1), (1, 9), (3, 3)], start=1):
        path = _convolution(f"path{i}", image, 32, kernel, rng=rng)
        paths.append(_pool(f"path{i}", path, (2, 2)))
    x = keras.layers.Concatenate(name="paths")(paths)  # (batch, frames / 2, bins / 2, 96)
    sizes = [(64, (2, 2)), (96, (2, 2)), (128, (2, 1)), (160, (2, 1))]
    regularizer = keras.regularizers.L2(l2)
    bare = {"use_bias": False, "kernel_regularizer": regularizer, "rng": rng}
    for i, (filters, pool) in enumerate(sizes, start=1):
        x = _convolution(f"body{i}", x, filters, (3, 3), **bare)
        x = _pool(f"body{i}", x, pool)  # at the end (batch, frames / 32, bins / 8, 160)
    x = _convolution("body5", x, 320, (1, 1), **bare)
    x = keras.layers.GlobalAveragePooling2D(name="gap")(x)  # (batch, 320)
    x = keras.layers.Dropout(dropout, seed=layers.draw_seed(rng), name="drop")(x)
    head = keras.layers.Dense(
        outputs,
        activation="softmax",
        kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)),
        name="head",
    )
    return keras.Model(inputs, head(x), name="light_sernet")  # (batch, outputs)


def _convolution(name, x, filters, kernel, *, rng, **settings):
    """Convolve ``x`` (batch, frames, bins, channels), zeros around it, normalise and rectify."""
    x = keras.layers.Conv2D(
        filters,
        kernel,
        padding="same",
        kernel_initializer=layers.GlorotUniform(layers.draw_seed(rng)),
        name=f"{name}_conv",
        **settings,
    )(x)  # (batch, frames, bins, filters)
    x = BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _pool(name, x, size):
    """Average cells of ``size``; where the last is not full, over what it holds."""
    return keras.layers.AveragePooling2D(size, padding="same", name=f"{name}_pool")(x)


# ---- weights ---------------------------------------------------------------------------------


def role_names(model: keras.Model) -> dict[str, keras.Variable]:
    """Name each weight by its role: ``path1.conv.bias``, ``body5.bn.gamma``, ``head.kernel``.

    Parameters
    ----------
    model : keras.Model
        Made by `build`.

    Returns
    -------
    dict of str to keras.Variable
        Trained weights and running statistics.
    """
    return layers.role_names(model)


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

# Cross-entropy has the best published number on EMO-DB; the paper's other loss is "focal".
TRAINING = {
    "epochs": 300,
    "batch": 32,
    "loss": "cross_entropy",
    "label_smoothing": 0.0,
    "optimiser": "adam",
    "learning_rate": 1e-4,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-7,
    "schedule": "steps",
    "decay": 0.15,
    "decay_from": 50,
    "decay_every": 20,
}

# Recalls in percent, pooled over the tests. All were chosen on the test clips. The paper drew ten
# pairs of ten random folds, so that its tests share clips; the later code splits by speaker names
# that it has shuffled within each class. On IEMOCAP "all" is 5531 clips of four classes, happy and
# excited as one; "improvised" is 2280 without the excited.
# fmt: off
PUBLISHED = [
    {"corpus": "emodb", "protocol": "3 s, cross_entropy, 10 random fifths, best epoch on test",
     "uar": 94.15, "war": 94.21, "source": "paper"},
    {"corpus": "emodb", "protocol": "3 s, focal, 10 random fifths, best epoch on test",
     "uar": 92.88, "war": 93.08, "source": "paper"},
    {"corpus": "iemocap",
     "protocol": "all, 3 s, cross_entropy, 10 random fifths, best epoch on test",
     "uar": 65.81, "war": 65.37, "source": "paper"},
    {"corpus": "iemocap",
     "protocol": "all, 3 s, focal, 10 random fifths, best epoch on test",
     "uar": 66.10, "war": 65.47, "source": "paper"},
    {"corpus": "iemocap",
     "protocol": "all, 7 s, cross_entropy, 10 random fifths, best epoch on test",
     "uar": 70.12, "war": 69.15, "source": "paper"},
    {"corpus": "iemocap",
     "protocol": "all, 7 s, focal, 10 random fifths, best epoch on test",
     "uar": 70.76, "war": 70.23, "source": "paper"},
    {"corpus": "iemocap",
     "protocol": "improvised, 3 s, cross_entropy, 10 random fifths, best epoch on test",
     "uar": 68.42, "war": 76.60, "source": "paper"},
    {"corpus": "iemocap",
     "protocol": "improvised, 3 s, focal, 10 random fifths, best epoch on test",
     "uar": 68.38, "war": 77.41, "source": "paper"},
    {"corpus": "iemocap",
     "protocol": "improvised, 7 s, cross_entropy, 10 random fifths, best epoch on test",
     "uar": 71.51, "war": 78.73, "source": "paper"},
    {"corpus": "iemocap",
     "protocol": "improvised, 7 s, focal, 10 random fifths, best epoch on test",
     "uar": 70.78, "war": 79.87, "source": "paper"},
    {"corpus": "emodb", "protocol": "3 s, cross_entropy, 10 random folds, best epoch on test",
     "uar": 94.89, "war": 95.33, "source": "PanK0's repetition with the authors' later code"},
    {"corpus": "emodb", "protocol": "3 s, focal, 10 random folds, best epoch on test",
     "uar": 94.94, "war": 95.14, "source": "PanK0's repetition with the authors' later code"},
]
# fmt: on

# Bytes of the authors' TFLite files, of 3 s of sound and seven classes; their int8 is the weights
# alone.
PUBLISHED_SIZES = [
    {"file": "float32.tflite", "input_shape": [184, 40], "labels": 7, "bytes": 1850244},
    {"file": "float16.tflite", "input_shape": [184, 40], "labels": 7, "bytes": 931548},
    {"file": "int8.tflite", "input_shape": [184, 40], "labels": 7, "bytes": 482816},
    {"file": "fused-float32.tflite", "input_shape": [184, 40], "labels": 7, "bytes": 1852508},
    {"file": "fused-float16.tflite", "input_shape": [184, 40], "labels": 7, "bytes": 933712},
    {"file": "fused-int8.tflite", "input_shape": [184, 40], "labels": 7, "bytes": 485096},
]
