"""The corpora: a file each, and what such a file must hold.

That ``pipeline/corpora/NAME.py`` is there makes a parser known; no list is edited. What it states:

``NAME``
    The corpus in messages, ``"EMO-DB"``.
``clips(folder)``
    The clips (`clip.Clip`) of a folder, in the corpus's documented order; InputError where a name
    or label does not parse. Its keywords, each with a type and a default, are settings: keys of a
    line of ``corpora`` in params.yaml.
``SOURCE``
    Citation, licence and address (`clip.Source`), which the reports repeat. It may be left out.
``expected()``
    What a whole copy holds (`clip.Expected`), with the same keywords as ``clips``; None where that
    is not known. It may be left out.

``raw_data/README.md`` has a complete example.
"""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

from pipeline import plugins, text
from pipeline.corpora.clip import Clip, Expected, Source
from pipeline.errors import InputError

GUIDE = "see raw_data/README.md"


class Clips(Protocol):
    """The function ``clips`` of a parser."""

    def __call__(self, folder: Path, /, **settings: Any) -> list[Clip]:
        """List the clips below a folder.

        Parameters
        ----------
        folder : Path
            The corpus as its distributor ships it.
        settings
            Keywords of the parser.

        Raises
        ------
        InputError
            If the folder is missing or empty, or a name or label does not parse.
        """
        ...


@dataclass(frozen=True)
class Parser:
    """What the file of a corpus states.

    Attributes
    ----------
    name : str
        The corpus in messages.
    clips : Clips
    expected : callable
        Gives what a whole copy holds with these settings, or None.
    source : Source or None
        None of the user's own sound.
    settings : dict of str to (type, default)
        Keywords of ``clips``.
    """

    name: str
    clips: Clips
    expected: Callable[..., Expected | None]
    source: Source | None
    settings: dict[str, tuple[Any, Any]]


def names() -> list[str]:
    """Names of all parsers, sorted."""
    return plugins.names("corpora")


def parser(name: str) -> Parser:
    """Give what the file of a corpus states, checked.

    Raises
    ------
    InputError
        One line, if there is no such parser, its file cannot be imported, or what it must state is
        missing or wrong.
    """
    module, file = plugins.load("corpora", name), f"pipeline/corpora/{name}.py"
    called, clips = getattr(module, "NAME", None), getattr(module, "clips", None)
    source = getattr(module, "SOURCE", None)
    expected = getattr(module, "expected", None) or _unknown
    if not isinstance(called, str) or not called:
        raise InputError(f"{file}: wanted NAME, a text; {GUIDE}")
    if not isinstance(source, Source | None):
        raise InputError(f"{file}: wanted SOURCE, a Source, or none; {GUIDE}")
    if not callable(clips):
        raise InputError(f"{file}: wanted a function clips(folder); {GUIDE}")
    settings = _settings(clips, f"{file}: clips")
    try:
        inspect.signature(expected).bind(**dict.fromkeys(settings))
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{file}: expected: wanted the keywords of clips, but {text.one_line(error)}; {GUIDE}"
        ) from None
    return Parser(called, cast(Clips, clips), expected, source, settings)


def sources(name: str, settings: Mapping[str, Any]) -> list[dict[str, str]]:
    """Give the sources of a corpus, or of those that it joins; none of those that state none.

    Parameters
    ----------
    name : str
        Name of the parser.
    settings : mapping
        Settings of the parser.

    Returns
    -------
    list of dict
        ``name, citation, licence, address``, each corpus once.
    """
    parsers = [parser(one) for one in dict.fromkeys(settings.get("of", {name: name}).values())]
    return [{"name": one.name, **vars(one.source)} for one in parsers if one.source is not None]


def _settings(clips: Callable, place: str) -> dict[str, tuple[Any, Any]]:
    """Type and default of each setting of a parser: of ``clips``, what is given by keyword."""
    try:
        hints = typing.get_type_hints(clips)
        parameters = [*inspect.signature(clips).parameters.values()]
    except (NameError, TypeError, ValueError) as error:
        reason = text.one_line(error)
        raise InputError(f"{place}: its parameters cannot be read ({reason}); {GUIDE}") from None
    keywords = [one for one in parameters if one.kind is one.KEYWORD_ONLY]
    if len(parameters) - len(keywords) != 1 or parameters[0].kind is parameters[0].VAR_POSITIONAL:
        raise InputError(
            f"{place}: takes {inspect.signature(clips)}; wanted (folder), and settings by keyword: "
            f"(folder, *, song: bool = False); {GUIDE}"
        )
    for one in keywords:
        if one.name not in hints or one.default is one.empty:
            raise InputError(f"{place}: {one.name}: wanted a type and a default; {GUIDE}")
    return {one.name: (hints[one.name], one.default) for one in keywords}


def _unknown(**_: Any) -> None:
    """Nothing is known of what a whole copy holds."""
