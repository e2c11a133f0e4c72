"""What a person reads: one self-contained page and a summary in markdown.

Everything comes from the folders ``reports/runs/RUN/`` that the evaluate stage wrote and from those
that were recorded, ``reports/recorded/RUN/``. The page fetches nothing, runs no script and does not
say when it was written, so that equal results give equal bytes. Confusion matrices are HTML tables,
because a table can be read aloud and restyled; all else is inline SVG. Runs on emotions and runs on
attributes are never in one table: their figures cannot be compared. Numbers of other systems on the
same folds come from ``reporting/references.json``.
"""

from itertools import product
from pathlib import Path
from typing import Any

from pipeline.config import params
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.protocols.vocabulary import LEAKS, POOL, leak
from pipeline.reporting import comparison, figures
from pipeline.reporting.results import (
    DASH,
    LENGTHS,
    PICKED,
    Recorded,
    Result,
    Run,
    read_recorded,
    read_run,
    state,
)
from pipeline.scoring import targets
from pipeline.scoring.targets import Measure, Target

TEMPLATES = Path(figures.__file__).with_name("templates")


def report(
    reports: Path, recorded: Path, html: Path, markdown: Path, *, runs: dict[str, params.Run]
) -> None:
    """Write the page and the summary over all runs.

    Over those of params.yaml, and over those recorded.

    Parameters
    ----------
    reports : Path
        Folder with one folder per run, as evaluate wrote them.
    recorded : Path
        Folder with one folder per recorded run, as ``ser record`` wrote them; there may be none.
    html, markdown : Path
        ``index.html`` and ``summary.md`` to write.
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
    found = _together([read_run(Path(reports) / name) for name in runs])
    folders = sorted(path for path in Path(recorded).iterdir() if path.is_dir())
    # a hidden one was left by `ser record` when it was killed
    kept = _together([read_recorded(path) for path in folders if path.name[0] != "."])
    for path, text in {html: page(found, kept), markdown: summary(found, kept)}.items():
        with tables.replacing(path) as aside:
            aside.write_text(text, encoding="utf-8", newline="\n")


def _together(results: list) -> list:
    """Results of one model and corpus side by side, otherwise as given."""
    titles = [result.title for result in results]
    return sorted(results, key=lambda result: titles.index(result.title))


def _by_kind(results: list) -> list[tuple[type[Target], list]]:
    """Kinds of target that there are results of, each with them."""
    found = [(kind, [r for r in results if type(r.target) is kind]) for kind in targets.KINDS]
    return [(kind, of_kind) for kind, of_kind in found if of_kind]


def summary(runs: list[Run], recorded: list[Recorded]) -> str:
    """Markdown: headline table, and published against ours; the same of what was recorded.

    Runs on attributes have tables of their own behind those on emotions.

    Parameters
    ----------
    runs : list of Run
        At least one.
    recorded : list of Recorded
        Without any, nothing is said of them.
    """
    parts = []
    for kind, found in _by_kind(runs):
        note = "over all held-out clips; in brackets the 95 % interval over speakers.\n"
        note = f"{kind.SUMMARY} {note}"
        parts += [markdown_table(*_headlines(kind, found)), note, *_published(kind, found)]
        parts += _references(kind, found)
    if recorded:
        parts.append("**Recorded on real corpora**, and not computed again here:\n")
    for kind, found in _by_kind(recorded):
        head, rows = _headlines(kind, found)
        head += ["Hardware", "Note"]
        for result, row in zip(found, rows, strict=True):
            row += [result.made, result.how["note"]]
        parts += [markdown_table(head, rows), *_published(kind, found), *_references(kind, found)]
    return "\n".join(parts)


def _headlines(kind: type[Target], results: list[Result]) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the table of results."""
    head = ["Run", "Model", "Corpus", "Protocol"]
    head += [measure.name + kind.UNIT for measure in kind.MEASURES] + ["Folds", "Honest"]
    return head, [
        [
            result.name,
            result.facts["model"],
            result.facts["corpus"],
            result.protocol,
            *(
                f"**{result.show(measure)}** {result.interval(measure)}"
                if measure in result.measures
                else DASH
                for measure in kind.MEASURES
            ),
            str(result.facts["folds"]),
            "no: " + ", ".join(result.objections) if result.objections else "yes",
        ]
        for result in results
    ]


