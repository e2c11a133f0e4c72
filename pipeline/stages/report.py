"""Stage report: what a person reads, one self-contained page and a summary in markdown.

Everything comes from the folders ``reports/runs/RUN/`` that the evaluate stage wrote and from those
that were recorded, ``reports/recorded/RUN/``.
"""

import shutil
import tempfile
from pathlib import Path

from pipeline.config.records import Run
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.reporting.page import page
from pipeline.reporting.plots import write
from pipeline.reporting.results import read_recorded, read_run
from pipeline.reporting.summary import summary

RESULTS = ("headline.json", "history.csv", "metrics.json", "predictions.csv", "run.json")


def report(
    reports: Path,
    recorded: Path,
    html: Path,
    markdown: Path,
    plots: Path,
    *,
    runs: dict[str, Run],
) -> None:
    """Write the page and the summary over all runs.

    Over those of params.yaml, and over those recorded. What evaluate wrote of others is removed
    from ``reports``, on all of which DVC lets this stage depend; its cache keeps it.

    Parameters
    ----------
    reports : Path
        Folder with one folder per run, as evaluate wrote them.
    recorded : Path
        Folder with one folder per recorded run, as ``ser record`` wrote them; there may be none.
    html, markdown : Path
        ``index.html`` and ``summary.md`` to write.
    plots : Path
        Folder to write: the figures of each run as files.
    runs : dict, at least one
        Lines of params.yaml; runs of one model and corpus are moved next to the first of them.

    Raises
    ------
    InputError
        If no run is named, or a folder is missing, incomplete or broken.
    """
    if not runs:
        raise InputError(f"{reports}: no run to report; name one under runs in params.yaml")
    if not Path(recorded).is_dir():
        raise InputError(f"{recorded}: no such folder; take it back from git")
    _withdraw(Path(reports), runs)
    found = _together([read_run(Path(reports) / name) for name in runs])
    folders = sorted(path for path in Path(recorded).iterdir() if path.is_dir())
    # a hidden one was left by `ser record` when it was killed
    kept = _together([read_recorded(path) for path in folders if path.name[0] != "."])
    for path, text in {html: page(found, kept), markdown: summary(found, kept)}.items():
        with tables.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    with tempfile.TemporaryDirectory(dir=plots.parent, prefix=".", suffix=".part") as temporary:
        figures = Path(temporary) / "figures"
        write(found, figures)
        shutil.rmtree(plots, ignore_errors=True)
        figures.rename(plots)


def _withdraw(reports: Path, runs: dict[str, Run]) -> None:
    """Remove what evaluate wrote of runs that are no lines of params.yaml."""
    for folder in [path for path in reports.iterdir() if path.name not in runs]:
        results = [folder / name for name in RESULTS if (folder / name).is_file()]
        for path in results:
            path.unlink()
        if results and not any(folder.iterdir()):
            folder.rmdir()


def _together(results: list) -> list:
    """Results of one model and corpus side by side, otherwise as given."""
    titles = [result.title for result in results]
    return sorted(results, key=lambda result: titles.index(result.title))
