"""A recipe as a TensorFlow graph: sound of any length in, the feature that a model takes out.

For exported models that need no other program. All is made of operations that TFLite has built in,
in float32: what the stages compute in float64 and round comes out within a few ten-thousandths.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft

from pipeline.errors import InputError
from pipeline.features import transform
from pipeline.features.mel import Mel, mel_bands
from pipeline.files.spec import Spec, WaveformSpec

if TYPE_CHECKING:
    import tensorflow as tf

FUNCTIONS = ("cepstral.mfcc", "spectral.spectrogram", "spectral.mel", "spectral.log_mel")
PADDINGS = ("constant", "reflect", "symmetric")  # tf.pad knows no "edge"


def check(spec: Spec) -> None:
    """Refuse a recipe that has no such graph.

    Parameters
    ----------
    spec : Spec
        Spec of a model card.

    Raises
    ------
    InputError
        If clips are taken in segments, or whole without being cut into ``chunks``, the function is
        not one of ``FUNCTIONS``, the transform is not a power of two long, its padding is "edge",
        or deltas are regressions.
    """
    settings = spec.settings
    lengths = ("centre", "start", "whole") if spec.chunks else ("centre", "start")
    n_fft = settings.get("n_fft", 1)
    for key, value, valid, wanted in [
        ("length", spec.waveform.length, lengths, "centre, start, or whole with chunks"),
        ("function", spec.function, FUNCTIONS, f"one of {', '.join(FUNCTIONS)}"),
        ("deltas", spec.deltas, ("none", "difference"), "none or difference"),
        ("pad_mode", settings.get("pad_mode"), (None, *PADDINGS), f"one of {', '.join(PADDINGS)}"),
        ("n_fft", n_fft, (1 << n_fft.bit_length() - 1,), "a power of two"),
    ]:
        if value not in valid:
            raise InputError(f"fused: recipe has {key} {value}, wanted {wanted}; leave out --fused")


def feature(sound: "tf.Tensor", spec: Spec, shape: tuple[int, ...]) -> "tf.Tensor":
    """Make the feature of a clip, as ``recipes.waveform`` and ``recipes.feature`` do.

    Parameters
    ----------
    sound : tensor, shape (samples,), float32
        Mono, full scale 1.0, at the recipe's rate; one sample or more.
    spec : Spec
        Spec that `check` lets pass.
    shape : tuple of int
        Shape of the result; a shorter clip is padded with zeros.

    Returns
    -------
    tensor, of that shape, float32
    """
    import tensorflow as tf

    recipe = spec.waveform
    values = _spectral(_waveform(sound, recipe), recipe.sample_rate, spec)  # (frames, bins)
    if spec.deltas == "difference":
        first = values - _next(values)
        values = tf.stack([values, first, first - _next(first)], axis=-1)  # (frames, bins, 3)
    if spec.chunks:
        size = spec.segment
        missing = tf.maximum(0, size - tf.shape(values)[0])
        values = tf.pad(values, [(0, missing)] + [(0, 0)] * (len(shape) - 2))
        step = (tf.shape(values)[0] - size) // (spec.chunks - 1)
        places = tf.range(spec.chunks)[:, None] * step + tf.range(size)  # (chunks, segment)
        values = tf.gather(values, places)  # (chunks, segment, ...)
    elif spec.segment:
        missing = tf.maximum(0, spec.segment - tf.shape(values)[0])
        last = tf.repeat(values[-1:], missing, axis=0)
        values = tf.signal.frame(
            tf.concat([values, last], axis=0), spec.segment, spec.segment_hop, axis=0
        )  # (segments, segment, ...)
    missing = shape[0] - tf.shape(values)[0]
    padded = tf.pad(values, [(0, missing)] + [(0, 0)] * (len(shape) - 1))
    return tf.reshape(padded, shape)


def _next(values):
    """Give each frame its successor's values, the last the first's."""
    import tensorflow as tf

    return tf.concat([values[1:], values[:1]], axis=0)


def _waveform(sound, recipe: WaveformSpec):
    """Cut, bring to level, pre-emphasise, round and pad (samples,)."""
    import tensorflow as tf

    samples = recipe.samples
    centred = recipe.length == "centre"
    if centred:
        length = tf.shape(sound)  # (1,)
        start = tf.maximum(0, length - samples) // 2
        sound = tf.slice(sound, start, tf.minimum(length, samples))  # tf2onnx misreads [-1]
    else:
        sound = sound[:samples]  # None: whole
    if recipe.normalise == "peak":
        peak = tf.reduce_max(tf.abs(sound))
        sound = sound / tf.where(peak > 0, peak, 1.0)
    elif recipe.normalise == "percentile":
        sound = tf.clip_by_value(sound / (_percentile(tf.abs(sound)) + 2.0**-52), -1, 1)
    if recipe.pre_emphasis:
        sound = tf.concat([sound[:1], sound[1:] - recipe.pre_emphasis * sound[:-1]], axis=0)
    if recipe.pcm16:
        steps = tf.sign(sound) * tf.floor(tf.abs(sound) * 2.0**15 + 0.5)
        sound = tf.clip_by_value(steps, -(2.0**15), 2.0**15 - 1) / 2.0**15
    if centred:
        gap = samples - tf.shape(sound)  # (1,)
        padded = tf.pad(sound, tf.stack([gap // 2, gap - gap // 2], axis=1))
        sound = tf.reshape(padded, (samples,))
    return sound


def _percentile(loudness):
    """99.9th percentile, interpolated as numpy does; whole numbers find its place exactly."""
    import tensorflow as tf

    position = 999 * (tf.shape(loudness)[0] - 1)  # in thousandths of a sample
    above = tf.shape(loudness)[0] - position // 1000  # how many are as loud as that, or louder
    lowest = tf.math.top_k(loudness, above).values[-2:]  # (2,), or (1,)
    upper, lower = lowest[0], lowest[-1]
    return lower + (upper - lower) * tf.cast(position % 1000, tf.float32) / 1000


def _spectral(sound, sample_rate: int, spec: Spec):
    """Feature (frames, bins) of a waveform (samples,)."""
    import tensorflow as tf

    settings, kind = spec.settings, spec.function.split(".")[1]
    values = _spectrum(sound, settings)  # (frames, n_fft // 2 + 1)
    if kind == "spectrogram":
        return values
    mel = Mel(**{field.name: settings[field.name] for field in fields(Mel)})
    bands = mel_bands(mel, sample_rate, settings["n_fft"], "float32")
    values = _bands(values, bands.toarray())  # (frames, n_mels)
    if kind == "mel":
        return values
    if settings["log"] == "ln":
        values = tf.math.log(values + settings["log_offset"])
    else:
        values = 10 / np.log(10) * tf.math.log(tf.maximum(values, settings["amin"]))
        if settings["top_db"] is not None:
            values = tf.maximum(values, tf.reduce_max(values) - settings["top_db"])
    if kind == "mfcc":
        cosines = scipy.fft.dct(np.eye(settings["n_mels"]), norm="ortho")[:, : settings["n_mfcc"]]
        if settings["dct_norm"] == "tf_signal":
            cosines[:, 0] *= np.sqrt(2)
        values = values @ cosines.astype(np.float32)  # (frames, n_mfcc)
    clip = settings["clip"]
    return values if clip is None else tf.clip_by_value(values, -clip, clip)


def _spectrum(sound, settings: Mapping[str, Any]):
    """Magnitude or energy (frames, n_fft // 2 + 1) of a waveform (samples,)."""
    import tensorflow as tf

    n_fft, hop = settings["n_fft"], settings["hop"]
    length = settings["win_length"] or n_fft
    taper = transform.window(settings["window"], length, settings["periodic"])
    if settings["centre"]:
        half = n_fft // 2
        sound = _padded(sound, half, settings["pad_mode"])
        # as in transform.spectra: the window lies in the middle of n_fft
        around = n_fft - length
        sound = sound[around // 2 : tf.shape(sound)[0] - (around - around // 2)]
    else:
        sound = tf.pad(sound, [(0, tf.maximum(0, length - tf.shape(sound)[0]))])
    framed = _frames(sound, length, hop) * taper.astype(np.float32)  # (frames, length)
    magnitude = tf.abs(tf.signal.rfft(framed, [n_fft]))
    return magnitude if settings["power"] == 1 else magnitude**2


def _padded(sound, half: int, mode: str):
    """Pad ``half`` samples to both ends; of shorter sound the mirror is mirrored, as by numpy."""
    import tensorflow as tf

    if mode == "constant":
        return tf.pad(sound, [(half, half)])
    samples = tf.shape(sound)[0]
    last = 0 if mode == "reflect" else 1  # whether the samples at the ends come twice
    period = tf.maximum(1, 2 * (samples - 1 + last))
    ahead = period * (half // period + 1) - half  # above 0, for ONNX's remainder has the sign
    places = (tf.range(samples + 2 * half) + ahead) % period
    return tf.gather(sound, tf.minimum(places, period - last - places))


def _frames(sound, length: int, hop: int):
    """Cut (samples,) into (frames, length), joined from chunks of ``hop`` samples.

    ``tf.signal.frame`` leaves a table of all frames in the file.
    """
    import tensorflow as tf

    samples, chunks = tf.shape(sound)[0], -(-length // hop)
    used = sound[: samples - (samples - length) % hop]
    rows = tf.reshape(tf.pad(used, [(0, chunks * hop - length)]), (-1, hop))
    shifted = [rows[i : i - chunks + 1 or None] for i in range(chunks)]  # (frames, hop) each
    framed = tf.concat(shifted, axis=1)  # (frames, chunks * hop)
    return framed if length % hop == 0 else framed[:, :length]


def _bands(spectrum, weights: np.ndarray):
    """Sum bins into bands: (frames, bins) by (bands, bins) -> (frames, bands).

    A bin is in two neighbouring bands at most, so two weights for each and the number of the upper
    do in place of the whole matrix, which would be a sixth of Light-SERNet's size.
    """
    import tensorflow as tf

    upper = (weights > 0).cumsum(axis=0).argmax(axis=0)  # (bins,)
    in_bands = weights[[upper, upper - 1], np.arange(weights.shape[1])]  # (2, bins)
    weighed = tf.expand_dims(tf.transpose(spectrum), 1) * in_bands.T[:, :, None]
    sums = tf.math.unsorted_segment_sum(
        weighed, upper.astype(np.int32), len(weights) + 1
    )  # (bands + 1, 2, frames), of bins by their upper band
    return tf.transpose(sums[:-1, 0] + sums[1:, 1])
