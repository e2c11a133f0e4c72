"""CREMA-D with its oddities: a misspelt name, a silent clip, three pairs of one recording.

Which 20 clips of the scheme are missing is made up, but for their emotions.
"""

import shutil
from itertools import product
from pathlib import Path

import numpy as np
import soundfile

from tests.copies import File, spread
from tests.copies.sound import noise

EMOTIONS = "ANG DIS FEA HAP NEU SAD".split()
SENTENCES = "DFA IEO IOM ITH ITS IWL IWW MTI TAI TIE TSI WSI".split()
MISSING = {
    *product(("1019", "1045", "1064"), ("ITS",), EMOTIONS),
    *product(("1071", "1088"), ("IWL",), ("NEU",)),
}
PAIRS = (
    ("1006_TIE_HAP_XX", "1006_TIE_NEU_XX"),
    ("1013_WSI_DIS_XX", "1013_WSI_SAD_XX"),
    ("1017_IWW_ANG_XX", "1017_IWW_FEA_XX"),
)
SILENT = "1076_MTI_SAD_XX"


def write(folder: Path, clips: int | None = None) -> None:
    """Write ``AudioWAV``."""
    files = []
    actors = [str(actor) for actor in range(1001, 1092)]
    for actor, sentence, emotion in product(actors, SENTENCES, EMOTIONS):
        levels = ("LO", "MD", "HI") if sentence == "IEO" and emotion != "NEU" else ("XX",)
        if (actor, sentence, emotion) in MISSING:
            levels = ()
        for level in levels:
            name = f"{actor}_{sentence}_{emotion}_{level}"
            name = name.replace("1040_ITH_SAD_XX", "1040_ITH_SAD_X")
            files.append(File(f"AudioWAV/{name}.wav", emotion, actor))
    for file in spread(files, clips):
        noise(folder / file.path, file.seed)
    wav = folder / "AudioWAV"
    for first, second in PAIRS:
        if (wav / f"{first}.wav").exists() and (wav / f"{second}.wav").exists():
            shutil.copy(wav / f"{first}.wav", wav / f"{second}.wav")
    if (wav / f"{SILENT}.wav").exists():
        soundfile.write(wav / f"{SILENT}.wav", np.zeros(960, np.int16), 8000)


def flat(path: Path) -> str:
    """Names say it all."""
    return path.name
