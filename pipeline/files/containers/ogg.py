"""Ogg: every page checked and counted; libogg passes over pages that are damaged or missing."""

import io
import itertools
import zlib
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.files.containers import flac, tags
from pipeline.files.containers.contents import CONVERT, Contents

CODECS = {b"\x01vorbis": "Vorbis", b"OpusHead": "Opus", b"\x7fFLAC": "FLAC", b"Speex   ": "Speex"}
FLAC_HEAD = 9  # bytes before the first header of FLAC itself
CONTINUED, FIRST, LAST = 1, 2, 4  # of a page's flags
HEAD = 27
MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


@dataclass(frozen=True)
class Page:
    """One page, as its header says, and its bytes."""

    flags: int
    stream: int
    number: int
    body: int  # where it begins, in the page
    data: bytes


def contents(data: bytes) -> Contents:
    """Find the streams of sound of an Ogg file, one after the other.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    Contents
        A part for each stream.

    Raises
    ------
    InputError
        If a page is damaged or missing, the last one is not the end of the stream, or there is no
        sound.
    """
    links: list[dict[int, list[Page]]] = []
    opening = False  # whether streams of one link are beginning
    for page in _pages(data):
        if page.flags & FIRST:
            if not opening:
                links.append({})
            links[-1][page.stream] = []
        elif not links or page.stream not in links[-1]:
            raise InputError("cut: it does not begin with a stream's first page; copy it again")
        opening = bool(page.flags & FIRST)
        links[-1][page.stream].append(page)
    found = [_sound(link) for link in links]
    counts = [one.samples for one in found if one.samples is not None]
    parts = tuple(part for one in found for part in one.parts)
    return Contents(sum(counts) if len(counts) == len(parts) else None, parts)


def _pages(data: bytes) -> list[Page]:
    """All pages, each with the right checksum; zeros and tags may follow the last."""
    pages, position = [], 0
    while position < len(data):
        head = data[position : position + HEAD]
        if head[:4] != b"OggS":
            if not data[position:].strip(b"\0") or tags.end(data) == position:
                break
            if pages and b"OggS".startswith(head):
                raise InputError("cut short: its last page is not whole; copy it again")
            raise InputError(f"damaged: no Ogg page at byte {position}; copy it again")
        body = HEAD + (head[26] if len(head) == HEAD else 255)
        stop = body + sum(data[position + HEAD : position + body])
        page = data[position : position + stop]
        if len(page) < stop or len(head) < HEAD:
            raise InputError("cut short: its last page is not whole; copy it again")
        if _crc(page[:22] + bytes(4) + page[26:]) != int.from_bytes(page[22:26], "little"):
            raise InputError(
                f"damaged: the Ogg page at byte {position} has a wrong checksum; copy it again"
            )
        stream, number = (int.from_bytes(page[i : i + 4], "little") for i in (14, 18))
        pages.append(Page(page[5], stream, number, body, page))
        position += stop
    return pages


def _sound(link: dict[int, list[Page]]) -> Contents:
    """The pages of the stream of sound among those that run side by side; none is missing."""
    known = {
        stream: name
        for stream, pages in link.items()
        for start, name in CODECS.items()
        if pages[0].data[pages[0].body :].startswith(start)
    }
    if len(known) > 1:
        raise InputError(f"{len(known)} streams of sound side by side; write one to a file")
    if not known:
        return Contents()
    (pages,) = (link[stream] for stream in known)
    gaps = [b.number - a.number for a, b in itertools.pairwise(pages)]
    if lost := sum(gap != 1 for gap in gaps):
        raise InputError(f"damaged: Ogg pages are missing in {lost} places; copy it again")
    if not pages[-1].flags & LAST:
        raise InputError(
            "cut short: no page ends the stream; copy it again, or if it was recorded so, write it "
            "again with a sound editor"
        )
    (name,) = known.values()
    if name == "Speex":
        raise InputError(f"Ogg Speex, which libsndfile does not read; {CONVERT}")
    if name == "FLAC":  # which libsndfile reads outside Ogg
        stream = b"".join(page.data[page.body :] for page in pages)[FLAC_HEAD:]
        counted = flac.contents(io.BytesIO(stream))
        return Contents(counted.samples, counted.parts or (stream,))
    return Contents(parts=(b"".join(page.data for page in pages),))


def _crc(data: bytes) -> int:
    """Ogg's checksum: zlib's of the mirrored bytes, mirrored, without its inversions."""
    value = zlib.crc32(data.translate(MIRRORED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{value:032b}"[::-1], 2)
