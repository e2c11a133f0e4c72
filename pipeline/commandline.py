"""``ser NAME ...``: one table of all stages and commands, and what a function becomes on it.

A stage is a function of paths and of records of params.yaml; its signature and its docstring are
its command line. Paths are positional, keywords are options. A keyword annotated with a record that
params.yaml holds by name (``protocol: Protocol``) is ``--protocol NAME`` and is looked up there;
what params.yaml holds once (``engine: Engine``), or a whole table (``runs: dict[str, Run]``), is
handed over unasked. cyclopts does the rest: types, defaults, choices (``Literal``), completion, and
the help of each option from the section Parameters of the docstring.

Exit status 0: done; 1: what the user can mend, in one line (`InputError`); 2: a wrong command line;
130: interrupted.
"""

import importlib
import inspect
import logging
import os
import sys
import time
import typing
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import docstring_parser
from cyclopts import App, Group, Parameter
from cyclopts.exceptions import CycloptsError, UnknownCommandError

from pipeline import text
from pipeline.errors import InputError, refused_by_system

# What is listed is the first line of each function's docstring; listing imports no function.
STAGES = {
    "check": "Check params.yaml, and list what makes each thing.",
    "demo": "Write the synthetic demo corpus.",
    "index": "List and check every clip of a corpus.",
    "split": "Divide clips into folds, and certify what leaks.",
    "waveforms": "Write one waveform per usable clip, and its copies.",
    "extract": "Write one feature tensor per clip.",
    "train": "Train the model of a run on every fold of its protocol.",
    "evaluate": "Predict and score the test clips of every fold.",
    "report": "Write the page, the summary, tables and cards over all runs.",
}
COMMANDS = {
    "predict": "Name the emotion or the attributes of sound files.",
    "export": "Write the model of a fold as TFLite or ONNX files.",
    "import": "Make a bundle of a published checkpoint.",
    "plan": "Show what dvc repro would run, and why.",
    "progress": "Show where the training of a run stands.",
    "test-on": "Test a trained bundle on other corpora.",
    "compare": "Compare two runs, two revisions, or a run with its paper.",
    "verify": "Train the first epochs of a run again, and compare.",
    "vectors": "Write what a run's networks make of held-out clips.",
    "mistakes": "Write a page on which a run's surest mistakes can be played.",
    "record": "Keep the results of a run, with what made them.",
    "check-features": "Compute some features again from raw audio, and compare.",
    "licences": "List the packages of the lock file with their licences.",
}
# of other names
MODULES = {"import": "import_weights", "check-features": "check_features", "test-on": "across"}

GROUPS = (
    Group("Stages, which dvc repro calls in this order", sort_key=1),
    Group("Commands, which you call", sort_key=2),
    Group("Everywhere", sort_key=3),
)
# Of every command: (name, flags, help).
LOUDNESS = (
    ("quiet", ("--quiet", "-q"), "No progress, only answers and errors."),
    ("verbose", ("--verbose", "-v"), "Also messages of libraries, the time taken, tracebacks."),
)
LISTED = "What check listed for this stage, which must be what it is given and its code."
log = logging.getLogger("pipeline")


def main() -> None:
    """``ser NAME ...``: a stage, or a command, which lies outside the graph of stages."""
    try:
        _main(sys.argv[1:])
    except (OSError, MemoryError) as error:  # of an import
        _end_refused("ser", error)


def _main(arguments: list[str]) -> None:
    if arguments[:1] == ["train"]:
        from pipeline.engine import backend

        backend.with_tunables()
    if arguments[:1] == ["__complete"]:  # a shell asks for NAME, or for what NAME takes
        called = arguments[1:2]
    elif "--install-completion" in arguments:
        called = [*STAGES, *COMMANDS]
    else:
        called = arguments[:1]
    _run(ser(called), arguments, "ser")


def command(function: Callable, arguments: list[str] | None = None, prog: str = "") -> None:
    """Run one function with arguments from the command line.

    Parameters
    ----------
    function : callable
        Annotated with ``Path``, ``list[Path]``, ``str``, ``int``, ``float``, ``bool``, ``Literal``,
        optional forms of them, or records of params.yaml.
    arguments : list of str, optional
        Arguments in place of ``sys.argv[1:]``.
    prog : str
        Name shown in the usage line; by default ``ser`` and the function's name.
    """
    prog = prog or f"ser {function.__name__}"
    app = _app(prog, version_flags=())
    app.default(_called(function))
    _run(app, sys.argv[1:] if arguments is None else arguments, prog)


