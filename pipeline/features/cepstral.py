"""Cepstral coefficients: the spectral envelope of each frame, from low to high detail."""

from functools import lru_cache

import librosa
import numpy as np
import scipy.fft
import scipy.signal
import scipy.sparse
from numpy.lib.stride_tricks import sliding_window_view

from pipeline.errors import InputError
from pipeline.features import framing

BLOCK = 64  # frames transformed at once: their arrays stay in the processor's cache
# Results are rounded to this step, so that the last bits of a logarithm, which differ between
# processors, do not reach the float32 (whose own step at 300 is 2 ** -15).
STEP = 2.0**-14


def mfcc(
    signals: np.ndarray,
    sample_rate: int,
    *,
    n_mfcc: int = 39,
    n_fft: int = 2048,
    hop: int = 512,
    window: str = "hann",
    centre: bool = True,
    pad_mode: str = "constant",
    power: float = 2.0,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    mel_scale: str = "slaney",
    mel_norm: str | None = "slaney",
    amin: float = 1e-10,
    top_db: float | None = 80.0,
    dct_norm: str | None = "ortho",
) -> np.ndarray:
    """Mel-frequency cepstral coefficients of each clip, as ``librosa.feature.mfcc`` of that clip.

    Windowed frames -> |FFT| ** power -> mel bands -> decibels, no lower than ``top_db`` below the
    loudest value of the clip -> DCT-II over the bands. All in float64, rounded to steps of 2 ** -14
    at the end; a clip's bits depend neither on the clips beside it nor on BLAS, which has no part.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    sample_rate : int
        In hertz.
    n_mfcc : int, 1 <= n_mfcc <= n_mels
        Coefficients kept, the mean level (0) included.
    n_fft, hop : int, 1 <= hop <= n_fft
        Length and distance of the frames, in samples.
    window : str
        Name of a window without parameters in ``scipy.signal``; periodic.
    centre : bool
        Pad ``n_fft // 2`` samples to both ends, so that frame ``i`` is centred on sample
        ``i * hop``; if not, a clip must fill one frame.
    pad_mode : {"constant", "edge", "reflect", "symmetric"}
        What is padded, as in ``numpy.pad``; "constant" is zeros.
    power : float > 0
        Exponent of the magnitude: 2 for energy, 1 for magnitude.
    n_mels : int >= 1
        Mel bands.
    fmin, fmax : float, 0 <= fmin < fmax <= sample_rate / 2
        Lowest and highest frequency of the bands, in hertz; ``fmax=None`` is ``sample_rate / 2``.
    mel_scale : {"slaney", "htk"}
    mel_norm : {"slaney", None}
        Each band has area 1, or height 1.
    amin : float > 0
        Lowest band value, before decibels.
    top_db : float >= 0, or None
        Range of the decibels below the clip's own maximum.
    dct_norm : {"ortho", None}

    Returns
    -------
    ndarray, shape (clips, framing.frames(samples, ...), n_mfcc), float32

    Raises
    ------
    InputError
        If a setting is out of its bounds.

    References
    ----------
    S. B. Davis and P. Mermelstein, Comparison of parametric representations for monosyllabic word
    recognition in continuously spoken sentences, IEEE TASSP 28(4), 1980.
    """
    nyquist = sample_rate / 2
    highest = nyquist if fmax is None else fmax
    for setting, value, valid, bounds in (
        ("n_fft", n_fft, n_fft >= 1, "at least 1"),
        ("hop", hop, 1 <= hop <= n_fft, f"1..n_fft ({n_fft})"),
        ("n_mels", n_mels, n_mels >= 1, "at least 1"),
        ("n_mfcc", n_mfcc, 1 <= n_mfcc <= n_mels, f"1..n_mels ({n_mels})"),
        ("power", power, power > 0, "above 0"),
        ("fmax", fmax, 0 < highest <= nyquist, f"above 0 and up to {nyquist:g} Hz"),
        ("fmin", fmin, 0 <= fmin < highest, f"0 or more and below {highest:g} Hz"),
        ("amin", amin, amin > 0, "above 0"),
        ("top_db", top_db, top_db is None or top_db >= 0, "0 or more, or null"),
    ):
        if not valid:
            raise InputError(f"{setting}: must be {bounds}, got {value}")
    for setting, value, known in (
        ("pad_mode", pad_mode, ("constant", "edge", "reflect", "symmetric")),
        ("mel_scale", mel_scale, ("slaney", "htk")),
        ("mel_norm", mel_norm, ("slaney", None)),
        ("dct_norm", dct_norm, ("ortho", None)),
    ):
        if value not in known:
            names = ", ".join(name or "null" for name in known)
            raise InputError(f"{setting}: must be one of {names}, got {value!r}")
    samples = signals.shape[1]
    frames = framing.frames(samples, n_fft=n_fft, hop=hop, centre=centre)
    if frames == 0:
        raise InputError(f"n_fft: must be up to the clip's {samples} samples, got {n_fft}")
    taper = _window(window, n_fft)
    bands = _mel_bands(sample_rate, n_fft, n_mels, fmin, highest, mel_scale, mel_norm)

    coefficients = np.empty((len(signals), frames, n_mfcc), np.float32)
    for clip, signal in enumerate(signals):
        padded = signal.astype(np.float64)
        if centre:
            padded = np.pad(padded, n_fft // 2, mode=pad_mode)
        framed = sliding_window_view(padded, n_fft)[::hop]  # (frames, n_fft)
        mel = np.zeros((n_mels, frames))
        first, last = _sounding(padded, n_fft, hop, frames)
        for start in range(first, last, BLOCK):
            stop = min(start + BLOCK, last)
            spectrum = scipy.fft.rfft(framed[start:stop] * taper)  # (block, n_fft // 2 + 1)
            energy = np.square(spectrum.real) + np.square(spectrum.imag)
            if power != 2:
                energy **= power / 2
            mel[:, start:stop] = bands @ energy.T  # (n_mels, block)
        decibels = 10 * np.log10(np.maximum(mel, amin))
        if top_db is not None:
            decibels = np.maximum(decibels, decibels.max() - top_db)
        cepstrum = scipy.fft.dct(decibels, axis=0, norm=dct_norm)[:n_mfcc]
        coefficients[clip] = np.rint(cepstrum.T / STEP) * STEP + 0.0  # -0.0 becomes 0.0
    return coefficients


def _sounding(padded: np.ndarray, n_fft: int, hop: int, frames: int) -> tuple[int, int]:
    """Range of the frames that are not wholly in the digital silence at either end of a clip."""
    sounding = padded != 0
    if not sounding.any():
        return 0, 0
    first = sounding.argmax()
    last = len(sounding) - 1 - sounding[::-1].argmax()
    return max(0, (first - n_fft) // hop + 1), min(frames, last // hop + 1)


@lru_cache
def _window(name: str, n_fft: int) -> np.ndarray:
    """Periodic window, shape (n_fft,)."""
    try:
        return scipy.signal.get_window(name, n_fft)
    except ValueError as error:
        raise InputError(f"window: must be one of scipy.signal, got {name!r} ({error})") from None


@lru_cache
def _mel_bands(
    sample_rate: int,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float,
    scale: str,
    norm: str | None,
) -> scipy.sparse.csr_array:
    """Weight of each bin in each band, shape (n_mels, n_fft // 2 + 1); a bin is in two at most."""
    weights = librosa.filters.mel(
        sr=sample_rate,
        n_fft=n_fft,
        n_mels=n_mels,
        fmin=fmin,
        fmax=fmax,
        htk=scale == "htk",
        norm=norm,
        dtype=np.float64,
    )
    return scipy.sparse.csr_array(weights)