def _published(kind: type[Target], results: list[Result]) -> list[str]:
    """Published against ours, one table; none where nothing is published."""
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
    """Reference numbers on the folds of results, one table; none where there are none."""
    rows = [
        [result.name, *(result.show(measure) for measure in kind.MEASURES), *cells]
        for result in results
        for cells in reference_cells(result)
    ]
    head = ["Run", *(f"{m.name}{kind.UNIT} ours" for m in kind.MEASURES)]
    head += ["Others on the same folds", "Theirs, %", "Figure", "Caveat", "Source"]
    return [markdown_table(head, rows)] if rows else []


def reference_cells(result: Result) -> list[list[str]]:
    """System, value, figure, caveat and source of each reference number of a result."""
    return [
        [
            row["system"],
            f"{row['value']:.1f}" + (f" ± {row['deviation']:.1f}" if row["deviation"] else ""),
            row["figure"],
            row["caveat"],
            row["source"],
        ]
        for row in comparison.references(result.facts)
    ]


def markdown_table(head: list[str], rows: list[list[str]]) -> str:
    """Lay out a GitHub table; what would end a cell or start HTML is escaped."""

    def line(cells: list[str]) -> str:
        safe = (" ".join(cell.split()).replace("&", "&amp;").replace("<", "&lt;") for cell in cells)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in safe) + " |\n"

    return "".join([line(head), line(["---"] * len(head)), *map(line, rows)])


