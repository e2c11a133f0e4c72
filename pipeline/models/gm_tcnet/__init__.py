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

# Recalls in percent. What was published was chosen on the test folds; the authors of TIM-Net, many
# of whom wrote GM-TCNet too, ran it again without that.
# fmt: off
PUBLISHED = [
    {"corpus": "casia", "protocol": "10 random folds, best epoch on test",
     "uar": 90.17, "war": 90.17, "source": "published, as in TIM-Net's README"},
    {"corpus": "emodb", "protocol": "10 random folds, best epoch on test",
     "uar": 90.48, "war": 91.39, "source": "published, as in TIM-Net's README"},
    {"corpus": "emodb", "protocol": "10 random folds, best epoch on test",
     "uar": 90.45, "war": 91.40, "source": "the same, in another version of that README"},
    {"corpus": "ravdess", "protocol": "10 random folds, best epoch on test",
     "uar": 87.64, "war": 87.35, "source": "published, as in TIM-Net's README"},
    {"corpus": "ravdess", "protocol": "10 random folds, best epoch on test",
     "uar": 87.30, "war": 87.64, "source": "the same, in another version of that README"},
    {"corpus": "savee", "protocol": "10 random folds, best epoch on test",
     "uar": 86.02, "war": 83.88, "source": "published, as in TIM-Net's README"},
    {"corpus": "savee", "protocol": "10 random folds, best epoch on test",
     "uar": 84.40, "war": 86.01, "source": "the same, in another version of that README"},
    {"corpus": "casia", "protocol": "10 random folds, no choice on test",
     "uar": 85.50, "war": 85.50, "source": "run again by TIM-Net's authors"},
    {"corpus": "emodb", "protocol": "10 random folds, no choice on test",
     "uar": 86.17, "war": 85.70, "source": "run again by TIM-Net's authors"},
    {"corpus": "ravdess", "protocol": "10 random folds, no choice on test",
     "uar": 82.78, "war": 82.62, "source": "run again by TIM-Net's authors"},
    {"corpus": "savee", "protocol": "10 random folds, no choice on test",
     "uar": 75.83, "war": 73.57, "source": "run again by TIM-Net's authors"},
]
# fmt: on
