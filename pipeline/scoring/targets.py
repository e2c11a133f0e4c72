"""The two targets, emotions and attributes: everything that differs between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.errors import InputError
from pipeline.files.index import RATINGS, Index
from pipeline.scoring import metrics
from pipeline.scoring.intervals import Metric
from pipeline.scoring.target import Measure, Target


@dataclass(frozen=True)
class Emotions(Target):
    """Emotions: a model gives a probability for each.

    Attributes
    ----------
    labels : tuple of str
        Labels in the order of a model's outputs; empty until the folds of a run are read.
    """

    labels: tuple[str, ...] = ()

    KIND = "emotions"
    MEASURES = (
        Measure("uar", "UAR", "uar", "chance_uar", "chance", "chance_uar", "dot"),
        Measure("war", "WAR", "war", "majority_war", "majority class", "majority_war", "ring"),
    )
    SUMMARY = "UAR and WAR"
    UNIT = " %"
    SCALE = 100
    DIGITS = 1
    LIMITS = (0, 100)
    AXIS = "percent"
    HISTORY = ("accuracy",)
    JOINS = False
    _FIELD = "labels"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The labels."""
        return self.labels

    @property
    def measures(self) -> tuple[Measure, ...]:
        """UAR and WAR."""
        return self.MEASURES

    @property
    def columns(self) -> list[str]:
        """Label, predicted label, and the probability of each label."""
        return ["label", "predicted", *(f"p_{label}" for label in self.labels)]

    def truth(
        self, usable: Index, parts: pd.DataFrame, labelled: np.ndarray
    ) -> tuple["Emotions", np.ndarray, np.ndarray]:
        """Position of each clip's label; the labels are those of the folds, in alphabetic order."""
        with_label = parts[labelled]
        labels = tuple(sorted(with_label.label.unique()))
        label_of = with_label.drop_duplicates("row").set_index("row").label
        numbers = label_of.map({label: number for number, label in enumerate(labels)})
        truth = numbers.reindex(usable.clips.index, fill_value=-1).to_numpy()
        return Emotions(labels), truth, np.ones(len(parts), bool)

    def predictions(self, truth: np.ndarray, found: np.ndarray) -> pd.DataFrame:
        """``label, predicted, p_<label>...`` of clips."""
        frame = self.answers(found)
        frame.insert(0, "label", [self.labels[i] for i in truth])
        return frame

    def answers(self, found: np.ndarray) -> pd.DataFrame:
        """``predicted, p_<label>...`` of clips."""
        frame = pd.DataFrame(found, columns=[f"p_{label}" for label in self.labels])
        frame.insert(0, "predicted", [self.labels[i] for i in found.argmax(axis=1)])
        return frame

    def words(self, row: Mapping[Any, Any]) -> list[str]:
        """The predicted label, and the probability of each in percent."""
        width = max(map(len, self.labels))
        percent = [f"{label} {100 * row[f'p_{label}']:.1f}" for label in self.labels]
        return [f"{row['predicted']:{width}}", *percent]

    def parsed(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """Check that every label is one of the run, and convert probabilities to numbers."""
        found = {*predictions["label"], *predictions["predicted"]}
        if strange := sorted(found - set(self.labels)):
            raise InputError(f"label {strange[0]!r} is not one of run.json")
        return _with_numbers(predictions, [f"p_{label}" for label in self.labels])

    def added(self, predictions: pd.DataFrame, key: str) -> tuple[Metric, np.ndarray, np.ndarray]:
        """Cells of a confusion matrix."""
        metric = {"uar": metrics.uar, "war": metrics.war}[key]
        return metric, *metrics.cells(predictions, self.labels)

    def summary(self, truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
        """UAR and WAR of clips."""
        frame = self.predictions(truth, found)
        counts = metrics.confusion(frame["label"], frame["predicted"], self.labels)
        return {"uar": float(metrics.uar(counts)), "war": float(metrics.war(counts))}


@dataclass(frozen=True)
class Attributes(Target):
    """Attributes, which clips are rated on: a model gives a value for each, as the corpus rates.

    Attributes
    ----------
    names : tuple of str, from ``RATINGS``
        Attributes in the order of a model's outputs.
    """

    names: tuple[str, ...]

    KIND = "attributes"
    MEASURES = tuple(
        Measure(f"ccc_{name}", f"CCC {name}", name, f"rmse_{name}", "RMSE", None, mark)
        for name, mark in zip(RATINGS, ("dot", "ring", "diamond"), strict=True)
    )
    SUMMARY = "CCC"
    UNIT = ""
    SCALE = 1
    DIGITS = 3
    LIMITS = (-0.2, 1)
    AXIS = "CCC"
    HISTORY = ()
    JOINS = True
    _FIELD = "attributes"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names."""
        return self.names

    @property
    def measures(self) -> tuple[Measure, ...]:
        """CCC of each attribute."""
        return tuple(measure for measure in self.MEASURES if measure.published in self.names)

    @property
    def columns(self) -> list[str]:
        """Rating and prediction of each attribute."""
        return [f"{what}_{name}" for name in self.names for what in ("true", "predicted")]

    def truth(
        self, usable: Index, parts: pd.DataFrame, labelled: np.ndarray
    ) -> tuple["Attributes", np.ndarray, np.ndarray]:
        """Ratings of each clip; clips that lack one neither train, validate nor test."""
        ratings = usable.ratings(self.names)
        rated = np.all(np.isfinite(ratings), axis=1)
        kept = ~labelled | rated[parts.row]
        taking = parts[kept]
        for fold in parts.fold.unique():
            for part in ("train", "test"):
                if not ((taking.fold == fold) & (taking.part == part)).any():
                    raise InputError(
                        f"{', '.join(self.names)}: fold {fold} has no {part} clip that is rated on "
                        "them; take other attributes, another protocol, or a corpus with ratings"
                    )
        return self, ratings, kept

    def predictions(self, truth: np.ndarray, found: np.ndarray) -> pd.DataFrame:
        """``true_<attribute>, predicted_<attribute>...`` of clips."""
        both = np.stack([truth, found], axis=-1)  # (clips, attributes, 2)
        return pd.DataFrame(both.reshape(len(both), -1), columns=self.columns)

    def answers(self, found: np.ndarray) -> pd.DataFrame:
        """A column for each attribute."""
        return pd.DataFrame(found, columns=list(self.names))

    def words(self, row: Mapping[Any, Any]) -> list[str]:
        """Name and value of each attribute."""
        return [f"{name} {row[name]:.2f}" for name in self.names]

    def parsed(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """Convert ratings and predictions to numbers."""
        return _with_numbers(predictions, self.columns)

    def added(self, predictions: pd.DataFrame, key: str) -> tuple[Metric, np.ndarray, np.ndarray]:
        """Moments of each clip."""
        name = key.removeprefix("ccc_")
        sums = metrics.moments(predictions[f"true_{name}"], predictions[f"predicted_{name}"])
        return metrics.ccc, np.arange(len(sums)), sums

    def summary(self, truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
        """CCC of each attribute over clips."""
        return {
            f"ccc_{name}": metrics.concordance(rated, given)
            for name, rated, given in zip(self.names, truth.T, found.T, strict=True)
        }


KINDS = (Emotions, Attributes)


def _with_numbers(predictions: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Convert columns of text to numbers, NaN where empty."""
    try:
        numbers = predictions[columns].replace("", "nan").astype(float)
    except ValueError as error:
        raise InputError(str(error)) from None
    return predictions.assign(**{name: numbers[name] for name in columns})


def of(attributes: Sequence[str], labels: Sequence[str] = ()) -> Target:
    """Make the target of a run: attributes if it names any, otherwise emotions.

    Parameters
    ----------
    attributes : sequence of str
        Those that are predicted; empty for a run on emotions.
    labels : sequence of str
        The emotions in the order of a model's outputs, if they are known.

    Raises
    ------
    InputError
        If an attribute is not one of ``RATINGS``.
    """
    for name in attributes:
        if name not in RATINGS:
            raise InputError(f"attributes is {name!r}, wanted one of {', '.join(sorted(RATINGS))}")
    return Attributes(tuple(attributes)) if attributes else Emotions(tuple(labels))


def joined(targets: Sequence[Target]) -> Target:
    """Make one target of those whose answers stand in one table; all but a single one ``JOINS``."""
    if len(targets) == 1:
        return targets[0]
    return Attributes(tuple(name for target in targets for name in target.outputs))
