"""Files of chunks, each with its name and size: WAV, RF64, W64, AIFF, 8SVX, CAF.

Writers get the sizes wrong in many ways, of which the sound is not the worse: they count the outer
header twice, or do not come back to fill sizes in. What counts is the size of the chunk that holds
the sound and what follows it. libsndfile takes the size of the file itself where it is smaller
and so hides a cut. Of two sizes that contradict each other, the one of the file and the one of the
sound, the first is right where the file is as long as it says.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO, Literal

from pipeline.errors import InputError
from pipeline.files.containers import mpeg
from pipeline.files.containers.contents import (
    BLOCK,
    FARTHEST,
    JOINED,
    PLACEHOLDERS,
    Contents,
    at,
    check_rate,
    held,
    is_padding,
    length,
)

MPEG = 0x55  # tag of the encoding in a WAV's format chunk
SIMPLE = (1, 3, 6, 7)  # PCM, float, A-law, u-law: a block is a sample of each channel
EXTENSIBLE = 0xFFFE
BEGINS = (b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b"riff", b"caff")  # another file
AFTER = (  # names of chunks that often follow the sound
    b"LIST|id3 |ID3 |bext|fact|cue |smpl|inst|JUNK|junk|PAD |PEAK|iXML|axml|_PMX|cart|DISP|NAME|"
    b"AUTH|ANNO|(c) |MARK|INST|COMT|APPL|MIDI|info|pakt|free|uuid"
).split(b"|")


@dataclass(frozen=True)
class Kind:
    """How a family of files writes its chunks.

    Attributes
    ----------
    sound : bytes
        Name of the chunk that holds the sound.
    first : int
        Byte at which the first chunk begins.
    name, size : int
        Bytes of a chunk's name and size.
    order : {'big', 'little'}
        Order of the bytes of numbers.
    whole : bool
        Whether the size counts name and size, too.
    align : int
        Chunks begin at multiples of it.
    lead : int
        Bytes of the chunk of sound before the first sample.
    total : int or None
        Byte at which the size of the whole file stands.
    """

    sound: bytes
    first: int
    name: int
    size: int
    order: Literal["big", "little"]
    whole: bool = False
    align: int = 2
    lead: int = 0
    total: int | None = 4


WAV = Kind(b"data", 12, 4, 4, "little")
RIFX = Kind(b"data", 12, 4, 4, "big")
AIFF = Kind(b"SSND", 12, 4, 4, "big", lead=8)
SVX = Kind(b"BODY", 12, 4, 4, "big")
W64 = Kind(b"data", 40, 16, 8, "little", whole=True, align=8, total=16)
CAF = Kind(b"data", 8, 4, 8, "big", align=1, lead=4, total=None)


@dataclass(frozen=True)
class Chunk:
    """One chunk: where its content begins, and how many bytes it promises."""

    name: bytes
    start: int
    size: int


def kind(head: bytes) -> Kind | None:
    """Detect the family by the first 16 bytes of a file, None if it is none of these."""
    if head[:4] in (b"RIFF", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return WAV
    if head[:4] == b"RIFX" and head[8:12] == b"WAVE":
        return RIFX
    if head[:4] == b"FORM":
        return {b"AIFF": AIFF, b"AIFC": AIFF, b"8SVX": SVX, b"16SV": SVX}.get(head[8:12])
    if head[:8] == b"riff\x2e\x91\xcf\x11":
        return W64
    return CAF if head[:4] == b"caff" else None


def contents(file: BinaryIO, kind: Kind) -> Contents:
    """Find the sound of a file of chunks.

    Parameters
    ----------
    file : binary file
    kind : Kind
        Its family.

    Returns
    -------
    Contents

    Raises
    ------
    InputError
        If sound is missing, or more is there than the header says and it is not clear what.
    """
    size = length(file)
    chunks, position = {}, kind.first
    while (chunk := _chunk(file, position, kind)) and chunk.name != kind.sound:
        if not _is_name(chunk.name):
            raise InputError(
                f"damaged: no chunk begins at byte {position}; write it again with a sound editor"
            )
        chunks.setdefault(chunk.name, at(file, chunk.start, min(chunk.size, 64)))
        position = _next(chunk, kind)
    if chunk is None:
        raise InputError("cut short: it ends before the sound begins; copy it again")
    start, there = chunk.start + kind.lead, size - chunk.start - kind.lead
    promised = chunk.size - kind.lead
    if b"ds64" in chunks and chunk.size == 0xFFFFFFFF:
        promised = int.from_bytes(chunks[b"ds64"][8:16], "little")
    block, encoding = _block(chunks, kind)
    unknown = _unknown(promised, kind) or (
        promised <= 0 < there and not _are_chunks(file, start, kind)
    )
    sound, unchecked = there, ""
    if unknown:
        sound = _tail(file, start, kind) - start
        unchecked = "its header states no length"
        if second := re.search(rb"RIF[FX].{4}WAVEfmt ", at(file, start, there), re.DOTALL):
            raise InputError(JOINED.format(start + second.start()))
    elif promised > there and _total(file, kind) == size:
        pass  # the size of the whole says that nothing is missing
    elif promised in (size, size - 8) and kind in (WAV, RIFX):
        unchecked = "its header counts itself as sound, or it is cut by as much"
    else:
        if not block or promised // block > there // block:
            held(promised, there)
        sound = min(promised, there)
        if _leftover(file, start + promised, kind):
            tail = _tail(file, start + sound, kind) - start
            if not block or _total(file, kind) != size or tail % block:
                raise InputError(
                    f"{there - promised} bytes after the sound are neither a chunk nor, by the "
                    "header, sound; if they are sound, write the file again with a sound editor"
                )
            sound = tail  # the size of the whole says that it belongs to it
    if kind in (WAV, RIFX) and encoding == MPEG:
        found = mpeg.contents(at(file, start, sound))
        return Contents(found.samples, found.parts, found.unchecked, "WAV")
    samples = sound // block if block else _stated(file, start + promised, chunks, kind)
    parts = ()
    if sound != promised or at(file, 0, 4) == b"BW64":
        sound = sound // (block or 1) * (block or 1)
        parts = (_mended(file, chunk, sound, kind),)
    return Contents(samples, parts, unchecked)


def _chunk(file: BinaryIO, position: int, kind: Kind) -> Chunk | None:
    """Read the chunk that begins at a position, None where the file ends."""
    head = at(file, position, kind.name + kind.size)
    if len(head) < kind.name + kind.size:
        return None
    size = int.from_bytes(head[kind.name :], kind.order)
    return Chunk(head[:4], position + len(head), max(size - (len(head) if kind.whole else 0), 0))


def _next(chunk: Chunk, kind: Kind) -> int:
    """Where the next chunk begins."""
    return -(-(chunk.start + chunk.size) // kind.align) * kind.align


def _unknown(promised: int, kind: Kind) -> bool:
    """Whether a size is what writers put that do not know it."""
    if promised >= FARTHEST:
        return True
    return kind.size == 4 and any(promised + kind.lead in sizes for sizes in PLACEHOLDERS)


def _total(file: BinaryIO, kind: Kind) -> int:
    """Bytes that the file has by its own first size, 0 if it states none."""
    if kind.total is None:
        return 0
    size = int.from_bytes(at(file, kind.total, kind.size), kind.order)
    return size if kind.whole else size + kind.total + kind.size


def _are_chunks(file: BinaryIO, position: int, kind: Kind) -> bool:
    """Whether chunks follow from a position to the end of the file, none of them of sound."""
    size, known = length(file), False
    while chunk := _chunk(file, position, kind):
        if chunk.name in (*BEGINS, kind.sound):
            raise InputError(JOINED.format(position))
        known = known or chunk.name in AFTER
        if not _is_name(chunk.name) or chunk.start + chunk.size > size:
            return known  # if it is cut, no sound is lost
        position = _next(chunk, kind)
    return True


def _is_name(name: bytes) -> bool:
    """Whether bytes may be a chunk's name."""
    return all(32 <= letter < 127 for letter in name)


