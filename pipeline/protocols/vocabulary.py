"""Words of protocols, each stated once: parts of a fold, kinds of leak, and how both are worded.

A new kind of leak is one line of ``LEAKS``: the certificate counts it, a protocol may declare it,
and the report shows it.
"""

from dataclasses import dataclass

LABELLED = ("train", "validation", "test")  # parts of clips with labels
UNLABELED = "unlabeled"
PARTS = (*LABELLED, UNLABELED, "unused")
PARTITIONS = (*LABELLED, "test2", "test3")  # of the index, where a corpus has parts of its own


@dataclass(frozen=True)
class Leak:
    """A kind of leak: something that a test clip shares with a clip that its fold trains on.

    Attributes
    ----------
    column : str
        Column of the index whose value both clips have.
    heading : str
        Heading of its column in tables.
    touched : str
        Words for the test clips it touches, after "test clips".
    shared : str
        What a number is not honest with, in the plural; empty where the leak is only reported.
    tolerated : bool
        Whether it counts little: acted corpora have common sentences.
    """

    column: str
    heading: str
    touched: str
    shared: str = ""
    tolerated: bool = False


LEAKS = {
    "clip": Leak("clip", "Clip", "that are in training themselves", "clips"),
    "pcm": Leak("pcm_hash", "PCM", "whose samples are in training under another name", "samples"),
    "near": Leak(
        "recording",
        "Near-duplicate",
        "of which a near-duplicate (another level, cut or coding) is in training",
        "near-duplicates",
    ),
    "speaker": Leak("speaker", "Speaker", "whose speaker is in training", "speakers"),
    "sentence": Leak("sentence", "Sentence", "whose sentence is in training", tolerated=True),
    "session": Leak("session", "Session", "whose session is in training", tolerated=True),
    # it cannot be shared where no speaker is
    "utterance": Leak(
        "utterance",
        "Repetition",
        "of which another recording with the same speaker, sentence, emotion and intensity is in "
        "training",
    ),
    "parent": Leak(
        "parent",
        "Parent",
        "made by augmentation of the same clip as one in training",
        "augmented clips",
    ),
}
POOL = f"{UNLABELED}_"  # before a kind: what is shared with clips trained on without a label
# What no folds show and a run states: of its feature, its first weights, or what it computes.
STATED = {
    "pretraining": Leak(
        "",
        "Pretraining",
        "of whose corpus the feature or the first weights were trained",
        "corpus of pretraining",
    ),
    "normalisation": Leak(
        "",
        "Normalisation",
        "that are in the statistics by which features are scaled",
        "statistics of normalisation",
    ),
    "transductive": Leak(
        "",
        "Transductive",
        "that were trained on without their labels",
        "test clips without labels",
    ),
}
PURPOSES = {"normalisation": "normalisation", "unlabeled": "transductive"}  # of provenance
BROUGHT = ("normalisation", "transductive")  # that a feature or weights may state of themselves
COUNTED = (*LEAKS, *(POOL + kind for kind in LEAKS))
DECLARABLE = (*COUNTED, *STATED)


def leak(kind: str) -> Leak:
    """Look up a kind of leak, with or without ``unlabeled_`` before it.

    >>> leak("unlabeled_speaker").column
    'speaker'
    """
    return STATED[kind] if kind in STATED else LEAKS[kind.removeprefix(POOL)]
