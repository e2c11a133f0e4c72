"""Which clips of a corpus take part, and under which label."""

import textwrap
from collections import Counter

import numpy as np
import pandas as pd

from pipeline import text
from pipeline.errors import InputError
from pipeline.files.index import RATINGS
from pipeline.order import natural
from pipeline.protocols import ontology
from pipeline.protocols.protocol import BY_RATINGS, Protocol


def choose(clips: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Choose the clips that take part, and give each its label.

    Parameters
    ----------
    clips : DataFrame
        Usable clips in the corpus's order, with the columns of the index.
    protocol : Protocol
        Protocol whose ``where``, ``labels`` and ``clips`` choose.

    Returns
    -------
    DataFrame
        Those that take part, in the same order, with a column ``label`` more; it is ``""`` where
        a clip has no emotion.

    Raises
    ------
    InputError
        If an emotion, label, column or value that the protocol names is not in the corpus, or
        the number of clips is not the one it asserts.
    """
    taking = _where(clips, protocol)
    emotions = sorted(set(clips["emotion"]) - {""})
    label_of = _label_of(emotions, protocol)
    label = taking["emotion"].map(label_of | {"": ""})
    taking = taking.assign(label=label)[label.notna()].reset_index(drop=True)
    counts = Counter(natural(taking["label"][taking["label"] != ""]))
    named = label_of.values() if isinstance(protocol.labels, dict) and protocol.labels else ()
    for wanted in sorted(set(named) - set(counts)):
        raise InputError(f"labels: no clip is left that becomes {wanted!r}; see where")
    if taking.empty or (any(label_of.values()) and not counts):
        raise InputError(f"none of the {len(clips)} clips takes part; see labels and where")
    number = int((~without_label(taking)).sum())
    if protocol.clips is not None and protocol.clips != number:
        shown = ", ".join(f"{name} {count}" for name, count in counts.items()) or "by ratings"
        raise InputError(
            f"clips: {number} take part ({shown}), {protocol.clips} were wanted; "
            "see labels and where, or whether the copy is whole"
        )
    return taking


def without_label(taking: pd.DataFrame) -> np.ndarray:
    """Whether each clip lacks what others have (clips,): an emotion, or if none has one a rating.

    Where nobody has either, nobody lacks it.
    """
    has = (taking["label"] != "").to_numpy()
    if not has.any():
        has = (taking.reindex(columns=RATINGS, fill_value="") != "").any(axis=1).to_numpy()
    return ~has & has.any()


def _where(clips: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Clips whose columns hold what the protocol asks for."""
    taking = clips
    for column, values in protocol.where.items():
        if column not in clips:
            nearest = text.nearest(column, list(clips.columns))
            raise InputError(f"where: the index has no column {column!r}; {nearest}")
        known = natural(set(clips[column]))
        for value in values:
            if value not in known:
                nearest = textwrap.shorten(text.nearest(value, known), 200)
                raise InputError(f"where.{column}: no clip has {value!r}; {nearest}")
        taking = taking[taking[column].isin(values)]
    return taking


def _label_of(emotions: list[str], protocol: Protocol) -> dict[str, str]:
    """Label of each emotion that takes part."""
    if protocol.labels == BY_RATINGS:
        return dict.fromkeys(emotions, "")
    if isinstance(protocol.labels, str):
        try:
            return ontology.labels(protocol.labels, emotions)
        except InputError as error:
            raise InputError(f"labels: {error}; or write the labels out") from None
    if not protocol.labels:
        return {word: word for word in emotions}
    for word in protocol.labels:
        if word not in emotions:
            raise InputError(f"labels: no clip is {word!r}; {text.nearest(word, emotions)}")
    return protocol.labels
