"""Protocols: the rules by which the clips of a corpus are parted into folds.

A kind of protocol is one function of the table ``KINDS``: it says in which fold each clip is
tested, so that every clip is tested exactly once. ``assign`` turns that into parts. Whatever is
drawn comes from ``numpy.random.RandomState``, whose stream numpy keeps the same for ever.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from natsort import natsorted

from pipeline import leakage, plugins
from pipeline.errors import InputError


@dataclass(frozen=True)
class Protocol:
    """One line of the table of protocols; ``check`` says whether it makes sense.

    Attributes
    ----------
    kind : str
        A name of ``KINDS``.
    folds : int or None, at least 2
        How many; none for ``leave_one_speaker_out``, which makes one per speaker.
    seed : int or None, 0 .. 2**32 - 1
        ``kfold`` needs one; ``speakers`` shuffles speakers of equally many clips if it has one.
    validation : int, at least 0
        Speakers per fold whose training clips become validation clips.
    allow : tuple of str, from ``leakage.KINDS``
        Kinds of leak that the protocol declares; any other stops the split.
    name : str
        Of its line in params.yaml, for messages.
    """

    kind: str
    folds: int | None = None
    seed: int | None = None
    validation: int = 0
    allow: tuple[str, ...] = ()
    name: str = ""


def check(protocol: Protocol) -> None:
    """Refuse a protocol that cannot be carried out on any corpus.

    Raises
    ------
    InputError
        ``key: problem``, to be put behind the place where the protocol is written.
    """
    kind, folds, seed = protocol.kind, protocol.folds, protocol.seed
    if kind not in KINDS:
        raise InputError(f"kind: no {kind!r}; {plugins.nearest(kind, list(KINDS))}")
    if kind == "leave_one_speaker_out":
        if folds is not None:
            raise InputError(f"folds: {kind} makes one per speaker; remove it")
        if seed is not None:
            raise InputError(f"seed: {kind} draws nothing; remove it")
    elif folds is None or folds < 2:
        raise InputError(f"folds: {kind} needs 2 or more, got {folds}")
    if kind == "kfold" and seed is None:
        raise InputError("seed: kfold draws clips at random and needs one")
    if seed is not None and not 0 <= seed < 2**32:
        raise InputError(f"seed: must be from 0 to 2**32 - 1, got {seed}")
    if protocol.validation < 0:
        raise InputError(f"validation: must be 0 speakers or more, got {protocol.validation}")
    for leak in protocol.allow:
        if leak not in leakage.KINDS:
            raise InputError(f"allow: no leak {leak!r}; {plugins.nearest(leak, leakage.KINDS)}")


def assign(clips: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Give each clip its part in each fold.

    Parameters
    ----------
    clips : DataFrame
        Usable clips in the corpus's order: ``clip, speaker, sex, emotion``.
    protocol : Protocol
        Checked.

    Returns
    -------
    DataFrame, ``folds * len(clips)`` rows
        ``clip, label, fold, part``: fold from 1, then the corpus's order within each;
        part is train, validation or test.

    Raises
    ------
    InputError
        If the corpus has too few clips or speakers, or lacks speaker labels that are needed.
    """
    tested_in = KINDS[protocol.kind](clips, protocol)  # (clips,)
    folds = range(1, tested_in.max() + 1)
    held_out = _validation_speakers(clips, tested_in, protocol.validation)
    parts = []
    for fold in folds:
        part = pd.Series("train", index=clips.index)
        part[clips["speaker"].isin(held_out[fold])] = "validation"
        part[tested_in == fold] = "test"
        parts.append(part)
    return pd.DataFrame(
        {
            "clip": np.tile(clips["clip"], len(folds)),
            "label": np.tile(clips["emotion"], len(folds)),
            "fold": np.repeat(folds, len(clips)),
            "part": np.concatenate(parts),
        }
    )


