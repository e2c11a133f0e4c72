"""Change of sample rate, by named methods.

``soxr_hq``
    The SoX resampler at high quality: what librosa has used since 0.10.
``kaiser_best``
    Band-limited interpolation [1]_ from a windowed-sinc table, in the arithmetic of resampy 0.2.2:
    what librosa used before. Features published in those years need this one.
``kaiser_best_03``
    The same from another table, as resampy has it since 0.3.0. The two rows of features that
    TIM-Net's README lays to two processors are these two.

The choice moves MFCCs by 1 to 6 units, and published weights by 1 to 2.5 points of accuracy.

References
----------
.. [1] J. O. Smith, Digital Audio Resampling Home Page, https://ccrma.stanford.edu/~jos/resample/
"""

from __future__ import annotations

from functools import lru_cache
from math import ceil, floor, gcd
from typing import NamedTuple

from pipeline.errors import InputError
from pipeline.lazy import np


class Table(NamedTuple):
    """Half of a symmetric windowed sinc: zero crossings, entries per crossing, rolloff, beta."""

    crossings: int
    precision: int
    rolloff: float
    beta: float


TABLES = {
    "kaiser_best": Table(64, 512, 0.9475937167399596, 14.769656459379492),
    "kaiser_best_03": Table(50, 8192, 0.9173473712608761, 12.984585247040012),
}
METHODS = ("soxr_hq", *TABLES)

# Beyond it the truncated step through the table would change the gain by more than 1/8.
LARGEST_RATIO = 64

# Products of integers: 24 bits of signal, 27 of weight and 2 of sum (the weights of one output add
# up to less than 4 in magnitude) fit the 53 of a float64, so every sum is exact and no order of
# adding, BLAS kernel or number of threads can change a bit.
SIGNAL_BITS = 24
WEIGHT_BITS = 27

BLOCK = 64  # outputs per set of weights: from 48 to 128 the time is the same
EARLY_BLOCK = 4096  # outputs whose inputs are gathered at once: bounds the memory of a long signal


def resample(signal: np.ndarray, sample_rate: int, target_rate: int, *, method: str) -> np.ndarray:
    """Resample a mono signal.

    Parameters
    ----------
    signal : ndarray, shape (samples,), float32
    sample_rate, target_rate : int
        Rates in hertz, ``target_rate >= sample_rate / 64``.
    method : {"soxr_hq", "kaiser_best", "kaiser_best_03"}

    Returns
    -------
    ndarray, shape (ceil(samples * target_rate / sample_rate),), float32
        The signal itself where the rates are equal.

    Raises
    ------
    InputError
        If the target rate is out of bounds.

    Examples
    --------
    >>> resample(np.zeros(48000, np.float32), 48000, 22050, method="soxr_hq").shape
    (22050,)
    """
    lowest = sample_rate / LARGEST_RATIO
    if target_rate < lowest:
        raise InputError(
            f"target_rate: must be at least {lowest:g} Hz for a clip of {sample_rate} Hz, "
            f"got {target_rate}"
        )
    if target_rate == sample_rate:
        return signal
    if method == "soxr_hq":
        import soxr

        resampled = soxr.resample(signal, sample_rate, target_rate, quality="HQ")
    else:
        resampled = _interpolate(signal, sample_rate, target_rate, method)
    samples = ceil(len(signal) * (target_rate / sample_rate))  # rounded where librosa rounds
    fixed = np.zeros(samples, np.float32)
    fixed[: len(resampled)] = resampled[:samples]
    return fixed


