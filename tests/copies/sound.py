"""Sound of the copies: short noise, another in every file."""

import io
from pathlib import Path

import numpy as np
import soundfile


def noise(
    path: Path, seed: int, *, seconds: float = 0.12, rate: int = 8000, channels: int = 1
) -> None:
    """Write 16-bit white noise, 20 dB below full scale; folders are made, the suffix says how.

    Parameters
    ----------
    path : Path
        ``.wav`` or ``.flac``.
    seed : int
        Of the noise: another seed is another recording.
    seconds : float
        Its length.
    rate : int
        In hertz.
    channels : int
        Each with noise of its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    signal = rng.normal(0, 0.1, (round(seconds * rate), channels))
    held = io.BytesIO()  # a file written at once takes a tenth of the time
    soundfile.write(held, signal, rate, format=path.suffix[1:], subtype="PCM_16")
    path.write_bytes(held.getvalue())
