"""TESS: 2800 clips, 2 speakers (women), 7 emotions, 200 words, Canadian English.

Citation: Pichora-Fuller & Dupuis (2020), Toronto emotional speech set (TESS), Borealis,
doi:10.5683/SP2/E8H2MF. Licence: CC BY-NC-ND 4.0. Where: the record of the citation.

Layout: ``OAF_angry/OAF_WORD_angry.wav`` (or ``.flac``) below any nesting of folders; the name holds
speaker (older, younger), the word that ends "Say the word ..." and emotion, of which ``ps`` is
pleasant surprise. One name lacks a letter, ``OA_bite_neutral``, and is read as if it did not. Two
files are AIFF in spite of their names (``YAF_germ_angry``, ``YAF_neat_fear``); ``OAF_food_fear``
has another rate than all others. A well-known re-upload holds every clip twice.

Order: emotion, then name.
"""

import re
from pathlib import Path

from natsort import natsorted

from pipeline.corpora.clip import Clip, Expected, refuse, sound_files

NAME = "TESS"
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
    found, problems = [], []
    for path in sound_files(folder):
        name = MISNAMED.get(path.stem, path.stem)
        match = STEM.fullmatch(name)
        if match is None:
            problems.append(f"{path.name} (wanted a name such as OAF_back_angry.wav)")
            continue
        speaker, word, emotion = match.groups()
        if speaker not in SPEAKERS:
            problems.append(f"{path.name} (speaker {speaker} is none of {', '.join(SPEAKERS)})")
        elif emotion not in EMOTIONS:
            problems.append(f"{path.name} (emotion {emotion} is none of {', '.join(EMOTIONS)})")
        else:
            found.append(
                Clip(
                    clip=name,
                    path=path,
                    speaker=speaker,
                    sex="f",
                    emotion=EMOTIONS[emotion],
                    sentence=word,
                    utterance=f"{speaker}-{word}-{emotion}",
                )
            )
    refuse(folder, problems)
    return natsorted(found, key=lambda clip: (clip.emotion, clip.clip))
