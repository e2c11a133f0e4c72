"""Temperatures of trained models, fitted on the validation clips of their folds, never on test."""

from pathlib import Path

from pipeline.engine.dataset import Dataset
from pipeline.inference import models
from pipeline.inference.cards import Card
from pipeline.scoring import calibration
from pipeline.scoring.intervals import over_speakers
from pipeline.scoring.targets import Emotions


def fits(data: Dataset) -> bool:
    """Whether temperatures are fitted: to emotions, on clips of five speakers or more in each fold.

    One fitted on the clips of two speakers says how sure to be of those two: of the demo corpus it
    raised the calibration error of an SVM on others from 1 to 22 percent.

    Parameters
    ----------
    data : Dataset
    """
    return data.target.KIND == Emotions.KIND and all(
        over_speakers(data.clips["speaker"].iloc[fold.validation].tolist()) for fold in data.folds
    )


def fitted(card: Card, data: Dataset, trained: list[dict], folder: Path) -> list[dict]:
    """Fit the temperature of each model of a run.

    Imported weights have none: which clips they were trained on is not known.

    Parameters
    ----------
    card : Card
        Card of the bundle, its models still missing.
    data : Dataset
    trained : list of dict
        Facts of each model: ``fold, seed, file`` and others.
    folder : Path
        Holds the files.

    Returns
    -------
    list of dict
        The facts, with a ``temperature`` where one was fitted.
    """
    if card.weights or not fits(data):
        return trained
    folds = {fold.number: fold for fold in data.folds}
    made = models.in_training(card, trained, folder)
    ask, found = models.asked(made), []
    for one, facts in zip(made.folds, trained, strict=True):
        rows = folds[one.fold].validation
        answers, _ = ask(one, data.each(rows))
        found.append(facts | {"temperature": calibration.temperature(data.truth[rows], answers)})
    return found
