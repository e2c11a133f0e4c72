"""Sound of your own without labels: what semi-supervised models train on besides a corpus.

Layout: sound files at any depth. A clip is named by its path without suffix and with ``-`` for
``/``.

Order: path.
"""

from pathlib import Path

from pipeline.corpora.clip import Clip, by_path, sound_files
from pipeline.order import natural

NAME = "unlabelled sound"


def expected() -> None:
    """Nothing is known of what sound of one's own there is."""


def clips(folder: Path) -> list[Clip]:
    """Every sound file below ``folder``; of none is anything known.

    Raises
    ------
    InputError
        If the folder is missing or empty.
    """
    found = {path.relative_to(folder).as_posix(): path for path in sound_files(folder)}
    names = by_path(found)
    return [Clip(clip=names[name], path=found[name]) for name in natural(found)]
