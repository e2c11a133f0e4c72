"""Kinds of protocol that hold whole groups out: speakers, sentences, sessions, corpora, parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline import text
from pipeline.errors import InputError
from pipeline.lazy import np
from pipeline.order import natural
from pipeline.protocols.groups import dealt, known, leave_one_out, tested_in
from pipeline.protocols.vocabulary import PARTITIONS

if TYPE_CHECKING:
    import pandas as pd


def speakers(clips: pd.DataFrame, *, folds: int, seed: int | None = None) -> np.ndarray:
    """Hold whole speakers out, balanced in sex first and in clips second: see `groups.dealt`."""
    return tested_in(dealt(clips, "speaker", folds, seed, "folds"))


def sentences(clips: pd.DataFrame, *, folds: int, seed: int | None = None) -> np.ndarray:
    """Hold whole sentences out, dealt as `speakers` deals speakers, as though of one sex."""
    return tested_in(dealt(clips, "sentence", folds, seed, "folds"))


def speakers_and_sentences(
    clips: pd.DataFrame, *, folds: int, sentence_folds: int, seed: int | None = None
) -> np.ndarray:
    """Hold speakers out and sentences with them: training has neither.

    ``folds`` groups of speakers and ``sentence_folds`` groups of sentences, dealt as `speakers`
    and `sentences` do it, make a grid of folds: fold ``(i - 1) * sentence_folds + j`` tests what
    group ``i`` of the speakers says of group ``j`` of the sentences. Clips with just one of the two
    are unused in it. Over the grid every clip is tested once.
    """
    of_speaker = dealt(clips, "speaker", folds, seed, "folds")
    of_sentence = dealt(clips, "sentence", sentence_folds, seed, "sentence_folds")
    speaks = np.repeat(np.arange(1, folds + 1), sentence_folds)[:, None] == of_speaker
    spoken = np.tile(np.arange(1, sentence_folds + 1), folds)[:, None] == of_sentence
    return np.where(speaks & spoken, "test", np.where(speaks | spoken, "unused", "train"))


def leave_one_speaker_out(clips: pd.DataFrame) -> np.ndarray:
    """Hold out one speaker per fold, in the natural order of their names."""
    return leave_one_out(known(clips, "speaker"), "leave_one_speaker_out", "speakers")


def leave_one_session_out(clips: pd.DataFrame) -> np.ndarray:
    """Hold out one session per fold, in the natural order of their names."""
    return leave_one_out(known(clips, "session"), "leave_one_session_out", "sessions")


def corpora(clips: pd.DataFrame, *, test: tuple[str, ...] = ()) -> np.ndarray:
    """Hold out one of several joined corpora per fold, in natural order; or test some in one."""
    names = known(clips, "corpus")
    if not test:
        return leave_one_out(names, "corpora", "corpora")
    all_names = natural(set(names))
    for name in test:
        if name not in all_names:
            raise InputError(f"test: no corpus {name!r}; {text.nearest(name, all_names)}")
    if len(test) == len(all_names):
        raise InputError(f"test: names all {len(all_names)} corpora; leave one to train on")
    return np.where(names.isin(test), "test", "train")[None]


def partition(clips: pd.DataFrame, *, test: tuple[str, ...] = ()) -> np.ndarray:
    """Take the corpus's own parts: one fold that tests what ``test`` names.

    Its other test parts are unused. Clips without emotion are unlabelled only if the corpus gave
    them to training, or to no part; otherwise they are unused as well.
    """
    own = known(clips, "partition")
    for name in natural(set(own) - set(PARTITIONS)):
        raise InputError(f"the index has a partition {name!r}, wanted {', '.join(PARTITIONS)}")
    tested = test or ("test",)
    for name in tested:
        if name not in set(own):
            nearest = text.nearest(name, natural(set(own)))
            raise InputError(f"test: no clip with a label is of partition {name!r}; {nearest}")
    parts = own.where(own.isin(["train", "validation"]), "unused").mask(own.isin(tested), "test")
    return parts.to_numpy()[None]


def of_partitions(*, test: tuple[str, ...] = ()) -> None:
    """Refuse to test anything but a partition that is not trained on."""
    for name in test:
        if name not in PARTITIONS[1:]:
            raise InputError(f"test: no {name!r}; {text.nearest(name, PARTITIONS[1:])}")
