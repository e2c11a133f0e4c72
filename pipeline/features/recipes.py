"""Recipes applied: sound to waveform, waveforms to feature; one place for stages and predict.

A recipe arrives resolved, as the plain dictionary that stores and model cards carry, so that a
trained model meets exactly the features it was trained on.
"""

import numpy as np

from pipeline import plugins
from pipeline.features import framing, resampling


def waveform(signal: np.ndarray, sample_rate: int, spec: dict) -> np.ndarray:
    """Resample one clip and bring it to length.

    Parameters
    ----------
    signal : ndarray, shape (samples,), float32
        Mono, full scale 1.0.
    sample_rate : int
        Of ``signal``, in hertz.
    spec : dict
        ``sample_rate``, ``resampler``, ``length``, ``samples``.

    Returns
    -------
    ndarray, shape (spec["samples"],), float32
    """
    signal = resampling.resample(signal, sample_rate, spec["sample_rate"], method=spec["resampler"])
    return framing.fix_length(signal, spec["samples"], where=spec["length"])


def feature(signals: np.ndarray, sample_rate: int, spec: dict) -> np.ndarray:
    """Compute a feature of several clips.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
    sample_rate : int
        In hertz.
    spec : dict
        ``function`` (``module.function`` below ``pipeline.features``) and its ``settings``.

    Returns
    -------
    ndarray, shape (clips, frames, ...), float32
    """
    module, function = spec["function"].split(".")
    compute = getattr(plugins.load("features", module), function)
    return compute(signals, sample_rate, **spec["settings"])
