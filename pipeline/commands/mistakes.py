"""Mistakes: a page on which the surest mistakes of a run can be played.

Not a stage, for it needs the sound, which trained models and results do without, and which few
licences let one pass on: a page is made where the corpus is, when somebody asks for it.
"""

import sys
from pathlib import Path

import pandas as pd

from pipeline import text
from pipeline.config import experiment
from pipeline.errors import InputError
from pipeline.features import resampling
from pipeline.files import audio, compressed, tables
from pipeline.files.index import Index
from pipeline.reporting import confusions, page, results
from pipeline.scoring.targets import Emotions

RUNS = Path("reports/runs")


def mistakes(run: str, html: Path, *, clips: int = 4, most_mb: float = 5.0) -> None:
    """Write a page on which a run's surest mistakes can be played.

    Of the five worst confusions, those with the highest probability. The page holds the sound of
    the clips, so that it needs nothing else; passing it on passes on clips of the corpus.

    Parameters
    ----------
    run : str
        Name of a run in reports/runs, on emotions; its corpus is in raw_data.
    html : Path
        Page to write.
    clips : int >= 1
        Clips of each confusion.
    most_mb : float > 0
        Size of the page in MB, beyond which clips are listed without their sound.

    Raises
    ------
    InputError
        If there is no such run, it names no emotions or makes no mistake, or the corpus or a clip
        of it is not there or has changed.
    """
    if clips < 1:
        raise InputError(f"clips: must be at least 1, got {clips}")
    if not most_mb > 0:
        raise InputError(f"most_mb: must be above 0, got {most_mb:g}")
    known = sorted(path.parent.name for path in RUNS.glob("*/run.json"))
    if run not in known:
        raise InputError(f"{run}: no such run in {RUNS}; {text.nearest(run, known)}")
    result = results.read_run(RUNS / run)
    if result.target.KIND != Emotions.KIND:
        raise InputError(f"{run}: predicts {result.target.KIND}; wanted a run on emotions")
    found = confusions.worst(result, clips)
    if not found:
        raise InputError(f"{run}: takes no clip for another emotion")
    raw, index = experiment.of_corpus(result.facts["corpus"])
    rows = Index.read(index).usable().clips.set_index("clip")
    room, sounds = most_mb * 1e6, {}
    for clip in dict.fromkeys(one["clip"] for confusion in found for one in confusion.clips):
        if clip not in rows.index:
            raise InputError(f"{index}: has no clip {clip}; run dvc repro evaluate@{run}")
        packed = compressed.address(_packed(raw, rows.loc[clip]))
        if room < len(packed):
            break
        sounds[clip], room = packed, room - len(packed)
    with tables.replacing(html) as temporary:
        temporary.write_text(page.mistakes(result, found, sounds), encoding="utf-8", newline="\n")
    listed = {one["clip"] for confusion in found for one in confusion.clips}
    sys.stdout.write(f"{html}: {len(sounds)} of {len(listed)} clips can be played\n")


def _packed(raw: Path, row: pd.Series) -> bytes:
    """Sound of a clip, which is still the indexed one."""
    path = raw / str(row["path"])
    signal, rate = audio.read(path)
    if audio.pcm_hash(signal, rate) != row["pcm_hash"]:
        raise InputError(f"{path}: changed since it was indexed; run dvc repro")
    voice = resampling.resample(audio.mono(signal), rate, compressed.RATE, method="soxr_hq")
    return compressed.mp3(voice)
