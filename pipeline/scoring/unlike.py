"""How often a model warns that a clip is unlike its training, and how often it is right then."""

from typing import Any

import numpy as np
import pandas as pd

COLUMN = "unlike"  # of predictions.csv: the kinds in which a clip is unlike, a blank between


def warned(predictions: pd.DataFrame) -> dict[str, Any] | None:
    """Count warnings; None where nothing is known of what is like the training.

    Parameters
    ----------
    predictions : DataFrame
        A row per clip and seed, at least one: ``unlike``, and of emotions ``label, predicted``.

    Returns
    -------
    dict or None
        How many ``predictions`` there are, how many were ``warned`` of, and of which ``kinds`` how
        often; of emotions ``right``, the fraction that is right of the others and of those warned
        of, None without any.

    Examples
    --------
    >>> warned(pd.DataFrame({"unlike": ["", "level noise", "level"], "label": ["sad"] * 3,
    ...                      "predicted": ["sad", "sad", "angry"]}))["kinds"]
    {'level': 2, 'noise': 1}
    """
    if COLUMN not in predictions:
        return None
    said = predictions[COLUMN].fillna("")
    flagged = (said != "").to_numpy()
    kinds = said[flagged].str.split().explode().value_counts(sort=False)
    found: dict[str, Any] = {"predictions": len(said), "warned": int(flagged.sum())}
    found["kinds"] = {kind: int(kinds[kind]) for kind in sorted(kinds.index)}
    if "predicted" in predictions:
        right = (predictions["label"] == predictions["predicted"]).to_numpy()
        parts = {"like": right[~flagged], "unlike": right[flagged]}
        found["right"] = {
            name: float(np.mean(part)) if len(part) else None for name, part in parts.items()
        }
    return found
