"""Files with one header, which states how much sound follows, or does not."""

import re
from collections.abc import Callable
from typing import BinaryIO

from pipeline.errors import InputError
from pipeline.files.containers.contents import (
    JOINED,
    PLACEHOLDERS,
    Contents,
    at,
    held,
    is_padding,
    length,
)

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


def _stated(file: BinaryIO, start: int, promised: int) -> None:
    """Refuse fewer or more bytes of sound than are promised."""
    there = length(file) - start
    held(promised, there)
    magic = at(file, 0, 8)
    if at(file, start + promised, len(magic)) == magic:
        raise InputError(JOINED.format(start + promised))
    if there > promised and not is_padding(file, start + promised):
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
    """Creative's: blocks; a zero byte ends them, but not in all files.

    SoX counts 4 of the 12 bytes between the head of a block of type 9 and its sound.
    """
    position, size = int.from_bytes(head[20:22], "little"), length(file)
    while (block := at(file, position, 4)) and block[0] != 0:
        if block == head[:4]:
            raise InputError(JOINED.format(position))
        stop = position + 4 + int.from_bytes(block[1:4], "little")
        if block[0] == 9 and stop + 8 in (size - 1, size):
            stop += 8
        held(stop - position, size - position)
        position = stop
    _stated(file, 0, position + (block[:1] == b"\0"))
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
    _stated(file, 42, 2 * frames * channels)
    return Contents()


def _xi(file: BinaryIO, head: bytes) -> Contents:
    """FastTracker's instruments: headers of samples, then the samples."""
    count = int.from_bytes(at(file, 296, 2), "little")
    start, sizes = 298 + 40 * count, at(file, 298, 40 * count)
    promised = sum(int.from_bytes(sizes[i : i + 4], "little") for i in range(0, 40 * count, 40))
    held(promised, length(file) - start)  # libsndfile states half of what it writes
    return Contents(unchecked=UNSTATED if length(file) > start + promised else "")


def _sds(file: BinaryIO, head: bytes) -> Contents:
    """MIDI sample dump: packets of 120 bytes of sound, each with a checksum."""
    samples = head[10] | head[11] << 7 | head[12] << 14
    bits = head[6]
    if not 8 <= bits <= 28:
        raise InputError(f"damaged: {bits} bits a sample; copy it again")
    packets = -(-samples // (120 // -(-bits // 7)))
    _stated(file, SDS_HEAD, packets * SDS_PACKET)
    for number in range(packets):
        place = SDS_HEAD + number * SDS_PACKET
        packet = at(file, place, SDS_PACKET)
        total = 0
        for byte in packet[1:-2]:
            total ^= byte
        if packet[:1] + packet[-1:] != b"\xf0\xf7" or total != packet[-2]:
            raise InputError(f"damaged: no whole packet at byte {place}; copy it again")
    return Contents()


def _matlab4(file: BinaryIO, head: bytes) -> Contents:
    """Matlab's version 4: matrices of names and numbers."""
    order = "little" if head[0] == 0 and head[2:4] != b"\x03\xe8" else "big"
    position, size = 0, length(file)
    magic = at(file, 0, 32)
    while position < size:
        if position and at(file, position, 32) == magic:
            raise InputError(JOINED.format(position))
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
        if at(file, position, 8) == head[:8]:
            raise InputError(JOINED.format(position))
        position = -(-position // 8) * 8
        element = at(file, position, 8)
        kind, promised = (int.from_bytes(element[i : i + 4], order) for i in (0, 4))
        position += 8
        if kind != MATRIX and kind < 1 << 16:  # small ones have their content in the size
            position += promised
            held(position, size)
    return Contents()


def _ircam(file: BinaryIO, head: bytes) -> Contents:
    """IRCAM's: the encoding's lower half are the bytes of a sample."""
    order = "big" if head[:1] == b"\0" else "little"
    channels, encoding = (int.from_bytes(head[i : i + 4], order) for i in (8, 12))
    return _unstated(file, 1024, channels * (encoding & 0xFFFF))


def _paf(file: BinaryIO, head: bytes) -> Contents:
    """Ensoniq's: of 24 bits, ten samples are in a block of 32 bytes."""
    order = "big" if head[:1] == b" " else "little"
    form, channels = (int.from_bytes(head[i : i + 4], order) for i in (16, 20))
    return _unstated(file, 2048, channels * {0: 2, 1: 32, 2: 1}.get(form, 1))


def _pvf(file: BinaryIO, head: bytes) -> Contents:
    """Portable voice format: a line of channels, rate and bits."""
    found = re.match(rb"PVF1\n(\d+) \d+ (\d+)\n", head)
    if found is None:
        raise InputError("damaged: no line of channels, rate and bits follows PVF1; copy it again")
    return _unstated(file, found.end(), int(found[1]) * int(found[2]) // 8)


def _unstated(file: BinaryIO, start: int, block: int) -> Contents:
    """Those that hold sound to the end of the file, wherever that is, in blocks of so many bytes.

    Where a cut leaves whole blocks, nothing shows it.
    """
    if block and (length(file) - start) % block:
        raise InputError("cut short: its last sample is not whole; copy it again")
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
    (rb"PVF1\n", _pvf),
    (rb" paf|fap ", _paf),
    (rb"\x64\xa3[\x01-\x04]\0|\0[\x01-\x04]\xa3\x64", _ircam),
    (rb"\x01\x04[ -~]{17}", _mpc2k),
    (rb".{8}\0\x02\0\0", _htk),
    (rb"\0\0(\0\0|\x03\xe8)(\x01\0\0\0\x01\0\0\0|\0\0\0\x01\0\0\0\x01)", _matlab4),
)