def _leftover(file: BinaryIO, position: int, kind: Kind) -> bool:
    """Whether something lies after the sound that is no chunk, no tag and no padding."""
    rest = at(file, position, 8)
    if rest[:3] == b"TAG" or rest == b"APETAGEX" or is_padding(file, position):
        return False
    if 1 < len(rest) < 8:
        return _total(file, kind) == length(file)
    aligned = -(-position // kind.align) * kind.align
    # some writers forget to pad an odd size
    return not (_are_chunks(file, aligned, kind) or _are_chunks(file, position, kind))


def _tail(file: BinaryIO, start: int, kind: Kind) -> int:
    """Where the chunks begin that end the file after sound of no stated length, or the end."""
    size = length(file)
    first = max(start, size - BLOCK)
    for found in re.finditer(b"|".join(map(re.escape, AFTER)), at(file, first, BLOCK)):
        place = first + found.start()
        position, chunk = place, _chunk(file, place, kind)
        while chunk and _is_name(chunk.name):
            position = chunk.start + chunk.size
            position += position % kind.align and position < size
            chunk = _chunk(file, position, kind)
        if position == size:
            return place
    return size


def _block(chunks: dict[bytes, bytes], kind: Kind) -> tuple[int, int]:
    """Bytes of a sample of all channels, 0 if not all samples are alike; tag of the encoding."""
    if kind == AIFF:
        common = chunks.get(b"COMM", b"")
        if len(common) < 18 or common[18:22] not in (b"", b"NONE", b"sowt", b"twos"):
            return 0, 0
        channels, bits = (int.from_bytes(common[i : i + 2], "big") for i in (0, 6))
        return channels * -(-bits // 8), 0
    if kind in (SVX, CAF):
        return 0, 0
    fmt = chunks.get(b"fmt ", b"")
    tag, channels, block, bits = (
        int.from_bytes(fmt[i : i + 2], kind.order) for i in (0, 2, 12, 14)
    )
    if len(fmt) >= 8:
        check_rate(int.from_bytes(fmt[4:8], kind.order))
    if tag == EXTENSIBLE:
        tag = int.from_bytes(fmt[24:26], kind.order)
    simple = tag in SIMPLE and block == channels * -(-bits // 8)
    return block if simple else 0, tag


def _stated(file: BinaryIO, after: int, chunks: dict[bytes, bytes], kind: Kind) -> int | None:
    """Samples by the header, of encodings whose bytes do not say how many they are."""
    common = chunks.get(b"COMM", b"")
    if kind == AIFF and common[18:22] == b"DWVW":
        return int.from_bytes(common[2:6], "big")
    if kind == CAF and chunks.get(b"desc", b"")[8:12] == b"alac":
        while b"pakt" not in chunks and (chunk := _chunk(file, after, kind)):
            chunks.setdefault(chunk.name, at(file, chunk.start, 64))
            after = _next(chunk, kind)
        if b"pakt" not in chunks:
            raise InputError("cut short: its table of packets is missing; copy it again")
        return int.from_bytes(chunks[b"pakt"][8:16], "big")
    return None


def _mended(file: BinaryIO, chunk: Chunk, sound: int, kind: Kind) -> bytes:
    """Give the file up to the end of its sound, with sizes that are right."""
    start = chunk.start + kind.lead
    data = bytearray(at(file, 0, start + sound))
    own = kind.name + kind.size if kind.whole else 0
    fields = {chunk.start - kind.size: sound + kind.lead + own}
    if kind.total is not None:
        fields[kind.total] = len(data) - (0 if kind.whole else kind.total + kind.size)
    for place, value in fields.items():
        value = min(value, (1 << 8 * kind.size) - 1)
        data[place : place + kind.size] = value.to_bytes(kind.size, kind.order)
    if data[:4] in (b"RF64", b"BW64"):  # small enough to be held here, as it is held
        data[:4] = b"RIFF"
    return bytes(data)
