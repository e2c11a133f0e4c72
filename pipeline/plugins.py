"""Corpora and features, found by file name.

A file in ``pipeline/corpora`` or ``pipeline/features`` is its own registration. (Of models, which
are folders, `pipeline.models` knows.) What a parser takes by default is read from the source.
"""

import ast
import hashlib
import importlib
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline import text
from pipeline.errors import InputError

PACKAGE = Path(__file__).parent
SHARED = {  # parts of plug-ins, not plug-ins
    *("__init__", "clip"),
    *("augmentation", "deltas", "framing", "functions", "levels", "recipes", "resampling"),
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
    try:
        return importlib.import_module(module)
    except Exception as error:  # any that a file that a user writes may raise
        trace = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in trace if Path(frame.filename).match(file)]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or [0])[-1]
        reason = f"{type(error).__name__}: {text.one_line(error)}"
        raise InputError(f"{file}: does not import, line {line}: {reason}") from error


def defaults(kind: str, name: str, function: str) -> dict[str, Any]:
    """Keyword-only parameters of a plug-in's function with their (literal) defaults."""
    arguments = _arguments(kind, name, function)
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {arg.arg: ast.literal_eval(default) for arg, default in pairs if default}


def code_sha256(*places: str) -> str:
    """SHA-256 over source files, by name and content, of places as dvc.yaml names them."""
    digest = hashlib.sha256()
    for place in places:
        path = PACKAGE.parent / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(
                f"{file.relative_to(path.parent).as_posix()}\0".encode() + file.read_bytes()
            )
    return digest.hexdigest()


def _arguments(kind: str, name: str, function: str) -> ast.arguments:
    """Parameters of a plug-in's function, as written."""
    source = (PACKAGE / kind / f"{name}.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return node.args
    raise LookupError(f"pipeline/{kind}/{name}.py has no function {function}")
