"""Stage check: params.yaml as a whole, before anything is made; and what code each thing runs.

Every other stage depends on what this one writes, so a mistake in params.yaml stops `dvc repro`
before any output is removed, and an edit of code runs the stages again whose code it is.
"""

import shutil
import sys
from pathlib import Path

from pipeline.config import code
from pipeline.config.params import Params, load

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
        If params.yaml is wrong: the place, what was found, what was wanted.
    """
    params = load()
    made = {name: code.listing(*modules) for name, modules in _modules(params).items()}
    for name, sound in params.sounds.items():
        if params.corpora[sound.corpus].samples:  # a line that the stage does not depend on
            made[f"waveforms/{name}"] += f"samples {sound.samples}\n"
    temporary = listings.with_name(f".{listings.name}.part")
    shutil.rmtree(temporary, ignore_errors=True)
    for name, text in made.items():
        (temporary / name).parent.mkdir(parents=True, exist_ok=True)
        (temporary / name).write_text(text, encoding="utf-8")
    shutil.rmtree(listings, ignore_errors=True)
    temporary.rename(listings)
    if left := _left(params):
        sys.stdout.write(f"no line of params.yaml makes these; to remove: rm -r {' '.join(left)}\n")


def _modules(params: Params) -> dict[str, tuple[str, ...]]:
    """Modules that make each thing, by the name of its listing."""
    found: dict[str, tuple[str, ...]] = {"demo": ("stages.demo",), "report": ("stages.report",)}
    for name, corpus in params.corpora.items():
        parsers = {corpus.parser, *corpus.settings.get("of", {}).values()}  # of joined corpora
        found[f"index/{name}"] = ("stages.index", *(f"corpora.{p}" for p in sorted(parsers)))
    for name in params.folds:
        found[f"split/{name}"] = ("stages.split",)
    for name in params.sounds:
        found[f"waveforms/{name}"] = ("stages.waveforms",)
    for name, data in params.data.items():
        module = params.features[data.feature].function.partition(".")[0]
        found[f"extract/{name}"] = ("stages.extract", f"features.{module}")
    for name, run in params.runs.items():
        for stage in ("train", "evaluate"):
            found[f"{stage}/{name}"] = (f"stages.{stage}", f"models.{run.model}")
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
