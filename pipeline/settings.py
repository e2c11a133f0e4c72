"""Settings: fields of frozen dataclasses, each with its type, bounds, unit and one line of text.

A record of settings is an ordinary frozen dataclass whose fields are made by `setting`. A field
that is a record itself lends its fields: in params.yaml and on disk they stand in one flat mapping.
`read` makes a record of such a mapping and `flat` the mapping of a record. A record may also have a
method ``check``, for what concerns several fields; it raises InputError, ``field: what is wrong``.

>>> @dataclass(frozen=True)
... class Frames:
...     hop: int = setting(512, "Distance of two frames.", unit="samples", low=1)
>>> @dataclass(frozen=True)
... class Feature:
...     bands: int = setting(40, "How many bands.", low=1)
...     frames: Frames = Frames()
>>> read(Feature, {"hop": 256}, "features.mine")
Feature(bands=40, frames=Frames(hop=256))
>>> read(Feature, {"hop": 0}, "features.mine")
Traceback (most recent call last):
    ...
pipeline.errors.InputError: features.mine.hop: must be at least 1 samples, got 0
"""

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pipeline import text
from pipeline.errors import InputError

Record = TypeVar("Record")
WORDS = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    tuple: "a list",
    dict: "a mapping",
    types.NoneType: "null",
}


