"""A stage function becomes a command, and what the user can mend becomes one line.

``command(function)`` reads the function's signature. Paths are positional; a keyword of a type that
params.yaml holds (``protocol: Protocol``) becomes ``--protocol NAME`` and is looked up there, what
it holds once (``runs: dict[str, Run]``, ``engine: Engine``) is handed over unasked; plain keywords
become options. So a stage stays a function of paths and records, and
``ser STAGE --help`` tells what it takes.
"""

import argparse
import importlib
import inspect
import sys
import types
import typing
from collections.abc import Callable

from pipeline.errors import InputError

STAGES = ("demo", "index", "split", "waveforms", "extract", "train", "evaluate", "report")
COMMANDS = {  # by the function of pipeline.commands.FUNCTION that each calls
    "predict": "predict",
    "export": "export",
    "import": "import_weights",
    "verify": "verify",
    "record": "record",
    "check-features": "check_features",
}


def command(function: Callable, arguments: list[str] | None = None, prog: str = "") -> None:
    """Run ``function`` with arguments from the command line; exit 1 with one line if it cannot.

    Parameters
    ----------
    function : callable
        Annotated with ``Path``, ``list[Path]``, ``str``, ``int``, ``bool``, optional forms of
        them, or a record of ``pipeline.config.params``.
    arguments : list of str, optional
        In place of ``sys.argv[1:]``.
    prog : str
        Name shown in the usage line; by default the module's.
    """
    parser = argparse.ArgumentParser(
        prog=prog or f"ser {function.__name__}",
        description=inspect.getdoc(function),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    records = {}
    for name, parameter in inspect.signature(function).parameters.items():
        _add(parser, name, parameter, records)
    values = vars(parser.parse_args(arguments))
    try:
        function(**values | _records(records, values))
    except InputError as error:
        print(f"{prog.removeprefix('ser ') or function.__name__}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def main() -> None:
    """``ser NAME ...``: a stage, or a command, which lies outside the graph of stages."""
    known = {name: f"stages.{name}" for name in STAGES}
    known |= {name: f"commands.{function}" for name, function in COMMANDS.items()}
    if len(sys.argv) < 2 or sys.argv[1] not in known:
        listed = "\n".join(f"  ser {name} --help" for name in known)
        print(f"usage: ser NAME ...\n{listed}", file=sys.stderr)
        sys.exit(0 if sys.argv[1:] in (["--help"], ["-h"]) else 2)
    place = known[sys.argv[1]]
    if sys.argv[1] == "train":
        from pipeline.engine import backend

        backend.with_tunables()
    function = getattr(importlib.import_module(f"pipeline.{place}"), place.partition(".")[2])
    command(function, sys.argv[2:], prog=f"ser {sys.argv[1]}")


def _add(parser: argparse.ArgumentParser, name: str, parameter: inspect.Parameter, records: dict):
    """Give the parser the argument that a parameter of the function asks for."""
    kind, optional = parameter.annotation, parameter.default is not inspect.Parameter.empty
    if isinstance(kind, types.UnionType):
        kind = next(k for k in typing.get_args(kind) if k is not types.NoneType)
    if typing.get_origin(kind) is dict:
        records[name] = typing.get_args(kind)[1].__name__
        return
    if getattr(kind, "__name__", "") == "Engine":
        records[name] = "Engine"
        return
    many = typing.get_origin(kind) is list
    if many:
        kind = typing.get_args(kind)[0]
    settings = {"nargs": "+"} if many else {}
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
        flag = f"--{name.replace('_', '-')}"
        if kind is bool:
            parser.add_argument(flag, action="store_true")
            return
        if getattr(kind, "__module__", "").startswith("pipeline."):
            records[name] = kind.__name__
            kind = str
        settings |= {"required": not optional, "default": parameter.default}
        parser.add_argument(flag, type=kind, metavar=name.upper(), dest=name, **settings)
    else:
        parser.add_argument(name, type=kind, metavar=name.upper(), **settings)


def _records(records: dict[str, str], values: dict) -> dict:
    """Look up named lines of params.yaml; ``{"protocol": "Protocol"}`` is its table protocols."""
    if not records:
        return {}
    from pipeline import text
    from pipeline.config import params

    held = params.load()
    tables = {
        "Engine": "engine",
        "Corpus": "corpora",
        "WaveformRecipe": "waveforms",
        "FeatureRecipe": "features",
        "Protocol": "protocols",
        "Run": "runs",
    }
    found = {}
    for name, kind in records.items():
        table = getattr(held, tables[kind])
        if name not in values:
            found[name] = table
            continue
        if values[name] not in table:
            nearest = text.nearest(values[name], list(table))
            raise InputError(f"params.yaml: {tables[kind]}: no {values[name]!r}; {nearest}")
        found[name] = table[values[name]]
    return found
