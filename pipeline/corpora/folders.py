"""A corpus of your own in a folder per emotion; nothing is known of who speaks.

Layout: ``<emotion>/**/*.wav``; the folders' names are the emotions. A clip is named by its path
without suffix and with ``-`` for ``/``. To say who speaks, which a fair test needs, use the parser
``table``.

Order: path.
"""

from pathlib import Path

from natsort import natsorted

from pipeline.corpora.clip import Clip, refuse, sound_files
from pipeline.errors import InputError

NAME = "a corpus in folders"


def expected() -> None:
    """Nothing is known of what a corpus of one's own holds."""


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``, with the name of the outermost folder for its emotion.

    Raises
    ------
    InputError
        If the folder is missing or empty, a sound file is in no folder, or all are in one.
    """
    found, loose = [], []
    for path in sound_files(folder):
        parts = path.relative_to(folder).with_suffix("").parts
        if len(parts) == 1:
            loose.append(f"{path.name} (wanted it in a folder named by its emotion)")
        else:
            found.append(Clip(clip="-".join(parts), path=path, emotion=parts[0]))
    refuse(folder, loose)
    emotions = {clip.emotion for clip in found}
    if len(emotions) == 1:
        raise InputError(
            f"{folder}: all sound is below {emotions.pop()}; wanted a folder for each emotion, "
            "not nested once more"
        )
    return natsorted(found, key=lambda clip: clip.path.relative_to(folder).as_posix())
