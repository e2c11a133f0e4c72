"""GM-TCNet: gated multi-scale temporal convolutional network.

A stack of blocks sees ever more of the past, the dilation doubling from block to block. A block is
two levels of three gated causal convolutions each. What the blocks give is added up, pooled over
time, and a softmax layer names the emotion.

References
----------
J.-X. Ye, X.-C. Wen, X.-Z. Wang, Y. Xu, Y. Luo, C.-L. Wu, L.-Y. Chen, K.-H. Liu, "GM-TCNet: Gated
Multi-scale Temporal Convolutional Network using Emotion Causality for Speech Emotion Recognition",
Speech Communication, 2022. https://arxiv.org/abs/2210.15834

Notes
-----
Where paper and published code differ, this is the code, which made the published numbers:

* The code has 7 blocks; the published size of 1.13 MB is that of 8, ``blocks: 8``.
* The gate is ``sigmoid(relu(...))``, so it lies in [0.5, 1).
* There is neither normalisation nor dropout, and the features come as they are: the first losses
  are large.
* The three branches of a level have the same dilation; they differ by their first weights alone.

Here alone the six convolutions of a level run as one with six times the filters, which is faster
and computes the same; and the weights are drawn from a seed of the run.
"""

from dataclasses import dataclass

from pipeline.models.training import EmotionTraining
from pipeline.settings import setting


@dataclass(frozen=True)
class Settings:
    """Settings of the network."""

    blocks: int = setting(
        7,
        "Blocks, dilations 1, 2, 4, ... at their first level and twice that at their second.",
        low=1,
    )
    filters: int = setting(39, "Channels inside; need not equal the coefficients.", low=1)
    kernel: int = setting(2, "Frames that a convolution sees, a dilation apart.", low=1)


TRAINING = EmotionTraining(
    epochs=300, batch=64, learning_rate=1e-3, beta_1=0.93, beta_2=0.98, epsilon=1e-8
)

_CORPORA = {  # clips, classes
    "casia": (1200, "angry fear happy neutral sad surprise"),
    "emodb": (535, "angry boredom disgust fear happy neutral sad"),
    "ravdess": (1440, "angry calm disgust fear happy neutral sad surprise"),
    "savee": (480, "angry disgust fear happy neutral sad surprise"),
}
_MFCC = {
    "function": "cepstral.mfcc",
    "n_mfcc": 39,
    "n_fft": 2048,
    "hop": 512,
    "n_mels": 128,
    "sample_rate": 22050,
    "resampler": "kaiser_best",
    "length": "centre",
    "copies": 0,
    "deltas": "none",
}
_FIRST = "published, as in TIM-Net's README"
_OTHER = "the same, in another version of that README"
_AGAIN = "run again by TIM-Net's authors"


def _result(corpus: str, uar: float, war: float, source: str) -> dict:
    """Give a line of `PUBLISHED`.

    The authors brought the clips of all corpora to 96000 samples, and took them in the order of the
    folder, which is another on each machine; that the seed is theirs is all that the folds have in
    common. How long the clips were when it was run again is not known.
    """
    clips, classes = _CORPORA[corpus]
    again = source == _AGAIN
    return {
        "corpus": corpus,
        "protocol": f"10 random folds, {'no choice on test' if again else 'best epoch on test'}",
        "uar": uar,
        "war": war,
        "source": source,
        "conditions": {
            "clips": clips,
            "classes": classes.split(),
            "folds": {"kind": "kfold", "folds": 10, "seed": 32},
            "selection": "last" if again else "leaky",
            "epochs": 300,
            "feature": _MFCC if again else _MFCC | {"samples": 96000},
        },
    }


# Recalls in percent. What was published was chosen on the test folds; the authors of TIM-Net, many
# of whom wrote GM-TCNet too, ran it again without that.
PUBLISHED = [
    _result("casia", 90.17, 90.17, _FIRST),
    _result("emodb", 90.48, 91.39, _FIRST),
    _result("emodb", 90.45, 91.40, _OTHER),
    _result("ravdess", 87.64, 87.35, _FIRST),
    _result("ravdess", 87.30, 87.64, _OTHER),
    _result("savee", 86.02, 83.88, _FIRST),
    _result("savee", 84.40, 86.01, _OTHER),
    _result("casia", 85.50, 85.50, _AGAIN),
    _result("emodb", 86.17, 85.70, _AGAIN),
    _result("ravdess", 82.78, 82.62, _AGAIN),
    _result("savee", 75.83, 73.57, _AGAIN),
]
