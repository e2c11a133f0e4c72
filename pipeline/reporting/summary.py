"""The summary: tables of results in markdown.

Runs on emotions and runs on attributes are never in one table: their figures cannot be compared.
Numbers of other systems on the same folds come from ``references.json``.
"""

from collections.abc import Sequence

from pipeline.reporting import across, floors, wording
from pipeline.reporting.across import Transfer
from pipeline.reporting.results import DASH, Recorded, Result, Run
from pipeline.reporting.tabular import Cell
from pipeline.reporting.wording import (
    against,
    by_kind,
    differs,
    ours_in_words,
    reference_cells,
    sources,
    sources_of,
)
from pipeline.scoring.target import Measure, Target


def summary(runs: list[Run], recorded: list[Recorded], transfers: Sequence[Transfer] = ()) -> str:
    """Markdown: headline table, and published next to ours; the same of what was recorded.

    Runs on attributes have tables of their own after those on emotions; at the end are the corpora,
    and how to cite them.

    Parameters
    ----------
    runs : list of Run
        Runs to list, one at least.
    recorded : list of Recorded
        Without any, nothing is said of them.
    transfers : sequence of Transfer
        Tests on other corpora; without any, nothing is said of them.
    """
    parts = []
    for kind, found in by_kind(runs):
        note = f"over all held-out clips [95 % interval over {wording.over_words(found)}]. "
        note += f"Floors, {kind.MEASURES[0].name.split()[0]}: {floors.EXPLAINED[kind.KIND]}.\n"
        note = f"{kind.SUMMARY} {note}"
        parts += [markdown_table(*_headlines(kind, found)), note, *_published(kind, found)]
        parts += [*_references(kind, found), *_levels(found)]
    if recorded:
        parts.append("**Recorded on real corpora**, and not computed again here:\n")
    for kind, found in by_kind(recorded):
        head, rows = _headlines(kind, found)
        head += ["Hardware", "Note"]
        for result, row in zip(found, rows, strict=True):
            row += [result.made, result.how["note"]]
        parts += [markdown_table(head, rows), *_published(kind, found), *_references(kind, found)]
        parts += [*_paired(found), *_levels(found)]
    if found := across.collected([*runs, *recorded], transfers):
        table = across.table(found)
        parts.append("**Across corpora**, trained on rows, tested on columns, UAR %:\n")
        head = [column.heading for column in table.columns]
        parts.append(markdown_table(head, [[_plain(cell) for cell in row] for row in table.rows]))
    parts.append("**Corpora**, to be cited with these results:\n")
    head = ["Corpus", "Name", "Citation", "Licence", "From"]
    held = [(result.facts["corpus"], sources_of(result)) for result in [*runs, *recorded]]
    held += [(one.corpus, one.sources) for one in transfers]
    parts.append(markdown_table(head, sources(held)))
    return "\n".join(parts)


def _plain(cell: Cell) -> str:
    """Text of a cell with what stands below it."""
    words = f"{cell.text} {cell.interval}".strip()
    return f"{words} ({'; '.join(cell.notes)})" if cell.notes else words


def _headlines(kind: type[Target], results: list[Result]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of results."""
    head = ["Run", "Model", "Corpus", "Protocol"]
    head += [measure.name + kind.UNIT for measure in kind.MEASURES]
    head += ["Floors", "Folds", "Honest"]
    return head, [
        [
            result.name,
            result.facts["model"],
            result.facts["corpus"],
            result.protocol,
            *(
                f"**{result.show(measure)}** {result.interval(measure)}{_over(result, measure)}"
                if measure in result.measures
                else DASH
                for measure in kind.MEASURES
            ),
            floor_cell(result),
            result.folds_in_words,
            "no: " + ", ".join(result.objections) if result.objections else "yes",
        ]
        for result in results
    ]


def _over(result: Result, measure: Measure) -> str:
    """Say after an interval that it was drawn over clips, and the spread over several seeds."""
    over = "" if result.over_speakers else " over clips"
    return f"{over}, {spread}" if (spread := result.over_seeds(measure)) else over


def floor_cell(result: Result) -> str:
    """Floors of a result, and in bold those that it is below; a dash where there are none."""
    words = "; ".join(floors.floor_words(result)) or DASH
    return f"{words}; **{below}**" if (below := floors.below_words(result)) else words


def _published(kind: type[Target], results: list[Result]) -> list[str]:
    """Published next to ours, one table; none where nothing is published."""
    rows = [
        [
            result.name,
            ours_in_words(result),
            published["protocol"],
            *(cell for measure in kind.MEASURES for cell in against(result, published, measure)),
            differs(result, published),
            published["source"],
        ]
        for result in results
        for published in result.facts["published"]
    ]
    head = ["Run", "Ours", "Published"]
    for measure in kind.MEASURES:
        head += [f"{measure.name}{kind.UNIT} ours", "published", "difference"]
    return [markdown_table([*head, "Not compared", "Source"], rows)] if rows else []


def _references(kind: type[Target], results: list[Result]) -> list[str]:
    """Reference numbers below the results on their folds, a table for each set of them."""
    head = ["On the same folds", *(f"{m.name}{kind.UNIT} ours" for m in kind.MEASURES)]
    head += ["Theirs, %", "Figure", "Caveat", "Source"]
    found: dict[str, tuple[list[list[str]], list[list[str]]]] = {}
    for result in results:
        theirs = [
            [cells[0], *[DASH] * len(kind.MEASURES), *cells[1:]]
            for cells in reference_cells(result)
        ]
        ours = [result.name, *map(result.show, kind.MEASURES), DASH, "", "", ""]
        found.setdefault(str(theirs), ([], theirs))[0].append(ours)
    return [markdown_table(head, ours + theirs) for ours, theirs in found.values() if theirs]


def _paired(results: list[Result]) -> list[str]:
    """Ours and published fold by fold, one table; none where there is none."""
    rows = [[result.name, *cells] for result in results for cells in wording.paired_cells(result)]
    head = ["Run", "WAR % of each fold", "Ours", "Theirs", "Difference, paired", "Source"]
    return [markdown_table(head, rows)] if rows else []


def _levels(results: list[Result]) -> list[str]:
    """What the last epoch is worth, one table; none where nothing was watched on test."""
    rows = [[result.name, *cells] for result in results for cells in wording.level_cells(result)]
    head = ["Run", "On test", "Last epoch", "Level: mean ± s.d. of a fold's epochs"]
    head += ["Best epoch of each test fold", "Choosing it on test adds"]
    return [markdown_table(head, rows)] if rows else []


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """Lay out a GitHub table; what would end a cell or start HTML is escaped."""

    def line(cells: list[str]) -> str:
        safe = (" ".join(cell.split()).replace("&", "&amp;").replace("<", "&lt;") for cell in cells)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in safe) + " |\n"

    return "".join([line(head), line(["---"] * len(head)), *map(line, rows)])
