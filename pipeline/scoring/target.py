"""What a run predicts: the questions that emotions and attributes (`targets`) answer differently.

A ``Target`` knows how many outputs a model has, what is true of a clip, how predictions are written
and scored, and how their figures are named. Code that has one does not ask which it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from pipeline.files.index import Index
from pipeline.scoring.intervals import Metric

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Measure:
    """A figure that runs are compared by.

    Attributes
    ----------
    key : str
        Key of metrics.json; also followed by ``_low``, ``_high``, ``_fold_01`` ...
    name : str
        Heading.
    published : str
        Key of ``PUBLISHED`` of a model.
    second : str
        Key of metrics.json that is shown next to it.
    second_name : str
        Heading of that.
    floor : str or None
        Key of metrics.json: what guessing earns; None: 0.
    mark : str
        Mark that it is drawn with: ``dot``, ``ring`` or ``diamond``.
    """

    key: str
    name: str
    published: str
    second: str
    second_name: str
    floor: str | None
    mark: str


class Target(ABC):
    """What a run predicts.

    Class attributes hold for all targets of a kind: ``KIND``, its name; ``MEASURES``, all that its
    runs may have, and ``SUMMARY``, their names in short; ``UNIT``, written after the name of a
    measure; ``SCALE``, from metrics.json to what is shown and published; ``DIGITS`` after the
    decimal point; ``LIMITS``, between which figures are drawn, and ``AXIS``, the label of that
    axis; ``HISTORY``, further columns of history.csv that every run has; ``JOINS``, whether the
    answers of several bundles may stand in one table.
    """

    KIND: ClassVar[str]
    MEASURES: ClassVar[tuple[Measure, ...]]
    SUMMARY: ClassVar[str]
    UNIT: ClassVar[str]
    SCALE: ClassVar[float]
    DIGITS: ClassVar[int]
    LIMITS: ClassVar[tuple[float, float]]
    AXIS: ClassVar[str]
    HISTORY: ClassVar[tuple[str, ...]]
    JOINS: ClassVar[bool]

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """Names of what a model gives, in order."""

    @property
    @abstractmethod
    def measures(self) -> tuple[Measure, ...]:
        """Those of the kind's measures that a run with this target has."""

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """Columns of predictions.csv that hold the truth and the prediction."""

    @abstractmethod
    def truth(
        self, usable: Index, parts: pd.DataFrame, labelled: np.ndarray
    ) -> tuple[Self, np.ndarray, np.ndarray]:
        """Find what is true of the clips of a run.

        Parameters
        ----------
        usable : Index
            Usable clips of a corpus.
        parts : DataFrame
            Folds of a protocol: ``label, fold, part`` and ``row``, the position in ``usable``.
        labelled : ndarray, shape (len(parts),), bool
            Rows of ``parts`` that train, validate or test.

        Returns
        -------
        target : Target
            This target with its outputs named.
        truth : ndarray, shape (clips,), int, or (clips, outputs), float32
            Position in ``outputs``, or -1 where the clip has no label; or its ratings, NaN where
            it has none.
        kept : ndarray, shape (len(parts),), bool
            Rows of ``parts`` that take part.

        Raises
        ------
        InputError
            If a fold has no clip left to train on or to test.
        """

    @abstractmethod
    def predictions(self, truth: np.ndarray, found: np.ndarray) -> pd.DataFrame:
        """Lay out the truth of some clips and the answers of a model, as predictions.csv has them.

        Parameters
        ----------
        truth : ndarray, shape (clips,) or (clips, outputs)
            Truth, as `truth` gives it.
        found : ndarray, shape (clips, outputs)

        Returns
        -------
        DataFrame
            ``label, predicted, p_<label>...``, or ``true_<attribute>, predicted_<attribute>...``.
        """

    @abstractmethod
    def answers(self, found: np.ndarray) -> pd.DataFrame:
        """Lay out the answers of a model (clips, outputs) where the truth is not known."""

    @abstractmethod
    def words(self, row: Mapping[Any, Any]) -> list[str]:
        """Words for one row of `answers`."""

    @abstractmethod
    def parsed(self, predictions: pd.DataFrame) -> pd.DataFrame:
        """Check predictions that were read as text, and convert the numbers among ``columns``.

        Raises
        ------
        InputError
            If a value is not one of this target.
        """

    @abstractmethod
    def added(self, predictions: pd.DataFrame, key: str) -> tuple[Metric, np.ndarray, np.ndarray]:
        """Lay out predictions for the bootstraps.

        Parameters
        ----------
        predictions : DataFrame
            Table as `evaluation.scores` takes it, of one seed.
        key : str
            Key of one of the measures.

        Returns
        -------
        metric : callable
            The measure, of what adds up over clips.
        kinds, sums : ndarray, shape (clips,), int, and (kinds, ...)
            What each clip adds, as `intervals.speaker_bootstrap` takes it.
        """

    @abstractmethod
    def summary(self, truth: np.ndarray, found: np.ndarray) -> dict[str, float]:
        """Only the measures, of some clips: shapes as in `predictions`."""

    def to_json(self) -> dict[str, list[str]]:
        """Give the keys of card.json and run.json that state the target."""
        return {"labels": [], "attributes": []} | {self._FIELD: list(self.outputs)}

    @classmethod
    def show(cls, value: float) -> str:
        """Format a figure of metrics.json; a rounded 0 has no sign."""
        return f"{cls.SCALE * value:z.{cls.DIGITS}f}".replace("-", MINUS)

    @classmethod
    def change(cls, difference: float) -> str:
        """Format a difference of what is shown, signed."""
        return f"{difference:+z.{cls.DIGITS}f}".replace("-", MINUS)

    _FIELD: ClassVar[str]
