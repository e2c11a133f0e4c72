"""The short-time Fourier transform and what follows on it in every spectral feature.

Each step is a record of its settings, of which a feature's own record is made, so that no setting
is explained twice. The steps reach two conventions: librosa's (centred
frames, Slaney's mel scale, decibels, orthonormal DCT), which is the default, and that of tf.signal
and HTK (``centre=False, periodic=False`` for windows of odd length, ``power=1``,
``mel_scale="tf_signal", mel_norm=None, log="ln", dct_norm="tf_signal"``).

``precision="float64"`` gives the same bits for any processor, number of threads and other clips
in the call: sums are made in one order, without BLAS, and logarithms are rounded to steps far wider
than their last bits, in which processors differ. (Weights of mel bands have such last bits too;
bands without a logarithm meet no step but that of the float32, in millions of values none was met
that differed.) ``"float32"`` takes about half the time and promises the value, not the bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.errors import InputError
from pipeline.features import framing
from pipeline.lazy import np
from pipeline.settings import setting

if TYPE_CHECKING:
    import scipy.sparse

BLOCK = 2**19  # bytes of frames transformed at once: their arrays stay in the processor's cache
# Steps to which float64 logarithms and sums of them are rounded, so that their last bits do not
# reach the float32, whose own step is 2 ** -15 at 300 (decibels) and 2 ** -20 at 14 (ln).
STEPS = {"db": 2.0**-14, "ln": 2.0**-18}
LOWEST = 1e-30  # of what a logarithm is taken: far above the smallest float32
# of scipy.signal: those without parameters
WINDOWS = (
    *("hann", "hamming", "barthann", "bartlett", "blackman", "blackmanharris", "bohman", "boxcar"),
    *("cosine", "exponential", "flattop", "lanczos", "nuttall", "parzen", "taylor", "triang"),
    "tukey",
)


@dataclass(frozen=True)
class Stft:
    """Short-time Fourier transform: windowed frames -> |FFT| ** power.

    A shorter window lies in the middle of ``n_fft`` with ``centre``, as in librosa, and at its
    start without, as in tf.signal: frames are then ``win_length`` long, and zeros are added at the
    end.
    """

    n_fft: int = setting(
        2048, "Length of the transform, which has n_fft // 2 + 1 bins.", unit="samples", low=1
    )
    hop: int = setting(512, "Distance of the frames, up to n_fft.", unit="samples", low=1)
    win_length: int | None = setting(
        None, "Length of the window, up to n_fft; null is n_fft.", unit="samples", low=1
    )
    window: str = setting("hann", "Window of scipy.signal.", choices=WINDOWS)
    periodic: bool = setting(
        True,
        "Period of the window: win_length, as is right for spectra, or one less (symmetric), as "
        "tf.signal's windows of odd length have it.",
    )
    centre: bool = setting(
        True,
        "n_fft // 2 samples padded to both ends, so that frame i is centred on sample i * hop. If "
        "not, frame i starts there, a clip shorter than one frame gets zeros after it, and samples "
        "that fill no frame are dropped.",
    )
    pad_mode: str = setting(
        "constant",
        "What centre pads, as in numpy.pad; constant is zeros.",
        choices=("constant", "edge", "reflect", "symmetric"),
    )
    power: float = setting(
        2.0, "Exponent of the magnitude: 2 for energy, 1 for magnitude.", choices=(1, 2)
    )

    def check(self) -> None:
        """Refuse frames that do not fit the transform."""
        for name in ("hop", "win_length"):
            value = getattr(self, name)
            if value is not None and value > self.n_fft:
                raise InputError(f"{name}: must be at most n_fft ({self.n_fft}), got {value}")


@dataclass(frozen=True)
class Logarithm:
    """Logarithm of a spectrum, and the bounds that keep it finite."""

    log: str = setting(
        "db", "db is 10 * log10(max(x, amin)), ln is ln(x + log_offset).", choices=("db", "ln")
    )
    amin: float = setting(1e-10, "Lowest value of which decibels are taken.", low=LOWEST)
    top_db: float | None = setting(
        80.0,
        "Range of the decibels below the clip's own maximum; what is lower is raised, with null "
        "nothing.",
        unit="dB",
        low=0,
    )
    log_offset: float = setting(1e-6, "What is added before ln.", low=LOWEST)

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

    def rounded(self, values: np.ndarray) -> np.ndarray:
        """Round what was computed from logarithms, if in float64.

        Parameters
        ----------
        values : ndarray

        Returns
        -------
        ndarray
            Array of the same shape and type.
        """
        if values.dtype == np.float64:
            values = np.rint(values / STEPS[self.log]) * STEPS[self.log] + 0.0  # no -0.0
        return values


@dataclass(frozen=True)
class Precision:
    """Numbers in which a feature is computed."""

    precision: str = setting(
        "float64",
        "Numbers in which all is computed: the same bits everywhere, or twice as fast.",
        choices=("float64", "float32"),
    )


@dataclass(frozen=True)
class Limited:
    """Last step of a feature made from logarithms."""

    clip: float | None = setting(None, "Largest magnitude of the values; null leaves all.", above=0)
    numbers: Precision = Precision()

    def of(self, values: np.ndarray) -> np.ndarray:
        """Cut values to ``clip``.

        Parameters
        ----------
        values : ndarray

        Returns
        -------
        ndarray
            Array of the same shape and type.
        """
        return values if self.clip is None else np.clip(values, -self.clip, self.clip)


def spectra(
    signals: np.ndarray,
    stft: Stft,
    numbers: Precision,
    bands: scipy.sparse.csr_array | None = None,
) -> Iterator[np.ndarray]:
    """Give the spectrum of each clip in turn.

    Parameters
    ----------
    signals : ndarray, shape (clips, samples), float32
        Mono, full scale 1.0.
    stft : Stft
    numbers : Precision
    bands : scipy.sparse.csr_array or None, shape (n_mels, n_fft // 2 + 1)
        Those of `mel_bands`, into which the bins are summed; None leaves the bins.

    Yields
    ------
    ndarray, shape (n_fft // 2 + 1 or n_mels, frames), of ``numbers.precision``

    Raises
    ------
    InputError
        If the signals have another number of axes.
    """
    import scipy.fft
    from numpy.lib.stride_tricks import sliding_window_view

    if np.ndim(signals) != 2:
        shape = "(clips, samples); one clip is signal[None]"
        raise InputError(f"signals: wanted an array of shape {shape}, got {np.shape(signals)}")
    precision = numbers.precision
    length = stft.n_fft if stft.win_length is None else stft.win_length
    taper = window(stft.window, length, stft.periodic).astype(precision)
    bins = stft.n_fft // 2 + 1 if bands is None else bands.shape[0]
    block = max(1, BLOCK // (stft.n_fft * taper.itemsize))
    buffer = np.empty((block, length), precision)
    for signal in signals:
        if stft.centre:
            frames = framing.frames(len(signal), length=stft.n_fft, hop=stft.hop, centre=True)
            mode: Any = stft.pad_mode
            padded = np.pad(signal, stft.n_fft // 2, mode=mode)
            # A shift changes no magnitude: what is in the middle of n_fft may lie at its start.
            padded = padded[(stft.n_fft - length) // 2 :]
        else:
            frames = framing.frames(len(signal), length=length, hop=stft.hop, centre=False)
            padded = np.pad(signal, (0, max(0, length - len(signal))))
        framed = sliding_window_view(padded, length)[:: stft.hop]  # (frames, length)
        values = np.zeros((bins, frames), precision)
        first, last = _sounding(padded, length, stft.hop, frames)
        for start in range(first, last, block):
            stop = min(start + block, last)
            tapered = np.multiply(framed[start:stop], taper, out=buffer[: stop - start])
            spectrum = np.asarray(scipy.fft.rfft(tapered.T, stft.n_fft, axis=0))
            parts = spectrum.view(precision)  # (n_fft // 2 + 1, 2 * block): real, imaginary, ...
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
        Spectra of one clip or more.

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
        Length in samples.
    periodic : bool
        Whether its period is ``length``, or one less.

    Returns
    -------
    ndarray, shape (length,), float64
    """
    import scipy.signal

    return np.asarray(scipy.signal.get_window(name, length, fftbins=periodic))
