"""SAVEE as it is given out: the file name without its folder does not say the speaker."""

from itertools import product
from pathlib import Path

from tests.copies import File, spread
from tests.copies.sound import noise

EMOTIONS = "a d f h n sa su".split()
SPEAKERS = "DC JE JK KL".split()


def write(folder: Path, clips: int | None = None) -> None:
    """Write ``AudioData``, a folder for each speaker."""
    files = [
        File(f"AudioData/{speaker}/{emotion}{number:02}.wav", emotion, speaker)
        for speaker, emotion, number in product(SPEAKERS, EMOTIONS, range(1, 31))
        if number <= 15 or emotion == "n"
    ]
    for file in spread(files, clips):
        noise(folder / file.path, file.seed)
    (folder / "AudioData" / "Info.txt").write_text("DC, JE, JK and KL are four male speakers\n")


def flat(path: Path) -> str:
    """Names that do not collide, as in the re-uploads."""
    return f"{path.parent.name}_{path.name}"
