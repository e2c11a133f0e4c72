"""Corpora, features and models, found by file name and read without importing them.

A file in ``pipeline/corpora``, ``pipeline/features`` or ``pipeline/models`` is its own
registration. What a function takes by default, and what a module states as literal constants, is
read from the source, so that checking params.yaml costs no import of TensorFlow.
"""

import ast
import hashlib
import importlib
import traceback
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline import text
from pipeline.errors import InputError

PACKAGE = Path(__file__).parent
SHARED = {  # parts of plug-ins, not plug-ins
    *("__init__", "clip", "layers"),
    *("augmentation", "deltas", "framing", "functions", "levels", "recipes", "resampling"),
    "transform",
}


def names(kind: str) -> list[str]:
    """Names of the plug-ins of a kind (``"corpora"``, ``"features"``, ``"models"``), sorted."""
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
    try:
        return importlib.import_module(f"pipeline.{kind}.{name}")
    except Exception as error:  # whatever a file that a user writes may raise
        lines = [
            f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)
        ]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or [0])[-1]
        reason = f"{type(error).__name__}: {text.one_line(error)}"
        raise InputError(
            f"pipeline/{kind}/{name}.py: does not import, line {line}: {reason}"
        ) from error


def constant(kind: str, name: str, constant: str) -> Any:
    """Value of a literal constant that a plug-in states at its top level."""
    for node in _source(kind, name).body:
        if isinstance(node, ast.Assign) and any(_is_name(t, constant) for t in node.targets):
            return ast.literal_eval(node.value)
    raise LookupError(f"pipeline/{kind}/{name}.py states no {constant}")


def defaults(kind: str, name: str, function: str) -> dict[str, Any]:
    """Keyword-only parameters of a plug-in's function with their (literal) defaults."""
    arguments = _arguments(kind, name, function)
    pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {arg.arg: ast.literal_eval(default) for arg, default in pairs if default}


def nullable(kind: str, name: str, function: str) -> dict[str, type]:
    """Types of a plug-in's keyword-only parameters whose annotation allows ``None`` as well."""
    found = {}
    for arg in _arguments(kind, name, function).kwonlyargs:
        kinds = ast.unparse(arg.annotation).split(" | ") if arg.annotation else []
        if "None" in kinds:
            found[arg.arg] = {"int": int, "float": float, "str": str}[kinds[0]]
    return found


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


@lru_cache
def _source(kind: str, name: str) -> ast.Module:
    """Parsed source of a plug-in."""
    return ast.parse((PACKAGE / kind / f"{name}.py").read_text(encoding="utf-8"))


def _arguments(kind: str, name: str, function: str) -> ast.arguments:
    """Parameters of a plug-in's function, as written."""
    for node in _source(kind, name).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return node.args
    raise LookupError(f"pipeline/{kind}/{name}.py has no function {function}")


def _is_name(node: ast.expr, name: str) -> bool:
    """Whether an assignment target is the plain name ``name``."""
    return isinstance(node, ast.Name) and node.id == name
