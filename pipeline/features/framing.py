"""Lengths: of a clip in samples, of a feature in frames, and segments and chunks of a feature."""

from __future__ import annotations

from pipeline.lazy import np

# What becomes of a clip's length: its middle, padded on both sides; its start; all of it; or all of
# it in segments of one length, each padded on both sides.
POLICIES = ("centre", "start", "whole", "segments")


def cut(signal: np.ndarray, samples: int | None, *, where: str) -> list[np.ndarray]:
    """Cut a signal to no more than a length.

    Parameters
    ----------
    signal : ndarray, shape (n,)
    samples : int >= 1, or None for ``whole``
        Longest result wanted.
    where : {"centre", "start", "whole", "segments"}
        Keep the samples from ``floor((n - samples) / 2)`` on; the first ones; all; all in
        consecutive segments, of which the last may be shorter.

    Returns
    -------
    list of ndarray
        One array, or for ``segments`` one or more.

    Examples
    --------
    >>> cut(np.arange(1, 6), 2, where="centre")
    [array([2, 3])]
    >>> cut(np.arange(1, 6), 2, where="segments")
    [array([1, 2]), array([3, 4]), array([5])]
    """
    if where == "whole" or samples is None:
        return [signal]
    if where == "segments":
        return [signal[i : i + samples] for i in range(0, max(1, len(signal)), samples)]
    start = max(0, len(signal) - samples) // 2 if where == "centre" else 0
    return [signal[start : start + samples]]