def page(runs: list[Run], recorded: list[Recorded]) -> str:
    """Return the whole page as HTML.

    Parameters
    ----------
    runs : list of Run
        At least one.
    recorded : list of Recorded
        Without any, their section is absent.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["flat"] = flat
    environment.tests["referenced"] = reference_cells
    environment.filters["percent"] = targets.Emotions.show
    template = (TEMPLATES / "page.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        runs=runs,
        recorded=recorded,
        groups=_by_kind(runs),
        recorded_groups=_by_kind(recorded),
        places={result.name: place for place, result in enumerate(runs, 1)},
        recorded_places={result.name: place for place, result in enumerate(recorded, 1)},
        light=figures.LIGHT,
        dark=figures.DARK,
        leaks=LEAKS,
        # parents are told below; they are seldom anything but apart
        columns=[kind for kind in LEAKS if kind != "parent"],
        picked=PICKED,
        figures=figures,
        costs=costs,
        against=against,
        change=change,
        differs=differs,
        reference_cells=reference_cells,
        state=state,
        leak_share=leak_share,
        leak_words=leak_words,
        use_words=use_words,
        pool=POOL,
        length_words=length_words,
        quarantined=quarantined,
        ours_in_words=ours_in_words,
        dash=DASH,
        zip=zip,
    )


def costs(runs: list[Run]) -> list[tuple[Run, Run]]:
    """Pairs (not honest, honest) of the same model and corpus, with a measure in common."""
    return [
        (leaky, honest)
        for leaky, honest in product(runs, runs)
        if leaky.title == honest.title
        and set(leaky.measures) & set(honest.measures)
        and leaky.objections
        and not honest.objections
    ]


def change(leaky: Result, honest: Result, measure: Measure) -> str:
    """Format what is lost from one result to another; a dash where one has no such measure."""
    if measure not in leaky.measures or measure not in honest.measures:
        return DASH
    lost = honest.metrics[measure.key] - leaky.metrics[measure.key]
    return honest.target.change(honest.target.SCALE * lost)


def ours_in_words(result: Result) -> str:
    """Our protocol with folds and epochs, to stand next to a published number."""
    folds = f"{result.facts['folds']} folds, " if result.facts["folds"] > 1 else "one split, "
    return folds + result.protocol


def against(result: Result, published: dict[str, Any], measure: Measure) -> tuple[str, str, str]:
    """Ours, the published figure and the difference; dashes where there is none.

    There is a difference only where both were made in the same way: see `comparison`.
    """
    target, theirs = result.target, published.get(measure.published)
    told = DASH if theirs is None else f"{theirs:.{target.DIGITS}f}"
    if theirs is None or measure not in result.measures or differs(result, published):
        return result.show(measure), told, DASH
    return (
        result.show(measure),
        told,
        target.change(target.SCALE * result.metrics[measure.key] - theirs),
    )


def differs(result: Result, published: dict[str, Any]) -> str:
    """Say in what a result differs from a published one; nothing where they can be compared."""
    return "; ".join(comparison.differences(result.facts, published.get("conditions")))


def leak_share(leak: dict[str, Any]) -> str:
    """Format the share of test clips touched: ``91 %``, or ``<1 %`` rather than a false 0."""
    share = 100 * leak["clips"] / leak["of"]
    return "<1 %" if share < 1 else f"{share:.0f} %"


def leak_words(kind: str, found: dict[str, Any] | None) -> str:
    """Say in a sentence what the certificate found about one kind of leak."""
    if found is None:
        return "Not checkable: the corpus does not say."
    what = leak(kind).touched
    if kind.startswith(POOL):
        what = what.replace("training", "the unlabelled clips")
    words = f"Test clips {what}: {found['clips']} of {found['of']}"
    if found["clips"]:
        words += f", {'declared' if found['allowed'] else 'not declared'} by the protocol"
    if found.get("unlabelled"):
        words += f"; {found['unlabelled']} have no label and went unchecked"
    if found.get("unlabelled_training"):
        words += f"; {found['unlabelled_training']} trained on have no label and went unchecked"
    return words + "."


def use_words(purpose: str, use: dict[str, int]) -> str:
    """Say in a sentence on how many clips something rests, of all folds together.

    >>> use_words("selection", {"clips": 0, "test": 0})
    'Rests on no clips.'
    """
    if not use["clips"]:
        return "Rests on no clips."
    met = f"{use['test']} of them are" if use["test"] else "none of them is"
    return f"Rests on {use['clips']} clips over all folds; {met} tested in the same fold."


def length_words(length: dict[str, Any]) -> str:
    """Say in a sentence how many clips were cut and padded, and by how much."""
    if length["policy"] == "whole" and length.get("chunks"):
        return (
            f"Clips taken whole, in {length['chunks']} pieces that reach from the start of each to "
            "its end; silence is put behind one that is shorter than a piece."
        )
    seconds = (length["samples"] or 0) / length["sample_rate"]
    words = f"Clips {LENGTHS[length['policy']].format(seconds)}: "
    words += f"{length['cut'] or 'none'} of {length['clips']} cut"
    if length["cut"]:
        words += f", by up to {length['largest_cut']:.2f} s"
    words += f"; {length['padded'] or 'none'} padded"
    if length["padded"]:
        words += f", by {length['median_padding']:.2f} s in the median"
    return words + "."


def quarantined(run: Run) -> int:
    """Count the clips set aside, whether the quality names them or only counts them."""
    found = run.facts["quality"]["quarantined"]
    return found if isinstance(found, int) else len(found)


def flat(value: Any, place: str = "") -> list[tuple[str, str]]:
    """Flatten nested settings to rows of text.

    >>> flat({"adam": {"beta": 0.9}, "shape": [196, 39]})
    [('adam.beta', '0.9'), ('shape', '196, 39')]
    """
    if isinstance(value, dict):
        rows = (
            flat(inner, f"{place}.{key}" if place else str(key)) for key, inner in value.items()
        )
        return [row for part in rows for row in part]
    return [(place, ", ".join(map(str, value)) if isinstance(value, list) else str(value))]
