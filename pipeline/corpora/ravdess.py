"""RAVDESS: 1440 clips of speech, 24 actors, 8 emotions, 2 sentences, North American English.

With ``song: true`` it is the sung half instead: 1012 clips, 23 actors (not 18), 6 emotions.

Layout: ``Actor_NN/MM-VC-EE-II-SS-RR-AA.wav`` (or ``.flac``) below any nesting of folders; the name
holds modality, vocal channel, emotion, intensity, statement, repetition and actor (odd: male).
Copies of the zip often hold each clip twice. Speech (vocal channel 01) and song (02) are two
corpora: files of the other one are skipped. Song has no disgust and no surprise. Five clips of
speech are stereo. ``03-01-03-01-02-01-07`` and ``03-01-03-01-02-02-07`` are the same recording.

Order: emotion, then name: the order of the published TIM-Net run, which decides its folds.
"""

import re
from itertools import product
from pathlib import Path

from pipeline.corpora.clip import Clip, Expected, Source, by_name
from pipeline.errors import InputError

NAME = "RAVDESS"
SOURCE = Source(
    citation=(
        "Livingstone & Russo (2018), The Ryerson Audio-Visual Database of Emotional Speech "
        "and Song (RAVDESS), PLoS ONE 13(5): e0196391"
    ),
    licence="CC BY-NC-SA 4.0",
    address=(
        "Zenodo record 1188976, Audio_Speech_Actors_01-24.zip and Audio_Song_Actors_01-24.zip"
    ),
)
EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
STEM = re.compile(r"(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)-(\d\d)")


def expected(*, song: bool = False) -> Expected:
    """Two takes of each sentence in each emotion and intensity; neutral has one intensity."""
    channel = "02" if song else "01"
    emotions = {code: name for code, name in EMOTIONS.items() if not song or code < "07"}
    actors = [f"{actor:02d}" for actor in range(1, 25) if not song or actor != 18]
    names = frozenset(
        f"03-{channel}-{emotion}-{intensity}-{sentence}-{take}-{actor}"
        for emotion, intensity, sentence, take, actor in product(
            emotions, ("01", "02"), ("01", "02"), ("01", "02"), actors
        )
        if (emotion, intensity) != ("01", "02")
    )
    once, twice = 4 * len(actors), 8 * len(actors)
    counts = {name: once if name == "neutral" else twice for name in emotions.values()}
    return Expected(len(names), counts, dict.fromkeys(actors, len(names) // len(actors)), names)


def clips(folder: Path, *, song: bool = False) -> list[Clip]:
    """Every sound file below ``folder``, in the order of the published run.

    Parameters
    ----------
    folder : Path
        The corpus: speech, song, or both.
    song : bool
        Whether the corpus is song, and speech is skipped, or the other way round.

    Returns
    -------
    list of Clip
        Speech and song, one of them marked to be skipped.

    Raises
    ------
    InputError
        If the folder is missing or empty, or a file name is not RAVDESS's.
    """
    wanted, other = ("02", "speech") if song else ("01", "song")

    def read(path: Path, name: str) -> Clip:
        match = STEM.fullmatch(path.stem)
        if match is None:
            raise InputError("wanted a name such as 03-01-05-01-01-01-01.wav")
        _, channel, emotion, intensity, sentence, _, actor = match.groups()
        if emotion not in EMOTIONS:
            raise InputError(f"emotion {emotion} is not in the table 01..08")
        return Clip(
            clip=path.stem,
            path=path,
            speaker=actor,
            sex="m" if int(actor) % 2 else "f",
            emotion=EMOTIONS[emotion],
            sentence=sentence,
            utterance=f"{actor}-{sentence}-{emotion}-{intensity}",
            skip="" if channel == wanted else f"{other} is another corpus",
        )

    return by_name(folder, read)
