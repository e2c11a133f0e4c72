"""Files with one header, which states how much sound follows, or does not."""

import re
from collections.abc import Callable
from typing import BinaryIO

from pipeline.errors import InputError
from pipeline.files.containers.contents import PLACEHOLDERS, Contents, at, held, length

UNSTATED = "its container states no length"
MATLAB4 = {0: 8, 1: 4, 2: 4, 3: 2, 4: 2, 5: 1}  # bytes of a number, by the second digit of a type
MATRIX = 14  # element of Matlab 5 that holds others; libsndfile makes it 8 bytes too long
SDS_PACKET, SDS_HEAD = 127, 21


def contents(file: BinaryIO, head: bytes) -> Contents | None:
    """Compare the length that a header states with what is there.

    Parameters
    ----------
    file : binary file
    head : bytes
        Its first 64.

    Returns
    -------
    Contents or None
        None for a file of none of these kinds.

    Raises
    ------
    InputError
        If sound is missing, or more is there than the header states.
    """
    for magic, check in KINDS:
        if re.match(magic, head, re.DOTALL):
            return check(file, head)
    return None


def _stated(file: BinaryIO, start: int, promised: int, *, exact: bool = True) -> None:
    """Refuse fewer bytes of sound than are promised and, of an exact header, more."""
    there = length(file) - start
    held(promised, there)
    if exact and there > promised and at(file, start + promised, there).strip(b"\0"):
        raise InputError(
            f"holds {there - promised} bytes more than its header states; if they are sound, write "
            "the file again with a sound editor"
        )


def _au(file: BinaryIO, head: bytes) -> Contents:
    """Sun's: data size 0 or 2^32 - 1 where it is not known."""
    order = "big" if head[:1] == b"." else "little"
    start, promised = (int.from_bytes(head[i : i + 4], order) for i in (4, 8))
    if any(promised in sizes for sizes in PLACEHOLDERS):
        return Contents(unchecked="its header states no length")
    if promised == 0:
        whole = bytearray(at(file, 0, length(file)))
        whole[8:12] = b"\xff" * 4
        return Contents(parts=(bytes(whole),), unchecked="its header states no length")
    _stated(file, start, promised)
    return Contents()


def _nist(file: BinaryIO, head: bytes) -> Contents:
    """NIST SPHERE: a header of text."""
    size = int(head[8:16]) if head[8:16].strip().isdigit() else 1024
    text = at(file, 0, size).decode("latin-1")
    fields = dict(re.findall(r"^(\w+) -\w+ (.*?)\s*$", text, re.MULTILINE))
    if "," in (coding := fields.get("sample_coding", "")):
        raise InputError(
            f"sound packed as {coding}, which is not read; convert it: sph2pipe -f wav"
        )
    numbers = [fields.get(key, "") for key in ("sample_count", "channel_count", "sample_n_bytes")]
    if not all(number.isdigit() for number in numbers):
        return Contents(unchecked="its header states no length")
    samples, channels, width = map(int, numbers)
    _stated(file, size, samples * channels * width)
    return Contents(samples)


def _voc(file: BinaryIO, head: bytes) -> Contents:
    """Creative's: blocks; a zero byte ends them, but not in all files."""
    position = int.from_bytes(head[20:22], "little")
    while (block := at(file, position, 4)) and block[0] != 0:
        position += 4 + int.from_bytes(block[1:4], "little")
        held(position, length(file))
    return Contents()