@dataclass(frozen=True)
class Bounds:
    """What a setting may be, besides its type: of each item, where it is a list.

    Attributes
    ----------
    doc : str
        What it is: a noun phrase.
    unit : str
        After its numbers; none where they count something.
    low, high : float or None
        Lowest and highest value.
    above, below : float or None
        Values that it stays above and below.
    choices : tuple
        All that it may be; empty where that is not a list.
    """

    doc: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple = ()

    def wanted(self) -> str:
        """The numeric bounds in words, after "must be"; nothing where there are none."""
        words = {"at least": self.low, "above": self.above, "at most": self.high}
        words |= {"below": self.below}
        unit = f" {self.unit}" if self.unit else ""
        shown = {w: f"{v:g}" if isinstance(v, float) else v for w, v in words.items()}
        return " and ".join(f"{w} {v}{unit}" for w, v in shown.items() if v is not None)

    def hold(self, value: Any) -> bool:
        """Whether a number is within the numeric bounds."""
        return (
            (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )


def setting(default: Any = dataclasses.MISSING, doc: str = "", **bounds: Any) -> Any:
    """Make a field of a record of settings.

    Parameters
    ----------
    default
        Its default; a setting without one must be given.
    doc : str
        What it is: a noun phrase. The bounds that follow are fields of `Bounds`.
    """
    metadata = {"bounds": Bounds(doc, **bounds)}
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def fields(kind: type) -> Iterator[tuple[dataclasses.Field, Any]]:
    """Each setting of a record and its type, those of records within it in their place."""
    hints = _hints(kind)
    for field in dataclasses.fields(kind):
        if dataclasses.is_dataclass(hints[field.name]):
            yield from fields(hints[field.name])
        else:
            yield field, hints[field.name]


def read(
    kind: type[Record], line: Any, place: str, base: Record | None = None, **given: Any
) -> Record:
    """Make a record of a mapping: known keys, right types, within bounds.

    Parameters
    ----------
    kind : type
        The record: a frozen dataclass.
    line : mapping
        What params.yaml says.
    place : str
        Its place there, dotted, for messages.
    base : record, optional
        Record whose values hold where the line says nothing; by default the record's defaults.
        After it come values of fields that no line may state.

    Raises
    ------
    InputError
        One line: the place, what was found, what was wanted.
    """
    line = mapping(line, place)
    known = [field.name for field, _ in fields(kind) if field.name not in given]
    for key in line:
        if key not in known:
            raise InputError(f"{place}.{key}: no such key; {text.nearest(str(key), known)}")
    try:
        return _made(kind, line, place, base, given)
    except _WrongError as error:
        raise InputError(f"{place}.{error}") from None


def flat(record: Any) -> dict[str, Any]:
    """One mapping of all settings of a record, those of records within it among them."""
    found: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        found |= flat(value) if dataclasses.is_dataclass(value) else {field.name: value}
    return found


def mapping(value: Any, place: str) -> Mapping:
    """Give a mapping back, or refuse what is none."""
    if not isinstance(value, Mapping):
        raise InputError(f"{place}: wanted a mapping, got {text.shown(value)}")
    return value


def choice(value: Any, known: tuple, place: str) -> Any:
    """Give a value back that is one of the known, or refuse it with the nearest."""
    if value not in known:
        names = tuple("null" if name is None else str(name) for name in known)
        raise InputError(f"{place}: no {text.shown(value)}; {text.nearest(str(value), names)}")
    return value


def typed(value: Any, wanted: Any, place: str) -> Any:
    """Return ``value`` as the wanted type; whole numbers pass for decimals, nothing else bends."""
    if wanted is Any:
        return value
    union = isinstance(wanted, types.UnionType) or typing.get_origin(wanted) is typing.Union
    kinds = typing.get_args(wanted) if union else (wanted,)
    plain = [typing.get_origin(kind) or kind for kind in kinds]
    if tuple in plain and isinstance(value, list | tuple):
        items = typing.get_args(kinds[plain.index(tuple)])  # tuple[str, ...]: of what it is made
        return tuple(typed(item, items[0], place) if items else item for item in value)
    if float in plain and type(value) is int and abs(value) < 2**53:
        return float(value)
    if isinstance(value, bool):
        fits = bool in plain
    elif isinstance(value, float):
        fits = float in plain and math.isfinite(value)
    else:
        fits = isinstance(value, tuple(plain))
    if not fits:
        words = " or ".join(WORDS.get(kind, str(kind)) for kind in plain)
        raise InputError(f"{place}: wanted {words}, got {text.shown(value)}")
    return value


class _WrongError(Exception):
    """A setting that a record refuses; the place is still to be put in front."""


def _made(kind: type, line: Mapping, place: str, base: Any, given: Mapping = {}) -> Any:
    """Make a record, and those within it, of the keys that are its own."""
    values, hints = {}, _hints(kind)
    for field in dataclasses.fields(kind):
        name, held = field.name, base
        if base is None and field.default is not dataclasses.MISSING:
            held = types.SimpleNamespace(**{name: field.default})
        if name in given:
            values[name] = given[name]
        elif dataclasses.is_dataclass(hints[name]):
            inner = None if held is None else getattr(held, name)
            values[name] = _made(hints[name], line, place, inner)
        elif name in line:
            values[name] = _within(field, typed(line[name], hints[name], f"{place}.{name}"), place)
        elif held is not None:
            values[name] = getattr(held, name)
        elif field.default_factory is not dataclasses.MISSING:
            values[name] = field.default_factory()
        else:
            raise InputError(f"{place}.{name}: missing")
    record = kind(**values)
    check: Callable[[], None] | None = getattr(record, "check", None)
    if check is not None:
        try:
            check()
        except InputError as error:
            raise _WrongError(str(error)) from None
    return record


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    """Type of each field of a record."""
    return typing.get_type_hints(kind)


def _within(field: dataclasses.Field, value: Any, place: str) -> Any:
    """Give a value back that is within the bounds of its field."""
    bounds: Bounds = field.metadata.get("bounds", Bounds(""))
    for item in value if isinstance(value, tuple) else (value,):
        if bounds.choices:
            choice(item, bounds.choices, f"{place}.{field.name}")
        number = isinstance(item, int | float) and not isinstance(item, bool)
        if number and not bounds.hold(item):
            raise InputError(f"{place}.{field.name}: must be {bounds.wanted()}, got {item}")
    return value
