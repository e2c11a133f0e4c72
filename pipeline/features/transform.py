"""The short-time Fourier transform and what follows on it in every spectral feature.

Each step is a record of its settings, checked when it is made, so that features are made of the
same steps and no setting is explained twice. The steps reach two conventions: librosa's (centred
frames, Slaney's mel scale, decibels, orthonormal DCT), which is the default, and that of tf.signal
and HTK (``centre=False, periodic=False`` for windows of odd length, ``power=1``,
``mel_scale="tf_signal", mel_norm=None, log="ln", dct_norm="tf_signal"``).

``precision="float64"`` gives the same bits whatever the processor, the threads and the clips
beside: sums are made in one order, without BLAS, and logarithms are rounded to steps far wider than
their last bits, in which processors differ. (Weights of mel bands have such last bits too; bands
without a logarithm meet no step but that of the float32, in millions of values none was met that
differed.) ``"float32"`` takes about half the time and promises the value, not the bits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import librosa
import numpy as np
import scipy.fft
import scipy.signal
import scipy.sparse
from numpy.lib.stride_tricks import sliding_window_view

from pipeline.errors import InputError
from pipeline.features import framing

BLOCK = 2**19  # bytes of frames transformed at once: their arrays stay in the processor's cache
# Steps to which float64 logarithms and sums of them are rounded, so that their last bits do not
# reach the float32, whose own step is 2 ** -15 at 300 (decibels) and 2 ** -20 at 14 (ln).
STEPS = {"db": 2.0**-14, "ln": 2.0**-18}
LOWEST = 1e-30  # of what a logarithm is taken: far above the smallest float32


def check(setting: str, value: Any, valid: bool, wanted: str) -> None:
    """Refuse a setting.

    Parameters
    ----------
    setting : str
        Its name.
    value
        What was found.
    valid : bool
        Whether it may be so.
    wanted : str
        Its bounds in words, after "must be".

    Raises
    ------
    InputError
        If the setting is not valid.
    """
    if not valid:
        raise InputError(f"{setting}: must be {wanted}, got {value!r}")


def check_name(setting: str, value: str | None, known: tuple[str | None, ...]) -> None:
    """Refuse a setting that is none of the known names.

    Parameters
    ----------
    setting : str
        Its name.
    value : str or None
        What was found.
    known : tuple
        What it may be; None is written ``null`` in params.yaml.

    Raises
    ------
    InputError
        If the setting is unknown.
    """
    check(setting, value, value in known, "one of " + ", ".join(name or "null" for name in known))


@dataclass(frozen=True)
class Stft:
    """Short-time Fourier transform: windowed frames -> |FFT| ** power.

    Attributes
    ----------
    n_fft : int >= 1
        Length of the transform in samples; it has ``n_fft // 2 + 1`` bins.
    hop : int, 1 <= hop <= n_fft
        Distance of the frames, in samples.
    win_length : int, 1 <= win_length <= n_fft, or None
        Length of the window in samples; None is ``n_fft``. A shorter one lies in the middle of
        ``n_fft`` with ``centre``, as in librosa, and at its start without, as in tf.signal: frames
        are then ``win_length`` long, and zeros are added behind.
    window : str
        Name of a window without parameters in ``scipy.signal``: "hann", "hamming".
    periodic : bool
        Whether the period of the window is ``win_length``, as is right for spectra, or one less
        (symmetric). tf.signal's windows of odd length are symmetric.
    centre : bool
        Pad ``n_fft // 2`` samples to both ends, so that frame ``i`` is centred on sample
        ``i * hop``. If not, frame ``i`` starts there, a clip shorter than one frame gets zeros
        behind, and samples that fill no frame are dropped.
    pad_mode : {"constant", "edge", "reflect", "symmetric"}
        What ``centre`` pads, as in ``numpy.pad``; "constant" is zeros.
    power : {1, 2}
        Exponent of the magnitude: 2 for energy, 1 for magnitude.
    precision : {"float64", "float32"}
        In which everything is computed: the same bits everywhere, or twice as fast.

    Raises
    ------
    InputError
        If a setting is out of its bounds.
    """

    n_fft: int
    hop: int
    win_length: int | None
    window: str
    periodic: bool
    centre: bool
    pad_mode: str
    power: float
    precision: str

    def __post_init__(self) -> None:
        """Check the bounds."""
        n_fft, win_length = self.n_fft, self.win_length
        check("n_fft", n_fft, n_fft >= 1, "at least 1")
        check("hop", self.hop, 1 <= self.hop <= n_fft, f"1..n_fft ({n_fft})")
        fits = win_length is None or 1 <= win_length <= n_fft
        check("win_length", win_length, fits, f"1..n_fft ({n_fft}), or null")
        check_name("pad_mode", self.pad_mode, ("constant", "edge", "reflect", "symmetric"))
        check("power", self.power, self.power in (1, 2), "1 or 2")
        check_name("precision", self.precision, ("float64", "float32"))


@dataclass(frozen=True)
class Mel:
    """Triangular bands that are evenly spaced on a mel scale.

    Attributes
    ----------
    sample_rate : int
        In hertz.
    n_fft : int
        Of the transform.
    n_mels : int >= 1
        How many bands.
    fmin, fmax : float, 0 <= fmin < fmax <= sample_rate / 2
        Lowest and highest frequency of the bands, in hertz; ``fmax=None`` is ``sample_rate / 2``.
    mel_scale : {"slaney", "htk", "tf_signal"}
        "slaney" is linear up to 1 kHz and logarithmic above, "htk" 2595 log10(1 + f / 700); their
        triangles have straight sides in hertz. "tf_signal" is HTK's scale with sides straight in
        mel, and the bin of 0 Hz is in no band.
    mel_norm : {"slaney", None}
        Each band has area 1 in hertz, or height 1; for "tf_signal" the latter.

    Raises
    ------
    InputError
        If a setting is out of its bounds.
    """

    sample_rate: int
    n_fft: int
    n_mels: int
    fmin: float
    fmax: float | None
    mel_scale: str
    mel_norm: str | None

    def __post_init__(self) -> None:
        """Check the bounds."""
        nyquist, highest = self.sample_rate / 2, self.highest
        check("n_mels", self.n_mels, self.n_mels >= 1, "at least 1")
        check("fmax", self.fmax, 0 < highest <= nyquist, f"above 0 and up to {nyquist:g} Hz")
        inside = 0 <= self.fmin < highest
        check("fmin", self.fmin, inside, f"0 or more and below {highest:g} Hz")
        check_name("mel_scale", self.mel_scale, ("slaney", "htk", "tf_signal"))
        check_name("mel_norm", self.mel_norm, ("slaney", None))
        height_1 = self.mel_scale != "tf_signal" or self.mel_norm is None
        check("mel_norm", self.mel_norm, height_1, "null where mel_scale is tf_signal")

    @property
    def highest(self) -> float:
        """Highest frequency of the bands, in hertz."""
        return self.sample_rate / 2 if self.fmax is None else self.fmax


@dataclass(frozen=True)
class Logarithm:
    """Logarithm of a spectrum, the bounds that keep it finite, and those of what is made of it.

    Attributes
    ----------
    log : {"db", "ln"}
        ``10 * log10(max(x, amin))``, or ``ln(x + log_offset)``.
    amin : float >= 1e-30
        Lowest value of which decibels are taken.
    top_db : float >= 0, or None
        Range of the decibels below the clip's own maximum; what is lower is raised.
    log_offset : float >= 1e-30
        Added before ln.
    clip : float > 0, or None
        Largest magnitude of what ``settle`` gives; None leaves all.

    Raises
    ------
    InputError
        If a setting is out of its bounds.
    """

    log: str
    amin: float
    top_db: float | None
    log_offset: float
    clip: float | None

    def __post_init__(self) -> None:
        """Check the bounds."""
        check_name("log", self.log, ("db", "ln"))
        check("amin", self.amin, self.amin >= LOWEST, f"at least {LOWEST:g}")
        fits = self.top_db is None or self.top_db >= 0
        check("top_db", self.top_db, fits, "0 or more, or null")
        check("log_offset", self.log_offset, self.log_offset >= LOWEST, f"at least {LOWEST:g}")
        check("clip", self.clip, self.clip is None or self.clip > 0, "above 0, or null")

    def of(self, values: np.ndarray) -> np.ndarray:
        """Take the logarithm of one clip.

        Parameters
        ----------
        values : ndarray, shape (bins, frames)
            Energies or magnitudes, 0 or more.

        Returns
        -------
        ndarray, shape (bins, frames)
        """
        if self.log == "ln":
            return np.log(values + self.log_offset)
        decibels = 10 * np.log10(np.maximum(values, self.amin))
        if self.top_db is None:
            return decibels
        return np.maximum(decibels, decibels.max() - self.top_db)

    def settle(self, values: np.ndarray) -> np.ndarray:
        """Round what was computed from logarithms, if in float64, and cut it to ``clip``.

        Parameters
        ----------
        values : ndarray

        Returns
        -------
        ndarray
            Of the same shape and type.
        """
        if values.dtype == np.float64:
            values = np.rint(values / STEPS[self.log]) * STEPS[self.log] + 0.0  # no -0.0
        return values if self.clip is None else np.clip(values, -self.clip, self.clip)


def spectra(signals: np.ndarray, stft: Stft, mel: Mel | None = None) -> Iterator[np.ndarray]:
    """Give the spectrum of each clip in turn.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    stft : Stft
    mel : Mel or None
        Bands into which the bins are summed; None leaves the bins.

    Yields
    ------
    ndarray, shape (n_fft // 2 + 1 or n_mels, frames), of ``stft.precision``
    """
    length = stft.n_fft if stft.win_length is None else stft.win_length
    taper = window(stft.window, length, stft.periodic).astype(stft.precision)
    bands = None if mel is None else mel_bands(mel, stft.precision)
    bins = stft.n_fft // 2 + 1 if mel is None else mel.n_mels
    block = max(1, BLOCK // (stft.n_fft * taper.itemsize))
    buffer = np.empty((block, length), stft.precision)
    for signal in signals:
        if stft.centre:
            frames = framing.frames(len(signal), length=stft.n_fft, hop=stft.hop, centre=True)
            padded = np.pad(signal, stft.n_fft // 2, mode=stft.pad_mode)
            # A shift changes no magnitude: what is in the middle of n_fft may lie at its start.
            padded = padded[(stft.n_fft - length) // 2 :]
        else:
            frames = framing.frames(len(signal), length=length, hop=stft.hop, centre=False)
            padded = np.pad(signal, (0, max(0, length - len(signal))))
        framed = sliding_window_view(padded, length)[:: stft.hop]  # (frames, length)
        values = np.zeros((bins, frames), stft.precision)
        first, last = _sounding(padded, length, stft.hop, frames)
        for start in range(first, last, block):
            stop = min(start + block, last)
            tapered = np.multiply(framed[start:stop], taper, out=buffer[: stop - start])
            spectrum = scipy.fft.rfft(tapered.T, stft.n_fft, axis=0)  # (n_fft // 2 + 1, block)
            parts = spectrum.view(stft.precision)  # real and imaginary in turn
            np.square(parts, out=parts)
            energy = parts[:, ::2] + parts[:, 1::2]
            if stft.power == 1:
                np.sqrt(energy, out=energy)
            values[:, start:stop] = energy if bands is None else bands @ energy
        yield values


def stack(values: Iterable[np.ndarray]) -> np.ndarray:
    """Put clips on top of each other, frames first.

    Parameters
    ----------
    values : iterable of ndarray, shape (bins, frames)
        Of one clip or more.

    Returns
    -------
    ndarray, shape (clips, frames, bins), float32
    """
    return np.stack([clip.T.astype(np.float32, order="C") for clip in values])


def _sounding(padded: np.ndarray, length: int, hop: int, frames: int) -> tuple[int, int]:
    """Range of the frames that are not wholly in the digital silence at either end of a clip."""
    sounding = (padded != 0).tobytes()  # searched much faster than an array, from both ends
    if 1 not in sounding:
        return 0, 0
    first, last = sounding.find(1), sounding.rfind(1)
    return max(0, (first - length) // hop + 1), min(frames, last // hop + 1)


@lru_cache
def window(name: str, length: int, periodic: bool) -> np.ndarray:
    """Window of scipy.signal.

    Parameters
    ----------
    name : str
    length : int
        In samples.
    periodic : bool
        Whether its period is ``length``, or one less.

    Returns
    -------
    ndarray, shape (length,), float64

    Raises
    ------
    InputError
        If there is none of that name.
    """
    try:
        return scipy.signal.get_window(name, length, fftbins=periodic)
    except ValueError as error:
        raise InputError(f"window: must be one of scipy.signal, got {name!r} ({error})") from None


@lru_cache
def mel_bands(mel: Mel, precision: str) -> scipy.sparse.csr_array:
    """Weight of each bin in each band; a bin is in two bands at most.

    Parameters
    ----------
    mel : Mel
    precision : {"float64", "float32"}

    Returns
    -------
    scipy.sparse.csr_array, shape (n_mels, n_fft // 2 + 1)
    """
    if mel.mel_scale == "tf_signal":
        weights = _straight_in_mel(mel)
    else:
        weights = librosa.filters.mel(
            sr=mel.sample_rate,
            n_fft=mel.n_fft,
            n_mels=mel.n_mels,
            fmin=mel.fmin,
            fmax=mel.highest,
            htk=mel.mel_scale == "htk",
            norm=mel.mel_norm,
            dtype=np.float64,
        )
    return scipy.sparse.csr_array(weights.astype(precision))


def _straight_in_mel(mel: Mel) -> np.ndarray:
    """Bands of tf.signal, shape (n_mels, n_fft // 2 + 1)."""
    bins = librosa.hz_to_mel(librosa.fft_frequencies(sr=mel.sample_rate, n_fft=mel.n_fft), htk=True)
    lowest, highest = librosa.hz_to_mel([mel.fmin, mel.highest], htk=True)
    edges, width = np.linspace(lowest, highest, mel.n_mels + 2, retstep=True)
    weights = np.maximum(0, 1 - np.abs(bins - edges[1:-1, None]) / width)
    weights[:, 0] = 0
    return weights
