"""The page: self-contained HTML over all results.

It fetches nothing, runs no script and does not say when it was written, so that equal results give
equal bytes. Confusion matrices are HTML tables, because a table can be read aloud and restyled; all
else is inline SVG.
"""

from itertools import product
from pathlib import Path

from pipeline.protocols.vocabulary import LEAKS, POOL, STATED
from pipeline.protocols.vocabulary import leak as leak_of
from pipeline.reporting import drawing, figures, floors, pairs, wording
from pipeline.reporting.results import DASH, PICKED, Recorded, Run, state
from pipeline.scoring import targets

TEMPLATES = Path(__file__).with_name("templates")


def page(runs: list[Run], recorded: list[Recorded]) -> str:
    """Return the whole page as HTML.

    Parameters
    ----------
    runs : list of Run
        Runs to show, one at least.
    recorded : list of Recorded
        Without any, their section is absent.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["flat"] = wording.flat
    environment.tests["referenced"] = wording.reference_cells
    environment.tests["watched"] = wording.level_cells
    environment.filters["percent"] = targets.Emotions.show
    template = (TEMPLATES / "page.html.jinja").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        runs=runs,
        recorded=recorded,
        groups=wording.by_kind(runs),
        recorded_groups=wording.by_kind(recorded),
        places={result.name: place for place, result in enumerate(runs, 1)},
        recorded_places={result.name: place for place, result in enumerate(recorded, 1)},
        light=drawing.LIGHT,
        dark=drawing.DARK,
        leaks=LEAKS,
        stated=STATED,
        leak_of=leak_of,
        # parents are stated below; they are seldom anything but apart
        columns=[kind for kind in LEAKS if kind != "parent"],
        picked=PICKED,
        figures=figures,
        costs=costs,
        compared=pairs.compared,
        pair_cells=wording.pair_cells,
        against=wording.against,
        change=wording.change,
        differs=wording.differs,
        reference_cells=wording.reference_cells,
        level_cells=wording.level_cells,
        optimism_words=wording.optimism_words,
        fold_cells=wording.fold_cells,
        paired_cells=wording.paired_cells,
        state=state,
        leak_percent=wording.leak_percent,
        leak_words=wording.leak_words,
        stated_words=wording.stated_words,
        floors=floors,
        use_words=wording.use_words,
        pool=POOL,
        length_words=wording.length_words,
        quarantined=wording.quarantined,
        sources=wording.sources([*runs, *recorded]),
        ours_in_words=wording.ours_in_words,
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
        and not (leaky.partial or honest.partial)
        and leaky.objections
        and not honest.objections
    ]
