"""Cepstral coefficients: the spectral envelope of each frame, from low to high detail."""

import numpy as np
import scipy.fft

from pipeline.features import transform


def mfcc(
    signals: np.ndarray,
    sample_rate: int,
    *,
    n_mfcc: int = 39,
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
    dct_norm: str = "ortho",
    clip: float | None = None,
    precision: str = "float64",
) -> np.ndarray:
    """Mel-frequency cepstral coefficients of each clip, as ``librosa.feature.mfcc`` of that clip.

    Windowed frames -> |FFT| ** power -> mel bands -> logarithm -> DCT-II over the bands.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    sample_rate : int
        In hertz.
    n_mfcc : int, 1 <= n_mfcc <= n_mels
        Coefficients kept, the mean level (0) included.
    n_fft, hop, win_length, window, periodic, centre, pad_mode, power
        Of ``transform.Stft``.
    n_mels, fmin, fmax, mel_scale, mel_norm
        Of ``transform.Mel``.
    log, amin, top_db, log_offset
        Of ``transform.Logarithm``.
    dct_norm : {"ortho", "tf_signal"}
        Orthonormal, or every row scaled by ``sqrt(2 / n_mels)``: the first is then ``sqrt(2)``
        times larger.
    clip : float > 0, or None
        Of ``transform.Logarithm``: coefficients are cut to ``[-clip, clip]``.
    precision
        Of ``transform.Stft``.

    Returns
    -------
    ndarray, shape (clips, frames, n_mfcc), float32

    Raises
    ------
    InputError
        If a setting is out of its bounds.

    References
    ----------
    S. B. Davis and P. Mermelstein, Comparison of parametric representations for monosyllabic word
    recognition in continuously spoken sentences, IEEE TASSP 28(4), 1980.
    """
    stft = transform.Stft(
        n_fft, hop, win_length, window, periodic, centre, pad_mode, power, precision
    )
    mel = transform.Mel(sample_rate, n_fft, n_mels, fmin, fmax, mel_scale, mel_norm)
    logarithm = transform.Logarithm(log, amin, top_db, log_offset, clip)
    transform.check("n_mfcc", n_mfcc, 1 <= n_mfcc <= n_mels, f"1..n_mels ({n_mels})")
    transform.check_name("dct_norm", dct_norm, ("ortho", "tf_signal"))

    coefficients = []
    for values in transform.spectra(signals, stft, mel):
        cepstrum = scipy.fft.dct(logarithm.of(values), axis=0, norm="ortho")[:n_mfcc]
        if dct_norm == "tf_signal":
            cepstrum[0] *= np.sqrt(2)
        coefficients.append(logarithm.settle(cepstrum))  # (n_mfcc, frames)
    return transform.stack(coefficients)
