"""Temporal DeepEmoCluster: attributes of a clip and clusters of its chunks, from one network.

A clip is cut into 11 chunks of a second. Seven convolutions make a vector of each, a temporal
network lets the chunks of a clip know of each other, and two branches read every chunk: one
predicts the attributes (arousal, dominance, valence) and one the cluster that k-means put the
chunk into. The clip's answer is the mean over its chunks.

``build`` gives what is used in the end: features in, attributes out. ``with_clusters`` puts the
other branch on it for training. Both have the same weights, so that the first is trained with the
second.

References
----------
W.-C. Lin and C. Busso, "Deep temporal clustering features for speech emotion recognition", Speech
Communication 157, 2024, 103027. https://doi.org/10.1016/j.specom.2023.103027

W.-C. Lin, K. Sridhar, C. Busso, "DeepEmoCluster: a semi-supervised framework for latent cluster
representation of speech emotions", ICASSP 2021. (``none``: the same without a temporal network.)
https://doi.org/10.1109/ICASSP39728.2021.9414035

Notes
-----
Where paper and published code differ, this is the code, which made the published numbers:

* The convolutions are called VGG-16; they are seven, with strides in place of pooling.
* The dropout that the code asks of the GRU has no effect in a single layer; there is none here.
* The Triplet variant has no dropout at all.
* The predecessor (``temporal: none``) draws chunks, not clips (``sampler: chunks``), with a fault
  that the later code mends (``chunks_misplaced``). How many chunks a step of it has is not known
  here; they are as many as those of a batch of clips. Another fault, that its branch for attributes
  is never trained, is not rebuilt.

The features are mel spectra of linear power in chunks of 62 frames; a clip of fewer frames gets
silence at the end. The network itself scales them and its answers, by what training clips have: it
takes features as they are and gives ratings as the corpus has them. The authors trained a network
for each attribute; ``outputs`` may be more than 1.
"""

from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.models.training import AttributeTraining
from pipeline.settings import setting

TEMPORAL = ("gru", "cnn", "trans", "triplet", "none")


@dataclass(frozen=True)
class Settings:
    """Settings of the network.

    ``temporal`` stands between the chunks: a recurrent network of both directions, two convolutions
    over chunks and channels, a layer of self-attention, or nothing, where the embeddings are
    ordered by a triplet loss, or are not.
    """

    temporal: str = setting("gru", "Temporal network.", choices=TEMPORAL)
    dropout: float = setting(
        0.5, "Fraction of the embedding dropped out; triplet has none.", low=0, below=1
    )
    temporal_dropout: float = setting(
        0.3, "Fraction dropped out inside the temporal networks cnn and trans.", low=0, below=1
    )


TRAINING = AttributeTraining(
    epochs=30,
    batch=64,
    attributes=("arousal",),
    clusters=10,
    learning_rate=5e-4,
    epsilon=1e-8,
    descent_rate=1e-3,
    clusters_rate=0.05,
)


def check(settings: Settings, training: AttributeTraining) -> None:
    """Refuse a temporal network over chunks that are not of one clip."""
    if training.sampler != "clips" and settings.temporal != "none":
        raise InputError(
            f"sampler: {training.sampler} puts chunks of several clips together, but temporal "
            f"{settings.temporal} takes all of one clip in order; set temporal to none, or sampler "
            "to clips"
        )


_MEL = {
    "function": "spectral.mel",
    "n_mels": 128,
    "n_fft": 512,
    "hop": 256,
    "segment": 62,
    "chunks": 11,
    "sample_rate": 16000,
    "length": "whole",
    "copies": 0,
}


def _result(temporal: str, arousal: float, dominance: float, valence: float) -> dict:
    """Give a line of `PUBLISHED` that was trained on release 1.8 with labels alone."""
    return {
        "corpus": "msp_podcast",
        "protocol": f"1.8, {temporal}, 10 clusters, best epoch on validation",
        "arousal": arousal,
        "dominance": dominance,
        "valence": valence,
        "source": "authors' README",
        "conditions": {
            "copy": {"release": "1.8"},
            "clips": "whole",
            "classes": [],
            "folds": {"kind": "partition"},
            "selection": "best_validation",
            "epochs": 30,
            "feature": _MEL,
            "settings": {
                "temporal": temporal,
                "clusters": 10,
                "unlabeled": 0,
                "sampler": "clips",
                "select_by": "chunk_loss",
            },
        },
    }


# Concordance of the attributes over the test partition, "Test1" of 1.8 and "Test" of 1.6.
# The last two had other settings for each attribute, so that no one run is made like them.
PUBLISHED = [
    _result("gru", 0.5730, 0.4663, 0.1590),
    _result("cnn", 0.5630, 0.4728, 0.1471),
    _result("trans", 0.5672, 0.4632, 0.1712),
    _result("triplet", 0.5664, 0.4774, 0.1648),
    {
        "corpus": "msp_podcast",
        "protocol": "1.8, trans, 30/30/10 clusters, 100000/100000/15000 unlabelled clips, "
        "best epoch on validation",
        "arousal": 0.5741,
        "dominance": 0.4839,
        "valence": 0.1801,
        "source": "authors' README, later",
    },
    {
        "corpus": "msp_podcast",
        "protocol": "1.6, none, 10/30/30 clusters, 40000 unlabelled clips, 50 epochs",
        "arousal": 0.6732,
        "dominance": 0.5547,
        "valence": 0.1902,
        "source": "authors' README of the predecessor",
    },
]
