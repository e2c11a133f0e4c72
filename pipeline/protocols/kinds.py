"""Kinds of protocol: the one table that a new kind is added to.

A kind is a function of the clips with labels (``clip, label`` and the columns of the index, in the
corpus's order). Its keywords are the settings of `protocol.Protocol` that it needs and, those with
a default, may have. It returns an array (folds, clips) of train, validation, test and unused.
What is drawn comes from ``numpy.random.RandomState``, whose stream numpy keeps the same for ever.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.lazy import np
from pipeline.protocols import drawn, held_out, listed


@dataclass(frozen=True)
class Kind:
    """A kind of protocol.

    Attributes
    ----------
    parts : callable
        The function: see the head of this module.
    makes : str
        Number of folds, for kinds without the setting ``folds``.
    lacks : bool
        Whether a test part may lack a class, because no other number or draw could mend it.
    check : callable or None
        Refuses settings, its keywords, that no corpus could satisfy: InputError,
        ``setting: what is wrong``.
    """

    parts: Callable[..., np.ndarray]
    makes: str = ""
    lacks: bool = False
    check: Callable[..., None] | None = None

    @property
    def needs(self) -> tuple[str, ...]:
        """Settings that it must have."""
        return tuple(p.name for p in self._settings() if p.default is p.empty)

    @property
    def takes(self) -> tuple[str, ...]:
        """Settings that it may have."""
        return tuple(p.name for p in self._settings() if p.default is not p.empty)

    def _settings(self) -> list[inspect.Parameter]:
        """Keywords of the function."""
        parameters = inspect.signature(self.parts).parameters.values()
        return [p for p in parameters if p.kind is p.KEYWORD_ONLY]


KINDS = {
    "kfold": Kind(drawn.kfold),
    "kfold_pairs": Kind(drawn.kfold_pairs, check=drawn.enough_for_pairs),
    "random_split": Kind(drawn.random_split, makes="one"),
    "speakers": Kind(held_out.speakers),
    "sentences": Kind(held_out.sentences),
    "speakers_and_sentences": Kind(held_out.speakers_and_sentences, lacks=True),
    "leave_one_speaker_out": Kind(
        held_out.leave_one_speaker_out, makes="one per speaker", lacks=True
    ),
    "leave_one_session_out": Kind(
        held_out.leave_one_session_out, makes="one per session", lacks=True
    ),
    "leave_one_prefix_out": Kind(drawn.leave_one_prefix_out, makes="one per prefix", lacks=True),
    "corpora": Kind(held_out.corpora, makes="one per corpus, or one", lacks=True),
    "partition": Kind(held_out.partition, makes="one", lacks=True, check=held_out.of_partitions),
    "listed_speakers": Kind(
        listed.listed_speakers, makes="those of its list", lacks=True, check=listed.known
    ),
}
