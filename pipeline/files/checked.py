"""JSON files that say by a checksum that they, and files next to them, are as they were written.

``contents`` holds the SHA-256 of each such file by its name, ``checksum`` that of all else that the
file holds. Files that were written before there were checksums have neither; a line says so.
"""

import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import DamagedError, InputError
from pipeline.files import tables

KEYS = CONTENTS, CHECKSUM = "contents", "checksum"
log = logging.getLogger("pipeline")


def write(data: dict[str, Any], path: Path, files: Iterable[Path] = ()) -> None:
    """Write a JSON object with its checksum.

    Parameters
    ----------
    data : dict
    path : Path
    files : iterable of Path
        Files next to it, whose content it states.
    """
    held = data | {CONTENTS: {file.name: tables.file_sha256(file) for file in files}}
    tables.write_json(held | {CHECKSUM: tables.sha256(held)}, path)


def read(path: Path) -> dict[str, Any]:
    """Read a JSON object that was written here; without its checksums.

    Raises
    ------
    InputError
        If there is none, or it is not as it was written.
    """
    return {key: value for key, value in _held(path).items() if key not in KEYS}


def expect(path: Path, *files: Path) -> None:
    """Refuse files that are not as they were written, by a JSON file next to them.

    Raises
    ------
    DamagedError
        If one of them differs, or the JSON file does.
    """
    held = _held(path)
    if CONTENTS not in held:
        return
    for file in files:
        if not file.is_file():
            raise DamagedError(file, "is missing")
        if held[CONTENTS].get(file.name) != tables.file_sha256(file):
            raise DamagedError(file, f"not as it was written, by its SHA-256 in {path.name}")


def _held(path: Path) -> dict[str, Any]:
    """All that a JSON file holds, which is what was written."""
    try:
        held = tables.read_json(path)
    except InputError as error:
        if not path.is_file():
            raise
        raise DamagedError(path, str(error).removeprefix(f"{path}: ")) from None
    if not held.keys() & set(KEYS):
        _say_old(path)
    elif held.pop(CHECKSUM, "") != tables.sha256(held) or not isinstance(held.get(CONTENTS), dict):
        raise DamagedError(path, "not as it was written (its checksum differs)")
    return held


@cache  # once
def _say_old(path: Path) -> None:
    log.warning("%s: made before it had a checksum, and not verified", path)
