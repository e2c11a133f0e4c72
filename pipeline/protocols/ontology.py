"""Ontologies: the emotion words of all corpora under common labels, for work across corpora.

An ontology is a table from a corpus's word to a label, or to ``None`` where its clips take no part.
A label with another word than its own is a merge that loses something: excited clips become happy
ones. The certificate of a split counts what was merged and what was dropped. A table never changes
once results rest on it: a new one gets the next number.
"""

from collections.abc import Iterable

from pipeline import text
from pipeline.errors import InputError

ONTOLOGIES = {
    # the four classes of most work on IEMOCAP; calm is acted in few corpora and is left out
    "four-1": {
        "angry": "angry",
        "boredom": None,
        "calm": None,
        "contempt": None,
        "disgust": None,
        "excited": "happy",
        "fear": None,
        "frustrated": None,
        "happy": "happy",
        "neutral": "neutral",
        "other": None,
        "sad": "sad",
        "surprise": None,
    },
    # the six of the acted corpora and neutral; calm is RAVDESS's second neutral
    "common-1": {
        "angry": "angry",
        "boredom": None,
        "calm": "neutral",
        "contempt": None,
        "disgust": "disgust",
        "excited": "happy",
        "fear": "fear",
        "frustrated": None,
        "happy": "happy",
        "neutral": "neutral",
        "other": None,
        "sad": "sad",
        "surprise": "surprise",
    },
}


def labels(name: str, emotions: Iterable[str]) -> dict[str, str]:
    """Labels that an ontology gives to the emotion words of a corpus.

    Parameters
    ----------
    name : str
        Name in ``ONTOLOGIES``.
    emotions : iterable of str
        The corpus's words.

    Returns
    -------
    dict of str to str
        Word to label, without the words whose clips take no part.

    Raises
    ------
    InputError
        If the ontology does not know a word: dropping it in silence would lose clips.
    """
    table = ONTOLOGIES[name]
    strange = sorted(set(emotions) - set(table))
    if strange:
        raise InputError(
            f"{name} does not know {', '.join(map(repr, strange))}; "
            f"{text.nearest(strange[0], list(table))}"
        )
    return {word: table[word] for word in sorted(set(emotions)) if table[word] is not None}
