"""A corpus of your own in a folder per emotion; nothing is known of who speaks.

Layout: ``<emotion>/**/*.wav``; the folders' names are the emotions. A clip is named by its path
without suffix and with ``-`` for ``/``. To say who speaks, which a fair test needs, use the parser
``table``.

Order: path.
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from pipeline.corpora.clip import Clip, by_path, refuse, sound_files
from pipeline.errors import InputError
from pipeline.order import natural

NAME = "a corpus in folders"
EMOTIONS = set(  # in the languages of the corpora that are read here, and some more
    "anger angry anxiety anxious bored boredom calm contempt disgust disgusted excited excitement "
    "fear fearful frustrated frustration happiness happy joy joyful neutral sad sadness surprise "
    "surprised ang hap neu fea dis sur "
    "wut ärger aerger freude trauer angst ekel langeweile überraschung "
    "rabbia gioia tristezza paura disgusto sorpresa neutrale neutro "
    "ira enojo enfado alegría alegria felicidad tristeza miedo asco "
    "colère colere joie tristesse peur dégoût degout neutre "
    "愤怒 生气 恐惧 害怕 高兴 开心 快乐 悲伤 难过 中性 惊讶 惊奇 厌恶".split()
)
PARTS = set("train training dev devel development val valid validation eval test testing".split())


def expected() -> None:
    """Nothing is known of what a corpus of one's own holds."""


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``, with the name of the outermost folder for its emotion.

    Raises
    ------
    InputError
        If the folder is missing or empty, a sound file is in no folder, all are in one, or the
        folders seem to be of speakers or of training and test.
    """
    files = {path.relative_to(folder).as_posix(): path for path in sound_files(folder)}
    refuse(
        folder,
        (f"{n} (wanted it in a folder named by its emotion)" for n in files if "/" not in n),
    )
    names = by_path(files)
    _check(folder, [name.split("/") for name in files])
    return [
        Clip(clip=names[name], path=files[name], emotion=name.split("/")[0])
        for name in natural(files)
    ]


def _check(folder: Path, parts: list[list[str]]) -> None:
    """Refuse folders that are of speakers, or of training and test, and hold those of emotions."""
    inner: dict[str, set[str]] = {outer: set() for outer, *_ in parts}
    for outer, *rest in parts:
        inner[outer].add(rest[0] if len(rest) > 1 else "")
    if len(inner) == 1:
        raise InputError(
            f"{folder}: all sound is below {min(inner)}; wanted a folder for each emotion, "
            "not nested once more"
        )
    below = Counter(name for names in inner.values() for name in names)
    # the same inner folders within most of the outer ones: one level holds the emotions
    crossed = "" not in below and len(below) > 1 and min(below.values()) >= len(inner) / 2
    deeper = {name for _, *rest in parts for name in rest[:-1]}
    ids = not _numbered(inner) and _numbered(below)  # who speaks, within emotions
    if (
        not PARTS.isdisjoint(outer.casefold() for outer in inner)
        or len(_known(deeper)) > len(_known(inner))
        or (crossed and not _known(inner) and not ids)
    ):
        raise InputError(
            f"{folder}: its folders ({_some(inner)}) seem to be of speakers or of training and "
            f"test, the inner ones ({_some(below)}) of emotions; wanted a folder for each emotion, "
            "speakers within; or list the clips in a table (parser table)"
        )


def _known(names: Iterable[str]) -> set[str]:
    """Names that are words for emotions."""
    return {name for name in names if name.casefold() in EMOTIONS}


def _numbered(names: Iterable[str]) -> bool:
    """Whether all names have digits, as those of speakers and sessions."""
    return all(re.search(r"\d", name) for name in names)


def _some(names: Iterable[str]) -> str:
    """The first few, in order."""
    names = natural(name for name in names if name)
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
