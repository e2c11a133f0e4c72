"""Made-up predictions, for tests of what is scored."""

import numpy as np
import pandas as pd

CLASSES = ["angry", "happy", "neutral", "sad"]


def guesses(clips=400, seed=0, right=0.6, classes=CLASSES):
    """Labels of uneven frequency, and predictions that are right so often."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(classes, clips, p=np.arange(1, len(classes) + 1) / 10)
    predicted = np.where(generator.random(clips) < right, labels, generator.choice(classes, clips))
    return labels, predicted


def predictions(clips=400, folds=4, speakers=10, seed=0, **settings):
    """Return a frame of predictions."""
    labels, predicted = guesses(clips, seed, **settings)
    given = np.random.default_rng(seed).dirichlet(np.ones(len(CLASSES)), clips)
    probabilities = {f"p_{name}": column for name, column in zip(CLASSES, given.T, strict=True)}
    return pd.DataFrame(
        {
            "clip": [f"c{number:03d}" for number in range(clips)],
            "speaker": [f"s{number % speakers}" for number in range(clips)],
            "sex": "",
            "fold": [str(1 + number % folds) for number in range(clips)],
            "label": labels,
            "predicted": predicted,
        }
        | probabilities
    )


def rated(clips=400, folds=4, speakers=10, seed=0, attributes=("arousal", "valence")):
    """Return a frame of ratings from 1 to 7, and predictions that follow them."""
    generator = np.random.default_rng(seed)
    frame = predictions(clips, folds, speakers).drop(columns=["label", "predicted"])
    for attribute in attributes:
        true = generator.uniform(1, 7, clips)
        frame[f"true_{attribute}"] = true
        frame[f"predicted_{attribute}"] = 1 + 0.6 * true + generator.normal(0, 1, clips)
    return frame


def ccc_of(truth, predicted):
    """Concordance as its definition says it, from the correlation."""
    r = np.corrcoef(truth, predicted)[0, 1]
    both = np.var(truth) + np.var(predicted) + (np.mean(truth) - np.mean(predicted)) ** 2
    return 2 * r * np.std(truth) * np.std(predicted) / both
