"""The functions that compute features, by name, with the records of their settings."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from pipeline import plugins, settings, text
from pipeline.errors import InputError
from pipeline.lazy import np

GUIDE = "see features/README.md"
WANTED = f"wanted (signals, sample_rate), or these and (settings: RECORD), a dataclass; {GUIDE}"


@dataclass(frozen=True)
class NoSettings:
    """Settings of a function that has none."""


class Function(NamedTuple):
    """A function that computes a feature.

    Attributes
    ----------
    name : str
        ``MODULE.FUNCTION``.
    compute : callable
        Function like `pipeline.features.Feature`, or without settings.
    record : type
        Type of its settings.
    """

    name: str
    compute: Callable[..., Any]
    record: type

    def of(self, signals: np.ndarray, sample_rate: int, settings: Any) -> np.ndarray:
        """Compute the feature of clips.

        Parameters
        ----------
        signals : ndarray, shape (clips, samples), float32
            Mono, full scale 1.0.
        sample_rate : int
            Rate in hertz.
        settings
            Settings, of the type ``record``.

        Returns
        -------
        ndarray, shape (clips, frames, ...), float32

        Raises
        ------
        InputError
            If the function gives another shape.
        """
        given = () if self.record is NoSettings else (settings,)
        values = np.asarray(self.compute(signals, sample_rate, *given))
        if values.ndim < 2 or values.shape[1] == 0 or len(values) != len(signals):
            raise InputError(
                f"{self.name}: of {signals.shape} signals it gives {values.shape} values; wanted "
                f"(clips, frames, ...), one frame or more; {GUIDE}"
            )
        return values.astype(np.float32, copy=False)


@lru_cache
def load(name: str) -> Function:
    """Find a function by its name.

    Parameters
    ----------
    name : str
        ``MODULE.FUNCTION``, of a module in pipeline/features.

    Raises
    ------
    InputError
        If there is none, its module does not import, or it is not one that computes a feature.
    """
    module, _, function = name.partition(".")
    file = f"pipeline/features/{module}.py"
    if module not in plugins.names("features"):
        raise InputError(f"no {name!r}, for there is no {file}; {text.nearest(name, known())}")
    compute = getattr(plugins.load("features", module), function, None)
    if not callable(compute) or isinstance(compute, type):
        raise InputError(f"no {name!r}, a function of {file}; {text.nearest(name, known())}")
    return Function(name, compute, _record(compute, f"{file}: {function}"))


def known() -> list[str]:
    """Names of all functions that compute features, of modules that import."""
    found = []
    for module in plugins.names("features"):
        try:
            names = vars(plugins.load("features", module))
        except InputError:
            continue
        for name, function in names.items():
            own = inspect.isfunction(function) and function.__module__.endswith(f".{module}")
            if own and not name.startswith("_"):
                try:
                    _record(function, name)
                except InputError:
                    continue
                found.append(f"{module}.{name}")
    return found


def _record(compute: Callable, place: str) -> type:
    """Type of a function's settings."""
    try:
        signature = inspect.signature(compute).replace(return_annotation=inspect.Signature.empty)
    except (TypeError, ValueError) as error:
        reason = text.one_line(error)
        raise InputError(f"{place}: its parameters cannot be read ({reason}); {WANTED}") from None
    parameters = list(signature.parameters.values())
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    if len(parameters) not in (2, 3) or any(p.kind not in positional for p in parameters):
        raise InputError(f"{place}: takes {signature}; {WANTED}")
    if len(parameters) == 2:
        return NoSettings
    record = _named(parameters[2].annotation, inspect.unwrap(compute), place)
    if not (isinstance(record, type) and dataclasses.is_dataclass(record)):
        raise InputError(f"{place}: takes {signature}; {WANTED}")
    _check(record, f"{place}: {record.__name__}")
    return record


def _named(annotation: Any, compute: Callable, place: str) -> Any:
    """What an annotation of a function stands for; it may be text."""
    only = types.SimpleNamespace(__annotations__={"settings": annotation})
    try:
        return typing.get_type_hints(only, globalns=getattr(compute, "__globals__", {}))["settings"]
    except (NameError, TypeError, SyntaxError) as error:
        raise InputError(
            f"{place}: its parameters cannot be read ({text.one_line(error)}); {WANTED}"
        ) from None


def _check(record: type, place: str) -> None:
    """Refuse a record with a setting that params.yaml cannot say, or whose default is wrong."""
    try:
        found = list(settings.fields(record))
    except (NameError, TypeError) as error:
        raise InputError(
            f"{place}: its types cannot be read ({text.one_line(error)}); {GUIDE}"
        ) from None
    for field, kind in found:
        union = isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union
        kinds = typing.get_args(kind) if union else (kind,)
        if any((typing.get_origin(one) or one) not in settings.WORDS for one in kinds):
            raise InputError(
                f"{place}.{field.name}: is {inspect.formatannotation(kind)}; wanted int, float, "
                f"str, bool, tuple or dict, or one of them or None; {GUIDE}"
            )
        if field.default is not dataclasses.MISSING:
            settings.typed(field.default, kind, f"{place}.{field.name}")