def _avr(file: BinaryIO, head: bytes) -> Contents:
    """Atari's."""
    channels = 2 if head[12:14] == b"\xff\xff" else 1
    frames, bits = int.from_bytes(head[26:30], "big"), int.from_bytes(head[14:16], "big")
    _stated(file, 128, frames * channels * bits // 8)
    return Contents(frames)


def _htk(file: BinaryIO, head: bytes) -> Contents:
    """HTK's waveforms, which have no other mark than their size of a sample and kind."""
    samples = int.from_bytes(head[:4], "big")
    _stated(file, 12, 2 * samples)
    return Contents(samples)


def _wve(file: BinaryIO, head: bytes) -> Contents:
    """Psion's."""
    samples = int.from_bytes(head[18:22], "big")
    _stated(file, 32, samples)
    return Contents(samples)


def _mpc2k(file: BinaryIO, head: bytes) -> Contents:
    """Akai's sampler."""
    frames, channels = int.from_bytes(head[30:34], "little"), 1 + (head[21] == 1)
    _stated(file, 42, 2 * frames * channels, exact=False)
    return Contents()


def _xi(file: BinaryIO, head: bytes) -> Contents:
    """FastTracker's instruments: headers of samples, then the samples."""
    count = int.from_bytes(at(file, 296, 2), "little")
    start, sizes = 298 + 40 * count, at(file, 298, 40 * count)
    promised = sum(int.from_bytes(sizes[i : i + 4], "little") for i in range(0, 40 * count, 40))
    _stated(file, start, promised, exact=False)
    return Contents(unchecked="" if promised else UNSTATED)


def _sds(file: BinaryIO, head: bytes) -> Contents:
    """MIDI sample dump: packets of 120 bytes of sound."""
    samples = head[10] | head[11] << 7 | head[12] << 14
    packets = -(-samples // (120 // -(-head[6] // 7)))
    held(packets * SDS_PACKET, length(file) - SDS_HEAD)
    return Contents()


def _matlab4(file: BinaryIO, head: bytes) -> Contents:
    """Matlab's version 4: matrices of names and numbers."""
    order = "little" if head[0] == 0 and head[2:4] != b"\x03\xe8" else "big"
    position, size = 0, length(file)
    while position < size:
        numbers = at(file, position, 20)
        kind, rows, columns, imaginary, name = (
            int.from_bytes(numbers[i : i + 4], order) for i in range(0, 20, 4)
        )
        width = MATLAB4.get(kind // 10 % 10, 8) * (1 + imaginary)
        position += 20 + name + rows * columns * width
        held(position, size)
    return Contents()


def _matlab5(file: BinaryIO, head: bytes) -> Contents:
    """Matlab's version 5: elements of a type and a size, the large ones in matrices."""
    order = "little" if at(file, 126, 2) == b"IM" else "big"
    position, size = 128, length(file)
    while position < size:
        element = at(file, position, 8)
        kind, promised = (int.from_bytes(element[i : i + 4], order) for i in (0, 4))
        position += 8
        if kind != MATRIX and kind < 1 << 16:  # small ones have their content in the size
            position += promised
            held(position, size)
        position = -(-position // 8) * 8
    return Contents()


def _unstated(file: BinaryIO, head: bytes) -> Contents:
    """Those that hold sound to the end of the file, wherever that is."""
    return Contents(unchecked=UNSTATED)


KINDS: tuple[tuple[bytes, Callable[[BinaryIO, bytes], Contents]], ...] = (
    (rb"\.snd|dns\.", _au),
    (rb"NIST_1A\n", _nist),
    (rb"Creative Voice File\x1a", _voc),
    (rb"2BIT", _avr),
    (rb"ALawSoundFile\*\*", _wve),
    (rb"Extended Instrument: ", _xi),
    (rb"\xf0\x7e.\x01", _sds),
    (rb"MATLAB 5\.0 MAT-file", _matlab5),
    (rb"PVF1\n| paf|fap |\x64\xa3[\x01-\x04]\0|\0[\x01-\x04]\xa3\x64", _unstated),
    (rb"\x01\x04[ -~]{17}", _mpc2k),
    (rb".{8}\0\x02\0\0", _htk),
    (rb"\0\0(\0\0|\x03\xe8)(\x01\0\0\0\x01\0\0\0|\0\0\0\x01\0\0\0\x01)", _matlab4),
)
