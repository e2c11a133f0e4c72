"""Unlike: how often a model warns that a clip is unlike its training, and whether it should.

Of what ``dvc repro`` and ``ser test-on`` left in the project where it is called: held-out clips of
the corpus of the training, on which a warning is false, and clips of other corpora.
"""

from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.files import checked
from pipeline.inference.limits import KINDS
from tests.bench import Size, page

RUNS, ACROSS = Path("reports/runs"), Path("reports/across")


def measure(size: Size) -> tuple[dict, str]:
    """Numbers, and the page of them."""
    found = [_line(path, "corpus") for path in sorted(RUNS.glob("*/run.json"))]
    known = {one["run"] for one in found}
    others = [_line(path, "trained_on") for path in sorted(ACROSS.glob("*/*/across.json"))]
    found += [one for one in others if one["run"] in known]
    found = sorted((one for one in found if one["unlike"]), key=lambda one: one["run"])
    if not found:
        raise InputError(f"{RUNS}: no run that warns; run dvc repro, and ser test-on")
    return {"tests": found}, _text(found)


def _line(path: Path, trained_on: str) -> dict[str, Any]:
    """What one file says of warnings."""
    facts = checked.read(path)
    return {
        "run": path.parents[1].name if trained_on == "trained_on" else path.parent.name,
        "trained_on": facts[trained_on],
        "tested_on": facts["corpus"],
        "unlike": facts.get("unlike"),
    }


def _text(found: list[dict[str, Any]]) -> str:
    """The page."""
    head = ["run", "trained on", "tested on", "clips", "warned, %"]
    head += [f"{kind}, %" for kind in KINDS]
    head += ["right if not warned, %", "right if warned, %"]
    rows = []
    for one in found:
        facts = one["unlike"]
        total = facts["predictions"]
        kinds = [facts["kinds"].get(kind, 0) for kind in KINDS]
        right = facts.get("right", {})
        own = one["trained_on"] == one["tested_on"]
        rows.append(
            [one["run"], one["trained_on"], "held out" if own else one["tested_on"], str(total)]
            + [f"{100 * count / total:.1f}" for count in (facts["warned"], *kinds)]
            + [_percent(right.get(name)) for name in ("like", "unlike")]
        )
    return f"""# How often a clip is unlike the training

A warning on a held-out clip of the corpus that a model was trained on is false; one on a clip of
another corpus is right, for the model was never tried on such sound. The limits come from training
clips alone. A clip may be unlike in several things. How often answers are right, with and without a
warning, says whether it helps.

{page.table(head, rows)}"""


def _percent(fraction: float | None) -> str:
    """Format a fraction that may not be there."""
    return "" if fraction is None else f"{100 * fraction:.1f}"
