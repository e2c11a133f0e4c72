"""Compare: a run next to its publication, fold by fold.

Not a stage. It shows a run of some folds as well, so that one that goes wrong is seen early; the
report compares whole runs only.
"""

import sys
from pathlib import Path

from pipeline import text
from pipeline.errors import InputError
from pipeline.reporting import published_folds, wording
from pipeline.reporting.published_folds import Paired
from pipeline.reporting.results import Result, read_recorded, read_run
from pipeline.scoring.targets import Emotions

RUNS, RECORDED = Path("reports/runs"), Path("reports/recorded")


def compare(run: str) -> None:
    """Compare a run with the published accuracies of its folds.

    Ours, theirs and the difference of each fold: in the last epoch and, where curves were
    published, in the mean over the last epochs, which moves less; at the end the mean difference
    with its 95 % interval over the folds.

    Parameters
    ----------
    run : str
        Name of a run in reports/runs, or of one in reports/recorded.

    Raises
    ------
    InputError
        If there is no such run, or nothing was published of the folds of a run like it.
    """
    pairs = published_folds.paired(_read(run))
    if not pairs:
        raise InputError(
            f"{run}: no accuracies of single folds are known that were made as this run; "
            "dvc repro report says what differs"
        )
    for pair in pairs:
        sys.stdout.write(f"{pair.what}, WAR %\n  fold   ours  theirs  difference\n")
        for fold, ours, theirs in zip(pair.folds, pair.ours, pair.theirs, strict=True):
            change = Emotions.change(ours - theirs)
            sys.stdout.write(f"  {fold:4} {ours:6.1f} {theirs:7.1f} {change:>11}\n")
        sys.stdout.write(f"  mean difference {wording.paired_words(pair)}, {_folds(pair)}\n")
    sys.stdout.write(f"theirs: {pairs[0].source}\n")


def _folds(pair: Paired) -> str:
    """Number of folds in words."""
    return f"{len(pair.folds)} fold{'s' if len(pair.folds) > 1 else ''}"


def _read(run: str) -> Result:
    """Read a run where it is."""
    if (RUNS / run / "run.json").is_file():
        return read_run(RUNS / run)
    if (RECORDED / run / "run.json").is_file():
        return read_recorded(RECORDED / run)
    known = {path.parent.name for place in (RUNS, RECORDED) for path in place.glob("*/run.json")}
    raise InputError(f"{run}: no such run; {text.nearest(run, sorted(known))}")
