"""Sound files: found, decoded and written."""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import xxhash

from pipeline import text
from pipeline.errors import InputError
from pipeline.files import decoding, tables
from pipeline.files.containers import count
from pipeline.files.containers.contents import Contents
from pipeline.files.decoding import FOREIGN

CONTAINERS = {  # by suffix, as libsndfile calls what it reads
    ".aif": ("AIFF",),
    ".aifc": ("AIFF",),
    ".aiff": ("AIFF",),
    ".au": ("AU",),
    ".avr": ("AVR",),
    ".bwf": ("WAV", "WAVEX", "RF64"),
    ".caf": ("CAF",),
    ".flac": ("FLAC",),
    ".htk": ("HTK",),
    ".iff": ("SVX", "AIFF"),
    ".m1a": ("MP3",),
    ".mat": ("MAT4", "MAT5"),
    ".mp1": ("MP3",),
    ".mp2": ("MP3",),
    ".mp3": ("MP3",),
    ".mpc": ("MPC2K",),
    ".mpga": ("MP3",),
    ".nist": ("NIST",),
    ".oga": ("OGG",),
    ".ogg": ("OGG",),
    ".opus": ("OGG",),
    ".paf": ("PAF",),
    ".pvf": ("PVF",),
    ".rf64": ("RF64",),
    ".sd2": ("SD2",),
    ".sds": ("SDS",),
    ".sf": ("IRCAM",),
    ".snd": ("AU",),
    ".sph": ("NIST",),
    ".svx": ("SVX",),
    ".voc": ("VOC",),
    ".w64": ("W64",),
    ".wav": ("WAV", "WAVEX", "RF64"),
    ".wave": ("WAV", "WAVEX", "RF64"),
    ".wve": ("WVE",),
    ".xi": ("XI",),
}
SUFFIXES = set(CONTAINERS) | FOREIGN  # of files taken from folders
LOSSY = {".m1a", ".mp1", ".mp2", ".mp3", ".mpga", ".oga", ".ogg", ".opus"}
SHOWN = ".wav .flac .mp3 .ogg .opus .aiff .au .caf .sph ...; raw_data/README.md lists all"
BLOCK = 1 << 22  # samples that are read at once, of all channels


@dataclass(frozen=True)
class Sound:
    """What a sound file holds.

    Attributes
    ----------
    signal : ndarray, shape (samples, channels), float32
        Full scale 1.0.
    sample_rate : int
        Rate in hertz.
    container : str
        Name in libsndfile.
    encoding : str
        The same.
    unchecked : str
        Why a cut would not be noticed; empty where it would.
    """

    signal: np.ndarray
    sample_rate: int
    container: str
    encoding: str
    unchecked: str

    @property
    def unbounded(self) -> bool:
        """Whether samples may lie beyond full scale without having been clipped."""
        return self.encoding in ("FLOAT", "DOUBLE")


def load(path: Path) -> Sound:
    """Decode a sound file of any container libsndfile reads, whole or not at all.

    What the bytes hold is counted first (``pipeline.files.containers``) and compared with what was
    decoded. Memory is taken for what is there, not for what a header promises.

    Parameters
    ----------
    path : Path
        WAV, FLAC, OGG, MP3, AIFF, ...; recognised by content, not by name.

    Returns
    -------
    Sound

    Raises
    ------
    InputError
        If the file is missing, not a regular one, empty, cut, damaged, a git-LFS pointer, not
        sound, of an absurd sample rate, or holds no samples; or its name is not UTF-8.
    """
    path = Path(path)
    try:
        return _load(path)
    except InputError as error:
        raise InputError(f"{shown(path)}: {error}") from None


def decode(content: bytes, name: str) -> Sound:
    """Decode a sound file whose content is in memory, as `load` one on a disk.

    Parameters
    ----------
    content : bytes
    name : str
        Name of it in messages.

    Raises
    ------
    InputError
        The errors of `load`, but for those of a disk.
    """
    file = io.BytesIO(content)
    try:
        return _sound(file, _counted(file), "")
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def read(path: Path) -> tuple[np.ndarray, int]:
    """Decode a sound file as `load`; give its signal, shape (samples, channels), and rate.

    Raises
    ------
    InputError
        The errors of `load`.
    """
    sound = load(path)
    return sound.signal, sound.sample_rate


def printable(path: Path | str) -> str:
    r"""Give a path as text that can be written anywhere: ``\xNN`` for what is not UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def controls(path: Path) -> bool:
    """Whether there are control characters in a path; a name that is not UTF-8 has none."""
    return printable(path) == str(path) and bool(text.CONTROL.search(str(path)))


def shown(path: Path | str) -> str:
    r"""Give a path as text for one line of a message: as `printable`, a line break is ``\n``."""
    return text.printable(printable(path))


def _load(path: Path) -> Sound:
    """Decode a sound file; errors do not name it."""
    with _opened(path) as file:
        contents = _counted(file)
        if contents.unchecked == count.UNKNOWN:  # its suffix, or a file next to it, may show
            return _sound(path, contents, path.suffix)
        os.lseek(file.fileno(), 0, os.SEEK_SET)  # opening it again would take longer
        return _sound(file.fileno(), contents, path.suffix)


def contents(path: Path) -> Contents:
    """Count what a sound file holds, without decoding it.

    Raises
    ------
    InputError
        The errors of `load`, but for those of the decoder; they do not name the file.
    """
    with _opened(path) as file:
        return _counted(file)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Open a sound file; what the system refuses becomes an InputError that does not name it."""
    if printable(path) != str(path):
        raise InputError("its name is not UTF-8; rename it")
    if controls(path):
        raise InputError("its name holds a control character; rename it")
    try:
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise InputError("not a regular file; remove it")
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        linked = path.is_symlink()
        raise InputError("a link to no such file" if linked else "no such file") from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})") from None


