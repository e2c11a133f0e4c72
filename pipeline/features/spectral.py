"""Spectra: how much of each frequency there is in each frame."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.features import transform
from pipeline.features.mel import Mel, mel_bands
from pipeline.features.transform import Limited, Logarithm, Precision, Stft
from pipeline.lazy import np


@dataclass(frozen=True)
class Spectrogram:
    """Settings of `spectrogram`."""

    stft: Stft = Stft()
    numbers: Precision = Precision()


@dataclass(frozen=True)
class MelSpectrogram:
    """Settings of `mel`."""

    stft: Stft = Stft()
    mel: Mel = Mel()
    numbers: Precision = Precision()


@dataclass(frozen=True)
class LogMel:
    """Settings of `log_mel`."""

    stft: Stft = Stft()
    mel: Mel = Mel()
    logarithm: Logarithm = Logarithm()
    limited: Limited = Limited()


def spectrogram(
    signals: np.ndarray, sample_rate: int, settings: Spectrogram = Spectrogram()
) -> np.ndarray:
    """Energy, or with ``power=1`` magnitude, of each bin of a short-time Fourier transform.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    sample_rate : int
        Rate in hertz; changes nothing but which frequency a bin is.
    settings : Spectrogram

    Returns
    -------
    ndarray, shape (clips, frames, n_fft // 2 + 1), float32

    Raises
    ------
    InputError
        If the signals have another number of axes.
    """
    return transform.stack(transform.spectra(signals, settings.stft, settings.numbers))


def mel(
    signals: np.ndarray, sample_rate: int, settings: MelSpectrogram = MelSpectrogram()
) -> np.ndarray:
    """Energy or magnitude of each mel band, without a logarithm.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    sample_rate : int
        Rate in hertz.
    settings : MelSpectrogram

    Returns
    -------
    ndarray, shape (clips, frames, n_mels), float32

    Raises
    ------
    InputError
        If the signals have another number of axes, or a band reaches above half the rate.
    """
    stft, numbers = settings.stft, settings.numbers
    bands = mel_bands(settings.mel, sample_rate, stft.n_fft, numbers.precision)
    return transform.stack(transform.spectra(signals, stft, numbers, bands))


def log_mel(signals: np.ndarray, sample_rate: int, settings: LogMel = LogMel()) -> np.ndarray:
    """Logarithm of each mel band.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    sample_rate : int
        Rate in hertz.
    settings : LogMel

    Returns
    -------
    ndarray, shape (clips, frames, n_mels), float32

    Raises
    ------
    InputError
        If the signals have another number of axes, or a band reaches above half the rate.
    """
    stft, numbers = settings.stft, settings.limited.numbers
    bands = mel_bands(settings.mel, sample_rate, stft.n_fft, numbers.precision)
    logarithm = settings.logarithm
    found = transform.spectra(signals, stft, numbers, bands)
    return transform.stack(
        settings.limited.of(logarithm.rounded(logarithm.of(values))) for values in found
    )
