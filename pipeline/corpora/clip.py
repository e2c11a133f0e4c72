"""What a corpus parser returns, and what parsers have in common."""

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pipeline.errors import InputError
from pipeline.order import natural

QUOTES = "\"'`\u00b4\u2018\u2019\u201c\u201d "
ALIKE = str.maketrans(  # letters of Cyrillic and Greek that look as Latin ones do
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0456\u0455\u0458\u03bf\u03bd\u03b1\u03c1\u03b9\u03ba",
    "aceopxyisjovapik",
)
INVISIBLE = re.compile(  # letters and marks that show nothing; the others are of category Cf
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


NO_SOUND = "no such sound file"  # of a clip that labels name


@dataclass(frozen=True)
class Clip:
    """One audio file of a corpus, as its name and label files describe it.

    Empty text (or ``None`` for the attributes) where the corpus does not say. ``corpus`` is named
    where several are joined; ``style`` is, say, scripted or improvised; ``partition`` train,
    validation, test, test2 or test3. ``utterance`` is shared by takes of one speaker saying one
    sentence in one emotion and intensity. ``parent`` names the clip that this one was made from by
    augmentation. Attributes are on the corpus's own scale. ``skip`` says why a file of the folder
    does not belong to the corpus; ``absent`` that labels name a file which is not there, and which
    may be meant.
    """

    clip: str
    path: Path
    corpus: str = ""
    speaker: str = ""
    sex: str = ""
    emotion: str = ""
    sentence: str = ""
    session: str = ""
    style: str = ""
    partition: str = ""
    utterance: str = ""
    parent: str = ""
    arousal: float | None = None
    dominance: float | None = None
    valence: float | None = None
    skip: str = ""
    absent: str = ""


@dataclass(frozen=True)
class Source:
    """Where a corpus comes from: how to cite it, under which licence it is, and who has it."""

    citation: str
    licence: str
    address: str


@dataclass(frozen=True)
class Expected:
    """What a whole copy of a corpus holds; files that are skipped are not among them.

    ``emotion`` and ``speaker`` count the clips of each (empty where not known); ``names`` are the
    clips' where the corpus names them by a rule.
    """

    clips: int
    emotion: dict[str, int]
    speaker: dict[str, int]
    names: frozenset[str] = frozenset()


def sound_files(folder: Path) -> list[Path]:
    """Sound files at any depth, in sorted order, links followed.

    Raises
    ------
    InputError
        If the folder is missing or holds none.
    """
    from pipeline.files import audio  # slow, and reading params.yaml has no need of it

    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; put the corpus there, or a link to it")
    found = audio.below(folder)
    if not found:
        raise InputError(f"{folder}: holds no sound files ({audio.SHOWN}); copy the corpus there")
    return found


def by_path(names: Iterable[str]) -> dict[str, str]:
    """Name clips by their paths within the corpus: ``a/b.wav`` is ``a-b``.

    Where ``a/b.wav`` and ``a-b.wav`` would have one name, their paths are their names.
    """
    plain = {name: PurePosixPath(name).with_suffix("") for name in names}
    joined = {name: "-".join(path.parts) for name, path in plain.items()}
    first: dict[str, PurePosixPath] = {}
    twice = {
        joined[name] for name in plain if first.setdefault(joined[name], plain[name]) != plain[name]
    }
    return {name: str(plain[name]) if joined[name] in twice else joined[name] for name in plain}


def by_name(folder: Path, read: Callable[[Path, str], Clip]) -> list[Clip]:
    """Clips of a corpus whose paths say all of them, by emotion and name.

    Parameters
    ----------
    folder : Path
        The corpus.
    read : callable
        Makes a clip of a sound file and its path within the corpus without suffix, ``a/b/name``;
        raises InputError with what is wrong.

    Returns
    -------
    list of Clip

    Raises
    ------
    InputError
        If the folder is missing or empty, or paths do not parse.
    """
    found, problems = [], []
    for path in sound_files(folder):
        name = path.relative_to(folder).as_posix()
        try:
            found.append(read(path, name.removesuffix(path.suffix)))
        except InputError as error:
            problems.append(f"{name} ({error})")
    refuse(folder, problems)
    return natural(found, key=lambda clip: (clip.emotion, clip.clip))


def seen(word: str) -> str:
    """Give a label as people see it: those that are two by mistake become one.

    >>> seen("Very_happy "), seen("very  happy"), seen("01.0"), seen("-1")
    ('very happy', 'very happy', '1', '-1')
    """
    plain = unicodedata.normalize("NFKC", word).casefold().translate(ALIKE).strip(QUOTES)
    plain = re.sub(r"(?<=\w)[-_](?=\w)", " ", INVISIBLE.sub("", plain))
    plain = " ".join(
        "".join(sign for sign in plain if unicodedata.category(sign) not in ("Cc", "Cf")).split()
    )
    number = re.fullmatch(r"([+-]?)0*(\d+?)(\.0*)?", plain)
    return number[1] + number[2] if number else plain


def one_of(what: str, value: str, known: Collection[str]) -> str:
    """Give a part of a name back if it is known.

    Raises
    ------
    InputError
        If it is not.
    """
    if value not in known:
        raise InputError(f"{what} {value} is none of {', '.join(known)}")
    return value


def refuse(folder: Path, problems: Iterable[str]) -> None:
    """Raise one line for all names that do not parse; say nothing when there are none."""
    problems = list(problems)
    if problems:
        shown = "; ".join(problems[:3]) + ("; ..." if len(problems) > 3 else "")
        raise InputError(
            f"{folder}: {len(problems)} files do not belong: {shown}; rename or remove them"
        )
