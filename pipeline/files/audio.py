"""Sound files: the only module that knows soundfile."""

import hashlib
from pathlib import Path

import numpy as np
import soundfile

from pipeline.errors import InputError

GIT_LFS_POINTER = b"version https://git-lfs"
SUFFIXES = {".aif", ".aiff", ".flac", ".mp3", ".ogg", ".wav"}  # of files taken from folders


def read(path: Path) -> tuple[np.ndarray, int]:
    """Decode a sound file of any container libsndfile reads.

    Parameters
    ----------
    path : Path
        WAV, FLAC, OGG, MP3, AIFF, ...; recognised by content, not by name.

    Returns
    -------
    signal : ndarray, shape (samples, channels), float32
        Full scale 1.0.
    sample_rate : int
        In hertz.

    Raises
    ------
    InputError
        If the file is missing, empty, truncated, a git-LFS pointer, not sound, or holds no samples.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
    except OSError:
        raise InputError(f"{path}: no such file") from None
    if size == 0:
        raise InputError(f"{path}: 0 bytes; copy it again")
    try:
        with soundfile.SoundFile(path) as file:
            sample_rate, promised = file.samplerate, file.frames
            signal = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        if _head(path, len(GIT_LFS_POINTER)) == GIT_LFS_POINTER:
            raise InputError(f"{path}: a git-LFS pointer, not sound; run git lfs pull") from None
        raise InputError(f"{path}: not a sound file libsndfile can read ({error})") from None
    if len(signal) == 0:
        raise InputError(f"{path}: holds no samples; copy it again")
    if len(signal) < promised or size < _riff_bytes(path):
        raise InputError(f"{path}: truncated: shorter than its header says; copy it again")
    return signal, sample_rate


def _head(path: Path, count: int) -> bytes:
    """First bytes of a file."""
    with path.open("rb") as file:
        return file.read(count)


def _riff_bytes(path: Path) -> int:
    """Bytes a WAV file's header promises; 0 for other files and for streams of unknown length.

    libsndfile takes the size of a cut WAV file from the file itself and so hides the cut.
    """
    head = _head(path, 8)
    promised = int.from_bytes(head[4:8], "little")
    return promised + 8 if head[:4] == b"RIFF" and promised < 0xFFFFFF00 else 0


def mono(signal: np.ndarray) -> np.ndarray:
    """Mean of the channels, shape (samples, channels) -> (samples,), as ``librosa.to_mono``."""
    return signal[:, 0] if signal.shape[1] == 1 else np.mean(signal.T, axis=0)


def pcm_sha256(signal: np.ndarray, sample_rate: int) -> str:
    """SHA-256 of the decoded samples, rate and channel count; container and tags do not count.

    Decoded 16-bit (and 24-bit) PCM survives the way through float32 unchanged, so a WAV file and
    its FLAC copy share one hash.
    """
    digest = hashlib.sha256(f"{sample_rate} {signal.shape[1]} ".encode())
    digest.update(np.ascontiguousarray(signal, dtype="<f4"))
    return digest.hexdigest()


def write_pcm16(path: Path, signal: np.ndarray, sample_rate: int) -> None:
    """Write mono ``signal`` (samples,), full scale 1.0, as 16-bit WAV; louder is clipped."""
    pcm = np.round(np.clip(signal, -1.0, 32767 / 32768) * 32768).astype("<i2")
    soundfile.write(path, pcm, sample_rate, subtype="PCM_16", format="WAV")
