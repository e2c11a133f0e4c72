"""Compare: a run with another, with itself at another revision, or with its publication.

Not a stage: it changes nothing. It shows runs of some folds as well, so that one that goes wrong is
seen early; the report compares whole runs only.
"""

import sys
import tempfile
from pathlib import Path

from pipeline import text
from pipeline.errors import InputError
from pipeline.reporting import pairs, published_folds, results, wording
from pipeline.reporting.published_folds import Paired
from pipeline.reporting.results import Result
from pipeline.scoring.targets import Emotions

RUNS, RECORDED = Path("reports/runs"), Path("reports/recorded")
HEAD = ["", "difference", "95 % interval", "p", "p, adjusted", "p, McNemar"]
WIDTHS = (12, 19, 9, 13, 12)


def compare(first: str, second: str = "") -> None:
    """Compare two runs, two revisions, or a run with its paper.

    Two runs must have been tested on the same clips in the same folds. Of each measure the
    difference is printed, its 95 % interval (the same speakers drawn for both), and the p-value of
    a test that exchanges the two runs speaker by speaker; where folds share speakers, McNemar's
    test too. Of two revisions each run that both have is compared.

    One run alone is compared with the published accuracies of its folds: in the last epoch and,
    where curves were published, in the mean over the last epochs, which moves less; at the end the
    mean difference with its 95 % interval over the folds.

    Parameters
    ----------
    first, second : str
        Names of runs in reports/runs or reports/recorded, or two revisions that git knows.

    Raises
    ------
    InputError
        If there is no such run or revision, the runs cannot be compared clip by clip, or nothing
        was published of the folds of a run like it.
    """
    places = {path.parent.name: path.parent for path in RECORDED.glob("*/run.json")}
    places |= {path.parent.name: path.parent for path in RUNS.glob("*/run.json")}
    if not second or first in places or second in places:
        found = [_read(name, places) for name in (first, second) if name]
        _published(found[0]) if not second else _two(*found)
        return
    with tempfile.TemporaryDirectory() as folder:
        there = [
            _fetched(name, Path(folder, str(number)), sorted(places))
            for number, name in enumerate((first, second))
        ]
        both = [name for name in there[0] if name in there[1]]
        if not both:
            raise InputError(f"{first} and {second} have no run in common")
        for name in both:
            one, other = (results.read_run(paths[name]) for paths in there)
            named = f"{name} of {first} and of {second}"
            if reason := pairs.alike(one, other):
                sys.stdout.write(f"{named}: {reason}\n")
            else:
                _show(named, one, other)


def _read(name: str, places: dict[str, Path]) -> Result:
    """Read a run where it is."""
    if name not in places:
        raise InputError(f"{name}: no such run; {text.nearest(name, sorted(places))}")
    read = results.read_run if places[name].parent == RUNS else results.read_recorded
    return read(places[name])


def _fetched(revision: str, folder: Path, known: list[str]) -> dict[str, Path]:
    """Fetch the results of a revision, from the cache or the remote; a folder for each run."""
    from dvc.api import DVCFileSystem
    from dvc.exceptions import DvcException
    from dvc.scm import RevError

    try:
        there = DVCFileSystem(rev=revision)
        names = [Path(path).name for path in there.ls(RUNS.as_posix(), detail=False)]
        for name in names:
            there.get(f"{RUNS.as_posix()}/{name}", str(folder / name), recursive=True)
    except (RevError, FileNotFoundError) as error:
        nearest = text.nearest(revision, known) if known else "run dvc repro first"
        raise InputError(
            f"{revision}: neither a run nor a revision with results ({error}); {nearest}"
        ) from None
    except DvcException as error:
        raise InputError(f"{revision}: {error}; run dvc fetch --all-commits") from None
    return {name: folder / name for name in sorted(names)}


def _two(first: Result, second: Result) -> None:
    """Print two runs of other names, if they can be compared."""
    named = f"{first.name} and {second.name}"
    if reason := pairs.alike(first, second):
        raise InputError(f"{named}: {reason}")
    _show(named, first, second)


def _show(named: str, first: Result, second: Result) -> None:
    """Print a line for each measure of two runs."""
    speakers, clips = (first.predictions[name].nunique() for name in ("speaker", "clip"))
    sys.stdout.write(f"{named}: {clips} clips of {speakers} speakers, the same folds\n")
    rows = [
        [pair.measure.name, *wording.pair_cells(pair)] for pair in pairs.compared([first, second])
    ]
    for row in [HEAD, *rows]:
        cells = (f"{cell:>{width}}" for cell, width in zip(row[1:], WIDTHS, strict=True))
        sys.stdout.write(f"  {row[0]:14}{''.join(cells)}\n")


def _published(run: Result) -> None:
    """Print a run next to the published accuracies of its folds."""
    found = published_folds.paired(run)
    if not found:
        raise InputError(
            f"{run.name}: no accuracies of single folds are known that were made as this run; "
            "dvc repro report says what differs; name another run to compare it with"
        )
    for pair in found:
        sys.stdout.write(f"{pair.what}, WAR %\n  fold   ours  theirs  difference\n")
        for fold, ours, theirs in zip(pair.folds, pair.ours, pair.theirs, strict=True):
            change = Emotions.change(ours - theirs)
            sys.stdout.write(f"  {fold:4} {ours:6.1f} {theirs:7.1f} {change:>11}\n")
        sys.stdout.write(f"  mean difference {wording.paired_words(pair)}, {_folds(pair)}\n")
    sys.stdout.write(f"theirs: {found[0].source}\n")


def _folds(pair: Paired) -> str:
    """Number of folds in words."""
    return f"{len(pair.folds)} fold{'s' if len(pair.folds) > 1 else ''}"
