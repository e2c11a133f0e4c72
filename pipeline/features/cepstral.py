"""Cepstral coefficients: the spectral envelope of each frame, from low to high detail."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.features import transform
from pipeline.features.mel import Mel, mel_bands
from pipeline.features.transform import Limited, Logarithm, Stft
from pipeline.lazy import np
from pipeline.settings import setting


@dataclass(frozen=True)
class Mfcc:
    """Settings of `mfcc`."""

    n_mfcc: int = setting(
        39, "Number of coefficients, the mean level (0) included, up to n_mels.", low=1
    )
    stft: Stft = Stft()
    mel: Mel = Mel()
    logarithm: Logarithm = Logarithm()
    dct_norm: str = setting(
        "ortho",
        "Orthonormal, or with tf_signal every row scaled by sqrt(2 / n_mels): the first is then "
        "sqrt(2) times larger.",
        choices=("ortho", "tf_signal"),
    )
    limited: Limited = Limited()

    def check(self) -> None:
        """Refuse more coefficients than bands."""
        n_mels = self.mel.n_mels
        if self.n_mfcc > n_mels:
            raise InputError(f"n_mfcc: must be at most n_mels ({n_mels}), got {self.n_mfcc}")


def mfcc(signals: np.ndarray, sample_rate: int, settings: Mfcc = Mfcc()) -> np.ndarray:
    """Mel-frequency cepstral coefficients of each clip, as ``librosa.feature.mfcc`` of that clip.

    Windowed frames -> |FFT| ** power -> mel bands -> logarithm -> DCT-II over the bands.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    sample_rate : int
        Rate in hertz.
    settings : Mfcc

    Returns
    -------
    ndarray, shape (clips, frames, n_mfcc), float32

    Raises
    ------
    InputError
        If the signals have another number of axes, or a band reaches above half the rate.

    References
    ----------
    S. B. Davis and P. Mermelstein, Comparison of parametric representations for monosyllabic word
    recognition in continuously spoken sentences, IEEE TASSP 28(4), 1980.
    """
    import scipy.fft

    stft, numbers = settings.stft, settings.limited.numbers
    bands = mel_bands(settings.mel, sample_rate, stft.n_fft, numbers.precision)
    coefficients = []
    for values in transform.spectra(signals, stft, numbers, bands):
        levels = settings.logarithm.of(values)  # (n_mels, frames)
        cepstrum = np.asarray(scipy.fft.dct(levels, axis=0, norm="ortho"))[: settings.n_mfcc]
        if settings.dct_norm == "tf_signal":
            cepstrum[0] *= np.sqrt(2)
        cepstrum = settings.limited.of(settings.logarithm.rounded(cepstrum))
        coefficients.append(cepstrum)  # (n_mfcc, frames)
    return transform.stack(coefficients)
