"""EMO-DB: 535 clips, 10 speakers, 7 emotions, 10 sentences, German.

Layout: ``wav/SSTTTEV.wav`` (or ``.flac``) below any nesting of folders; the name holds speaker,
text, emotion (the first letter of the German word) and version. Versions are takes: not all were
kept, so each speaker has another number of clips. Copies circulate in which every clip was cut or
padded to 2.000 s at 22 050 Hz, with names and labels as they were.

Order: emotion, then name: the order of the published TIM-Net runs.
"""

import re
from pathlib import Path

from pipeline.corpora.clip import Clip, Expected, Source, by_name, one_of
from pipeline.errors import InputError

NAME = "EMO-DB"
SOURCE = Source(
    citation=(
        "Burkhardt, Paeschke, Rolfes, Sendlmeier & Weiss (2005), A Database of German "
        "Emotional Speech, Interspeech"
    ),
    licence="CC BY 4.0 in the record on Zenodo; free on the authors' site",
    address="Zenodo record 17651657",
)
EMOTIONS = {
    "W": "angry",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happy",
    "N": "neutral",
    "T": "sad",
}
SPEAKERS = {
    "03": "m",
    "08": "f",
    "09": "f",
    "10": "m",
    "11": "m",
    "12": "m",
    "13": "f",
    "14": "f",
    "15": "m",
    "16": "f",
}
TEXTS = ("a01", "a02", "a04", "a05", "a07", "b01", "b02", "b03", "b09", "b10")
STEM = re.compile(r"(\d\d)([a-z]\d\d)([A-Z])([a-z])")


def expected() -> Expected:
    """Counts of the distribution; which takes were kept follows no rule."""
    emotions = zip(EMOTIONS.values(), (127, 81, 46, 69, 71, 79, 62), strict=True)
    speakers = zip(SPEAKERS, (49, 58, 43, 38, 55, 35, 61, 69, 56, 71), strict=True)
    return Expected(535, dict(emotions), dict(speakers))


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``, in the order of the published runs.

    Raises
    ------
    InputError
        If the folder is missing or empty, or a file name is not EMO-DB's.
    """
    return by_name(folder, _clip)


def _clip(path: Path, name: str) -> Clip:
    """One clip, from its name."""
    match = STEM.fullmatch(path.stem)
    if match is None:
        raise InputError("wanted a name such as 03a01Wa.wav")
    speaker = one_of("speaker", match[1], SPEAKERS)
    text, emotion = one_of("text", match[2], TEXTS), one_of("emotion", match[3], EMOTIONS)
    return Clip(
        clip=path.stem,
        path=path,
        speaker=speaker,
        sex=SPEAKERS[speaker],
        emotion=EMOTIONS[emotion],
        sentence=text,
        utterance=f"{speaker}-{text}-{emotion}",
    )
