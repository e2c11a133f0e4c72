"""Conditions of a recording: how long, how loud, how noisy it is, and how far up it reaches.

None says anything of the speaker's emotion, and a model knows only those of its training clips.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.lazy import np

FRAME = 0.01  # seconds, whose power is taken
SPECTRUM = 0.025  # seconds of a frame whose spectrum is taken
MOST = 64  # frames that sound, of which the spectrum is the mean
SOUNDING = 1e-4  # power of a frame, as a fraction of the loudest one's: 40 dB below it
QUIETEST = 0.1  # of the frames are the noise
REACH = 1e-6  # power at the end of the bandwidth, as a fraction of the strongest: 60 dB below it
LOWEST = -120.0  # dB; exact zeros have no level
SILENT = -60.0  # dB, level of what no microphone gives of speech, unless ...
STEADY = -10.0  # dB, ... its quietest frames lie further below it: speech has pauses


@dataclass(frozen=True)
class Conditions:
    """What is measured of one recording.

    Attributes
    ----------
    seconds : float
    level : float
        RMS of the frames of 10 ms that are within 40 dB of the loudest, in dB of full scale.
    noise : float
        RMS of the quietest tenth of the frames, in dB of that level: 0 of steady noise, -120 of
        digital silence.
    bandwidth : float
        Highest frequency, in hertz, at which the mean spectrum of the frames that sound is within
        60 dB of its strongest.
    """

    seconds: float
    level: float
    noise: float
    bandwidth: float


def conditions(signal: np.ndarray, sample_rate: int) -> Conditions:
    """Measure a recording.

    Parameters
    ----------
    signal : ndarray, shape (samples,), float32
        Mono, full scale 1.0; a tenth of a second at least, not all zeros.
    sample_rate : int
        In hertz.

    Examples
    --------
    >>> time = np.arange(16000) / 16000
    >>> tone = np.float32(0.1 * np.sin(2 * np.pi * 1000 * time))
    >>> tone[:4000] = 0
    >>> conditions(tone, 16000)
    Conditions(seconds=1.0, level=-23.01, noise=-120.0, bandwidth=1040.0)
    """
    power = powers(signal, round(FRAME * sample_rate))
    loud = power[power >= SOUNDING * power.max()].mean()
    quietest = np.sort(power)[: max(1, round(QUIETEST * len(power)))].mean()
    length = round(SPECTRUM * sample_rate)
    power = powers(signal, length)
    frames = np.flatnonzero(power >= SOUNDING * power.max())
    frames = signal[: len(power) * length].reshape(-1, length)[frames[:: -(-len(frames) // MOST)]]
    spectrum = np.fft.rfft(frames * np.hanning(length).astype(np.float32))
    spectrum = np.square(np.abs(spectrum)).mean(axis=0)
    last = np.flatnonzero(spectrum >= REACH * spectrum.max())[-1]
    return Conditions(
        seconds=len(signal) / sample_rate,
        level=_decibels(loud),
        noise=_decibels(quietest / loud),
        bandwidth=round(float(last * sample_rate / length), 1),
    )


def powers(signal: np.ndarray, length: int) -> np.ndarray:
    """Mean square of each whole frame of a signal.

    Parameters
    ----------
    signal : ndarray, shape (samples,), float32
    length : int
        Samples of a frame.

    Returns
    -------
    ndarray, shape (samples // length,), float64

    Examples
    --------
    >>> powers(np.float32([1, 2, 3, 4, 5]), 2)
    array([ 2.5, 12.5])
    """
    frames = signal[: len(signal) // length * length].reshape(-1, length)
    return np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / length


def silence(found: Conditions) -> str:
    """Say why a recording is silence though it is not all zeros, or give ``""``.

    Examples
    --------
    >>> silence(Conditions(seconds=2.0, level=-71.0, noise=-1.5, bandwidth=8000.0))
    'silence: steady noise at -71 dB and nothing above it'
    """
    if found.level < SILENT and found.noise > STEADY:
        return f"silence: steady noise at {found.level:.0f} dB and nothing above it"
    return ""


def _decibels(power: float) -> float:
    """Level of a power, no lower than -120 dB."""
    return round(max(LOWEST, 10 * float(np.log10(max(power, 1e-30)))), 2)
