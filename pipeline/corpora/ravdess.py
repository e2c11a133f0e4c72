"""RAVDESS, speech: 1440 clips, 24 actors, 8 emotions, 2 sentences, North American English.

Citation: Livingstone & Russo (2018), The Ryerson Audio-Visual Database of Emotional Speech and Song
(RAVDESS), PLoS ONE 13(5): e0196391. Licence: CC BY-NC-SA 4.0. Where: Zenodo record 1188976,
``Audio_Speech_Actors_01-24.zip``.

Layout: ``Actor_NN/MM-VC-EE-II-SS-RR-AA.wav`` (or ``.flac``) below any nesting of folders; the name
holds modality, vocal channel, emotion, intensity, statement, repetition and actor (odd: male).
Copies of the zip often hold each clip twice. Song (vocal channel 02) is another corpus and is
skipped. Five clips are stereo. ``03-01-03-01-02-01-07`` and ``03-01-03-01-02-02-07`` are the same
recording.

Order: emotion, then name: the order of the published TIM-Net run, which decides its folds.
"""

import re
from itertools import product
from pathlib import Path

from natsort import natsorted

from pipeline.corpora.clip import Clip, Expected, refuse, sound_files

NAME = "RAVDESS"
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


def expected() -> Expected:
    """Two takes of each sentence in each emotion and intensity; neutral has one intensity."""
    actors = [f"{actor:02d}" for actor in range(1, 25)]
    names = frozenset(
        f"03-01-{emotion}-{intensity}-{sentence}-{take}-{actor}"
        for emotion, intensity, sentence, take, actor in product(
            EMOTIONS, ("01", "02"), ("01", "02"), ("01", "02"), actors
        )
        if (emotion, intensity) != ("01", "02")
    )
    emotions = {name: 96 if name == "neutral" else 192 for name in EMOTIONS.values()}
    return Expected(1440, emotions, dict.fromkeys(actors, 60), names)


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``, in the order of the published run.

    Raises
    ------
    InputError
        If the folder is missing or empty, or a file name is not RAVDESS's.
    """
    found, problems = [], []
    for path in sound_files(folder):
        match = STEM.fullmatch(path.stem)
        if match is None:
            problems.append(f"{path.name} (wanted a name such as 03-01-05-01-01-01-01.wav)")
            continue
        _, channel, emotion, intensity, sentence, _, actor = match.groups()
        if emotion not in EMOTIONS:
            problems.append(f"{path.name} (emotion {emotion} is not in the table 01..08)")
            continue
        found.append(
            Clip(
                clip=path.stem,
                path=path,
                speaker=actor,
                sex="m" if int(actor) % 2 else "f",
                emotion=EMOTIONS[emotion],
                sentence=sentence,
                utterance=f"{actor}-{sentence}-{emotion}-{intensity}",
                skip="" if channel == "01" else "song is another corpus",
            )
        )
    refuse(folder, problems)
    return natsorted(found, key=lambda clip: (clip.emotion, clip.clip))
