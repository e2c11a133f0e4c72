"""Protocols: the rules by which the clips of a corpus are parted into folds.

First ``choose`` says which clips take part, and under which label; then a kind of protocol, one
line of the table ``KINDS``, says what part each plays in each fold; ``assign`` does both. Clips
without emotion, where others have one, are ``unlabeled`` in every fold; in a corpus without any
emotion, so are clips without rating where others have one. Whatever is drawn comes from
``numpy.random.RandomState``, whose stream numpy keeps the same for ever.
"""

import textwrap
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from natsort import natsorted

from pipeline import text
from pipeline.errors import InputError
from pipeline.files.tables import RATINGS
from pipeline.protocols import leakage, ontology

BY_RATINGS = "ratings"
PARTITIONS = ("train", "validation", "test", "test2", "test3")  # words of the index
PLURAL = {
    "corpus": "corpora",
    "sentence": "sentences",
    "session": "sessions",
    "speaker": "speakers",
}


@dataclass(frozen=True)
class Protocol:
    """One line of the table of protocols; ``check`` says whether it makes sense.

    Which settings a kind needs and takes stands in ``KINDS``; all take ``validation``, ``allow``,
    ``labels``, ``where``, ``clips`` and ``hidden``.

    Attributes
    ----------
    kind : str
        A name of ``KINDS``.
    folds : int or None, at least 2
        How many; of ``speakers_and_sentences``, how many groups of speakers.
    seed : int or None, 0 .. 2**32 - 1
        Of what is drawn; ``speakers`` and ``sentences`` shuffle those of equally many clips if
        they have one. With ``hidden`` all kinds take one, and draw those clips by 0 if they have
        none.
    validation : int, at least 0
        Speakers per fold whose training clips become validation clips.
    allow : tuple of str, from ``leakage.DECLARABLE``
        Kinds of leak that the protocol declares; any other stops the split.
    name : str
        Of its line in params.yaml, for messages.
    labels : dict of str to str, or str
        Emotions that take part, each under the label it gets; others do not. The name of one of
        ``ontology.ONTOLOGIES`` does the same. ``ratings``: clips that are rated take part, whatever
        their emotion. Empty: all, under their own names.
    where : dict of str to list of str
        Values that columns of the index must have: ``{style: [improvised]}``.
    clips : int or None, at least 1
        How many clips with a label must take part; the split fails when there are others.
    sentence_folds : int or None, at least 2
        Groups of sentences of ``speakers_and_sentences``.
    share : float or None, 0 < share < 1
        Of the clips that ``random_split`` tests.
    prefix : int or None, at least 1
        Characters at the start of a clip's name that ``leave_one_prefix_out`` groups by.
    test : tuple of str
        What is tested: partitions (``partition``; empty: test), or corpora together in one fold
        (``corpora``; empty: each in a fold of its own).
    hidden : float, 0 <= hidden < 1
        Share of each label's training clips, whoever speaks, that lose it and become ``unlabeled``;
        drawn anew for each fold. Rounded, but one clip or more stays with each label.
    """

    kind: str
    folds: int | None = None
    seed: int | None = None
    validation: int = 0
    allow: tuple[str, ...] = ()
    name: str = ""
    labels: dict[str, Any] | str = field(default_factory=dict)
    where: dict[str, Any] = field(default_factory=dict)
    clips: int | None = None
    sentence_folds: int | None = None
    share: float | None = None
    prefix: int | None = None
    test: tuple[str, ...] = ()
    hidden: float = 0.0


@dataclass(frozen=True)
class Kind:
    """A kind of protocol.

    Attributes
    ----------
    parts : callable
        Of the clips with labels (``clip, label`` and the index's columns, its order) and the
        protocol; returns an array (folds, clips) of train, validation, test and unused.
    needs, takes : tuple of str
        Settings that it must and may have, of those that not all kinds take.
    makes : str
        How many folds, for kinds that are not told.
    lacks : bool
        Whether a test part may lack a class, because no other number or draw could mend it.
    """

    parts: Callable[[pd.DataFrame, Protocol], np.ndarray]
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    makes: str = ""
    lacks: bool = False


