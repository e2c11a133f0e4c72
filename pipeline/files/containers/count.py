"""Detect the kind of a file by its first bytes, and what it holds."""

import dataclasses
import io
from typing import BinaryIO

from pipeline.errors import InputError
from pipeline.files.containers import chunked, flac, headers, mpeg, ogg, tags
from pipeline.files.containers.contents import CONVERT, Contents, at, is_padding, length

GIT_LFS_POINTER = b"version https://git-lfs"
FOREIGN = {  # sound that libsndfile does not read, by a mark and where it stands
    "MPEG-4 (m4a)": (4, b"ftyp"),
    "Matroska (webm)": (0, b"\x1a\x45\xdf\xa3"),
    "Windows Media (wma)": (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    "AMR": (0, b"#!AMR"),
    "AAC": (0, b"ADIF"),
    "WavPack": (0, b"wvpk"),
    "Monkey's Audio": (0, b"MAC "),
    "True Audio": (0, b"TTA1"),
    "RealAudio": (0, b".RMF"),
    "RealAudio (ra)": (0, b".ra\xfd"),
    "AC-3": (0, b"\x0b\x77"),
    "Shorten": (0, b"ajkg"),
    "Musepack": (0, b"MPCK"),
    "Musepack (7)": (0, b"MP+"),
    "DTS": (0, b"\x7f\xfe\x80\x01"),
    "DSD": (0, b"DSD "),
    "DSDIFF": (0, b"FRM8"),
    "TAK": (0, b"tBaK"),
    "Qualcomm (qcp)": (8, b"QLCM"),
    "AVI": (8, b"AVI "),
    "Olympus (dss)": (1, b"dss"),
    "Olympus (ds2)": (1, b"ds2"),
}
UNKNOWN = "its kind is not known"
FIRST_SOUND = 1 << 16  # bytes in which MPEG audio without a tag begins


def contents(file: BinaryIO) -> Contents:
    """Find out what a sound file holds, without decoding it.

    Parameters
    ----------
    file : binary file
        File in which one can seek.

    Returns
    -------
    Contents
        With nothing known of a file that only the decoder knows.

    Raises
    ------
    InputError
        If the file is empty, a git-LFS pointer, of a kind that the decoder does not know, cut or
        damaged; without the file's name.
    """
    head = at(file, 0, 64)
    if not head:
        raise InputError("0 bytes; copy it again")
    if head.startswith(GIT_LFS_POINTER):
        raise InputError("a git-LFS pointer, not sound; run git lfs pull")
    for name, (place, mark) in FOREIGN.items():
        if head[place:].startswith(mark):
            raise InputError(f"{name}, which libsndfile does not read; {CONVERT}")
    if head[:2] in (b"\xff\xf1", b"\xff\xf9"):
        raise InputError(f"AAC, which libsndfile does not read; {CONVERT}")
    if kind := chunked.kind(head):
        return chunked.contents(file, kind)
    if head[:4] == b"fLaC":
        return flac.contents(file)
    if head[:4] == b"OggS":
        return ogg.contents(at(file, 0, length(file)))
    if found := headers.contents(file, head):
        return found
    tag = tags.before(head, 0)
    whole = tag < length(file)
    if mpeg.begins(at(file, tag if whole else 0, FIRST_SOUND)):
        return mpeg.contents(at(file, 0, length(file)))
    if not whole:
        raise InputError("cut short: it ends within a tag, before the sound; copy it again")
    if tag:  # before sound of another kind
        rest = at(file, tag, length(file))
        found = contents(io.BytesIO(rest))
        return dataclasses.replace(found, parts=found.parts or (rest,))
    if is_padding(file, 0):
        raise InputError("holds no sound, one byte repeated; copy it again")
    return Contents(unchecked=UNKNOWN)
