"""Corpora and features, found by file name.

A file in ``pipeline/corpora`` or ``pipeline/features`` is its own registration. (Of models, which
are folders, `pipeline.models` knows.)
"""

import importlib
import traceback
from pathlib import Path
from types import ModuleType

from pipeline import text
from pipeline.errors import InputError

PACKAGE = Path(__file__).parent
SHARED = {  # parts of plug-ins, not plug-ins
    *("__init__", "clip"),
    *("augmentation", "deltas", "framing", "functions", "levels", "mel", "recipes", "resampling"),
    "transform",
}


def names(kind: str) -> list[str]:
    """Names of the plug-ins of a kind (``"corpora"``, ``"features"``), sorted."""
    return sorted(path.stem for path in (PACKAGE / kind).glob("*.py") if path.stem not in SHARED)


def load(kind: str, name: str) -> ModuleType:
    """Import a plug-in.

    Raises
    ------
    InputError
        If there is none of that name, or it does not import.
    """
    file = PACKAGE / kind / f"{name}.py"
    if not file.is_file():
        raise InputError(
            f"pipeline/{kind}/{name}.py: no such file; {text.nearest(name, names(kind))}"
        )
    return imported(f"pipeline.{kind}.{name}", f"pipeline/{kind}/{name}.py")


def imported(module: str, file: str) -> ModuleType:
    """Import a module that may be a user's own.

    Parameters
    ----------
    module : str
        Its dotted name.
    file : str
        The end of its path, to name in messages.

    Raises
    ------
    InputError
        One line, for any error.
    """
    end = str(Path(*Path(file).parts[-2:]))
    try:
        return importlib.import_module(module)
    except Exception as error:  # any that a file that a user writes may raise
        trace = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in trace if Path(frame.filename).match(end)]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or [0])[-1]
        reason = f"{type(error).__name__}: {text.one_line(error)}"
        raise InputError(f"{file}: does not import, line {line}: {reason}") from error
