"""MPEG audio (MP3): every frame counted, for many files state no length and others a wrong one.

The decoder believes the Info header of a file, if there is one, and else guesses the length from
the first frame. So each stream is given to it with a header that states its frames.
"""

import re
from dataclasses import dataclass, field

from pipeline.errors import InputError
from pipeline.files.containers import tags
from pipeline.files.containers.contents import Contents

V1, V2, V25 = 3, 2, 0  # codes of the MPEG version
BITRATES = {  # kbit/s by (version 1, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES = {V1: (44100, 48000, 32000), V2: (22050, 24000, 16000), V25: (11025, 12000, 8000)}
HEAD = re.compile(rb"\xff[\xe2-\xff][\x10-\xef]")  # of a frame
MONO = 3
DELAY = 529 + 1152  # samples that a decoder may leave out besides those that the header names


@dataclass(frozen=True)
class Frame:
    """What the four bytes of a frame's header say."""

    version: int
    layer: int
    sample_rate: int
    mono: bool
    size: int  # bytes
    samples: int

    def like(self, other: "Frame") -> bool:
        """Whether two frames may be of one stream."""
        return (self.version, self.layer, self.sample_rate, self.mono) == (
            other.version,
            other.layer,
            other.sample_rate,
            other.mono,
        )


@dataclass
class Stream:
    """Frames with one Info header before them, or none.

    ``frames`` and ``size`` are what the header states, None where it does not; ``cut`` is the
    number of samples that the decoder leaves out at both ends.
    """

    first: Frame
    info: bytes = b""
    frames: int | None = None
    size: int | None = None
    cut: int = 0
    data: list[bytes] = field(default_factory=list)


def frame(head: bytes) -> Frame | None:
    """Read a frame's header, of four bytes; None if it is none, or of a size that it hides."""
    if len(head) < 4 or head[0] != 255 or head[1] < 224:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or bitrate in (0, 15) or rate == 3:
        return None
    bits = 1000 * BITRATES[version == V1, layer][bitrate]
    hertz, padding = RATES[version][rate], head[2] >> 1 & 1
    samples = 384 if layer == 1 else 576 if layer == 3 and version != V1 else 1152
    size = samples // 8 * bits // hertz + padding
    if layer == 1:
        size = (12 * bits // hertz + padding) * 4
    return Frame(version, layer, hertz, head[3] >> 6 == MONO, size, samples)


def begins(data: bytes) -> bool:
    """Whether a file is of MPEG audio, judged by its first bytes after tags and zeros.

    ``data`` are the first 64 KiB, or all after a longer tag.
    """
    position = _skip(data, 0)
    return bool(frame(data[position : position + 4])) or _synchronised(data, position) is not None


def contents(data: bytes) -> Contents:
    """Count the frames of MPEG audio and give each stream a header that states them.

    Parameters
    ----------
    data : bytes
        All that is there.

    Returns
    -------
    Contents
        A part for each stream.

    Raises
    ------
    InputError
        If frames are missing or damaged, or there are none.
    """
    parts, samples, unsure = [], 0, False
    for stream in _streams(data):
        counted = len(stream.data)
        if counted == 0:
            continue
        there = len(stream.info) + sum(map(len, stream.data))
        promised = stream.frames
        if promised is not None and counted < promised and there < (stream.size or there + 1):
            raise InputError(
                f"cut short: its header promises {promised} frames, {counted} are there; "
                "copy it again"
            )
        right = promised == counted or stream.first.layer != 3
        parts.append(b"" if right and not stream.info else stream.info if right else _info(stream))
        parts[-1] += b"".join(stream.data)
        samples += max(0, counted * stream.first.samples - stream.cut - DELAY)
        unsure = unsure or promised is None
    if not parts:
        raise InputError("holds no frames of sound; copy it again")
    return Contents(samples, tuple(parts), "its header states no length" if unsure else "")


def _streams(data: bytes) -> list[Stream]:
    """Frames of each stream."""
    stop = tags.end(data)
    streams: list[Stream] = []
    position = _skip(data, 0)
    found = _synchronised(data, position)
    if found is None:
        raise InputError("cut short or damaged: no frame of sound follows another; copy it again")
    position = found
    while position < stop:
        one = frame(data[position : position + 4])
        begun = streams[-1].first if streams else one
        if one and begun and one.like(begun):
            if position + one.size > stop:
                if streams and streams[-1].frames == len(streams[-1].data):
                    break
                raise InputError("cut short: its last frame is not whole; copy it again")
            chunk = data[position : position + one.size]
            stream = _header(one, chunk)
            if stream:
                streams.append(stream)
            else:
                if not streams:
                    streams.append(Stream(one))
                streams[-1].data.append(chunk)
            position += one.size
            continue
        after = _skip(data, position)
        if after >= stop:
            break
        again = _synchronised(data, after)
        if again is None or again >= stop:
            _refuse_rest(data[after:stop], streams[-1])
            break
        one = _found(data, again)
        stream = _header(one, data[again : again + one.size])
        if stream is None and not (after == again and tags.before(data, position)):
            raise InputError(f"damaged: no frame of sound at byte {position}; copy it again")
        if begun and not one.like(begun):
            raise InputError("streams of different kinds one after the other; convert each alone")
        if stream is None:  # a tag is where two files were joined
            streams.append(Stream(one))
        position = again
    return streams


def _refuse_rest(rest: bytes, stream: Stream) -> None:
    """Refuse what lies after the last frame, if the stream may go on there."""
    whole = stream.frames is not None and len(stream.data) >= stream.frames
    begun = frame(rest[:4]) or (len(rest) < 4 and rest[:1] == b"\xff")
    if not whole and begun:
        raise InputError("cut short: its last frame is not whole; copy it again")


def _skip(data: bytes, position: int) -> int:
    """Where something else than tags and zeros begins."""
    while position < len(data):
        tag = tags.before(data, position)
        if 0 < tag < len(data) - position:
            position += tag
        elif data[position] == 0:
            zeros = data[position : position + 4096]
            position += len(zeros) - len(zeros.lstrip(b"\0"))
        else:
            break
    return position


def _synchronised(data: bytes, position: int) -> int | None:
    """Where a frame begins that another one like it follows, or the end; None if nowhere."""
    while found := HEAD.search(data, position):
        position = found.start()
        one = frame(data[position : position + 4])
        if one:
            after = position + one.size
            following = frame(data[after : after + 4])
            if (following and following.like(one)) or after == len(data):
                return position
            if after < len(data) and tags.before(data, after):
                return position
        position += 1
    return None


def _header(one: Frame, chunk: bytes) -> Stream | None:
    """Read what an Info, Xing or VBRI header states; None if the frame holds sound."""
    if chunk[36:40] == b"VBRI":
        frames, size = int.from_bytes(chunk[50:54], "big"), int.from_bytes(chunk[46:50], "big")
        return Stream(one, chunk, frames or None, size or None)
    place = _side(one) + 4
    if one.layer != 3 or chunk[place : place + 4] not in (b"Xing", b"Info"):
        return None
    flags = int.from_bytes(chunk[place + 4 : place + 8], "big")
    fields, position = [], place + 8
    for bit in (1, 2):
        there = flags & bit
        fields.append(int.from_bytes(chunk[position : position + 4], "big") if there else 0)
        position += 4 if there else 0
    position += (100 if flags & 4 else 0) + (4 if flags & 8 else 0)
    gaps = int.from_bytes(chunk[position + 21 : position + 24], "big")  # LAME's delay and padding
    cut = (gaps >> 12) + (gaps & 0xFFF)
    return Stream(one, chunk, fields[0] or None, fields[1] or None, cut)


def _found(data: bytes, position: int) -> Frame:
    """Read the header of a frame that there is."""
    one = frame(data[position : position + 4])
    if one is None:
        raise InputError(f"damaged: no frame of sound at byte {position}; copy it again")
    return one


def _side(one: Frame) -> int:
    """Bytes of the side information of layer III."""
    return (17 if one.mono else 32) if one.version == V1 else (9 if one.mono else 17)


def _info(stream: Stream) -> bytes:
    """Make a frame without sound that states how many follow."""
    head = bytearray(stream.data[0][:4])
    head[1] |= 1  # no checksum
    head[2] = head[2] & 0b1101 | 8 << 4  # 112 or 64 kbit/s, not padded: there is room
    size = _found(bytes(head), 0).size
    text = b"Info" + (1).to_bytes(4, "big") + len(stream.data).to_bytes(4, "big")
    return (bytes(head) + bytes(_side(stream.first)) + text).ljust(size, b"\0")