def check(protocol: Protocol) -> None:
    """Refuse a protocol that cannot be carried out on any corpus.

    Raises
    ------
    InputError
        ``key: problem``, to be put behind the place where the protocol is written.
    """
    if protocol.kind not in KINDS:
        raise InputError(f"kind: no {protocol.kind!r}; {text.nearest(protocol.kind, [*KINDS])}")
    _check_settings(protocol)
    if protocol.validation < 0:
        raise InputError(f"validation: must be 0 speakers or more, got {protocol.validation}")
    for leak in protocol.allow:
        if leak not in leakage.DECLARABLE:
            nearest = text.nearest(leak, leakage.DECLARABLE)
            raise InputError(f"allow: no leak {leak!r}; {nearest}")
    _check_choice(protocol)


def _check_settings(protocol: Protocol) -> None:
    """Hold the settings that only some kinds take against the kind."""
    name, kind = protocol.kind, KINDS[protocol.kind]
    takes = (*kind.needs, *kind.takes, *(["seed"] if protocol.hidden else []))
    for key in ("folds", "seed", "sentence_folds", "share", "prefix", "test"):
        given = getattr(protocol, key) not in (None, ())
        if given and key not in takes:
            why = {"folds": f"makes {kind.makes}", "seed": "draws nothing"}.get(key, "takes none")
            raise InputError(f"{key}: {name} {why}; remove it")
        if key in kind.needs and not given and key not in ("folds", "sentence_folds"):
            why = "draws clips at random and needs one" if key == "seed" else "needs one"
            raise InputError(f"{key}: {name} {why}")
    fewest = 3 if name == "kfold_pairs" else 2  # two folds of two leave nothing to train on
    for key in ("folds", "sentence_folds"):
        number = getattr(protocol, key)
        if key in kind.needs and (number is None or number < fewest):
            raise InputError(f"{key}: {name} needs {fewest} or more, got {number}")
    if protocol.seed is not None and not 0 <= protocol.seed < 2**32:
        raise InputError(f"seed: must be from 0 to 2**32 - 1, got {protocol.seed}")
    if protocol.share is not None and not 0 < protocol.share < 1:
        raise InputError(f"share: must be above 0 and below 1, got {protocol.share}")
    if not 0 <= protocol.hidden < 1:
        raise InputError(f"hidden: must be from 0 to below 1, got {protocol.hidden}")
    if protocol.prefix is not None and protocol.prefix < 1:
        raise InputError(f"prefix: must be 1 character or more, got {protocol.prefix}")
    if len(set(protocol.test)) < len(protocol.test):
        raise InputError(f"test: wanted different names, got {list(protocol.test)}")
    for value in protocol.test if name == "partition" else ():
        if value not in PARTITIONS[1:]:
            raise InputError(f"test: no {value!r}; {text.nearest(value, PARTITIONS[1:])}")


def _check_choice(protocol: Protocol) -> None:
    """Check what says which clips take part."""
    if isinstance(protocol.labels, str):
        known = [*ontology.ONTOLOGIES, BY_RATINGS]
        if protocol.labels not in known:
            nearest = text.nearest(protocol.labels, known)
            raise InputError(f"labels: no ontology {protocol.labels!r}; {nearest}")
    else:
        for word, label in protocol.labels.items():
            if not (isinstance(word, str) and isinstance(label, str) and word and label):
                raise InputError(f"labels: wanted emotion: label, got {word!r}: {label!r}")
    for column, values in protocol.where.items():
        texts = isinstance(values, list) and all(isinstance(value, str) for value in values)
        if not texts or not values:
            raise InputError(
                f"where.{column}: wanted a list of texts, got {values!r}; "
                "put numbers in quotes, all in brackets"
            )
    if protocol.clips is not None and protocol.clips < 1:
        raise InputError(f"clips: must be at least 1, got {protocol.clips}")


