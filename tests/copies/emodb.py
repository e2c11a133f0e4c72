"""EMO-DB: as many clips of each emotion and of each speaker as it has; which of them is made up."""

from collections import Counter
from pathlib import Path

from tests.copies import File, spread
from tests.copies.sound import noise

EMOTIONS = {"W": 127, "L": 81, "E": 46, "A": 69, "F": 71, "T": 62, "N": 79}
SPEAKERS = {
    **{"03": 49, "08": 58, "09": 43, "10": 38, "11": 55},
    **{"12": 35, "13": 61, "14": 69, "15": 56, "16": 71},
}
TEXTS = "a01 a02 a04 a05 a07 b01 b02 b03 b09 b10".split()


def write(folder: Path, clips: int | None = None) -> None:
    """Write ``wav``."""
    speakers = [speaker for speaker, count in SPEAKERS.items() for _ in range(count)]
    emotions = [emotion for emotion, count in EMOTIONS.items() for _ in range(count)]
    # a step that divides by no factor of 535 = 5 * 107 deals every emotion to every speaker
    dealt = [emotions[place * 8 % len(emotions)] for place in range(len(emotions))]
    taken, files = Counter(), []
    for pair in zip(speakers, dealt, strict=True):
        version, text = divmod(taken[pair], len(TEXTS))
        taken[pair] += 1
        speaker, emotion = pair
        name = f"{speaker}{TEXTS[text]}{emotion}{'abcdef'[version]}"
        files.append(File(f"wav/{name}.wav", emotion, speaker))
    for file in spread(files, clips):
        noise(folder / file.path, file.seed)


def flat(path: Path) -> str:
    """Names say it all."""
    return path.name
