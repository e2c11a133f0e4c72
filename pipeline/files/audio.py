"""Sound files: the only module that knows soundfile."""

import os
from pathlib import Path

import numpy as np
import soundfile
import xxhash

from pipeline.errors import InputError

GIT_LFS_POINTER = b"version https://git-lfs"
UNKNOWN_LENGTH = 0x7FFFF000  # writers that cannot seek back promise 2 GiB (SoX) or 4 GiB (FFmpeg)
CONTAINERS = {
    ".aif": ("AIFF",),
    ".aiff": ("AIFF",),
    ".flac": ("FLAC",),
    ".mp3": ("MP3",),
    ".ogg": ("OGG",),
    ".wav": ("WAV", "WAVEX", "RF64"),
}
SUFFIXES = set(CONTAINERS)  # of files taken from folders


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
        with path.open("rb") as file:
            head, size = file.read(len(GIT_LFS_POINTER)), file.seek(0, os.SEEK_END)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if size == 0:
        raise InputError(f"{path}: 0 bytes; copy it again")
    if head == GIT_LFS_POINTER:
        raise InputError(f"{path}: a git-LFS pointer, not sound; run git lfs pull")
    try:
        with soundfile.SoundFile(path) as file:
            sample_rate, promised = file.samplerate, file.frames
            signal = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        reason = error.error_string.rstrip(".")
        raise InputError(f"{path}: not a sound file libsndfile can read ({reason})") from None
    if len(signal) == 0:
        raise InputError(f"{path}: holds no samples; copy it again")
    if len(signal) < promised or size < _promised_bytes(head):
        raise InputError(f"{path}: truncated: shorter than its header says; copy it again")
    return signal, sample_rate


def _promised_bytes(head: bytes) -> int:
    """Bytes that a WAV or AIFF header promises; 0 for other files and streams of unknown length.

    libsndfile takes the size of a cut file of these kinds from the file itself and hides the cut.
    """
    order = {b"RIFF": "little", b"FORM": "big"}.get(head[:4])
    promised = int.from_bytes(head[4:8], order) if order else UNKNOWN_LENGTH
    return promised + 8 if promised < UNKNOWN_LENGTH else 0


def misnamed(path: Path) -> str:
    """Container of a sound file as libsndfile calls it, if the suffix says another; else empty."""
    found = soundfile.info(path).format
    return "" if found in CONTAINERS.get(path.suffix.lower(), (found,)) else found


def below(folder: Path) -> list[Path]:
    """Sound files below a folder at any depth, in sorted order; hidden ones are left out.

    Links are followed (``Path.rglob`` does not), for people link their copies of a corpus.
    """
    files = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name == "__MACOSX":  # macOS' resource forks
            continue
        if path.is_dir():
            files += below(path)
        elif path.suffix.lower() in SUFFIXES:
            files.append(path)
    return files


def mono(signal: np.ndarray) -> np.ndarray:
    """Mean of the channels, shape (samples, channels) -> (samples,), as ``librosa.to_mono``."""
    return signal[:, 0] if signal.shape[1] == 1 else np.mean(signal.T, axis=0)


def pcm_hash(signal: np.ndarray, sample_rate: int) -> str:
    """XXH3 hash of the decoded samples, rate and channel count; container and tags do not count.

    Decoded 16-bit (and 24-bit) PCM survives the way through float32 unchanged, so a WAV file and
    its FLAC copy share one hash.
    """
    digest = xxhash.xxh3_128(f"{sample_rate} {signal.shape[1]} ".encode())
    digest.update(np.ascontiguousarray(signal, dtype="<f4"))
    return digest.hexdigest()


def write_pcm16(path: Path, signal: np.ndarray, sample_rate: int) -> None:
    """Write mono ``signal`` (samples,), full scale 1.0, as 16-bit WAV; louder is clipped."""
    pcm = np.round(np.clip(signal, -1.0, 32767 / 32768) * 32768).astype("<i2")
    soundfile.write(path, pcm, sample_rate, subtype="PCM_16", format="WAV")
