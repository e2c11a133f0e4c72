"""What a trained model may be asked about: sound files, open files, and arrays of samples."""

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from pipeline.errors import InputError
from pipeline.files import audio, blocks
from pipeline.files.containers.contents import check_rate

Sound = Path | str | BinaryIO | np.ndarray | tuple[np.ndarray, float]
WANTED = "a path, an open file, an array with its rate, or a list of these"
UNSIGNED = 128  # what samples of 8 bits without a sign have for silence
COPIED = 1 << 20  # bytes of an open file that are copied at once


class Decoded(NamedTuple):
    """A sound in memory."""

    name: str  # path of a file
    signal: np.ndarray  # (samples, channels), float32, full scale 1.0
    sample_rate: int  # in hertz


class Opened(NamedTuple):
    """A sound that is decoded block by block, as often as wanted."""

    name: str  # path of a file
    sample_rate: int  # in hertz
    decoded: Callable[[], Iterator[np.ndarray]]  # blocks (samples, channels), as of `Decoded`


def read(sound: Sound, sample_rate: float | None = None) -> Decoded:
    """Decode a sound, or take the samples of an array.

    Parameters
    ----------
    sound : Path, str, binary file, ndarray, or (ndarray, sample rate)
        A path of a sound file; a file opened for reading bytes, which need not be seekable and is
        read from where it stands to its end; or samples, shape (samples,) or (samples, channels):
        floats of full scale 1.0, or integers of 8, 16 or 32 bits with the full scale of their type,
        as WAV files hold them (8 bits with a sign or without).
    sample_rate : number, optional
        Rate of an array, a whole number from 2000 to 768000, in hertz.

    Returns
    -------
    Decoded

    Raises
    ------
    InputError
        If a file cannot be decoded (`audio.load`), an array is none of these or states no rate, or
        a rate is given for what states its own.
    """
    found = _taken(sound, sample_rate)
    if isinstance(found, Decoded):
        return found
    name, sound = found
    if isinstance(sound, Path):
        decoded = audio.load(sound)
    else:
        decoded = audio.decode(b"".join(_content(sound, name)), audio.shown(name))
    return Decoded(name, decoded.signal, decoded.sample_rate)


def opened(sound: Sound, sample_rate: float | None = None) -> Opened:
    """Open a sound, to decode it block by block.

    Parameters
    ----------
    sound, sample_rate
        As `read` takes them. What an open file holds is copied to a temporary file, for it is
        decoded twice.

    Returns
    -------
    Opened

    Raises
    ------
    InputError
        As of `read`, some of it when it is decoded (`blocks.opened`).
    """
    found = _taken(sound, sample_rate)
    if isinstance(found, Decoded):
        return Opened(found.name, found.sample_rate, lambda: iter([found.signal]))
    name, sound = found
    if isinstance(sound, Path):
        return Opened(name, *blocks.opened(sound))
    held = tempfile.NamedTemporaryFile(prefix="sound-")  # noqa: SIM115
    for content in _content(sound, name):
        held.write(content)
    held.flush()
    rate, decoded = blocks.opened(Path(held.name), audio.shown(name))

    return Opened(name, rate, partial(_of_copy, held, decoded))


def _taken(sound: Sound, sample_rate: float | None) -> Decoded | tuple[str, Path | BinaryIO]:
    """Samples of an array; of a path or an open file its name, and itself."""
    if isinstance(sound, tuple):
        if len(sound) != 2 or not isinstance(sound[0], np.ndarray) or sample_rate is not None:
            raise InputError("a tuple: wanted (array, rate), and no other rate")
        sound, sample_rate = sound
    if isinstance(sound, np.ndarray):
        try:
            return Decoded("array", _samples(sound), _rate(sample_rate))
        except InputError as error:
            raise InputError(f"array: {error}") from None
    if not isinstance(sound, str | Path) and not hasattr(sound, "read"):
        hint = "; io.BytesIO makes an open file of it" if isinstance(sound, bytes) else ""
        raise InputError(f"wanted {WANTED}, got {type(sound).__name__}{hint}")
    name = str(sound) if isinstance(sound, str | Path) else getattr(sound, "name", "file")
    name = name if isinstance(name, str) else "file"  # a pipe's is a number
    if sample_rate is not None:
        raise InputError(f"{audio.shown(name)}: a rate belongs to an array; a file states its own")
    return name, Path(sound) if isinstance(sound, str) else sound


def _content(file: BinaryIO, name: str) -> Iterator[bytes]:
    """What an open file holds, from where it stands to its end."""
    content = b"."
    while content:
        content = file.read(COPIED)
        if not isinstance(content, bytes):
            raise InputError(f"{audio.shown(name)}: opened as text; open it with mode 'rb'")
        yield content


def _of_copy(_held: Any, decoded: Callable[[], Iterator[np.ndarray]]) -> Iterator[np.ndarray]:
    """Decode a temporary file, which is removed when nothing holds it any longer."""
    yield from decoded()


def _samples(values: np.ndarray) -> np.ndarray:
    """Samples (samples, channels), float32, full scale 1.0."""
    if values.ndim not in (1, 2):
        raise InputError(f"wanted shape (samples,) or (samples, channels), got {values.shape}")
    if values.size == 0:
        raise InputError("holds no samples")
    channels = values if values.ndim == 2 else values[:, None]
    if channels.shape[1] > channels.shape[0]:
        raise InputError(
            f"{channels.shape[1]} channels of {channels.shape[0]} samples; wanted (samples, "
            "channels): transpose it"
        )
    kind = values.dtype.newbyteorder("=")
    if kind in (np.float16, np.float32, np.float64):
        with np.errstate(over="ignore"):  # what is too large for a sound is refused later
            return channels.astype(np.float32)
    if kind == np.uint8:
        return (channels.astype(np.float32) - UNSIGNED) / UNSIGNED
    if kind in (np.int8, np.int16, np.int32):
        return (channels / -float(np.iinfo(kind).min)).astype(np.float32)
    raise InputError(f"of {kind}; wanted floats, or integers of 8, 16 or 32 bits")


def _rate(hertz: float | None) -> int:
    """Check the sample rate of an array."""
    if hertz is None:
        raise InputError("no sample rate; give it after the array, in hertz")
    if isinstance(hertz, bool) or not isinstance(hertz, int | float | np.integer | np.floating):
        raise InputError(f"a sample rate of type {type(hertz).__name__}; wanted a number of hertz")
    if not float(hertz).is_integer():
        raise InputError(f"a sample rate of {hertz} Hz; wanted a whole number")
    check_rate(int(hertz))
    return int(hertz)
