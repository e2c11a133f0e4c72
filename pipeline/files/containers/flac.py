"""FLAC: samples counted by the last frame, for the header may state none, too few or too many."""

import re
from typing import BinaryIO

from pipeline.errors import InputError
from pipeline.files.containers import tags
from pipeline.files.containers.contents import BLOCK, JOINED, Contents, at, length

LONGEST_HEADER = 16  # bytes of a frame's
WINDOW = 1 << 16
STREAM = re.compile(rb"fLaC[\0\x80]\0\0\x22")  # how a stream begins
BLOCKS = {1: 192, **{code: 576 << code - 2 for code in range(2, 6)}}
BLOCKS |= {code: 256 << code - 8 for code in range(8, 16)}


def _table(polynomial: int, bits: int) -> list[int]:
    """Remainders of all bytes for a checksum whose highest bit comes first."""
    found = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = value << 1 ^ (polynomial if value >> bits - 1 else 0)
        found.append(value & (1 << bits) - 1)
    return found


CRC8, CRC16 = _table(0x107, 8), _table(0x18005, 16)


def contents(file: BinaryIO) -> Contents:
    """Count the samples of a FLAC file.

    Raises
    ------
    InputError
        If it is cut, damaged, or several that are joined.
    """
    size = length(file)
    position, last, info = 4, False, b""
    while not last:
        head = at(file, position, 4)
        if len(head) < 4:
            raise InputError("cut short: it ends before the sound begins; copy it again")
        last, block = bool(head[0] & 128), int.from_bytes(head[1:], "big")
        if head[0] & 127 == 0:
            info = at(file, position + 4, block)
        position += 4 + block
    if len(info) < 34 or position >= size:
        raise InputError("cut short: it ends before the sound begins; copy it again")
    total = int.from_bytes(info[13:18], "big") & (1 << 36) - 1
    nominal = int.from_bytes(info[2:4], "big")
    pattern = at(file, position, 4)
    if pattern[:1] != b"\xff" or pattern[1:2] not in (b"\xf8", b"\xf9"):
        raise InputError("damaged: no FLAC frame follows the header; copy it again")
    _refuse_second(file, position)
    longest = int.from_bytes(info[7:10], "big") or WINDOW
    window = at(file, max(position, size - 2 * longest - tags.ID3V1), size)
    window = window[: tags.end(window)]
    counted = None
    for place in _frames(window, pattern):
        ends = _ends(window[place:], nominal)
        if ends == total:  # the decoder notices whether this frame is whole
            return Contents(total)
        if _crc(window[place:], CRC16, 16) == 0:
            counted = ends
            break
    if counted is None:
        raise InputError("cut short or damaged: its last frame is not whole; copy it again")
    if counted < total:
        raise InputError(
            f"cut short: its header promises {total} samples, {counted} are there; copy it again"
        )
    whole = bytearray(at(file, 0, size))
    place = bytes(whole[:position]).index(info) + 13
    value = int.from_bytes(whole[place : place + 5], "big") >> 36 << 36 | counted
    whole[place : place + 5] = value.to_bytes(5, "big")
    return Contents(counted, (bytes(whole),), "" if total else "its header states no length")


def _refuse_second(file: BinaryIO, position: int) -> None:
    """Refuse a file in which another stream begins after a position."""
    while block := at(file, position, BLOCK + 7):
        if second := STREAM.search(block):
            raise InputError(JOINED.format(position + second.start()))
        position += BLOCK


def _frames(window: bytes, pattern: bytes) -> list[int]:
    """Where frames may begin, the last one first, that are coded as the first one is."""
    found, place = [], len(window)
    while (place := window.rfind(pattern[:2], 0, place)) >= 0:
        head = window[place : place + LONGEST_HEADER]
        length = _header(head)
        if length and _alike(head, pattern) and _crc(head[:length], CRC8, 8) == 0:
            found.append(place)
    return found


def _header(head: bytes) -> int:
    """Bytes of a frame's header with its checksum, 0 if it is none."""
    if len(head) < 6 or head[2] >> 4 == 0:
        return 0
    number = _number_bytes(head[4])
    block = {6: 1, 7: 2}.get(head[2] >> 4, 0)
    rate = {12: 1, 13: 2, 14: 2}.get(head[2] & 15, 0)
    length = 4 + number + block + rate + 1
    return length if number and length <= len(head) else 0


def _alike(head: bytes, pattern: bytes) -> bool:
    """Whether two headers name the same rate and width; the channels' coding may change."""
    return head[2] & 15 == pattern[2] & 15 and head[3] & 15 == pattern[3] & 15


def _number_bytes(first: int) -> int:
    """Bytes of a number coded as in UTF-8, 0 if the first byte is none."""
    ones = 8 - (~first & 255).bit_length()
    return 1 if ones == 0 else 0 if ones in (1, 8) else ones


def _ends(frame: bytes, nominal: int) -> int:
    """At which sample a frame ends."""
    count = _number_bytes(frame[4])
    number = frame[4] & (127 if count == 1 else (1 << 7 - count) - 1)
    for byte in frame[5 : 4 + count]:
        number = number << 6 | byte & 63
    code = frame[2] >> 4
    width = {6: 1, 7: 2}.get(code, 0)
    block = int.from_bytes(frame[4 + count : 4 + count + width], "big") + 1
    block = block if width else BLOCKS[code]
    variable = frame[1] & 1
    return (number if variable else number * nominal) + block


def _crc(data: bytes, table: list[int], bits: int) -> int:
    """Checksum of data; 0 if it ends with its own."""
    value = 0
    for byte in data:
        value = (value << 8 & (1 << bits) - 1) ^ table[value >> bits - 8 ^ byte]
    return value
