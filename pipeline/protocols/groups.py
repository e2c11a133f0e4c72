"""Parts of several kinds of protocol: groups of clips held out, and speakers for validation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pipeline.errors import InputError
from pipeline.lazy import np
from pipeline.order import natural

if TYPE_CHECKING:
    import pandas as pd

PLURAL = {
    "corpus": "corpora",
    "sentence": "sentences",
    "session": "sessions",
    "speaker": "speakers",
}


def tested_in(folds: np.ndarray) -> np.ndarray:
    """Parts (folds, clips) from the fold that tests each clip (clips,), numbered from 1."""
    numbers = np.arange(1, folds.max() + 1)
    return np.where(folds == numbers[:, None], "test", "train")


def known(clips: pd.DataFrame, column: str) -> pd.Series:
    """Return a column in which every clip must have a value.

    Raises
    ------
    InputError
        If the index lacks the column, or a clip has no value.
    """
    if column not in clips:
        raise InputError(f"the index has no column {column}; index the corpus again")
    unknown = (clips[column] == "").sum()
    if unknown:
        raise InputError(
            f"{unknown} of {len(clips)} clips have no {column} label; "
            f"label them, or choose a protocol that needs no {PLURAL.get(column, column)}"
        )
    return clips[column]


def leave_one_out(groups: Iterable[str], kind: str, plural: str) -> np.ndarray:
    """Parts (folds, clips) that test one group per fold, in the natural order of their names.

    Each clip's group is named.

    Raises
    ------
    InputError
        If there is just one group.
    """
    names = natural(set(groups))
    if len(names) < 2:
        raise InputError(f"{kind} needs 2 {plural} or more, the corpus has 1")
    fold_of = {name: fold for fold, name in enumerate(names, 1)}
    return tested_in(np.array([fold_of[name] for name in groups]))


def dealt(clips: pd.DataFrame, column: str, folds: int, seed: int | None, key: str) -> np.ndarray:
    """Fold from 1 that each clip's speaker or sentence is dealt to (clips,).

    Those with the most clips are dealt first, each to the fold with the fewest of their sex, then
    the fewest clips, then the lowest number. Sentences are of one sex.

    Parameters
    ----------
    clips : DataFrame
        ``clip``, ``sex`` and the columns of the index.
    column : str
        ``speaker`` or ``sentence``.
    folds : int
        Number of folds.
    seed : int or None
        Shuffles those of equally many clips; None: natural order of their names.
    key : str
        Setting that asks for so many folds, for messages.

    Raises
    ------
    InputError
        If there are fewer speakers or sentences than folds.
    """
    roster = _roster(clips, column)
    if folds > len(roster):
        raise InputError(f"{key}: {folds} of {len(roster)} {PLURAL[column]}; take fewer folds")
    if seed is not None:
        roster = roster.iloc[np.random.RandomState(seed).permutation(len(roster))]
    fold_of, of_sex, size = {}, Counter(), Counter()
    rows: Any = roster.sort_values("clips", ascending=False, kind="stable").itertuples()
    for group in rows:
        fold = min(
            range(1, folds + 1),
            key=lambda fold, sex=group.sex: (of_sex[fold, sex], size[fold], fold),
        )
        fold_of[group.Index] = fold
        of_sex[fold, group.sex] += 1
        size[fold] += group.clips
    return clips[column].map(fold_of).to_numpy()


def validate(clips: pd.DataFrame, parts: np.ndarray, number: int) -> None:
    """Make validation clips of the training clips of ``number`` speakers in each fold, in place.

    Each choice takes the sex chosen least in this fold, then the speaker chosen least in the folds
    before, then the first by name: balanced in sex, and another speaker in every fold while any
    is left.

    Parameters
    ----------
    clips : DataFrame
        ``clip, speaker, sex``.
    parts : ndarray of object, shape (folds, clips)
    number : int, at least 0
        Speakers per fold.

    Raises
    ------
    InputError
        If a fold would have nobody to train on.
    """
    if number == 0:
        return
    sex_of = _roster(clips, "speaker")["sex"]
    times = Counter()
    for fold, part in enumerate(parts, start=1):
        training = set(clips["speaker"][part == "train"])
        if number >= len(training):
            raise InputError(
                f"validation: {number} speakers of the {len(training)} that fold {fold} trains on "
                "leave none to train on; take fewer"
            )
        left = [speaker for speaker in sex_of.index if speaker in training]
        chosen, of_sex = [], Counter()
        for _ in range(number):
            # min keeps the first of equals, and ``left`` is in natural order
            speaker = min(left, key=lambda s, of_sex=of_sex: (of_sex[sex_of[s]], times[s]))
            left.remove(speaker)
            chosen.append(speaker)
            of_sex[sex_of[speaker]] += 1
            times[speaker] += 1
        part[(part == "train") & clips["speaker"].isin(chosen).to_numpy()] = "validation"


def _roster(clips: pd.DataFrame, column: str) -> pd.DataFrame:
    """Table of ``sex, clips`` by speaker or sentence (of no sex), in natural order of the names."""
    sex = clips["sex"] if column == "speaker" else ""
    roster = clips.assign(sex=sex).groupby(known(clips, column))
    roster = roster.agg(sex=("sex", "first"), clips=("clip", "size"))
    return roster.loc[natural(roster.index)]