def ser(called: Sequence[str] = ()) -> App:
    """Make the table of stages and commands.

    Parameters
    ----------
    called : sequence of str
        Names whose modules are imported, so that they can run; the others can be listed.
    """
    app = _app("ser", version=lambda: f"ser-pipeline {metadata.version('ser-pipeline')}")
    app["--help"].group = app["--version"].group = GROUPS[2]
    places = [("stages", GROUPS[0], STAGES), ("commands", GROUPS[1], COMMANDS)]
    for folder, group, names in places:
        for place, (name, line) in enumerate(names.items()):
            one = _app(name, help=line, group=group, sort_key=place, version_flags=())
            if name in called:
                module = MODULES.get(name, name)
                found = importlib.import_module(f"pipeline.{folder}.{module}")
                one.help = None  # its docstring
                one.default(_called(getattr(found, module)))
            app.command(one)
    app.register_install_completion_command(
        "--install-completion", help="Let the shell complete names and options.", group=GROUPS[2]
    )
    return app


def _app(name: str, **settings: Any) -> App:
    """Make an app in the style of this house."""
    return App(name, help_format="plaintext", **settings)


def _run(app: App, arguments: list[str], prog: str) -> None:
    """Run an app; end the process with a status where it cannot."""
    if len(arguments) and prog == "ser" and arguments[0] in {*STAGES, *COMMANDS}:
        prog = f"ser {arguments[0]}"
    name = prog.removeprefix("ser ")
    # cyclopts takes a lone -, standard input, for an option; as a path ./- is the same
    arguments = ["./-" if given == "-" else given for given in arguments]
    try:
        app(arguments, print_error=False, exit_on_error=False, result_action="return_value")
        sys.stdout.flush()
    except UnknownCommandError as error:
        wrong = (error.unused_tokens or [""])[0]
        kind, known = "command", [*STAGES, *COMMANDS]
        if wrong.startswith("-"):
            kind, known = "option", ["--help", "--version", "--install-completion"]
        _end(2, f"{name}: no {kind} {wrong!r}; {text.nearest(wrong, known)}")
    except CycloptsError as error:
        error.verbose = False
        _end(2, f"{name}: {' '.join(str(error).split())} See {prog} --help.")
    except InputError as error:
        _end(1, f"{name}: {error}")
    except Exception as error:
        _end_refused(name, error)


def _end_refused(name: str, error: BaseException) -> None:
    """End with one line if the system refused something; any other error is ours, and raised."""
    if isinstance(error, BrokenPipeError) and error.filename is None:  # ser ... | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    if refusal := refused_by_system(error):
        _end(1, f"{name}: {refusal}")
    raise error


def _end(status: int, message: str) -> None:
    """End with a line, whatever names are in it."""
    print(text.printable(message), file=sys.stderr)
    sys.exit(status)


def _called(function: Callable) -> Callable:
    """Give a function of what stands on the command line, which calls one of paths and records."""
    given = inspect.signature(function, eval_str=True).parameters
    by_name, whole = _tables() if any(map(_is_record, given.values())) else ({}, {})
    summary, explained = _docstring(function)
    parameters, looked_up, handed_over = [], {}, {}
    for name, parameter in given.items():
        kind = parameter.annotation
        if kind in whole:
            handed_over[name] = whole[kind]
            continue
        if kind in by_name:
            looked_up[name] = by_name[kind]
            parameter = parameter.replace(annotation=str)
        parameters.append(_on_the_line(parameter, explained.get(name), looked_up.get(name)))
    positional = [one.name for one in parameters if one.kind is one.POSITIONAL_ONLY]

    def called(
        *values: Any,
        quiet: bool = False,
        verbose: bool = False,
        listed: Path | None = None,
        **options: Any,
    ) -> None:
        with _loudness(quiet, verbose):
            options |= dict(zip(positional, values, strict=False))  # some may be left out
            records = _records(options, looked_up, handed_over)
            with _refused(function, records, listed):
                function(**options | records)

    only = inspect.Parameter.KEYWORD_ONLY

    for name, flags, line in LOUDNESS:
        settings = {"negative": (), "show_default": False, "group": GROUPS[2]}
        kind = Annotated[bool, Parameter(name=flags, help=line, **settings)]
        parameters.append(inspect.Parameter(name, only, default=False, annotation=kind))
    if function.__module__.startswith("pipeline.stages.") and function.__name__ != "check":
        kind = Annotated[Path | None, Parameter(help=LISTED, metavar="PATH", group=GROUPS[2])]
        parameters.append(inspect.Parameter("listed", only, default=None, annotation=kind))
    called.__signature__ = inspect.Signature(parameters)
    called.__annotations__ = {}  # else they hide those of the signature
    called.__name__, called.__doc__ = function.__name__, summary
    return called


