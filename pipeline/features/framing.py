"""Lengths: of a clip in samples, and of a feature in frames."""

import numpy as np

from pipeline.errors import InputError

POLICIES = ("centre",)


def fix_length(signal: np.ndarray, samples: int, *, where: str) -> np.ndarray:
    """Pad a signal with zeros, or trim it, to a fixed length.

    Parameters
    ----------
    signal : ndarray, shape (n,)
    samples : int >= 1
        Length wanted.
    where : {"centre"}
        Keep the middle: ``floor(gap / 2)`` zeros in front and the rest behind, or the samples
        from ``floor((n - samples) / 2)`` on.

    Returns
    -------
    ndarray, shape (samples,)
        Of the signal's type.

    Raises
    ------
    InputError
        If ``samples`` is below 1 or the policy unknown.

    Examples
    --------
    >>> fix_length(np.array([1, 2]), 5, where="centre")
    array([0, 1, 2, 0, 0])
    >>> fix_length(np.array([1, 2, 3, 4, 5]), 2, where="centre")
    array([2, 3])
    """
    if where not in POLICIES:
        raise InputError(f"where: must be one of {', '.join(POLICIES)}, got {where!r}")
    if samples < 1:
        raise InputError(f"samples: must be at least 1, got {samples}")
    gap = samples - len(signal)
    if gap > 0:
        return np.pad(signal, (gap // 2, gap - gap // 2))
    start = -gap // 2
    return signal[start : start + samples]


def frames(samples: int, *, n_fft: int, hop: int, centre: bool) -> int:
    """Frames that a short-time transform makes of a clip.

    Parameters
    ----------
    samples : int
        Length of the clip.
    n_fft, hop : int >= 1
        Length and distance of the frames, in samples.
    centre : bool
        Whether ``n_fft // 2`` samples are padded to both ends, so that frame ``i`` is centred on
        sample ``i * hop``.

    Returns
    -------
    int
        0 where the clip is shorter than one frame.

    Examples
    --------
    >>> frames(110000, n_fft=2048, hop=512, centre=True)
    215
    """
    padding = n_fft // 2 * 2 if centre else 0
    return max(0, 1 + (samples + padding - n_fft) // hop)
