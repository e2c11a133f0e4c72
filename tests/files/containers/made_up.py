"""Sound files of noise, as libsndfile writes them, and bytes of tags."""

import io

import numpy as np
import soundfile

from pipeline.files import audio

RATE = 16000
SAMPLES = 6000
NOT_WRITTEN = {"RAW", "SD2"}  # RAW has no header, SD2 keeps it in another file
ID3V1 = b"TAG".ljust(128, b"a")


def noise(samples=SAMPLES, seed=0):
    """Draw quiet noise, shape (samples,)."""
    return 0.1 * np.random.default_rng(seed).standard_normal(samples)


def encoded(container, encoding, signal=None):
    """Encode noise; None if libsndfile reads but does not write this."""
    file = io.BytesIO()
    try:
        signal = noise() if signal is None else signal
        soundfile.write(file, signal, RATE, format=container, subtype=encoding)
    except soundfile.LibsndfileError:
        return None
    return file.getvalue()


KINDS = [
    (container, encoding)
    for container in soundfile.available_formats()
    if container not in NOT_WRITTEN
    for encoding in soundfile.available_subtypes(container)
    if encoded(container, encoding, noise(64)) is not None
]


def load(folder, data, name="clip.bin"):
    """Write the bytes to a file and decode it."""
    path = folder / name
    path.write_bytes(data)
    return audio.load(path)


def mp3(mode="CONSTANT", seed=0):
    """Encode noise: the Info header's frame, the other frames."""
    file = io.BytesIO()
    signal = noise(30000, seed) * np.linspace(0.01, 1, 30000)
    settings = {"format": "MP3", "bitrate_mode": mode, "compression_level": 0.5}
    soundfile.write(file, signal, RATE, **settings)
    data = file.getvalue()
    frame = data.index(data[:2], 200)  # behind the header's table
    return data[:frame], data[frame:]


def id3(size):
    """Make a tag of so many bytes, with things in it that look like frames."""
    seven = bytes(size >> shift & 127 for shift in (21, 14, 7, 0))
    return b"ID3\4\0\0" + seven + (mp3()[1][:50] * size)[:size]