def _counted(file: BinaryIO) -> Contents:
    """Count what the bytes of a sound file hold."""
    try:
        return count.contents(file)
    except (InputError, OSError):
        raise
    except Exception as error:  # of numbers in a header that make no sense together
        raise InputError(f"damaged: its header makes no sense ({error}); copy it again") from None


def _sound(source: Path | int | io.BytesIO, contents: Contents, suffix: str) -> Sound:
    """Decode a sound file whose bytes are counted; its suffix may say why that cannot be done."""
    parts = [io.BytesIO(part) for part in contents.parts] or [source]
    if isinstance(source, io.BytesIO):
        source.seek(0)  # it was read to be counted
    with decoding.errors(suffix, contents):
        sounds = [_decode(part, contents) for part in parts]
    first = sounds[0]
    if len({(sound.sample_rate, sound.signal.shape[1]) for sound in sounds}) > 1:
        raise InputError(decoding.UNLIKE)
    signal = first.signal if len(sounds) == 1 else np.concatenate([s.signal for s in sounds])
    decoding.check_samples(len(signal), contents)
    container = contents.container or first.container
    return Sound(signal, first.sample_rate, container, first.encoding, contents.unchecked)


def _decode(source: Path | int | io.BytesIO, contents: Contents) -> Sound:
    """Decode one stream to its end."""
    with decoding.begun(source) as file:
        signal = _all(file)
        if len(signal) < file.frames:
            raise InputError(decoding.CUT.format(len(signal), file.frames))
        return Sound(signal, file.samplerate, file.format, file.subtype, contents.unchecked)


def _all(file: soundfile.SoundFile) -> np.ndarray:
    """All samples, shape (samples, channels), read in blocks where the header promises many."""
    if file.frames * file.channels <= BLOCK:
        return file.read(file.frames, dtype="float32", always_2d=True)
    blocks, there = [], 0
    block = max(1, BLOCK // file.channels)
    while there < file.frames:
        blocks.append(file.read(min(block, file.frames - there), dtype="float32", always_2d=True))
        there += len(blocks[-1])
        if len(blocks[-1]) < block:
            break
    return np.concatenate(blocks)


def misnamed(path: Path, container: str) -> str:
    """Give the container of a sound file if its suffix says another, else nothing."""
    return "" if container in CONTAINERS.get(path.suffix.lower(), (container,)) else container


def below(folder: Path) -> list[Path]:
    """Sound files below a folder at any depth, in sorted order; hidden ones are left out.

    Links are followed (``Path.rglob`` does not), for people link their copies of a corpus; but not
    those to a folder above or to another one below ``folder``, whose files are found there. What a
    link leads to outside is entered once.

    Raises
    ------
    InputError
        If a folder cannot be read.
    """
    return list(_below(folder, folder.resolve(), None))


def _below(folder: Path, root: Path, outside: set[Path] | None) -> Iterator[Path]:
    """Sound files below a folder; ``outside`` are the true folders that a link led to."""
    try:
        paths = sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{shown(folder)}: cannot be read ({error.strerror})") from None
    for path in paths:
        if path.name.startswith(".") or path.name == "__MACOSX":  # macOS' resource forks
            continue
        if not path.is_dir():
            lost = path.is_symlink() and not path.suffix and not path.exists()  # a folder's link
            if lost or path.suffix.lower() in SUFFIXES:
                yield path
        elif outside is None and not path.is_symlink():
            yield from _below(path, root, None)
        else:
            true = path.resolve()
            entered = set() if outside is None else outside
            if true in entered or true.is_relative_to(root) or root.is_relative_to(true):
                continue
            entered.add(true)
            yield from _below(path, root, entered)


def mono(signal: np.ndarray) -> np.ndarray:
    """Mean of the channels, shape (samples, channels) -> (samples,), as ``librosa.to_mono``."""
    return signal[:, 0] if signal.shape[1] == 1 else np.mean(signal.T, axis=0)


def pcm_hash(signal: np.ndarray, sample_rate: int) -> str:
    """XXH3 hash of the decoded samples, rate and channel count; container and tags do not count.

    Decoded 16-bit (and 24-bit) PCM survives the way through float32 unchanged, so a WAV file and
    its FLAC copy have the same hash.
    """
    digest = xxhash.xxh3_128(f"{sample_rate} {signal.shape[1]} ".encode())
    digest.update(np.ascontiguousarray(signal, dtype="<f4").data)
    return digest.hexdigest()


def write_pcm16(path: Path, signal: np.ndarray, sample_rate: int) -> None:
    """Write mono ``signal`` (samples,), full scale 1.0, as 16-bit WAV; louder is clipped."""
    pcm = np.round(np.clip(signal, -1.0, 32767 / 32768) * 32768).astype("<i2")
    held = io.BytesIO()  # an error of the disk would be no error of Python's
    soundfile.write(held, pcm, sample_rate, subtype="PCM_16", format="WAV")
    with tables.named(path):
        path.write_bytes(held.getvalue())