def kfold(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Draw clips at random, whoever speaks: scikit-learn's shuffled ``KFold``, fold from 1.

    Folds differ by one clip at most; the order of ``clips`` and the seed decide them.
    """
    if protocol.folds > len(clips):
        raise InputError(f"folds: {protocol.folds} of {len(clips)} clips; take fewer folds")
    from sklearn.model_selection import KFold  # slow to import

    draw = KFold(protocol.folds, shuffle=True, random_state=protocol.seed)
    tested_in = np.empty(len(clips), dtype=int)
    for fold, (_, drawn) in enumerate(draw.split(clips), start=1):
        tested_in[drawn] = fold
    return tested_in


def speakers(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Hold whole speakers out, balanced in sex first and in clips second.

    Speakers with the most clips are dealt first, each to the fold with the fewest speakers of
    their sex, then the fewest clips, then the lowest number.
    """
    roster = _roster(clips)
    if protocol.folds > len(roster):
        raise InputError(f"folds: {protocol.folds} of {len(roster)} speakers; take fewer folds")
    if protocol.seed is not None:
        roster = roster.iloc[np.random.RandomState(protocol.seed).permutation(len(roster))]
    dealt, of_sex, size = {}, Counter(), Counter()
    for speaker in roster.sort_values("clips", ascending=False, kind="stable").itertuples():
        fold = min(
            range(1, protocol.folds + 1),
            key=lambda fold, sex=speaker.sex: (of_sex[fold, sex], size[fold], fold),
        )
        dealt[speaker.Index] = fold
        of_sex[fold, speaker.sex] += 1
        size[fold] += speaker.clips
    return clips["speaker"].map(dealt).to_numpy()


def leave_one_speaker_out(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Hold out one speaker per fold, in the natural order of their names."""
    roster = _roster(clips)
    if len(roster) < 2:
        raise InputError("leave_one_speaker_out needs 2 speakers or more, the corpus has 1")
    fold_of = {speaker: fold for fold, speaker in enumerate(roster.index, start=1)}
    return clips["speaker"].map(fold_of).to_numpy()


KINDS = {
    "kfold": kfold,
    "speakers": speakers,
    "leave_one_speaker_out": leave_one_speaker_out,
}


def _roster(clips: pd.DataFrame) -> pd.DataFrame:
    """Table of ``sex, clips`` by speaker, in the natural order of their names."""
    unknown = (clips["speaker"] == "").sum()
    if unknown:
        raise InputError(
            f"{unknown} of {len(clips)} clips have no speaker label; "
            "label them, or choose a protocol that needs no speakers"
        )
    roster = clips.groupby("speaker").agg(sex=("sex", "first"), clips=("clip", "size"))
    return roster.loc[natsorted(roster.index)]


def _validation_speakers(
    clips: pd.DataFrame, tested_in: np.ndarray, number: int
) -> dict[int, list[str]]:
    """Choose ``number`` speakers with training clips for each fold, ``{fold: speakers}``.

    Each choice takes the sex chosen least in this fold, then the speaker chosen least in the folds
    before, then the first by name: balanced in sex, and another speaker in every fold while any
    is left.
    """
    folds = range(1, tested_in.max() + 1)
    if number == 0:
        return {fold: [] for fold in folds}
    sex_of = _roster(clips)["sex"]
    chosen, times = {}, Counter()
    for fold in folds:
        training = set(clips["speaker"][tested_in != fold])
        if number >= len(training):
            raise InputError(
                f"validation: {number} speakers of the {len(training)} that fold {fold} trains on "
                "leave none to train on; take fewer"
            )
        left = [speaker for speaker in sex_of.index if speaker in training]
        chosen[fold], of_sex = [], Counter()
        for _ in range(number):
            # min keeps the first of equals, and ``left`` is in natural order
            speaker = min(left, key=lambda s, of_sex=of_sex: (of_sex[sex_of[s]], times[s]))
            left.remove(speaker)
            chosen[fold].append(speaker)
            of_sex[sex_of[speaker]] += 1
            times[speaker] += 1
    return chosen