def _docstring(function: Callable) -> tuple[str, dict[str, str]]:
    """Text of a docstring before its sections, and what it says of each parameter; no markup."""
    doc = (inspect.getdoc(function) or "").replace("``", "")
    parsed = docstring_parser.parse(doc, docstring_parser.DocstringStyle.NUMPYDOC)
    paragraphs = [parsed.short_description, *(parsed.long_description or "").split("\n\n")]
    explained = {
        name: " ".join((one.description or "").split())
        for one in parsed.params
        for name in one.arg_name.split(", ")
    }
    return "\n\n".join(" ".join(part.split()) for part in paragraphs if part), explained


def _is_record(parameter: inspect.Parameter) -> bool:
    """Whether a parameter takes something of params.yaml: ``Run``, ``dict[str, Run]``."""
    kind = parameter.annotation
    kinds = [kind, *typing.get_args(kind)]
    return any(getattr(kind, "__module__", "").startswith("pipeline.") for kind in kinds)


def _tables() -> tuple[dict, dict]:
    """Keys of params.yaml: by the record that a table of it holds, and by the whole's type."""
    from pipeline.config.params import Params

    whole = {kind: key for key, kind in typing.get_type_hints(Params).items()}
    tables = {kind: key for kind, key in whole.items() if typing.get_origin(kind) is dict}
    return {typing.get_args(kind)[1]: key for kind, key in tables.items()}, whole


def _on_the_line(
    parameter: inspect.Parameter, explained: str | None, table: str | None
) -> inspect.Parameter:
    """Lay out one parameter: keywords are options, all else is positional."""
    option = parameter.kind is parameter.KEYWORD_ONLY
    many = typing.get_origin(parameter.annotation) is list or any(
        typing.get_origin(kind) is list for kind in typing.get_args(parameter.annotation)
    )
    settings = Parameter(
        help=explained,
        metavar="NAME" if table else None,
        show_default=bool(parameter.default),  # None, "", False: the help says what that means
        negative=(),
        consume_multiple=(1, None) if option and many else None,
        completer=partial(_names, table) if table else None,
    )
    kind = parameter.KEYWORD_ONLY if option else parameter.POSITIONAL_ONLY
    return parameter.replace(kind=kind, annotation=Annotated[parameter.annotation, settings])


def _names(table: str, context: Any = None) -> list[str]:
    """Names that a table of params.yaml holds."""
    from pipeline.config import params

    return list(getattr(params.load(), table))


def _records(given: dict, looked_up: dict[str, str], handed_over: dict[str, str]) -> dict:
    """Records by the names given for them, and what is handed over unasked."""
    if not looked_up and not handed_over:
        return {}
    from pipeline.config import params

    held = params.load()
    found = {name: getattr(held, key) for name, key in handed_over.items()}
    for name, key in looked_up.items():
        table, wanted = getattr(held, key), given[name]
        if wanted not in table:
            raise InputError(
                f"params.yaml: {key}: no {wanted!r}; {text.nearest(wanted, list(table))}"
            )
        found[name] = table[wanted]
    return found


def _refused(function: Callable, records: dict, listed: Path | None) -> AbstractContextManager:
    """Refuse the start and the end of a stage if other records or code are listed for it."""
    if listed is None:
        return nullcontext()
    from pipeline.config import listings

    return listings.refused(function.__name__, records, listed)


@contextmanager
def _loudness(quiet: bool, verbose: bool) -> Iterator[None]:
    """Let the log of the package reach the terminal, as far as it is asked for."""
    handler, level = logging.StreamHandler(), log.level  # writes to stderr
    log.addHandler(handler)
    log.setLevel(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)
    begun = time.monotonic()
    try:
        yield
    except (InputError, OSError, MemoryError):
        log.debug("where it was found:", exc_info=True)
        raise
    finally:
        log.debug("took %s", text.duration(time.monotonic() - begun))
        log.setLevel(level)
        log.removeHandler(handler)
