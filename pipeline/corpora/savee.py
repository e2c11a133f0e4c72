"""SAVEE: 480 clips, 4 speakers (men), 7 emotions, British English.

Layout: ``AudioData/SPEAKER/ENN.wav`` (or ``.flac``) below any nesting of folders, or, below any
folders, ``SPEAKER_ENN.wav``; speakers are DC, JE, JK and KL, the name holds emotion and sentence.
File names of the first layout collide, so clips are named as in the second. Each emotion has its
own 15 sentences, neutral has 30; the few in several emotions do not show in the numbers.

Order: emotion, then name.
"""

import re
from itertools import product
from pathlib import Path

from pipeline.corpora.clip import Clip, Expected, Source, by_name, one_of
from pipeline.errors import InputError

NAME = "SAVEE"
SOURCE = Source(
    citation=(
        "Haq & Jackson (2010), Multimodal Emotion Recognition, in Machine Audition, IGI Global"
    ),
    licence="free for research after registration",
    address="University of Surrey",
)
EMOTIONS = {
    "a": "angry",
    "d": "disgust",
    "f": "fear",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprise",
}
SPEAKERS = ("DC", "JE", "JK", "KL")
PATH = re.compile(r"(?:.*/)?(?P<speaker>[A-Z]{2})[/_](?P<emotion>[a-z]{1,2})(?P<number>\d\d)")


def expected() -> Expected:
    """Everybody says 15 sentences in each emotion, and 30 neutrally."""
    emotions = {name: 120 if name == "neutral" else 60 for name in EMOTIONS.values()}
    names = frozenset(
        f"{speaker}_{emotion}{number:02}"
        for speaker, emotion, number in product(SPEAKERS, EMOTIONS, range(1, 31))
        if number <= 15 or emotion == "n"
    )
    return Expected(480, emotions, dict.fromkeys(SPEAKERS, 120), names)


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``, by emotion and name.

    Raises
    ------
    InputError
        If the folder is missing or empty, or a path is not SAVEE's.
    """
    return by_name(folder, _clip)


def _clip(path: Path, name: str) -> Clip:
    """One clip, from its path."""
    match = PATH.fullmatch(name)
    if match is None:
        raise InputError("wanted a path such as DC/a01.wav or DC_a01.wav")
    speaker, emotion = one_of("speaker", match[1], SPEAKERS), one_of("emotion", match[2], EMOTIONS)
    sentence = f"{emotion}{match[3]}"
    return Clip(
        clip=f"{speaker}_{sentence}",
        path=path,
        speaker=speaker,
        sex="m",
        emotion=EMOTIONS[emotion],
        sentence=sentence,
        utterance=f"{speaker}-{sentence}",
    )
