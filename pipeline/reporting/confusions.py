"""The worst confusions of a run on emotions, each with its surest mistakes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.reporting.results import Run

MOST = 5


@dataclass(frozen=True)
class Confusion:
    """Clips of one emotion that are taken for another.

    Attributes
    ----------
    true, predicted : str
    count : int
        Predictions.
    fraction : float
        Of all predictions of clips of that emotion.
    clips : list of dict
        Surest first: ``clip, speaker, fold, probability, unlike``.
    """

    true: str
    predicted: str
    count: int
    fraction: float
    clips: list[dict[str, Any]]


def worst(run: Run, most: int) -> list[Confusion]:
    """Give the confusions that the largest fractions of an emotion's clips fall into.

    Parameters
    ----------
    run : Run
        Run on emotions.
    most : int >= 1
        Clips of each.

    Returns
    -------
    list of Confusion
        Five at most; none of a run that makes no mistake.
    """
    counts, labels = np.array(run.confusion), run.target.outputs
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(share, 0)
    found = []
    for place in np.argsort(-share, axis=None, kind="stable")[:MOST].tolist():
        true, guess = divmod(place, len(labels))
        if share[true, guess]:
            clips = _surest(run, labels[true], labels[guess], most)
            of_both = int(counts[true, guess]), float(share[true, guess])
            found.append(Confusion(labels[true], labels[guess], *of_both, clips))
    return found


def _surest(run: Run, true: str, guess: str, most: int) -> list[dict[str, Any]]:
    """Clips of a confusion, the surest first, each once."""
    rows = run.predictions
    own = rows[(rows["label"] == true) & (rows["predicted"] == guess)]
    own = own.sort_values(f"p_{guess}", ascending=False, kind="stable").drop_duplicates("clip")
    return [
        {
            "clip": row["clip"],
            "speaker": row["speaker"],
            "fold": int(row["fold"]),
            "probability": float(row[f"p_{guess}"]),
            "unlike": row.get("unlike", ""),
        }
        for row in own.head(most).to_dict("records")
    ]
