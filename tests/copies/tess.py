"""TESS with its oddities: a misspelt name, two AIFF files named ``.wav``, one rate of its own.

The words are made up, but for those of the oddities.
"""

from itertools import product
from pathlib import Path

import soundfile

from tests.copies import File, spread
from tests.copies.sound import noise

EMOTIONS = "angry disgust fear happy neutral ps sad".split()
FOLDERS = {"ps": "Pleasant_surprise", "sad": "Sad"}
MADE_UP = ["".join(letters) for letters in product("bdgklmnprt", "aeiou", "bdgklmpt")]
WORDS = ["back", "bite", "food", "germ", "neat", *MADE_UP[:195]]
AIFF = ("YAF_germ_angry", "YAF_neat_fear")


def write(folder: Path, clips: int | None = None) -> None:
    """Write a folder for each speaker and emotion."""
    files = []
    for speaker, emotion, word in product(("OAF", "YAF"), EMOTIONS, WORDS):
        name = f"{speaker}_{word}_{emotion}".replace("OAF_bite_neutral", "OA_bite_neutral")
        place = f"{speaker}_{FOLDERS.get(emotion, emotion)}"
        files.append(File(f"{place}/{name}.wav", emotion, speaker))
    for file in spread(files, clips):
        path = folder / file.path
        noise(path, file.seed, rate=16000 if path.stem == "OAF_food_fear" else 8000)
        if path.stem in AIFF:
            signal, rate = soundfile.read(path, dtype="int16")
            soundfile.write(path, signal, rate, format="AIFF", subtype="PCM_16")


def flat(path: Path) -> str:
    """Names say it all."""
    return path.name
