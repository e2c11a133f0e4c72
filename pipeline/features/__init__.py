"""From sound to tensor: resampling, framing, and one function per feature.

A feature is one function of a module in this folder, named ``MODULE.FUNCTION`` in params.yaml. Its
shape is `Feature`; the names of its parameters do not matter. Its settings are the fields of one
record (`pipeline.settings`), which the annotation of its third parameter names; a function without
settings has two parameters. Nothing else is to be done: no list is edited.

>>> from dataclasses import dataclass
>>> from pipeline.settings import setting
>>> @dataclass(frozen=True)
... class Loudness:
...     frame: int = setting(400, "Length of a frame.", unit="samples", low=1)
>>> def loudness(signals, sample_rate, settings: Loudness):
...     whole = signals.shape[1] // settings.frame * settings.frame
...     frames = signals[:, :whole].reshape(len(signals), -1, settings.frame)
...     return (frames**2).mean(axis=-1, keepdims=True)  # (clips, frames, 1)
>>> loudness(np.ones((2, 1000), np.float32), 16000, Loudness()).shape
(2, 2, 1)
"""

from __future__ import annotations

from typing import Any, Protocol

from pipeline.lazy import np


class Feature(Protocol):
    """What a function must be to be a feature."""

    def __call__(self, signals: np.ndarray, sample_rate: int, settings: Any, /) -> np.ndarray:
        """Compute the feature of clips of one length.

        Parameters
        ----------
        signals : ndarray, shape (clips, samples), float32
            Mono, full scale 1.0.
        sample_rate : int
            Rate in hertz.
        settings : record
            Settings, of the type that the function's annotation names; not handed over to a
            function of two parameters.

        Returns
        -------
        ndarray, shape (clips, frames, ...), float32
            One frame or more. The values of a clip depend on that clip alone.
        """
        ...
        ...
