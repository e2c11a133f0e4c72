"""CASIA, same text: 1200 clips, 4 speakers, 6 emotions, 50 sentences, Mandarin.

Layout: ``SPEAKER/EMOTION/NNN.wav`` (or ``.flac``) below any nesting of folders, with sentences 201
to 250 and ``.lab``, ``.peak`` and ``.tag`` files next to them, not read; or, below any folders,
``NNN-EMOTION-SPEAKER.wav``. Capitals do not matter: a speaker's folder is ``ZhaoZuoxiang``. File
names collide, so clips are named as in the second layout, in small letters. Everybody says the same
sentences in all emotions.

Order: emotion, then name: names begin with the sentence. No other order gives what the published
TIM-Net weights promise.
"""

import re
from itertools import product
from pathlib import Path

from pipeline.corpora.clip import Clip, Expected, Source, by_name, one_of
from pipeline.errors import InputError

NAME = "CASIA"
SOURCE = Source(
    citation=(
        "Tao, Liu, Zhang & Jia (2008), Design of Speech Corpus for Mandarin Text to Speech, "
        "The Blizzard Challenge 2008 workshop"
    ),
    licence=(
        "the whole corpus (9600 clips) is sold by the Institute of Automation, Chinese "
        "Academy of Sciences; the 1200 clips circulate without a clear licence"
    ),
    address="from the Institute",
)
EMOTIONS = ("angry", "fear", "happy", "neutral", "sad", "surprise")
SPEAKERS = {"liuchanhg": "f", "wangzhe": "m", "zhaoquanyin": "f", "zhaozuoxiang": "m"}
SENTENCES = tuple(str(number) for number in range(201, 251))
NAMES = (
    re.compile(r"(?:.*/)?(?P<speaker>[^/]+)/(?P<emotion>[^/]+)/(?P<sentence>\d+)"),
    re.compile(r"(?:.*/)?(?P<sentence>\d+)-(?P<emotion>[^/-]+)-(?P<speaker>[^/-]+)"),
)


def expected() -> Expected:
    """Everybody says every sentence once in every emotion."""
    names = frozenset("-".join(parts) for parts in product(SENTENCES, EMOTIONS, SPEAKERS))
    return Expected(1200, dict.fromkeys(EMOTIONS, 200), dict.fromkeys(SPEAKERS, 300), names)


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``, in the order of the published run.

    Raises
    ------
    InputError
        If the folder is missing or empty, or a path is not CASIA's.
    """
    return by_name(folder, _clip)


def _clip(path: Path, name: str) -> Clip:
    """One clip, from its path."""
    match = next(filter(None, (form.fullmatch(name.casefold()) for form in NAMES)), None)
    if match is None:
        raise InputError("wanted a path such as liuchanhg/angry/201.wav")
    speaker = one_of("speaker", match["speaker"], SPEAKERS)
    emotion, sentence = one_of("emotion", match["emotion"], EMOTIONS), match["sentence"]
    if sentence not in SENTENCES:
        raise InputError(f"sentence {sentence} is not of the same text, 201..250")
    return Clip(
        clip=f"{sentence}-{emotion}-{speaker}",
        path=path,
        speaker=speaker,
        sex=SPEAKERS[speaker],
        emotion=emotion,
        sentence=sentence,
        utterance=f"{speaker}-{sentence}-{emotion}",
    )
