"""Which code a stage runs, file by file, found from the imports.

What is compared is code: comments, docstrings and blank lines are left out, so that an edit of them
makes nothing again. What only says how a stage is called (`CALLING`) is left out as well: what it
hands over reaches DVC as params.
"""

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.config.records import Corpus, Run
from pipeline.features.recipes import FeatureRecipe

PACKAGE = Path(__file__).parents[1]
ROOT = PACKAGE.parent
CALLING = (
    "__init__",
    "__main__",
    "commandline",
    "errors",
    "plugins",
    "progress",
    "quiet",
    "settings",
    "text",
)


def modules(stage: str, *records: Any) -> tuple[str, ...]:
    """Modules that a stage runs for records of params.yaml, as `files` takes them.

    >>> modules("demo")
    ('stages.demo',)
    """
    parts: set[str] = set()
    for record in records:
        if isinstance(record, Corpus):
            parsers = {record.parser, *record.settings.get("of", {}).values()}  # of joined corpora
            parts |= {f"corpora.{parser}" for parser in parsers}
        elif isinstance(record, FeatureRecipe):
            inner = getattr(record.settings, "input", None) or {}  # of an embedding
            made = [record.function, *filter(None, [inner.get("function")])]
            parts |= {f"features.{function.partition('.')[0]}" for function in made}
        elif isinstance(record, Run):
            parts.add(f"models.{record.model}")
    return (f"stages.{stage}", *sorted(parts))


def files(*modules: str) -> dict[str, str]:
    """Files that modules run, themselves among them, and the hash of each.

    Modules are named below ``pipeline``, dotted: ``stages.extract``; a package stands for all its
    files.

    Returns
    -------
    dict of str to str
        SHA-256 of the code by path, ``pipeline/stages/extract.py``, sorted. Among them are files
        of other kinds, page templates say, whose folder is named by a module next to it.
    """
    found: set[Path] = set()
    waiting = [path for module in modules for path in _of(f"pipeline.{module}", whole=True)]
    while waiting:
        path = waiting.pop()
        if path not in found and not _calling(path):
            found.add(path)
            waiting += [file for module in _imports(path.read_bytes()) for file in _of(module)]
    found |= {file for path in found for file in _beside(path)}
    return {
        path.relative_to(ROOT).as_posix(): _sha256(path.read_bytes(), path.suffix == ".py")
        for path in sorted(found)
    }


def sha256(*modules: str) -> str:
    """SHA-256 over `files` of modules."""
    return hashlib.sha256(listing(*modules).encode()).hexdigest()


def listing(*modules: str) -> str:
    """Text of `files` of modules: a line for each, its hash and its path."""
    return "".join(f"{code} {path}\n" for path, code in files(*modules).items())


def code_of(source: str) -> str:
    r"""Source without comments, docstrings, blank lines and blanks at the end of lines.

    >>> code_of("'Doc.'\n\nx = 1  # one\n")
    'x = 1'
    """
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            doc = node.body[0]
            for row in range(doc.lineno, (doc.end_lineno or doc.lineno) + 1):
                lines[row - 1] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())


@lru_cache(None)
def _sha256(content: bytes, module: bool) -> str:
    """Hash of the code of a module, or of all bytes of another file."""
    return hashlib.sha256(code_of(content.decode()).encode() if module else content).hexdigest()


def _calling(path: Path) -> bool:
    """Whether a file only says how stages are called."""
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] == "config" or inside.as_posix() in {f"{name}.py" for name in CALLING}


@lru_cache(None)
def _imports(content: bytes) -> tuple[str, ...]:
    """Modules of the package that code imports anywhere, ``from a import b`` as ``a.b``."""
    found = []
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(name for name in found if name.partition(".")[0] == "pipeline")


def _of(module: str, *, whole: bool = False) -> Iterator[Path]:
    """Files that importing a module, or a name out of one, runs; of a whole package all of it."""
    place = PACKAGE
    for part in module.split(".")[1:]:
        if (place / "__init__.py").is_file():
            yield place / "__init__.py"
        if (place / f"{part}.py").is_file():
            yield place / f"{part}.py"
            return
        place /= part
        if not place.is_dir():
            return
    yield from sorted(place.rglob("*.py")) if whole else [place / "__init__.py"]


def _beside(path: Path) -> Iterator[Path]:
    """Files of other kinds next to a module, or in a folder next to it, that its text names."""
    text = path.read_text(encoding="utf-8")
    for near in path.parent.iterdir():
        if f'"{near.name}"' in text and not (near / "__init__.py").exists():
            inside = near.rglob("*") if near.is_dir() else [near]
            yield from (file for file in inside if file.is_file() and file.suffix != ".py")
