"""The page: self-contained HTML over all results.

It fetches nothing and does not say when it was written, so that equal results give equal bytes. Its
one script sorts tables; without it all is there as well. Confusion matrices are HTML tables, since
a table can be read aloud and restyled; all else is inline SVG.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.protocols.vocabulary import LEAKS, POOL, STATED
from pipeline.protocols.vocabulary import leak as leak_of
from pipeline.reporting import (
    confidence,
    diagrams,
    drawing,
    figures,
    floors,
    of_run,
    sections,
    wording,
)
from pipeline.reporting.confusions import Confusion
from pipeline.reporting.results import DASH, PICKED, Recorded, Run, state
from pipeline.reporting.sections import Contents
from pipeline.reporting.tabular import CROSS
from pipeline.scoring import targets

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).with_name("templates")
BEFORE = ("results", "leaks", "pairs")  # sections before the one on how to read them


def page(runs: list[Run], recorded: list[Recorded], contents: Contents | None = None) -> str:
    """Return the whole page as HTML.

    Parameters
    ----------
    runs : list of Run
        Runs to show, one at least.
    recorded : list of Recorded
        Without any, their section is absent.
    contents : Contents, optional
        Sections on these, where they were made already; comparing many runs takes a while.
    """
    environment = _environment()
    contents = contents or sections.contents(runs, recorded)
    environment.globals |= {
        "confidence": confidence,
        "cross": CROSS,
        "diagrams": diagrams,
        "figures": figures,
        "floors": floors,
        "leak_of": leak_of,
        "leaks": LEAKS,
        "of_run": of_run,
        "picked": PICKED,
        "pool": POOL,
        "state": state,
        "stated": STATED,
        "zip": zip,
    }
    return environment.get_template("page.html.jinja").render(
        runs=runs,
        recorded=recorded,
        places=contents.places,
        kept=contents.kept,
        groups=wording.by_kind(runs),
        first=[one for one in contents.of_runs if one.place in BEFORE],
        second=[one for one in contents.of_runs if one.place not in BEFORE],
        of_recorded=contents.of_recorded,
        across=contents.across,
        corpora=contents.corpora,
    )


def mistakes(run: Run, confusions: list[Confusion], sounds: dict[str, str]) -> str:
    """Return a page on which mistakes can be played, as HTML.

    Parameters
    ----------
    run : Run
        Run on emotions.
    confusions : list of Confusion
    sounds : dict of str to str
        Address of the sound of each clip that can be played, by its name.
    """
    template = _environment().get_template("mistakes.html.jinja")
    return template.render(run=run, confusions=confusions, sounds=sounds)


def _environment() -> "Environment":
    """Give what renders templates, with what all of them use."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["flat"] = wording.flat
    environment.filters["percent"] = targets.Emotions.show
    environment.globals |= {
        "dash": DASH,
        "wording": wording,
        "light": drawing.LIGHT | {role: light for role, (light, _) in drawing.CLASSES.items()},
        "dark": drawing.DARK | {role: dark for role, (_, dark) in drawing.CLASSES.items()},
    }
    return environment
