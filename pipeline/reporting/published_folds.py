"""Published accuracies of single folds, and ours next to them.

``published_folds.json`` holds, of publications that print a curve or a value for each fold, the
accuracy in percent in the last epoch, and the mean over the last epochs where it can be read off. A
run is compared where it was made as the publication (`comparison`); of a run of some folds those.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.reporting import comparison, levels
from pipeline.reporting.results import Result

TABLES = Path(__file__).with_name("published_folds.json")
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Paired:
    """Ours and theirs by fold, in percent.

    Attributes
    ----------
    what : str
        What is compared: ``last epoch``, ``mean of the last 40 epochs``.
    folds : tuple of int
    ours, theirs : tuple of float
    source : str
    """

    what: str
    folds: tuple[int, ...]
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    source: str

    @property
    def difference(self) -> float:
        """Mean of ours less theirs."""
        return float(np.mean(np.subtract(self.ours, self.theirs)))

    @property
    def interval(self) -> tuple[float, float] | None:
        """Interval of `difference` by Student's t over the folds, 95 %; None of a single fold.

        Folds share training clips, so that it is somewhat too narrow.
        """
        return interval(np.subtract(self.ours, self.theirs))


def interval(differences: Sequence[float] | np.ndarray) -> tuple[float, float] | None:
    """Give the 95 % interval of the mean of paired differences; None of fewer than two.

    >>> [round(end, 2) for end in interval([1.0, 2.0, 3.0])]
    [-0.48, 4.48]
    """
    from scipy import stats  # slow to import

    count = len(differences)
    if count < 2:
        return None
    reach = stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * np.std(differences, ddof=1)
    reach, mean = reach / np.sqrt(count), np.mean(differences)
    return float(mean - reach), float(mean + reach)


def paired(result: Result) -> list[Paired]:
    """Pair the folds of a result with published ones; empty where it was not made as they were.

    Parameters
    ----------
    result : Result
        One with a history.

    Returns
    -------
    list of Paired
        The last epoch, then the mean over the last epochs where it was published.
    """
    wars = [measure for measure in result.measures if measure.key == "war"]
    table = _table(result.facts)
    if not wars or table is None:
        return []
    found = levels.of_folds(result, wars[0], table.get("level_epochs"))
    folds = tuple(sorted(found))
    parts = {"last epoch": ("last", [found[n].last for n in folds])}
    if "level" in table and folds:
        count = found[folds[0]].epochs
        parts[f"mean of the last {count} epochs"] = ("level", [found[n].level for n in folds])
    return [
        Paired(
            what,
            folds,
            tuple(100 * value for value in ours),
            tuple(table[key][n - 1] for n in folds),
            table["source"],
        )
        for what, (key, ours) in parts.items()
        if folds
    ]


def _table(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """Published folds of runs like this one."""
    whole = {key: value for key, value in facts.items() if key != "tested_folds"}
    alike = any(
        line["conditions"]["selection"] == "last"
        and not comparison.differences(whole | {"selection": "last"}, line["conditions"])
        for line in facts["published"]
        if line.get("conditions")
    )
    names = (facts["model"], comparison.parser(facts))
    tables = json.loads(TABLES.read_text(encoding="utf-8"))["tables"]
    found = [table for table in tables if (table["model"], table["corpus"]) == names]
    return found[0] if alike and found else None
