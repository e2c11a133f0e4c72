"""What is known of a sound file before it is decoded, and how a cut is stated."""

import os
from dataclasses import dataclass
from typing import BinaryIO

from pipeline.errors import InputError

JOINED = "joined: a second sound begins at byte {}; write each to a file of its own"
CONVERT = "convert it to WAV or FLAC, for example: ffmpeg -i IN OUT.flac"
RATES = range(2000, 768001)  # Hz; below, no speech is understood, above, none is recorded
FARTHEST = 1 << 62  # bytes; a damaged size may say anything
BLOCK = 1 << 20  # bytes that are looked through at once
# 2 GiB (SoX, arecord) and 4 GiB (FFmpeg), as promised by writers that cannot seek back, with or
# without the header's own bytes
PLACEHOLDERS = (range(0x7FFFF000, 0x80000100), range(0xFFFFFF00, 0x100000000))


@dataclass(frozen=True)
class Contents:
    """What the bytes of a sound file hold.

    Attributes
    ----------
    samples : int or None
        Per channel, as many as the decoder must give; None where only the decoder can count them.
    parts : tuple of bytes
        What to decode, one after the other, in place of the file; empty: the file as it is.
    unchecked : str
        Why a cut would not be noticed; empty where it would.
    container : str
        Name in libsndfile, where the parts are in another one.
    """

    samples: int | None = None
    parts: tuple[bytes, ...] = ()
    unchecked: str = ""
    container: str = ""


def length(file: BinaryIO) -> int:
    """Bytes of a file."""
    return file.seek(0, os.SEEK_END)


def at(file: BinaryIO, position: int, count: int) -> bytes:
    """Up to ``count`` bytes from a position on, none from one that no file has."""
    if position > FARTHEST:
        return b""
    file.seek(position)
    return file.read(count)


def held(promised: int, there: int) -> None:
    """Refuse a file that holds fewer bytes of sound than it promises.

    Raises
    ------
    InputError
        If it does.
    """
    if there < promised:
        there = max(there, 0)
        raise InputError(
            f"cut short: {there} of {promised} bytes of sound are there; copy it again"
        )


def is_padding(file: BinaryIO, position: int) -> bool:
    """Whether nothing but zeros, or the ones of erased memory, lies from a position to the end."""
    while block := at(file, position, BLOCK):
        if block.strip(b"\0") and block.strip(b"\xff"):
            return False
        position += len(block)
    return True


def check_rate(hertz: int) -> None:
    """Refuse a sample rate at which no speech is recorded.

    Raises
    ------
    InputError
        If it is one.
    """
    if hertz not in RATES:
        wanted = f"{RATES[0]} to {RATES[-1]} Hz"
        raise InputError(f"a sample rate of {hertz} Hz; wanted {wanted}")
