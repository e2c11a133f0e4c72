"""``python -m tests.copies CORPUS``: a tiny made-up copy of a corpus in ``raw_data``."""

import os
import shutil
from pathlib import Path

from pipeline import commandline, text
from pipeline.errors import InputError
from tests import copies

SAMPLES = 22050  # a second; made-up clips are shorter


def demo_corpus(corpus: str, *, clips: int = 40) -> None:
    """Write a tiny copy of a corpus, noise under true names, and print how params.yaml takes it.

    Parameters
    ----------
    corpus : str
        A parser of ``pipeline/corpora``.
    clips : int
        How many, spread evenly over emotions and speakers.

    Raises
    ------
    InputError
        If no copies of the corpus can be made up, ``raw_data`` holds it, or it has fewer clips.
    """
    if corpus not in copies.NAMES:
        raise InputError(f"CORPUS: no {corpus!r}; {text.nearest(corpus, copies.NAMES)}")
    folder = Path("raw_data") / corpus
    if os.path.lexists(folder):
        raise InputError(f"{folder}: is there already; remove it, or move it away")
    partial = folder.with_name(f".{corpus}.part")
    shutil.rmtree(partial, ignore_errors=True)
    copy = copies.load(corpus)
    try:
        copy.write(partial, clips)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    settings = "".join(f"{key}: {value}, " for key, value in getattr(copy, "SETTINGS", {}).items())
    print(f"{folder}: a made-up copy; params.yaml takes it with this line of corpora:")
    print(f"  {corpus}: {{parser: {corpus}, samples: {SAMPLES}, {settings}allow_partial: true}}")


if __name__ == "__main__":
    commandline.command(demo_corpus, prog="python -m tests.copies")
