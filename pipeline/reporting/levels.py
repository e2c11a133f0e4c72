"""How high a run's scores on test stood over its epochs: the last one, the last ones, the best.

One epoch of a fold moves by points, so that the last one alone says little; and the best one, taken
for each test fold after the fact, is what tables print that chose the epoch on test. All of it
follows from a history: no model is trained again.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.reporting.results import Result
from pipeline.scoring.targets import Measure

if TYPE_CHECKING:
    import pandas as pd

MOST = 40  # epochs that a level is taken over; of trainings below 400 epochs a tenth of them


@dataclass(frozen=True)
class Level:
    """One measure on test over the epochs of a fold, or of all; fractions as in metrics.json.

    Attributes
    ----------
    last : float
        Value in the last epoch.
    level, spread : float
        Mean and standard deviation (ddof 0) over the last `epochs` of them.
    epochs : int
    best : float
        Value in the best epoch.
    best_epoch : int or None
        Number of that, from 1; None of several folds or seeds, where each has its own.
    """

    last: float
    level: float
    spread: float
    epochs: int
    best: float
    best_epoch: int | None


def of_folds(result: Result, measure: Measure, epochs: int | None = None) -> dict[int, Level]:
    """Level of each fold, the mean over the seeds; empty if the measure was not watched on test.

    Parameters
    ----------
    result : Result
    measure : Measure
        One of the result's.
    epochs : int, optional
        Number of epochs that the level is taken over; by default 40, or a tenth of all if that is
        fewer.
    """
    history, name = result.history, column(measure)
    if name not in history or history[name].isna().any():
        return {}
    return {
        number: _mean([_of_one(rows, name, epochs) for _, rows in fold.groupby("seed")])
        for number in sorted({*history["fold"].astype(int).tolist()})
        for fold in [history[history["fold"].astype(int) == number]]
    }


def of_run(result: Result) -> list[tuple[Measure, Level]]:
    """Level over all folds of each measure that was watched on test.

    Folds count by their test clips: so the WAR of the last epoch is that of all clips.
    """
    found = []
    for measure in result.measures:
        if folds := of_folds(result, measure):
            clips = result.clips_of_folds
            found.append((measure, _mean([*folds.values()], [clips[fold] for fold in folds])))
    return found


def column(measure: Measure) -> str:
    """Column of a history in which a measure is watched; there WAR is called accuracy."""
    return "test_accuracy" if measure.key == "war" else f"test_{measure.key}"


def _of_one(rows: "pd.DataFrame", name: str, epochs: int | None) -> Level:
    """Level of one training."""
    values = rows.sort_values("epoch")[name].to_numpy()
    epochs = epochs or min(MOST, max(1, len(values) // 10))
    tail, best = values[-epochs:], int(values.argmax())
    return Level(values[-1], tail.mean(), tail.std(), epochs, values[best], best + 1)


def _mean(levels: list[Level], weights: list[int] | None = None) -> Level:
    """Mean of several levels."""
    rows = [(one.last, one.level, one.spread, one.best) for one in levels]
    last, level, spread, best = map(float, np.average(rows, axis=0, weights=weights))
    alone = levels[0].best_epoch if len(levels) == 1 else None
    return Level(last, level, spread, levels[0].epochs, best, alone)
