"""Pitch: how high the voice is in each frame, and whether there is one."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.lazy import np
from pipeline.settings import setting


@dataclass(frozen=True)
class Pyin:
    """Settings of `pyin`."""

    fmin: float = setting(65.0, "Lowest pitch, below fmax.", unit="Hz", above=0)
    fmax: float = setting(600.0, "Highest pitch, up to half the sample rate.", unit="Hz", above=0)
    frame: int = setting(2048, "Length of a frame, of two periods of fmin or more.", unit="samples",
                         low=4)  # fmt: skip
    hop: int = setting(512, "Distance of the frames.", unit="samples", low=1)

    def check(self) -> None:
        """Refuse a range that is none."""
        if self.fmin >= self.fmax:
            raise InputError(f"fmin: must be below fmax ({self.fmax:g}), got {self.fmin:g}")


def pyin(signals: np.ndarray, sample_rate: int, settings: Pyin = Pyin()) -> np.ndarray:
    """Fundamental frequency by probabilistic YIN, as ``librosa.pyin``, and how voiced a frame is.

    Frame i is centred on sample ``i * hop``; zeros are added at both ends.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    sample_rate : int
        Rate in hertz.
    settings : Pyin

    Returns
    -------
    ndarray, shape (clips, 1 + samples // hop, 3), float32
        Pitch in hertz, 0 where there is no voice; 1 where there is voice and else 0; and the
        probability that there is, 0 to 1.

    Raises
    ------
    InputError
        If the range does not fit the rate or the frame.

    References
    ----------
    M. Mauch and S. Dixon, "pYIN: a fundamental frequency estimator using probabilistic threshold
    distributions", ICASSP 2014.
    """
    import librosa

    if settings.fmax > sample_rate / 2:
        raise InputError(
            f"fmax: must be at most half the sample rate ({sample_rate / 2:g} Hz), got "
            f"{settings.fmax:g}"
        )
    if settings.frame < 2 * sample_rate / settings.fmin:
        raise InputError(
            f"frame: must be at least two periods of fmin ({2 * sample_rate / settings.fmin:.0f} "
            f"samples), got {settings.frame}"
        )
    found = []
    for signal in signals:
        pitch, voiced, probability = librosa.pyin(
            signal.astype(np.float64),
            sr=sample_rate,
            fmin=settings.fmin,
            fmax=settings.fmax,
            frame_length=settings.frame,
            hop_length=settings.hop,
            fill_na=0.0,
        )
        found.append(np.stack([pitch, voiced, probability], axis=-1))  # (frames, 3)
    return np.array(found, np.float32)
