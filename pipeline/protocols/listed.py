"""The kind of protocol whose speakers are listed, as other people's tables rest on them.

A list is one file, ``lists/NAME.json``: the ``corpus`` (its parser), ``title``, ``source`` and
``licences``; all ``speakers``; per fold those of ``test`` and of ``validation``, the others train.
``validation`` at the top says whether the listed validation speakers may train instead
(``optional``) or not (``fixed``), or that there are ``none``.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import text
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.lazy import np
from pipeline.order import natural
from pipeline.protocols import groups

if TYPE_CHECKING:
    import pandas as pd

FOLDER = Path(__file__).with_name("lists")


@dataclass(frozen=True)
class SpeakerList:
    """A published list of speakers.

    Attributes
    ----------
    name : str
        Name of its file.
    corpus : str
        Parser of the corpus that it belongs to.
    title, source : str
        What it is, and where it was published.
    licences : tuple of str
        Licences as different places state them.
    validation : str
        ``optional``, ``fixed`` or ``none``.
    speakers : tuple of str
        All speakers of the corpus.
    folds : tuple of dict
        ``{"test": [...], "validation": [...]}`` of speakers.
    """

    name: str
    corpus: str
    title: str
    source: str
    licences: tuple[str, ...]
    validation: str
    speakers: tuple[str, ...]
    folds: tuple[dict[str, list[str]], ...]


def names() -> tuple[str, ...]:
    """Names of all lists."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json")))


def read(name: str) -> SpeakerList:
    """Read a list.

    Parameters
    ----------
    name : str
        One of `names`.
    """
    held = tables.read_json(FOLDER / f"{name}.json")
    known: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in held.items()}
    return SpeakerList(name, **known)


def known(*, list: str, validation: int) -> None:
    """Refuse a list that there is not, or another number of validation speakers than it has."""
    if list not in names():
        raise InputError(f"list: no {list!r}; {text.nearest(list, names())}")
    held = read(list)
    number = len(held.folds[0]["validation"])
    wanted = {"none": None, "fixed": (number,), "optional": (0, number)}[held.validation]
    if wanted is not None and validation not in wanted:
        numbers = " or ".join(map(str, wanted))
        raise InputError(
            f"validation: {list} lists {number} speakers per fold; set it to {numbers}, "
            f"got {validation}"
        )


def listed_speakers(clips: pd.DataFrame, *, list: str, validation: int) -> np.ndarray:
    """Hold out the speakers that a published list names for each fold.

    With ``validation``, those that it lists for that are validation; where it lists none, they are
    chosen as of all kinds. The corpus must have the speakers of the list and no others.
    """
    held, speakers = read(list), groups.known(clips, "speaker")
    missing = natural(set(held.speakers) - set(speakers))
    strange = natural(set(speakers) - set(held.speakers))
    if missing or strange:
        found = [f"no clip is of {', '.join(missing)}"] if missing else []
        found += [f"it does not name {', '.join(strange)}"] if strange else []
        raise InputError(
            f"list: {list} is a list of the speakers of {held.corpus}: "
            + textwrap.shorten("; ".join(found), 120)
            + "; take the whole of that corpus, or another protocol"
        )
    parts = np.full((len(held.folds), len(clips)), "train", dtype=object)
    for part, fold in zip(parts, held.folds, strict=True):
        part[speakers.isin(fold["test"])] = "test"
        if validation:
            part[speakers.isin(fold["validation"])] = "validation"
    if held.validation == "none":
        groups.validate(clips, parts, validation)
    return parts