def choose(clips: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Choose the clips that take part, and give each its label.

    Parameters
    ----------
    clips : DataFrame
        Usable clips in the corpus's order, with the columns of the index.
    protocol : Protocol
        Checked.

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
    taking = clips
    for column, values in protocol.where.items():
        if column not in clips:
            nearest = text.nearest(column, list(clips.columns))
            raise InputError(f"where: the index has no column {column!r}; {nearest}")
        known = natsorted(set(clips[column]))
        for value in values:
            if value not in known:
                nearest = textwrap.shorten(text.nearest(value, known), 200)
                raise InputError(f"where.{column}: no clip has {value!r}; {nearest}")
        taking = taking[taking[column].isin(values)]
    emotions = sorted(set(clips["emotion"]) - {""})
    label_of = {word: word for word in emotions}
    if protocol.labels == BY_RATINGS:
        label_of = dict.fromkeys(emotions, "")
    elif isinstance(protocol.labels, str):
        label_of = ontology.labels(protocol.labels, emotions)
    elif protocol.labels:
        label_of = protocol.labels
        for word in label_of:
            if word not in emotions:
                nearest = text.nearest(word, emotions)
                raise InputError(f"labels: no clip is {word!r}; {nearest}")
    label = taking["emotion"].map(label_of | {"": ""})
    taking = taking.assign(label=label)[label.notna()].reset_index(drop=True)
    counts = Counter(natsorted(taking["label"][taking["label"] != ""]))
    named = label_of.values() if isinstance(protocol.labels, dict) and protocol.labels else ()
    for wanted in sorted(set(named) - set(counts)):
        raise InputError(f"labels: no clip is left that becomes {wanted!r}; see where")
    if taking.empty or (any(label_of.values()) and not counts):
        raise InputError(f"none of the {len(clips)} clips takes part; see labels and where")
    number = int((~_without_label(taking)).sum())
    if protocol.clips is not None and protocol.clips != number:
        shown = ", ".join(f"{name} {count}" for name, count in counts.items()) or "by ratings"
        raise InputError(
            f"clips: {number} take part ({shown}), {protocol.clips} were wanted; "
            "see labels and where, or whether the copy is whole"
        )
    return taking


def assign(clips: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Give each clip that takes part its part in each fold.

    Parameters
    ----------
    clips : DataFrame
        Usable clips in the corpus's order, with the columns of the index.
    protocol : Protocol
        Checked.

    Returns
    -------
    DataFrame, a row per fold and clip that takes part
        ``clip, label, fold, part``: fold from 1, then the corpus's order within each; part is
        train, validation, test, unused, or unlabeled. A clip that is ``hidden`` has no label in
        that fold.

    Raises
    ------
    InputError
        If the protocol and the corpus do not fit: see ``choose``; or there are too few clips or
        speakers, or labels that are needed are lacking.
    """
    taking = choose(clips, protocol)
    pool = _without_label(taking)
    labelled = taking[~pool].reset_index(drop=True)
    drawn = KINDS[protocol.kind].parts(labelled, protocol).astype(object)  # (folds, labelled)
    _validate(labelled, drawn, protocol.validation)
    _hide(labelled["label"].to_numpy(), drawn, protocol)
    parts = np.full((len(drawn), len(taking)), "unlabeled", dtype=object)
    parts[:, ~pool] = drawn
    if protocol.kind == "partition":  # what the corpus keeps for tests is nobody's to learn from
        parts[:, pool & ~taking["partition"].isin(["", "train"]).to_numpy()] = "unused"
    return pd.DataFrame(
        {
            "clip": np.tile(taking["clip"], len(parts)),
            "label": np.where(parts == "unlabeled", "", taking["label"]).ravel(),
            "fold": np.repeat(np.arange(1, len(parts) + 1), len(taking)),
            "part": parts.ravel(),
        }
    )


# ---- clips drawn, whoever speaks -------------------------------------------------------------


def kfold(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Draw clips at random, whoever speaks: scikit-learn's shuffled ``KFold``.

    Folds differ by one clip at most; the order of the clips and the seed decide them.
    """
    return _tested_in(_kfold(clips, protocol))


def kfold_pairs(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Test random pairs of the folds of ``kfold``: as many pairs as folds, no pair twice.

    Behind the numbers of Light-SERNet's paper: 20 % are tested in each of ten, so that the
    confusion matrices hold every clip twice on average, some more often, some never. How the
    authors drew the pairs is not known; here the seed draws them from all pairs in order.
    """
    tested_in = _kfold(clips, protocol)
    pairs = np.array(list(combinations(range(1, protocol.folds + 1), 2)))
    drawn = np.random.RandomState(protocol.seed).permutation(len(pairs))[: protocol.folds]
    return np.where([np.isin(tested_in, pair) for pair in pairs[drawn]], "test", "train")


def random_split(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Test a share of the clips, drawn at random: scikit-learn's ``ShuffleSplit``, one fold."""
    from sklearn.model_selection import ShuffleSplit  # slow to import

    draw = ShuffleSplit(1, test_size=protocol.share, random_state=protocol.seed)
    try:
        ((_, drawn),) = draw.split(clips)
    except ValueError:  # nothing to train on
        raise InputError(f"share: {protocol.share} of {len(clips)} clips leaves none") from None
    tested = np.isin(np.arange(len(clips)), drawn)
    return np.where(tested, "test", "train")[None]


def leave_one_prefix_out(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Hold out the clips whose names start alike; with a seed, names are dealt out anew before.

    Light-SERNet's released code means to hold speakers out by the first characters of the file
    names (EMO-DB: 2, IEMOCAP: 6, where they name the actor with the markers and not the speaker),
    after it dealt the names out to the files of each class at random. It sets no seed for that.
    Where it picks improvised clips it does so by the new names, here by the true ones.
    """
    prefixes = np.array([clip[: protocol.prefix] for clip in clips["clip"]], dtype=object)
    if protocol.seed is not None:
        generator = np.random.RandomState(protocol.seed)
        for label in sorted(set(clips["label"])):
            rows = np.flatnonzero(clips["label"] == label)
            prefixes[rows] = prefixes[generator.permutation(rows)]
    return _leave_one_out(pd.Series(prefixes), "prefix", "prefixes")


# ---- groups held out -------------------------------------------------------------------------


def speakers(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Hold whole speakers out, balanced in sex first and in clips second.

    Speakers with the most clips are dealt first, each to the fold with the fewest speakers of
    their sex, then the fewest clips, then the lowest number.
    """
    return _tested_in(_dealt(clips, "speaker", protocol.folds, protocol.seed, "folds"))


def sentences(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Hold whole sentences out, dealt as ``speakers`` deals speakers, as though of one sex."""
    return _tested_in(_dealt(clips, "sentence", protocol.folds, protocol.seed, "folds"))


def speakers_and_sentences(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Hold speakers out and sentences with them: training hears neither.

    ``folds`` groups of speakers and ``sentence_folds`` groups of sentences, dealt as ``speakers``
    and ``sentences`` do it, make a grid of folds: fold ``(i - 1) * sentence_folds + j`` tests what
    group ``i`` of the speakers says of group ``j`` of the sentences. Clips with just one of the two
    are unused in it. Over the grid every clip is tested once.
    """
    of_speaker = _dealt(clips, "speaker", protocol.folds, protocol.seed, "folds")
    number, key = protocol.sentence_folds, "sentence_folds"
    of_sentence = _dealt(clips, "sentence", number, protocol.seed, key)
    heard = np.repeat(np.arange(1, protocol.folds + 1), number)[:, None] == of_speaker
    said = np.tile(np.arange(1, number + 1), protocol.folds)[:, None] == of_sentence
    return np.where(heard & said, "test", np.where(heard | said, "unused", "train"))


def leave_one_speaker_out(clips: pd.DataFrame, _: Protocol) -> np.ndarray:
    """Hold out one speaker per fold, in the natural order of their names."""
    return _leave_one_out(_known(clips, "speaker"), "leave_one_speaker_out", "speakers")


def leave_one_session_out(clips: pd.DataFrame, _: Protocol) -> np.ndarray:
    """Hold out one session per fold, in the natural order of their names."""
    return _leave_one_out(_known(clips, "session"), "leave_one_session_out", "sessions")


def corpora(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Hold out one of several joined corpora per fold, in natural order; or test some in one."""
    names = _known(clips, "corpus")
    if not protocol.test:
        return _leave_one_out(names, "corpora", "corpora")
    known = natsorted(set(names))
    for name in protocol.test:
        if name not in known:
            raise InputError(f"test: no corpus {name!r}; {text.nearest(name, known)}")
    if len(protocol.test) == len(known):
        raise InputError(f"test: names all {len(known)} corpora; leave one to train on")
    return np.where(names.isin(protocol.test), "test", "train")[None]


def partition(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Take the corpus's own parts: one fold that tests what ``test`` names.

    Its other test parts are unused. Clips without emotion are unlabeled only if the corpus gave
    them to training, or to no part; otherwise they are unused as well.
    """
    own = _known(clips, "partition")
    for name in natsorted(set(own) - set(PARTITIONS)):
        raise InputError(f"the index has a partition {name!r}, wanted {', '.join(PARTITIONS)}")
    tested = protocol.test or ("test",)
    for name in tested:
        if name not in set(own):
            nearest = text.nearest(name, natsorted(set(own)))
            raise InputError(f"test: no clip with a label is of partition {name!r}; {nearest}")
    parts = own.where(own.isin(["train", "validation"]), "unused").mask(own.isin(tested), "test")
    return parts.to_numpy()[None]


KINDS = {
    "kfold": Kind(kfold, needs=("folds", "seed")),
    "kfold_pairs": Kind(kfold_pairs, needs=("folds", "seed")),
    "random_split": Kind(random_split, needs=("share", "seed"), makes="one"),
    "speakers": Kind(speakers, needs=("folds",), takes=("seed",)),
    "sentences": Kind(sentences, needs=("folds",), takes=("seed",)),
    "speakers_and_sentences": Kind(
        speakers_and_sentences, needs=("folds", "sentence_folds"), takes=("seed",), lacks=True
    ),
    "leave_one_speaker_out": Kind(leave_one_speaker_out, makes="one per speaker", lacks=True),
    "leave_one_session_out": Kind(leave_one_session_out, makes="one per session", lacks=True),
    "leave_one_prefix_out": Kind(
        leave_one_prefix_out,
        needs=("prefix",),
        takes=("seed",),
        makes="one per prefix",
        lacks=True,
    ),
    "corpora": Kind(corpora, takes=("test",), makes="one per corpus, or one", lacks=True),
    "partition": Kind(partition, takes=("test",), makes="one", lacks=True),
}


# ---- clips without a label -------------------------------------------------------------------


def _without_label(taking: pd.DataFrame) -> np.ndarray:
    """Whether each clip lacks what others have (clips,): an emotion, or if none has one a rating.

    Where nobody has either, nobody lacks it.
    """
    has = (taking["label"] != "").to_numpy()
    if not has.any():
        has = (taking.reindex(columns=RATINGS, fill_value="") != "").any(axis=1).to_numpy()
    return ~has & has.any()


def _hide(labels: np.ndarray, parts: np.ndarray, protocol: Protocol) -> None:
    """Make unlabeled clips of a share of each label's training clips in each fold, in place."""
    for fold, part in enumerate(parts, start=1):
        generator = np.random.RandomState([protocol.seed or 0, fold])
        for label in sorted(set(labels)):
            rows = generator.permutation(np.flatnonzero((part == "train") & (labels == label)))
            part[rows[1:][: round(protocol.hidden * len(rows))]] = "unlabeled"  # one stays


# ---- what they share -------------------------------------------------------------------------


def _tested_in(folds: np.ndarray) -> np.ndarray:
    """Parts (folds, clips) from the fold that tests each clip, numbered from 1."""
    numbers = np.arange(1, folds.max() + 1)
    return np.where(folds == numbers[:, None], "test", "train")


def _kfold(clips: pd.DataFrame, protocol: Protocol) -> np.ndarray:
    """Fold from 1 that each clip is drawn for (clips,)."""
    if protocol.folds > len(clips):
        raise InputError(f"folds: {protocol.folds} of {len(clips)} clips; take fewer folds")
    from sklearn.model_selection import KFold  # slow to import

    draw = KFold(protocol.folds, shuffle=True, random_state=protocol.seed)
    tested_in = np.empty(len(clips), dtype=int)
    for fold, (_, drawn) in enumerate(draw.split(clips), start=1):
        tested_in[drawn] = fold
    return tested_in


def _known(clips: pd.DataFrame, column: str) -> pd.Series:
    """Return a column in which every clip must have a value."""
    if column not in clips:
        raise InputError(f"the index has no column {column}; index the corpus again")
    unknown = (clips[column] == "").sum()
    if unknown:
        raise InputError(
            f"{unknown} of {len(clips)} clips have no {column} label; "
            f"label them, or choose a protocol that needs no {PLURAL.get(column, column)}"
        )
    return clips[column]


def _leave_one_out(groups: pd.Series, kind: str, plural: str) -> np.ndarray:
    """Test one group per fold, in the natural order of their names."""
    names = natsorted(set(groups))
    if len(names) < 2:
        raise InputError(f"{kind} needs 2 {plural} or more, the corpus has 1")
    return _tested_in(groups.map({name: fold for fold, name in enumerate(names, 1)}).to_numpy())


def _roster(clips: pd.DataFrame, column: str) -> pd.DataFrame:
    """Table of ``sex, clips`` by speaker or sentence (of no sex), in natural order of the names."""
    sex = clips["sex"] if column == "speaker" else ""
    roster = clips.assign(sex=sex).groupby(_known(clips, column))
    roster = roster.agg(sex=("sex", "first"), clips=("clip", "size"))
    return roster.loc[natsorted(roster.index)]


def _dealt(clips: pd.DataFrame, column: str, folds: int, seed: int | None, key: str) -> np.ndarray:
    """Fold from 1 that each clip's speaker or sentence is dealt to (clips,)."""
    roster = _roster(clips, column)
    if folds > len(roster):
        raise InputError(f"{key}: {folds} of {len(roster)} {PLURAL[column]}; take fewer folds")
    if seed is not None:
        roster = roster.iloc[np.random.RandomState(seed).permutation(len(roster))]
    dealt, of_sex, size = {}, Counter(), Counter()
    for group in roster.sort_values("clips", ascending=False, kind="stable").itertuples():
        fold = min(
            range(1, folds + 1),
            key=lambda fold, sex=group.sex: (of_sex[fold, sex], size[fold], fold),
        )
        dealt[group.Index] = fold
        of_sex[fold, group.sex] += 1
        size[fold] += group.clips
    return clips[column].map(dealt).to_numpy()


def _validate(clips: pd.DataFrame, parts: np.ndarray, number: int) -> None:
    """Make validation clips of the training clips of ``number`` speakers in each fold, in place.

    Each choice takes the sex chosen least in this fold, then the speaker chosen least in the folds
    before, then the first by name: balanced in sex, and another speaker in every fold while any
    is left.
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
