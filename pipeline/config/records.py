"""What params.yaml says, as frozen records: each line of its tables, checked and complete.

Fields that are no settings are filled in from the other tables.
"""

import re
from dataclasses import dataclass
from typing import Any

from pipeline import workers
from pipeline.audit import quality
from pipeline.engine.backend import BACKENDS
from pipeline.errors import InputError
from pipeline.features.recipes import FeatureRecipe, WaveformRecipe
from pipeline.models.training import AnyTraining
from pipeline.protocols.protocol import Protocol
from pipeline.protocols.vocabulary import BROUGHT
from pipeline.settings import setting

FOLDS = ("auto", "threads", "stacked")
SELECTIONS = ("last", "best_validation", "leaky")


@dataclass(frozen=True)
class Corpus:
    """A corpus in raw_data, and the parser that reads it."""

    name: str
    settings: dict[str, Any]  # of the parser, none left unsaid; they stand next to the other keys
    parser: str = setting(doc="File of pipeline/corpora that reads it.")
    samples: int | None = setting(
        None,
        "Length of its waveforms, where neither their recipe nor their line of sounds states it.",
        unit="samples",
        low=1,
    )
    allow_partial: bool = setting(False, "Whether a copy that lacks clips will do.")
    limits: dict[str, float] = setting(
        {}, f"Counts above which the index fails: {', '.join(quality.LIMITS)}."
    )


@dataclass(frozen=True)
class Sound:
    """Waveforms of a corpus by a recipe."""

    name: str
    recipe: WaveformRecipe
    corpus: str = setting(doc="Line of corpora.")
    waveform: str = setting(doc="Line of waveforms.")
    samples: int | None = setting(
        None, "Length of a waveform, where its recipe leaves it out.", unit="samples", low=1
    )

    def check(self) -> None:
        """Refuse a length that is said nowhere, or twice."""
        wanted = self.recipe.samples is None and self.recipe.length != "whole"
        if wanted and self.samples is None:
            raise InputError(f"samples: missing; waveforms.{self.waveform} leaves it out")
        if self.samples is not None and not wanted:
            raise InputError(f"samples: waveforms.{self.waveform} says it all; remove it here")


@dataclass(frozen=True)
class Data:
    """A feature of the waveforms of a corpus."""

    name: str
    corpus: str
    waveform: str
    sound: str = setting(doc="Line of sounds.")
    feature: str = setting(doc="Line of features.")


@dataclass(frozen=True)
class Folds:
    """The clips of a corpus, parted by a protocol."""

    name: str
    rule: Protocol
    corpus: str = setting(doc="Line of corpora.")
    protocol: str = setting(doc="Line of protocols.")


@dataclass(frozen=True)
class Engine:
    """How all runs are computed; nothing of what is computed."""

    backend: str = setting(doc="Library that computes.", choices=BACKENDS)
    folds: str = setting(
        doc="Where folds are trained: threads, one a core, or stacked into one program; auto is "
        "stacked on a GPU.",
        choices=FOLDS,
    )
    memory_mb: int = setting(
        doc="Features above this are read batch by batch in training.", unit="MB", low=1
    )
    workers: str = setting(
        doc="Where features are made and folds trained: threads, processes, or tcp://HOST:PORT of "
        "a dask scheduler."
    )

    def check(self) -> None:
        """Refuse workers that there are not."""
        if not workers.known(self.workers):
            raise InputError(
                f"workers: wanted {', '.join(workers.LOCAL)} or tcp://HOST:PORT of a dask "
                f"scheduler, got {self.workers!r}"
            )


@dataclass(frozen=True)
class Run:
    """One experiment: a model, what it is trained and tested on, and how."""

    name: str
    waveform: str
    feature: str
    protocol: str
    engine: Engine
    settings: Any  # record of the model
    training: AnyTraining
    model: str = setting(doc="File or folder of pipeline/models.")
    corpus: str = setting(doc="Line of corpora.")
    data: str = setting(doc="Line of data, of the same corpus.")
    folds: str = setting(doc="Line of folds, of the same corpus.")
    selection: str = setting(
        "last",
        "Epoch that is kept: the last; the best on validation clips; or, leaky, on test clips.",
        choices=SELECTIONS,
    )
    seeds: tuple[int, ...] = setting((0,), "Seeds; every fold is trained with each.", low=0)
    weights: str = setting("", "Folder of published weights, in place of a training.")
    start_from: str = setting(
        "", "Bundle of the same model whose weights the training starts from: models/RUN."
    )
    pretrained_on: tuple[str, ...] = setting(
        (),
        "Corpora that its weights, or files that its settings name, were trained on before; "
        "unknown among them: what else is not known.",
    )
    leaks: tuple[str, ...] = setting(
        (),
        "What they have seen of clips that are tested, without their labels: statistics that scale "
        "(normalisation), or the clips themselves in training (transductive).",
        choices=BROUGHT,
    )
    backend: str = setting("", "Library that computes this run.", choices=("", *BACKENDS))
    parsers: tuple[str, ...] = ()  # of its corpus, those that are joined among them

    def check(self) -> None:
        """Refuse seeds that are none, or one twice, and a start that nothing follows."""
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            found = list(self.seeds)
            raise InputError(f"seeds: wanted one or more, all different, got {found}")
        if self.start_from and self.weights:
            raise InputError("start_from: a run with weights is not trained; leave one of them out")


@dataclass(frozen=True)
class Params:
    """The whole of params.yaml."""

    corpora: dict[str, Corpus]
    waveforms: dict[str, WaveformRecipe]
    features: dict[str, FeatureRecipe]
    protocols: dict[str, Protocol]
    sounds: dict[str, Sound]
    data: dict[str, Data]
    folds: dict[str, Folds]
    runs: dict[str, Run]
    engine: Engine


NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")  # becomes a folder, and a word of a command
