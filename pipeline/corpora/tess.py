"""TESS: 2800 clips, 2 speakers (women), 7 emotions, 200 words, Canadian English.

Layout: ``OAF_angry/OAF_WORD_angry.wav`` (or ``.flac``) below any nesting of folders; the name holds
speaker (older, younger), the word that ends "Say the word ..." and emotion, of which ``ps`` is
pleasant surprise. One name lacks a letter, ``OA_bite_neutral``, and is read as if it did not. Two
files are AIFF in spite of their names (``YAF_germ_angry``, ``YAF_neat_fear``); ``OAF_food_fear``
has another rate than all others. A well-known re-upload holds every clip twice.

Order: emotion, then name.
"""

import re
from pathlib import Path

from pipeline.corpora.clip import Clip, Expected, Source, by_name, one_of
from pipeline.errors import InputError

NAME = "TESS"
SOURCE = Source(
    citation=(
        "Pichora-Fuller & Dupuis (2020), Toronto emotional speech set (TESS), Borealis, "
        "doi:10.5683/SP2/E8H2MF"
    ),
    licence="CC BY-NC-ND 4.0",
    address="the record of the citation",
)
EMOTIONS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sad",
}
SPEAKERS = ("OAF", "YAF")
MISNAMED = {"OA_bite_neutral": "OAF_bite_neutral"}
STEM = re.compile(r"([A-Z]+)_([a-z]+)_([a-z]+)")


def expected() -> Expected:
    """Both say every word once in every emotion."""
    return Expected(2800, dict.fromkeys(EMOTIONS.values(), 400), dict.fromkeys(SPEAKERS, 1400))


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``, by emotion and name.

    Raises
    ------
    InputError
        If the folder is missing or empty, or a file name is not TESS's.
    """
    return by_name(folder, _clip)


def _clip(path: Path, name: str) -> Clip:
    """One clip, from its name."""
    stem = MISNAMED.get(path.stem, path.stem)
    match = STEM.fullmatch(stem)
    if match is None:
        raise InputError("wanted a name such as OAF_back_angry.wav")
    speaker, emotion = one_of("speaker", match[1], SPEAKERS), one_of("emotion", match[3], EMOTIONS)
    return Clip(
        clip=stem,
        path=path,
        speaker=speaker,
        sex="f",
        emotion=EMOTIONS[emotion],
        sentence=match[2],
        utterance=f"{speaker}-{match[2]}-{emotion}",
    )
