"""Stage check: params.yaml as a whole, before anything is made; and what code each thing runs.

Every other stage depends on what this one writes, so a mistake in params.yaml stops `dvc repro`
before any output is removed, and an edit of code runs the stages again whose code it is.
"""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.config import code
from pipeline.config.params import load
from pipeline.config.records import Params
from pipeline.errors import InputError

# What the lines of params.yaml make, and where: of what is there besides, nothing is used.
MADE = {
    "features/corpora": "corpora",
    "features/sounds": "sounds",
    "features/data": "data",
    "features/folds": "folds",
    "models": "runs",
    "reports/runs": "runs",
}


def check(listings: Path) -> None:
    """Check params.yaml, and list the code that each stage runs.

    Names what no line of params.yaml makes any more, for removal.

    Parameters
    ----------
    listings : Path
        Folder to write: a text for each thing that is made, ``train/tim_net-demo``, with the hash
        and the path of every file of code that makes it.

    Raises
    ------
    InputError
        If params.yaml is wrong: the place, what was found, what was wanted. If it or the code was
        edited meanwhile.
    """
    params = load()
    made = _listings(params)
    temporary = listings.with_name(f".{listings.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    for name, text in made.items():
        (temporary / name).parent.mkdir(parents=True, exist_ok=True)
        (temporary / name).write_text(text, encoding="utf-8")
    shutil.rmtree(listings, ignore_errors=True)
    temporary.rename(listings)
    if load() != params or _listings(params) != made:  # DVC records them as they are at the end
        raise InputError("params.yaml or the code was edited while check ran; run dvc repro again")
    if left := _left(params):
        sys.stdout.write(f"no line of params.yaml makes these; to remove: rm -r {' '.join(left)}\n")


def _listings(params: Params) -> dict[str, str]:
    """Text of each listing, by its name."""
    made = {name: code.listing(*modules) for name, modules in _modules(params).items()}
    for name, sound in params.sounds.items():
        if params.corpora[sound.corpus].samples:  # a line that the stage does not depend on
            made[f"waveforms/{name}"] += f"samples {sound.samples}\n"
    return made


def _modules(params: Params) -> dict[str, tuple[str, ...]]:
    """Modules that make each thing, by the name of its listing."""
    recipes = {name: params.features[data.feature] for name, data in params.data.items()}
    tables: dict[str, Mapping] = {
        "index": params.corpora,
        "split": params.folds,
        "waveforms": params.sounds,
        "extract": recipes,
        "train": params.runs,
        "evaluate": params.runs,
    }
    found = {stage: code.modules(stage) for stage in ("demo", "report")}
    for stage, table in tables.items():
        found |= {f"{stage}/{name}": code.modules(stage, line) for name, line in table.items()}
    return found


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