def _interpolate(signal: np.ndarray, sample_rate: int, target_rate: int, method: str) -> np.ndarray:
    """Interpolate ``signal``, shape (samples,) -> (floor(samples * ratio),), float64."""
    from numpy.lib.stride_tricks import sliding_window_view

    ratio = target_rate / sample_rate
    samples = floor(len(signal) * ratio)
    bank = filter_bank(sample_rate, target_rate, TABLES[method])
    taps = len(bank.early)
    exponent = np.frexp(np.abs(signal).max(initial=0.0))[1]  # |signal| < 2 ** exponent
    padded = np.zeros(taps + len(signal) + bank.hop)
    padded[taps // 2 - 1 :][: len(signal)] = np.rint(
        np.ldexp(signal.astype(np.float64), SIGNAL_BITS - exponent)
    )

    periods = ceil(samples / bank.period)
    resampled = np.empty((periods, bank.period))
    for output, start, weights in bank.blocks:
        windows = sliding_window_view(padded, len(weights))[start :: bank.hop][:periods]
        # Overlapping rows would miss the fast product: copy them.
        block = np.ascontiguousarray(windows) @ weights  # (periods, outputs of the block)
        resampled[:, output : output + block.shape[1]] = block
    resampled = resampled.ravel()[:samples]  # (samples,)

    # The originals compute time in float64, by sums in 0.2.2 and by products since. Where an output
    # falls on an input sample, its time may be a hair early; then that sample belongs to the right
    # wing, whose steps are truncated otherwise.
    time = np.arange(samples) * (1 / ratio)
    if method == "kaiser_best":
        time[1:] = np.cumsum(np.full(max(0, samples - 1), 1 / ratio))
    on_sample = np.arange(ceil(samples / bank.up)) * bank.down
    early = np.flatnonzero(time[:: bank.up] < on_sample)
    windows = sliding_window_view(padded, taps)
    for part in np.array_split(early, len(early) // EARLY_BLOCK + 1):
        resampled[part * bank.up] = windows[on_sample[part] - 1] @ bank.early

    return np.ldexp(resampled, exponent - SIGNAL_BITS - WEIGHT_BITS)


class FilterBank(NamedTuple):
    """Interpolation as matrix products: outputs repeat their phases every ``period``.

    ``up`` outputs take the time of ``down`` inputs; ``period`` is a multiple of ``up``, and ``hop``
    its inputs. Each block is (first output, first input, weights (inputs, outputs)).
    ``early``, shape (taps,), is the phase "just before the next input sample".
    """

    up: int
    down: int
    period: int
    hop: int
    blocks: list[tuple[int, int, np.ndarray]]
    early: np.ndarray


@lru_cache(maxsize=4)
def filter_bank(sample_rate: int, target_rate: int, table: Table) -> FilterBank:
    """Weights of every phase of a pair of rates, as whole numbers of 2 ** -WEIGHT_BITS."""
    divisor = gcd(sample_rate, target_rate)
    up, down = target_rate // divisor, sample_rate // divisor
    scale = min(1.0, target_rate / sample_rate)
    left = scale * np.append(np.arange(up) * down % up / up, 1.0)  # (phases + 1,)
    weights = np.hstack([_wing(left, scale, table)[:, ::-1], _wing(scale - left, scale, table)])
    weights = np.rint(np.ldexp(weights, WEIGHT_BITS))  # (phases + 1, taps)

    taps = np.arange(weights.shape[1])
    period = up * ceil(BLOCK / up)
    blocks = []
    for outputs in np.array_split(np.arange(period), ceil(period / BLOCK)):
        inputs = outputs * down // up
        shifts = inputs - inputs[0]
        banded = np.zeros((len(taps) + shifts[-1], len(outputs)))
        np.put_along_axis(banded, taps[:, None] + shifts, weights[outputs % up].T, axis=0)
        blocks.append((outputs[0], inputs[0], banded))
    return FilterBank(up, down, period, period // up * down, blocks, weights[-1])


def _wing(distance: np.ndarray, scale: float, table: Table) -> np.ndarray:
    """Weights of the inputs on one side of each output, nearest first, shape (phases, taps / 2).

    ``distance`` (phases,) is that of the nearest input, in zero crossings of the sinc.
    """
    precision, length = table.precision, table.crossings * table.precision
    window = np.kaiser(2 * length + 1, table.beta)[length:]
    sinc = np.sinc(table.rolloff * np.arange(length + 1) / precision)
    half = scale * table.rolloff * sinc * window
    slope = np.append(np.diff(half), 0.0)

    step = floor(scale * precision)  # truncated: the mark of resampy
    offset = np.floor(distance * precision).astype(int)[:, None]  # (phases, 1)
    index = offset + step * np.arange(len(half) // step)  # (phases, taps / 2)
    inside = index + step <= len(half)
    index = np.where(inside, index, 0)
    fraction = distance[:, None] * precision - offset
    return np.where(inside, half[index] + fraction * slope[index], 0.0)
