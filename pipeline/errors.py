"""The errors a user can mend: what was given, what is damaged, and what the system refuses."""

import errno
import os
import re
from pathlib import Path

AGAIN = "then run this again: it goes on where it was"
# What the system says, what is meant, and what to do.
REFUSALS = {
    (errno.ENOSPC, errno.EDQUOT): f"the disk is full; make room, {AGAIN}",
    (errno.EFBIG,): f"larger than the disk or a limit (ulimit -f) allows; raise it, {AGAIN}",
    (errno.EROFS,): f"on a disk that is read-only; mount it for writing, {AGAIN}",
    (errno.EACCES, errno.EPERM): f"may not be read or written by you; permit it (chmod), {AGAIN}",
    (errno.EMFILE, errno.ENFILE): f"too many files are open; allow more (ulimit -n 4096), {AGAIN}",
    (errno.ENOENT,): f"is not there, or no longer; is its disk mounted? put it back, {AGAIN}",
    (errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENODEV, errno.ENXIO, errno.EHOSTDOWN): (
        f"its disk does not answer; mount it again, {AGAIN}"
    ),
    (errno.ENOMEM,): f"there is not enough memory; end other programs, {AGAIN}",
    (errno.ENOTDIR, errno.EISDIR, errno.EEXIST): f"a file where a folder is wanted, or the other "
    f"way round; remove it, {AGAIN}",
    (errno.ENAMETOOLONG,): "its name is too long for the disk; shorten the name, or the folder's",
    (errno.ELOOP,): f"a link that leads to itself; remove it, {AGAIN}",
}
MEMORY = (
    "there is not enough memory; lower engine.memory_mb or batch, end other programs, or take a "
    f"larger machine, {AGAIN}"
)


class InputError(Exception):
    """What the user gave cannot be used; the message is the one line they will read.

    It says where (file, key, clip), what was found, what was wanted and how to mend it:
    ``raw_data/emodb: found 533 clips, EMO-DB has 535; copy the corpus again``.
    """


class DamagedError(InputError):
    """A file that a stage wrote is not as it was written.

    Parameters
    ----------
    path : Path
        The file.
    found : str
        What is wrong with it.
    whole : Path, optional
        What DVC knows and brings back: the store of a chunk, the bundle of a model.
    """

    def __init__(self, path: Path, found: str, whole: Path | None = None):
        self.path, self.found, self.whole = path, found, whole
        super().__init__(
            f"{path}: {found}; remove {whole or path} and run dvc checkout, and if that brings the "
            "same, remove it and run dvc repro --force STAGE, the stage that makes it"
        )

    def __reduce__(self):
        return type(self), (self.path, self.found, self.whole)


def refused_by_system(error: BaseException) -> str | None:
    """Say in one line what the system refused, and what to do; None of any other error.

    Libraries put the error's number into their message, or only its words.

    >>> refused_by_system(OSError(errno.ENOSPC, "No space left on device", "a.csv"))
    'a.csv: the disk is full; make room, then run this again: it goes on where it was'
    """
    words = " ".join(str(error).split())
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in words:
        return MEMORY
    stated = re.search(r"errno = (\d+)", words)
    number = getattr(error, "errno", None) or (int(stated[1]) if stated else None)
    if number is None:
        for numbers in REFUSALS:
            if os.strerror(numbers[0]).lower() in words.lower():
                number = numbers[0]
    if number is None and not isinstance(error, OSError):
        return None
    name = getattr(error, "filename", None)
    place = f"{os.fsdecode(name)}: " if isinstance(name, str | bytes | os.PathLike) else ""
    for numbers, remedy in REFUSALS.items():
        if number in numbers:
            return f"{place}{remedy}"
    reason = getattr(error, "strerror", None) or words or type(error).__name__
    return f"{place}{reason}; mend that, {AGAIN}"
