"""Stage check: params.yaml as a whole, before anything is made; and what makes each thing.

Every other stage depends on what this one writes, so a mistake in params.yaml stops `dvc repro`
before any output is removed, and an edit of a setting or of code runs the stages again whose it is.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from pipeline import text
from pipeline.config import listings
from pipeline.config.params import load
from pipeline.config.records import Params
from pipeline.errors import InputError
from pipeline.files import tables

# What the lines of params.yaml make, and where: of what is there besides, nothing is used.
MADE = {
    "features/corpora": "corpora",
    "features/sounds": "sounds",
    "features/data": "data",
    "features/folds": "folds",
    "models": "runs",
}


def check(folder: Path) -> None:
    """Check params.yaml, and list what makes each thing.

    Names what no line of params.yaml makes any more, for removal.

    Parameters
    ----------
    folder : Path
        Folder to write: a text for each thing that is made, ``train/tim_net-demo``, with the hash
        of every file of code that makes it, and with the settings that it is made by.

    Raises
    ------
    InputError
        If params.yaml is wrong: the place, what was found, what was wanted. If it or the code was
        edited meanwhile. If a corpus holds what DVC cannot read: a pipe, a link to nothing.
    """
    params = load()
    _readable([Path("raw_data") / name for name in params.corpora])
    made = listings.every(params)
    temporary = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    for name, listed in made.items():
        tables.write_json(listed, temporary / name)
    shutil.rmtree(folder, ignore_errors=True)
    temporary.rename(folder)
    if load() != params or listings.every(params) != made:  # DVC takes them as of the end
        raise InputError("params.yaml or the code was edited while check ran; run dvc repro again")
    if left := _left(params):
        sys.stdout.write(f"no line of params.yaml makes these; to remove: rm -r {' '.join(left)}\n")


def _readable(corpora: list[Path]) -> None:
    """Refuse what DVC stops or waits at when it hashes a corpus for the stage index."""
    found = [
        Path(root) / name
        for raw in corpora
        for root, _, files in os.walk(raw)
        for name in files
        if not (Path(root) / name).is_file()
    ]
    if not found:
        return
    command = [sys.executable, "-m", "dvc", "check-ignore", *map(str, found)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    left = [path for path in found if str(path) not in done.stdout.splitlines()]
    if left:
        raise InputError(
            f"{text.first(list(map(str, left)))}: a pipe or a link to nothing, which DVC cannot "
            "read; remove it, or name it in .dvcignore, and the index lists it"
        )


def _left(params: Params) -> list[str]:
    """Files and folders of results that no line of params.yaml makes, sorted."""
    found = []
    for folder, table in MADE.items():
        known = {".gitignore", "README.md", *getattr(params, table)}
        if Path(folder).is_dir():
            found += [
                path.as_posix()
                for path in sorted(Path(folder).iterdir())
                if not path.name.startswith(".") and not {path.name, path.stem} & known
            ]
    return found
