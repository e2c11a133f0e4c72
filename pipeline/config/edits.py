"""What a stage was given, read again at its end.

DVC records what params.yaml says when a stage ends, and not what the stage was given when it began.
So a stage whose line or code was edited meanwhile must fail, or its results pass for another
line's.
"""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pipeline import text
from pipeline.config import code
from pipeline.config.records import Engine
from pipeline.errors import InputError

SHOWN = 3  # so many differences are named


@contextmanager
def refused(stage: str, given: Callable[[], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give what a stage is given of params.yaml; refuse its end if that or its code was edited.

    Parameters
    ----------
    stage : str
        Its name, ``train``.
    given : callable
        Reads the records that it is given, by the name of the parameter.

    Raises
    ------
    InputError
        At the end, if the records are others than at the start, or the code is; comments and
        docstrings do not count, nor does what only says where something is computed.
    """
    records = given()
    modules = code.modules(stage, *records.values())
    before, files = dict(_leaves(records)), code.files(*modules)
    yield records
    after = dict(_leaves(given()))
    edited = [key for key in before | after if before.get(key) != after.get(key)]
    if edited:
        changes = [
            f"{key} is {text.shown(after.get(key))}, was {text.shown(before.get(key))}"
            for key in edited[:SHOWN]
        ]
        raise InputError(_message("params.yaml", stage, changes, len(edited)))
    if now := set(files.items()) ^ set(code.files(*modules).items()):
        paths = sorted({path for path, _ in now})
        raise InputError(_message("the code", stage, paths[:SHOWN], len(paths)))


def _message(edited: str, stage: str, changes: list[str], count: int) -> str:
    more = f" and {count - len(changes)} more" if count > len(changes) else ""
    said = f"{', '.join(changes)}{more}"
    return f"{edited} was edited while {stage} ran: {said}; run dvc repro again"


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting within records and its place, ``run.training.epochs``."""
    if isinstance(value, Engine):  # the rest says where it is computed, and how much at once
        value = {"backend": value.backend, "folds": value.folds} if "." in place else {}
    if dataclasses.is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}.{key}" if place else key)
    else:
        yield place, value