def fix_length(signal: np.ndarray, samples: int) -> np.ndarray:
    """Pad a signal with zeros to a length, ``floor(gap / 2)`` in front and the rest at the end.

    Parameters
    ----------
    signal : ndarray, shape (n,)
    samples : int >= n
        Length wanted.

    Returns
    -------
    ndarray, shape (samples,)
        The signal, in its type.

    Examples
    --------
    >>> fix_length(np.array([1, 2]), 5)
    array([0, 1, 2, 0, 0])
    """
    gap = samples - len(signal)
    return np.pad(signal, (gap // 2, gap - gap // 2))


def rectangle(clips: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """Put clips of different lengths into one array, with zeros after the shorter ones.

    Parameters
    ----------
    clips : list of ndarray, shape (n, ...)
        None longer than ``shape[0]``.
    shape : tuple of int
        Shape of one row.

    Returns
    -------
    ndarray, shape (clips, ...), float32

    Examples
    --------
    >>> rectangle([np.array([1.0]), np.array([2.0, 3.0])], (2,)).tolist()
    [[1.0, 0.0], [2.0, 3.0]]
    """
    rows = np.zeros((len(clips), *shape), np.float32)
    for row, clip in zip(rows, clips, strict=True):
        row[: len(clip)] = clip
    return rows


def frames(samples: int, *, length: int, hop: int, centre: bool) -> int:
    """Frames that a short-time transform makes of a clip.

    Parameters
    ----------
    samples : int
        Length of the clip.
    length, hop : int >= 1
        Length and distance of the frames, in samples.
    centre : bool
        Whether ``length // 2`` samples are padded to both ends, so that frame ``i`` is centred on
        sample ``i * hop``.

    Returns
    -------
    int
        1 also of a clip shorter than one frame, which is padded with zeros.

    Examples
    --------
    >>> frames(110000, length=2048, hop=512, centre=True)
    215
    """
    padding = length // 2 * 2 if centre else 0
    return 1 + max(0, samples + padding - length) // hop


def segments(values: np.ndarray, size: int, *, hop: int) -> np.ndarray:
    """Cut a feature into segments of ``size`` frames, ``hop`` apart; what is left over is dropped.

    Fewer frames than ``size`` make one segment, with the last frame repeated.

    Parameters
    ----------
    values : ndarray, shape (clips, frames, ...)
        One frame or more.
    size, hop : int >= 1
        Length and distance of the segments, in frames.

    Returns
    -------
    ndarray, shape (clips, segments, size, ...)

    Examples
    --------
    >>> segments(np.arange(7)[None], 4, hop=2)
    array([[[0, 1, 2, 3],
            [2, 3, 4, 5]]])
    """
    missing = max(0, size - values.shape[1])
    padding = [(0, 0), (0, missing)] + [(0, 0)] * (values.ndim - 2)
    padded = np.pad(values, padding, mode="edge")
    starts = range(0, padded.shape[1] - size + 1, hop)
    return np.stack([padded[:, start : start + size] for start in starts], axis=1)


def chunks(values: np.ndarray, size: int, *, number: int) -> np.ndarray:
    """Cut a feature of any length into a fixed number of chunks; see `chunk_starts`.

    Of fewer frames than ``size`` all chunks are equal, padded with zeros: of energies, silence.

    Parameters
    ----------
    values : ndarray, shape (clips, frames, ...)
        One frame or more.
    size : int >= 1
        Length of the chunks, in frames.
    number : int >= 2
        Number of chunks.

    Returns
    -------
    ndarray, shape (clips, number, size, ...)

    Examples
    --------
    >>> chunks(np.arange(7)[None], 3, number=3)
    array([[[0, 1, 2],
            [2, 3, 4],
            [4, 5, 6]]])
    """
    missing = max(0, size - values.shape[1])
    padded = np.pad(values, [(0, 0), (0, missing)] + [(0, 0)] * (values.ndim - 2))
    starts = chunk_starts(padded.shape[1], size=size, chunks=number)
    return padded[:, starts[:, None] + np.arange(size)]


def chunk_starts(frames: int, *, size: int = 62, chunks: int = 11) -> np.ndarray:
    """First frames of a fixed number of chunks that reach from the start of a clip to its end.

    The step between them is ``(frames - size) / (chunks - 1)``, rounded down: they overlap in a
    short clip and leave gaps in a long one.

    Parameters
    ----------
    frames : int >= size
        Length of the clip; a shorter one is padded before.
    size : int >= 1
        Frames of a chunk.
    chunks : int >= 2
        Number of chunks.

    Returns
    -------
    ndarray, shape (chunks,), int

    References
    ----------
    W.-C. Lin and C. Busso, Chunk-level speech emotion recognition, IEEE Transactions on Affective
    Computing 14(2), 2023, section 3.

    Examples
    --------
    >>> chunk_starts(232)
    array([  0,  17,  34,  51,  68,  85, 102, 119, 136, 153, 170])
    """
    return np.arange(chunks) * ((frames - size) // (chunks - 1))


def sums(values: np.ndarray) -> np.ndarray:
    """Sum each bin of a clip over all its frames: ones, values and their squares, in float64.

    Those of several clips add up to those of all their frames; see `scales`.

    Parameters
    ----------
    values : ndarray, shape (frames, ..., bins)
        A clip before it is cut into chunks, which leave frames out.

    Returns
    -------
    ndarray, shape (3, bins), float64

    Examples
    --------
    >>> sums(np.array([[1, 10], [3, 10]]))
    array([[  2.,   2.],
           [  4.,  20.],
           [ 10., 200.]])
    """
    rows = values.reshape(-1, values.shape[-1]).astype(float)  # one after another, not in pairs
    return np.stack([np.full(rows.shape[1], float(len(rows))), rows.sum(0), (rows * rows).sum(0)])


def scales(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each bin, over as many frames as there are.

    Parameters
    ----------
    total : ndarray, shape (3, bins), float64
        The sum of the `sums` of some clips.

    Returns
    -------
    mean, std : ndarray, shape (bins,), float64
        A deviation that the sums cannot tell from 0, below 1e-5 of the mean, is 0.

    Examples
    --------
    >>> mean, std = scales(sums(np.array([[1, 10], [3, 10]])))
    >>> mean.tolist(), std.tolist()
    ([2.0, 10.0], [1.0, 0.0])
    """
    count, values, squares = total
    mean = values / count
    variance = squares / count - mean * mean
    return mean, np.sqrt(np.where(variance > 1e-10 * mean * mean, variance, 0.0))
