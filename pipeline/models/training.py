"""How models are trained, as records: their defaults, bounds, and what each setting is.

A model's ``TRAINING`` is one of the five, with its paper's values; ``settings`` of a run in
params.yaml change single ones. The engine reads them by attribute. Networks are trained in epochs,
classical models are fitted at once.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

from pipeline.errors import InputError
from pipeline.files.index import RATINGS
from pipeline.settings import setting

LOSSES = ("cross_entropy", "focal", "margin")
OPTIMISERS = ("adam", "adamw")
SCHEDULES = ("constant", "steps", "cosine")
BALANCES = ("none", "weights", "resample")
SCALINGS = ("training", "all")
SELECT_BY = ("accuracy", "uar", "loss")
SAMPLERS = ("clips", "chunks", "chunks_misplaced")
SELECT_BY_RATED = ("ccc", "chunk_loss")
EQUAL_EPOCHS = ("earliest", "latest")


@dataclass(frozen=True)
class Steps:
    """What any training takes: its length, and the steps of Adam."""

    epochs: int = setting(30, "Passes over the training clips.", low=1)
    batch: int = setting(32, "Clips of one step.", low=1)
    learning_rate: float = setting(1e-3, "Learning rate of Adam.", above=0)
    beta_1: float = setting(0.9, "Decay of Adam's mean of the gradients.", low=0, below=1)
    beta_2: float = setting(0.999, "Decay of Adam's mean of their squares.", low=0, below=1)
    epsilon: float = setting(1e-7, "Number that Adam adds to its divisor.", above=0)
    equal_epochs: str = setting(
        "earliest",
        "Which of equally good epochs is kept where the selection is not the last one.",
        choices=EQUAL_EPOCHS,
    )


@dataclass(frozen=True)
class EmotionTraining(Steps):
    """Training of a network whose outputs are probabilities of emotions."""

    loss: str = setting("cross_entropy", "Loss that is minimised.", choices=LOSSES)
    label_smoothing: float = setting(
        0.0, "Fraction of a target that all classes get alike.", low=0, below=1
    )
    compound_smoothing: bool = setting(
        False, "Whether each fold smooths again what folds before it have smoothed (a known fault)."
    )
    optimiser: str = setting("adam", "Optimiser.", choices=OPTIMISERS)
    weight_decay: float = setting(
        0.01, "Part of each weight, times the rate, that a step of adamw takes away.", low=0
    )
    clip_norm: float = setting(
        0.0, "Most that the norm of all gradients of a step may be; 0 leaves them.", low=0
    )
    schedule: str = setting("constant", "Course of the learning rate.", choices=SCHEDULES)
    decay: float = setting(
        0.15, "Exponent of one step of schedule steps: the rate times exp(-decay).", low=0
    )
    decay_from: int = setting(50, "First epoch in which the rate may step.", low=1)
    decay_every: int = setting(20, "Epochs between two steps of the rate.", low=1)
    patience: int = setting(
        0,
        "Epochs after which a fold is finished if none of them is better on validation clips; 0 "
        "trains all epochs.",
        low=0,
    )
    balance: str = setting(
        "none",
        "What makes classes count alike: weights of clips, or how often they are drawn.",
        choices=BALANCES,
    )
    select_by: str = setting(
        "accuracy",
        "What epochs are compared by where the selection is not the last one; the lowest loss is "
        "the best.",
        choices=SELECT_BY,
    )
    mask_frames: int = setting(
        0, "Most frames in a row of a clip replaced by the mean (SpecAugment).", low=0
    )
    mask_bins: int = setting(
        0, "Most bins in a row of a clip replaced by the mean (SpecAugment).", low=0
    )

    attributes: ClassVar[tuple[str, ...]] = ()
    unlabeled: ClassVar[int] = 0


@dataclass(frozen=True)
class SegmentTraining(EmotionTraining):
    """Training of a network of segments, whose CNN may be trained first, and by itself.

    In that first stage a softmax layer of its own names the emotion of each segment, which is that
    of its clip. In the second the CNN is frozen, and the other settings say how the rest is trained
    on whole clips; its schedule begins there. What both have alike is the loss, its targets and
    balance, masks, and the optimiser but for its rate; each begins with an optimiser of its own.
    """

    segment_epochs: int = setting(
        0,
        "How many of the epochs, the first ones, train the CNN alone, on segments that bear the "
        "label of their clip; in the others it is frozen. 0 trains the whole network in all.",
        low=0,
    )
    segment_batch: int = setting(128, "Segments of one step of these epochs.", low=1)
    segment_rate: float = setting(1e-4, "Learning rate of the first of these epochs.", above=0)
    segment_decay: float = setting(
        0.0, "Exponent of what each of these epochs leaves of the rate: exp(-segment_decay).", low=0
    )

    def check(self) -> None:
        """Refuse a first stage that leaves no epoch to the second."""
        if self.segment_epochs >= self.epochs:
            raise InputError(
                f"segment_epochs: must be below epochs, {self.epochs}, which they are a part of, "
                f"got {self.segment_epochs}"
            )

    def stages(self) -> tuple[EmotionTraining, EmotionTraining]:
        """Give the trainings of the CNN on segments, and of the rest on clips."""
        first = replace(
            self,
            epochs=self.segment_epochs,
            batch=self.segment_batch,
            learning_rate=self.segment_rate,
            schedule="steps",
            decay=self.segment_decay,
            decay_from=1,
            decay_every=1,
        )
        return first, replace(self, epochs=self.epochs - self.segment_epochs)


@dataclass(frozen=True)
class AttributeTraining(Steps):
    """Training of a network whose outputs are attributes, with clusters of its chunks.

    Adam steps after plain descent on the same gradients; the layer that names clusters, made again
    for every epoch, has a rate of its own.
    """

    attributes: tuple[str, ...] = setting(
        ("arousal",), "Attributes that one network predicts.", choices=RATINGS
    )
    clusters: int = setting(10, "Clusters of chunks that k-means finds.", low=2)
    sampler: str = setting(
        "clips",
        "What is drawn so that clusters are met about equally often: clips, with all their chunks; "
        "chunks, as the predecessor does, of any clip, and as many for a step as its batch of "
        "clips has; or these as its code has them (a known fault), where the numbers drawn are "
        "taken for places in a list sorted by cluster.",
        choices=SAMPLERS,
    )
    unlabeled: int = setting(
        0, "Clips without ratings that are trained on before each epoch.", low=0
    )
    descent_rate: float = setting(1e-3, "Learning rate of plain descent.", low=0)
    clusters_rate: float = setting(0.05, "Learning rate of the layer of clusters.", above=0)

    select_by: str = setting(
        "ccc",
        "What epochs are compared by where the selection is not the last one: CCC of clips, or the "
        "authors' mean over batches of the loss of chunks, the lowest of which is the best.",
        choices=SELECT_BY_RATED,
    )

    patience: ClassVar[int] = 0

    def check(self) -> None:
        """Refuse a list of attributes that is empty or names one twice."""
        _each_once(self.attributes)


@dataclass(frozen=True)
class Fit:
    """What fitting any classical model takes."""

    scaling: str = setting(
        "training",
        "Clips whose mean and deviation scale the functionals: those of training, or all, the "
        "tested ones among them (a leak of normalisation, which the protocol must allow).",
        choices=SCALINGS,
    )
    inner_folds: int = setting(
        3,
        "Groups of training speakers that values are compared on where a setting lists several.",
        low=2,
    )


@dataclass(frozen=True)
class EmotionFit(Fit):
    """Fit of a classical model of emotions."""

    balance: str = setting(
        "none", "What makes classes count alike: weights of clips.", choices=("none", "weights")
    )

    attributes: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class AttributeFit(Fit):
    """Fit of classical models of attributes, one for each; ratings are scaled as functionals."""

    attributes: tuple[str, ...] = setting(
        ("arousal",), "Attributes that are predicted.", choices=RATINGS
    )

    def check(self) -> None:
        """Refuse a list of attributes that is empty or names one twice."""
        _each_once(self.attributes)


def _each_once(attributes: tuple[str, ...]) -> None:
    """Refuse a list of attributes that is empty or names one twice."""
    if not attributes or len(set(attributes)) < len(attributes):
        raise InputError(f"attributes: wanted one or more, each once, got {list(attributes)}")


Training = EmotionTraining | AttributeTraining  # in epochs
AnyTraining = Training | EmotionFit | AttributeFit
