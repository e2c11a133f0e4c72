"""Stage report: what a person reads, one self-contained page, tables, and a card of each run.

Everything comes from the folders ``reports/runs/RUN/`` that the evaluate stage wrote and from those
that were recorded, ``reports/recorded/RUN/``, and from tests on other corpora, ``reports/across/``.
"""

from pathlib import Path

from pipeline.config.records import Run
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.reporting import model_card, of_run, tabular
from pipeline.reporting import plots as figures
from pipeline.reporting.across import read as read_transfers
from pipeline.reporting.page import page
from pipeline.reporting.results import read_recorded, read_run
from pipeline.reporting.sections import contents
from pipeline.reporting.summary import summary

RESULTS = "headline.json history.csv map.csv metrics.json predictions.csv run.json".split()


def report(
    reports: Path,
    recorded: Path,
    across: Path,
    html: Path,
    markdown: Path,
    plots: Path,
    sheets: Path,
    cards: Path,
    *,
    runs: dict[str, Run],
) -> None:
    """Write the page, the summary, tables and cards over all runs.

    Over those of params.yaml, and over those recorded. What evaluate wrote of others is removed
    from ``reports``, on all of which DVC lets this stage depend; its cache keeps it.

    Parameters
    ----------
    reports : Path
        Folder with one folder per run, as evaluate wrote them.
    recorded : Path
        Folder with one folder per recorded run, as ``ser record`` wrote them; there may be none.
    across : Path
        Folder with what ``ser test-on`` wrote; there may be nothing in it.
    html, markdown : Path
        ``index.html`` and ``summary.md`` to write.
    plots : Path
        Folder to write: the figures of each run as files.
    sheets : Path
        Folder to write: every table of the page as CSV and LaTeX.
    cards : Path
        Folder to write: a model card of each run, ``RUN.md``, and of each recorded one,
        ``recorded/RUN.md``.
    runs : dict, at least one
        Lines of params.yaml; runs of one model and corpus are moved next to the first of them.

    Raises
    ------
    InputError
        If no run is named, or a folder is missing, incomplete or broken.
    """
    if not runs:
        raise InputError(f"{reports}: no run to report; name one under runs in params.yaml")
    for folder in (recorded, across):
        if not Path(folder).is_dir():
            raise InputError(f"{folder}: no such folder; take it back from git")
    _withdraw(Path(reports), runs)
    found = _together([read_run(Path(reports) / name) for name in runs])
    folders = sorted(path for path in Path(recorded).iterdir() if path.is_dir())
    # a hidden one was left by `ser record` when it was killed
    kept = _together([read_recorded(path) for path in folders if path.name[0] != "."])
    transfers = read_transfers(Path(across))
    sections = contents(found, kept, transfers)
    of_runs = [table for run in found for table in of_run.tables(run)]
    of_runs += [table for run in kept for table in of_run.recorded_tables(run)]
    texts = {html: page(found, kept, sections), markdown: summary(found, kept, transfers)}
    for path, text in texts.items():
        with tables.replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    with tables.replacing_folder(plots) as folder:
        figures.write(found, folder)
    with tables.replacing_folder(sheets) as folder:
        tabular.write([*sections.tables, *of_runs], folder)
    with tables.replacing_folder(cards) as folder:
        model_card.write(found, folder, transfers)
        model_card.write(kept, folder / "recorded", transfers)


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
