"""Temperatures of trained models, fitted on the validation clips of their folds, never on test."""

from dataclasses import replace
from pathlib import Path

from pipeline.engine import backend
from pipeline.engine.dataset import Dataset, Fold
from pipeline.inference import models
from pipeline.inference.cards import Card, FoldModel
from pipeline.scoring import calibration
from pipeline.scoring.target import Target
from pipeline.scoring.targets import Emotions


def fits(target: Target, fold: Fold) -> bool:
    """Whether a temperature can be fitted: to probabilities, where a fold has validation clips."""
    return target.KIND == Emotions.KIND and len(fold.validation) > 0


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
    folds = {fold.number: fold for fold in data.folds if fits(data.target, fold)}
    if card.weights or not folds:
        return trained
    if not card.classical:
        backend.start(card.backend)
    ones = tuple(FoldModel(unit["fold"], unit["seed"], unit["file"], None) for unit in trained)
    ask, found = models.asked(replace(card, folder=folder, folds=ones)), []
    for one, unit in zip(ones, trained, strict=True):
        rows = folds[one.fold].validation
        answers = ask(one, data.each(rows))
        found.append(unit | {"temperature": calibration.temperature(data.truth[rows], answers)})
    return found
