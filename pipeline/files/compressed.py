"""Sound packed small, to be played in a browser."""

import base64
import io

import numpy as np
import soundfile

RATE = 24000  # of the packed sound, in hertz: what a voice needs


def mp3(signal: np.ndarray) -> bytes:
    """Pack sound as MP3; the same bytes for the same sound.

    Parameters
    ----------
    signal : ndarray, shape (samples,)
        Mono, full scale 1.0, at 24 kHz; louder is clipped.
    """
    held = io.BytesIO()
    sound = np.clip(signal, -1, 1).astype(np.float32)
    soundfile.write(held, sound, RATE, format="MP3", subtype="MPEG_LAYER_III")
    return held.getvalue()


def address(content: bytes) -> str:
    """Address of an MP3 that holds all of it: ``data:audio/mpeg;base64,...``."""
    return f"data:audio/mpeg;base64,{base64.b64encode(content).decode()}"
