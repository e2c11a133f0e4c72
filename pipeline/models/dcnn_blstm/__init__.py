"""DCNN-BLSTM with attention: an image network on segments of a clip, then time, then attention.

A clip comes as segments, each an image of frames by mel bands whose three channels are the log-mel
spectrogram and its two differences. A convolutional network made for photographs gives a vector of
each segment; a bidirectional LSTM reads the vectors in turn, each of its outputs attends to all of
them, their mean goes through dense layers, and a softmax layer names the emotion.

Segments of zeros are padding after a clip: the LSTM, the attention, the mean and the batch
statistics of the convolutional network pass over them.

References
----------
H. Zhang, R. Gou, J. Shang, F. Shen, Y. Wu, G. Dai, "Pre-trained Deep Convolution Neural Network
Model With Attention for Speech Emotion Recognition", Frontiers in Physiology 12:643202, 2021.
https://doi.org/10.3389/fphys.2021.643202

Notes
-----
The authors published no code. The defaults are the network of an independent repetition, which
departs from the paper in what follows; the settings that lead back are in brackets:

* ResNet50V2 in place of AlexNet (``cnn: alexnet``), starting from ImageNet (``cnn_weights``), for
  which AlexNet has no weights here.
* Segments go in as they are, 64 x 64. The paper's are resized (``resize: 227``).
* Eight segments, the first 3 s. The paper takes all of a clip (``length: whole`` of the waveform).
* Attention has no weights but one scale. A second repetition has query, key and value layers, sums
  over the segments, and goes on with 512 and 256 units (``attention: projected``,
  ``dense: [512, 256]``); it brings each channel of a clip to 0..1 (``scaled: true``), normalises
  it as ImageNet's (``imagenet: true``), and takes deltas over five frames (``deltas: regression5``
  of the feature).
* All of the network is trained at once. The second repetition trains the CNN first, on segments,
  and then the rest: 30 epochs of each are ``epochs: 60``, ``segment_epochs: 30``, with
  ``learning_rate: 5.0e-6``, ``batch: 16``, and rates times 0.59 after each epoch of the second
  stage (``schedule: steps``, ``decay: 0.52763``, ``decay_from: 1``, ``decay_every: 1``). What is
  known of it leaves open whether the 30 are of each stage, and how the CNN names a segment; here a
  softmax layer does.

What the paper itself has for the last point is not known here. AlexNet is in one column, without
response normalisation and dropout. The running variances of ResNet50V2 are fed with biased ones.
"""

from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.models.training import SegmentTraining
from pipeline.settings import setting

CNNS = ("resnet50v2", "alexnet", "small")
ATTENTIONS = ("dot", "projected")


@dataclass(frozen=True)
class Settings:
    """Settings of the network.

    ``cnn`` makes a vector of a segment: ResNet50V2 up to its global average (2048 features), the
    paper's AlexNet up to its last layer but one (4096), or three convolutions that train in seconds
    (128). ``attention`` is ``softmax(s H H^T) H`` of the LSTM's outputs ``H``, ``s`` trained,
    averaged over the segments (dot); or ``softmax(Q K^T / sqrt(2 units)) V`` of three dense layers
    of ``H``, summed (projected).
    """

    cnn: str = setting("resnet50v2", "Network that makes a vector of a segment.", choices=CNNS)
    cnn_weights: str = setting(
        "none",
        "Weights that the CNN starts from: none (drawn from the seed), imagenet (ResNet50V2 alone; "
        "downloaded once by keras.applications), or the path of a file of weights for this very "
        "CNN, .h5 of keras.applications without top, or .weights.h5 of Keras.",
    )
    freeze: bool = setting(False, "Whether the CNN stays as it starts.")
    resize: int = setting(
        0, "Height and width to which segments are brought (bilinear); 0 leaves them.", low=0
    )
    scaled: bool = setting(False, "Whether each channel of a clip is brought to 0..1 first.")
    imagenet: bool = setting(
        False, "Whether these channels are then normalised by ImageNet's mean and deviation."
    )
    units: int = setting(128, "Units of the LSTM, in each direction.", low=1)
    attention: str = setting("dot", "Attention of the segments to each other.", choices=ATTENTIONS)
    dense: tuple[int, ...] = setting(
        (256, 128, 128), "Units of the layers before the softmax layer.", low=1
    )
    dropout: float = setting(
        0.25, "Fraction dropped out after the first and the last of these.", low=0, below=1
    )

    def check(self) -> None:
        """Refuse choices that lead to no network."""
        if self.imagenet and not self.scaled:
            raise InputError("imagenet: its mean and deviation are of 0..1; set scaled: true")
        if not self.dense:
            raise InputError("dense: wanted one layer or more, got []")
        if self.cnn_weights == "imagenet" and self.cnn != "resnet50v2":
            raise InputError(
                f"cnn_weights: imagenet has none of {self.cnn}; take cnn resnet50v2, or a file"
            )
        if self.freeze and self.cnn_weights == "none":
            raise InputError("freeze: a CNN of random weights learns nothing; set cnn_weights")


# The repetition's, which names no epochs; 30 is that of the other one. It stops early by the loss
# of validation clips: selection: best_validation, settings: {patience: 5, select_by: loss}.
# What the other one has of its first stage, which segment_epochs begins: rates times 0.695.
TRAINING = SegmentTraining(
    epochs=30,
    batch=32,
    learning_rate=1e-4,
    segment_batch=128,
    segment_rate=1e-4,
    segment_decay=0.36384,
)


def check(settings: Settings, training: SegmentTraining) -> None:
    """Refuse to train a frozen CNN."""
    if settings.freeze and training.segment_epochs:
        raise InputError(
            "segment_epochs: they train the CNN, which freeze leaves as it starts; "
            "set freeze to false, or segment_epochs to 0"
        )


# Recalls in percent, from the abstract; what could be read states no protocol. The repetition gives
# no results.
# fmt: off
PUBLISHED = [
    {"corpus": "emodb", "protocol": "not stated in the abstract",
     "uar": 87.86, "war": None, "source": "paper"},
    {"corpus": "iemocap", "protocol": "not stated in the abstract",
     "uar": 68.50, "war": None, "source": "paper"},
]
# fmt: on
