"""Spectra: how much of each frequency there is in each frame."""

import numpy as np

from pipeline.features import transform


def spectrogram(
    signals: np.ndarray,
    sample_rate: int,
    *,
    n_fft: int = 2048,
    hop: int = 512,
    win_length: int | None = None,
    window: str = "hann",
    periodic: bool = True,
    centre: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    precision: str = "float64",
) -> np.ndarray:
    """Energy, or with ``power=1`` magnitude, of each bin of a short-time Fourier transform.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    sample_rate : int
        In hertz; changes nothing but which frequency a bin is.
    n_fft, hop, win_length, window, periodic, centre, pad_mode, power, precision
        Of ``transform.Stft``.

    Returns
    -------
    ndarray, shape (clips, frames, n_fft // 2 + 1), float32

    Raises
    ------
    InputError
        If a setting is out of its bounds.
    """
    stft = transform.Stft(
        n_fft, hop, win_length, window, periodic, centre, pad_mode, power, precision
    )
    return transform.stack(transform.spectra(signals, stft))


def mel(
    signals: np.ndarray,
    sample_rate: int,
    *,
    n_fft: int = 2048,
    hop: int = 512,
    win_length: int | None = None,
    window: str = "hann",
    periodic: bool = True,
    centre: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    mel_scale: str = "slaney",
    mel_norm: str | None = "slaney",
    precision: str = "float64",
) -> np.ndarray:
    """Energy or magnitude of each mel band, without a logarithm.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    sample_rate : int
        In hertz.
    n_fft, hop, win_length, window, periodic, centre, pad_mode, power
        Of ``transform.Stft``.
    n_mels, fmin, fmax, mel_scale, mel_norm
        Of ``transform.Mel``.
    precision
        Of ``transform.Stft``.

    Returns
    -------
    ndarray, shape (clips, frames, n_mels), float32

    Raises
    ------
    InputError
        If a setting is out of its bounds.
    """
    stft = transform.Stft(
        n_fft, hop, win_length, window, periodic, centre, pad_mode, power, precision
    )
    bands = transform.Mel(sample_rate, n_fft, n_mels, fmin, fmax, mel_scale, mel_norm)
    return transform.stack(transform.spectra(signals, stft, bands))


def log_mel(
    signals: np.ndarray,
    sample_rate: int,
    *,
    n_fft: int = 2048,
    hop: int = 512,
    win_length: int | None = None,
    window: str = "hann",
    periodic: bool = True,
    centre: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    mel_scale: str = "slaney",
    mel_norm: str | None = "slaney",
    log: str = "db",
    amin: float = 1e-10,
    top_db: float | None = 80.0,
    log_offset: float = 1e-6,
    clip: float | None = None,
    precision: str = "float64",
) -> np.ndarray:
    """Logarithm of each mel band.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    sample_rate : int
        In hertz.
    n_fft, hop, win_length, window, periodic, centre, pad_mode, power
        Of ``transform.Stft``.
    n_mels, fmin, fmax, mel_scale, mel_norm
        Of ``transform.Mel``.
    log, amin, top_db, log_offset, clip
        Of ``transform.Logarithm``.
    precision
        Of ``transform.Stft``.

    Returns
    -------
    ndarray, shape (clips, frames, n_mels), float32

    Raises
    ------
    InputError
        If a setting is out of its bounds.
    """
    stft = transform.Stft(
        n_fft, hop, win_length, window, periodic, centre, pad_mode, power, precision
    )
    bands = transform.Mel(sample_rate, n_fft, n_mels, fmin, fmax, mel_scale, mel_norm)
    logarithm = transform.Logarithm(log, amin, top_db, log_offset, clip)
    found = transform.spectra(signals, stft, bands)
    return transform.stack(logarithm.settle(logarithm.of(values)) for values in found)
