"""CREMA-D: 7442 clips, 91 actors, 6 emotions, 12 sentences, American English.

Layout: ``AudioWAV/ACTOR_SENTENCE_EMOTION_LEVEL.wav`` (or ``.flac``) below any nesting of folders;
actors are 1001 to 1091, levels LO, MD, HI and XX (not said). The sentence IEO has the three levels,
the others and all neutral clips have XX. 20 clips of the scheme were never given out. One name
lacks a letter, ``1040_ITH_SAD_X``, and is read as if it did not. ``1076_MTI_SAD_XX`` is silent.
Three pairs are one recording under two labels: ``1006_TIE_HAP_XX`` and ``NEU``, ``1013_WSI_DIS_XX``
and ``SAD``, ``1017_IWW_ANG_XX`` and ``FEA``. Clones without git LFS hold pointers instead of sound.
The emotion is the one that the actor was asked for.

Order: emotion, then name.
"""

import re
from pathlib import Path

from pipeline.corpora.clip import Clip, Expected, Source, by_name, one_of
from pipeline.errors import InputError

NAME = "CREMA-D"
SOURCE = Source(
    citation=(
        "Cao, Cooper, Keutmann, Gur, Nenkova & Verma (2014), CREMA-D: Crowd-sourced Emotional "
        "Multimodal Actors Dataset, IEEE Transactions on Affective Computing 5(4)"
    ),
    licence="ODbL 1.0",
    address="the authors' git repository, with git LFS",
)
EMOTIONS = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}
SENTENCES = "DFA IEO IOM ITH ITS IWL IWW MTI TAI TIE TSI WSI".split()
LEVELS = ("LO", "MD", "HI", "XX")
ACTORS = [str(actor) for actor in range(1001, 1092)]
WOMEN = (  # VideoDemographics.csv
    "1002 1003 1004 1006 1007 1008 1009 1010 1012 1013 1018 1020 1021 1024 1025 1028 1029 1030 "
    "1037 1043 1046 1047 1049 1052 1053 1054 1055 1056 1058 1060 1061 1063 1072 1073 1074 1075 "
    "1076 1078 1079 1082 1084 1089 1091"
).split()
MISNAMED = {"1040_ITH_SAD_X": "1040_ITH_SAD_XX"}
STEM = re.compile(r"(\d{4})_([A-Z]{3})_([A-Z]{3})_([A-Z]{2})")


def expected() -> Expected:
    """Counts of the distribution; which 20 clips of the scheme are missing follows no rule."""
    emotions = {name: 1087 if name == "neutral" else 1271 for name in EMOTIONS.values()}
    return Expected(7442, emotions, {})


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``, by emotion and name.

    Raises
    ------
    InputError
        If the folder is missing or empty, or a file name is not CREMA-D's.
    """
    return by_name(folder, _clip)


def _clip(path: Path, name: str) -> Clip:
    """One clip, from its name."""
    stem = MISNAMED.get(path.stem, path.stem)
    match = STEM.fullmatch(stem)
    if match is None:
        raise InputError("wanted a name such as 1001_DFA_ANG_XX.wav")
    actor, sentence, emotion, level = match.groups()
    if actor not in ACTORS:
        raise InputError(f"actor {actor} is not in 1001..1091")
    one_of("sentence", sentence, SENTENCES)
    one_of("emotion", emotion, EMOTIONS)
    one_of("level", level, LEVELS)
    return Clip(
        clip=stem,
        path=path,
        speaker=actor,
        sex="f" if actor in WOMEN else "m",
        emotion=EMOTIONS[emotion],
        sentence=sentence,
        utterance=f"{actor}-{sentence}-{emotion}-{level}",
    )
