"""Bands that are evenly spaced on a mel scale, and the weight of each bin in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.errors import InputError
from pipeline.lazy import np
from pipeline.settings import setting

if TYPE_CHECKING:
    import scipy.sparse


@dataclass(frozen=True)
class Mel:
    """Triangular bands that are evenly spaced on a mel scale."""

    n_mels: int = setting(128, "Number of bands.", low=1)
    fmin: float = setting(0.0, "Lowest frequency of the bands, below fmax.", unit="Hz", low=0)
    fmax: float | None = setting(
        None,
        "Highest frequency of the bands, up to half the sample rate, which null is.",
        unit="Hz",
        above=0,
    )
    mel_scale: str = setting(
        "slaney",
        "slaney is linear up to 1 kHz and logarithmic above, htk 2595 log10(1 + f / 700); their "
        "triangles have straight sides in hertz. tf_signal is HTK's scale with sides straight in "
        "mel, and the bin of 0 Hz is in no band.",
        choices=("slaney", "htk", "tf_signal"),
    )
    mel_norm: str | None = setting(
        "slaney",
        "Bands of area 1 in hertz, or with null of height 1, as those of tf_signal must be.",
        choices=("slaney", None),
    )

    def check(self) -> None:
        """Refuse bands that are none, or that tf.signal does not have."""
        if self.fmax is not None and self.fmin >= self.fmax:
            raise InputError(f"fmin: must be below fmax ({self.fmax:g} Hz), got {self.fmin:g}")
        if self.mel_scale == "tf_signal" and self.mel_norm is not None:
            raise InputError("mel_norm: must be null where mel_scale is tf_signal, got 'slaney'")


@lru_cache
def mel_bands(mel: Mel, sample_rate: int, n_fft: int, precision: str) -> scipy.sparse.csr_array:
    """Weight of each bin in each band; a bin is in two bands at most.

    Parameters
    ----------
    mel : Mel
    sample_rate : int
        Rate in hertz.
    n_fft : int
        Length of the transform, in samples.
    precision : {"float64", "float32"}

    Returns
    -------
    scipy.sparse.csr_array, shape (n_mels, n_fft // 2 + 1)

    Raises
    ------
    InputError
        If the bands reach above half the sample rate.
    """
    import librosa
    import scipy.sparse

    nyquist = sample_rate / 2
    highest = nyquist if mel.fmax is None else mel.fmax
    if highest > nyquist:
        raise InputError(f"fmax: must be at most {nyquist:g} Hz, half the rate, got {highest:g}")
    if mel.fmin >= highest:
        raise InputError(f"fmin: must be below {highest:g} Hz, half the rate, got {mel.fmin:g}")
    if mel.mel_scale == "tf_signal":
        weights = _straight_in_mel(mel, highest, sample_rate, n_fft)
    else:
        norm: Any = mel.mel_norm
        weights = librosa.filters.mel(
            sr=sample_rate,
            n_fft=n_fft,
            n_mels=mel.n_mels,
            fmin=mel.fmin,
            fmax=highest,
            htk=mel.mel_scale == "htk",
            norm=norm,
            dtype=np.float64,
        )
    return scipy.sparse.csr_array(weights.astype(precision))


def _straight_in_mel(mel: Mel, highest: float, sample_rate: int, n_fft: int) -> np.ndarray:
    """Bands of tf.signal, shape (n_mels, n_fft // 2 + 1)."""
    import librosa

    bins = librosa.hz_to_mel(librosa.fft_frequencies(sr=sample_rate, n_fft=n_fft), htk=True)
    lowest, top = librosa.hz_to_mel([mel.fmin, highest], htk=True)
    edges, width = np.linspace(lowest, top, mel.n_mels + 2, retstep=True)
    weights = np.maximum(0, 1 - np.abs(bins - edges[1:-1, None]) / width)
    weights[:, 0] = 0
    return weights
