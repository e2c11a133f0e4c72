"""Several corpora as one: to train on all, or on some and test on another.

Layout: a folder per corpus, each as its parser wants it; the setting ``of`` names the parser of
each: ``of: {emodb: emodb, studio: table}``. Parsers run with their default settings. DVC does not
look into folders that are links within a folder, and would not notice a change, so they are
refused: ``cp -rsL "$PWD/raw_data/emodb" raw_data/joined/emodb`` makes folders with a link for each
file, which takes no space and which DVC follows; make it again when the corpus gains files.

``corpus`` is the folder's name, which also stands before names of clips, speakers, sentences,
sessions, utterances and parents (``emodb-03a01Wa``): nobody speaks in two corpora. Emotions keep
each corpus's own words and attributes its own scale.

Order: of ``of``, then as each corpus has it.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from pipeline import corpora, text
from pipeline.corpora.clip import Clip, Expected, refuse, sound_files
from pipeline.errors import InputError

NAME = "the joined corpus"
OWN = ("clip", "speaker", "sentence", "session", "utterance", "parent")


def expected(*, of: Mapping[str, str] = {}) -> Expected | None:
    """What the corpora hold together, where it is known of all.

    Parameters
    ----------
    of : mapping of str to str
        Folder to parser.

    Raises
    ------
    InputError
        If it names no corpus, a folder by a bad name, or a parser that there is not.
    """
    _check(of)
    found = {name: corpora.parser(parser).expected() for name, parser in of.items()}
    parts = {name: part for name, part in found.items() if part is not None}
    if len(parts) < len(found):
        return None
    known = parts.values()
    emotions = sum((Counter(part.emotion) for part in known), Counter())
    speakers = {f"{n}-{who}": c for n, part in parts.items() for who, c in part.speaker.items()}
    names = {f"{name}-{clip}" for name, part in parts.items() for clip in part.names}
    return Expected(
        sum(part.clips for part in known),
        dict(emotions) if all(part.emotion for part in known) else {},
        speakers if all(part.speaker for part in known) else {},
        frozenset(names if all(part.names for part in known) else ()),
    )


def clips(folder: Path, *, of: Mapping[str, str] = {}) -> list[Clip]:
    """Clips of all corpora, one corpus after the other.

    Parameters
    ----------
    folder : Path
        Holds a folder per corpus.
    of : mapping of str to str
        Folder to parser.

    Returns
    -------
    list of Clip
        Each says of which corpus it is.

    Raises
    ------
    InputError
        If the folder is missing or empty, ``of`` names no corpus or a parser that there is not, a
        corpus is missing or a link, a sound file is in none, or a parser refuses its corpus.
    """
    files = sound_files(folder)
    _check(of)
    for name in of:
        if (folder / name).is_symlink():
            raise InputError(
                f"{folder / name}: a link to a folder, in which DVC would not notice a change; "
                "copy it, or make links to its files: cp -rsL FROM TO, FROM beginning with /"
            )
    inside = [path.relative_to(folder) for path in files]
    outside = [path.as_posix() for path in inside if path.parts[0] not in of]
    refuse(folder, [f"{name} (of joins {', '.join(of)})" for name in outside])
    found = []
    for name, parser in of.items():
        for clip in corpora.parser(parser).clips(folder / name):
            own = {field: getattr(clip, field) for field in OWN}
            named = {field: f"{name}-{value}" for field, value in own.items() if value}
            found.append(dataclasses.replace(clip, corpus=name, **named))
    return found


def _check(of: Mapping[str, str]) -> None:
    """Refuse a join of nothing, folders of bad names, and parsers that there are not."""
    if not of:
        raise InputError("of: names no corpus; wanted {folder: parser, ...}")
    known = tuple(name for name in corpora.names() if name != "joined")
    for name, parser in of.items():
        if not isinstance(name, str) or not re.fullmatch(r"\w[\w-]*", name):
            raise InputError(f"of: {name!r} is no name; wanted letters, digits, _, -")
        if parser not in known:
            raise InputError(f"of.{name}: no parser {parser!r}; {text.nearest(parser, known)}")
