"""EMOVO: 588 clips, 6 speakers, 7 emotions, 14 sentences, Italian.

Layout: ``SPEAKER/EMO-SPEAKER-SENTENCE.wav`` (or ``.flac``) below any nesting of folders; the name
holds the emotion (the first letters of the Italian word), the speaker (f1 to m3) and the sentence.
Files are stereo at 48 kHz, but for ``rab-f1-b1``, which is mono; in 13 both channels are the same.

Order: emotion, then name: the order of the published TIM-Net run, which decides its folds.
"""

import re
from itertools import product
from pathlib import Path

from pipeline.corpora.clip import Clip, Expected, Source, by_name, one_of
from pipeline.errors import InputError

NAME = "EMOVO"
SOURCE = Source(
    citation=(
        "Costantini, Iaderola, Paoloni & Todisco (2014), EMOVO Corpus: an Italian Emotional "
        "Speech Database, LREC"
    ),
    licence="research; CC BY-NC-SA 4.0 according to re-uploads",
    address="Fondazione Ugo Bordoni, Rome",
)
EMOTIONS = {
    "rab": "angry",
    "dis": "disgust",
    "pau": "fear",
    "gio": "happy",
    "neu": "neutral",
    "tri": "sad",
    "sor": "surprise",
}
SPEAKERS = ("f1", "f2", "f3", "m1", "m2", "m3")
SENTENCES = "b1 b2 b3 d1 d2 l1 l2 l3 l4 n1 n2 n3 n4 n5".split()
STEM = re.compile(r"([a-z]{3})-([a-z]\d)-([a-z]\d)")


def expected() -> Expected:
    """Everybody says every sentence once in every emotion."""
    names = frozenset("-".join(parts) for parts in product(EMOTIONS, SPEAKERS, SENTENCES))
    emotions = dict.fromkeys(EMOTIONS.values(), 84)
    speakers: dict[str, int] = dict.fromkeys(SPEAKERS, 98)
    return Expected(588, emotions, speakers, names)


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``, in the order of the published run.

    Raises
    ------
    InputError
        If the folder is missing or empty, or a file name is not EMOVO's.
    """
    return by_name(folder, _clip)


def _clip(path: Path, name: str) -> Clip:
    """One clip, from its name."""
    match = STEM.fullmatch(path.stem)
    if match is None:
        raise InputError("wanted a name such as rab-f1-b1.wav")
    emotion, speaker = one_of("emotion", match[1], EMOTIONS), one_of("speaker", match[2], SPEAKERS)
    sentence = one_of("sentence", match[3], SENTENCES)
    return Clip(
        clip=path.stem,
        path=path,
        speaker=speaker,
        sex=speaker[0],
        emotion=EMOTIONS[emotion],
        sentence=sentence,
        utterance=f"{speaker}-{sentence}-{emotion}",
    )
