"""The leakage certificate: what the test clips of each fold share with those trained on.

Kinds of leak, and the column of the index whose value a test clip then shares with a train or
validation clip of its fold:

* ``clip``: the clip itself;
* ``pcm``: another clip with the same samples;
* ``near``: a near-duplicate (``recording``: another level, cut or coding);
* ``speaker``, ``sentence``, ``session``;
* ``utterance``: another clip of the same speaker, sentence, emotion and intensity;
* ``parent``: a clip that augmentation made of it, that it was made of, or made of the same one.

They stand in ``vocabulary.LEAKS``. ``unlabeled_speaker`` and so on are the same, shared with an
unlabelled clip instead: a run may train on that too, without a label. ``provenance`` asks the same
of everything else that rests on clips.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping

import pandas as pd

from pipeline.protocols.vocabulary import (
    COUNTED,
    LABELLED,
    LEAKS,
    PARTS,
    POOL,
    PURPOSES,
    UNLABELED,
)

LISTED = 20  # offenders of one kind
NAMED = 3  # of them in a message


def certificate(index: pd.DataFrame, folds: pd.DataFrame, allow: tuple[str, ...]) -> dict:
    """Count the test clips that share something with clips that their fold trains on.

    Parameters
    ----------
    index : DataFrame
        One row per clip: ``clip`` and the columns named in ``vocabulary.LEAKS``, ``""`` where
        unknown; an older index may lack some.
    folds : DataFrame
        ``clip, label, fold, part``; every clip is in the index.
    allow : tuple of str, from ``vocabulary.DECLARABLE``
        Kinds of leak that the protocol declares; ``speaker`` declares ``unlabeled_speaker`` too.

    Returns
    -------
    dict, ready for JSON
        * ``allow``, ``labels``: sorted;
        * ``folds``: per fold its number ``fold``, ``clips`` per part, ``absent`` labels that no
          test clip has, and ``leaks``: test clips touched, per kind;
        * ``leaks``: per kind, over all folds, ``clips`` touched ``of`` how many test clips,
          distinct ``values`` shared, test clips whose value is unknown (``unlabelled``) and
          training clips (``unlabelled_training``), which go unchecked, whether it is ``allowed``,
          and ``offenders``, ``{fold, test, train}``: the first 20 of a kind that is not allowed,
          and of ``pcm`` and ``near`` always;
        * ``folds_sha256``: of the folds as CSV, hence of the file itself;
        * ``sha256``: of all the above as JSON with sorted keys and no blanks.

        A kind for which one side has no label at all is None: not checkable, which is not 0.
        Kinds of unlabeled clips are there only if the folds have such clips.
    """
    labels = sorted(set(folds["label"][folds["part"].isin(LABELLED)]))
    tested = folds[folds["part"] == "test"]
    tested_labels = tested.groupby("fold")["label"].agg(set)
    sizes = folds.groupby(["fold", "part"]).size()
    kinds = COUNTED if (folds["part"] == UNLABELED).any() else tuple(LEAKS)
    found = {kind: _leak(index, folds, kind, allow) for kind in kinds}
    report = {
        "allow": sorted(allow),
        "labels": labels,
        "folds": [
            {
                "fold": int(fold),
                "clips": {part: int(sizes.get((fold, part), 0)) for part in PARTS},
                "absent": sorted(set(labels) - tested_labels.get(fold, set())),
                "leaks": {
                    kind: None if leak is None else int(leak[0].get(fold, 0))
                    for kind, leak in found.items()
                },
            }
            for fold in folds["fold"].unique()
        ],
        "leaks": {kind: None if leak is None else leak[1] for kind, leak in found.items()},
        "folds_sha256": _sha256(folds.to_csv(index=False, lineterminator="\n")),
    }
    return report | {"sha256": _sha256(_canonical(report))}


def to_declare(report: dict) -> list[str]:
    """Kinds of leak that a certificate found and the protocol does not declare."""
    leaks = report["leaks"].items()
    return [kind for kind, leak in leaks if leak and leak["clips"] and not leak["allowed"]]


def undeclared(report: dict) -> str:
    """Each undeclared leak of a certificate, in the first fold that has it, as text; or ``""``.

    >>> offender = {"fold": 3, "test": "a1", "train": "b1"}
    >>> undeclared({"folds": [{"fold": 3, "leaks": {"near": 1}}],
    ...             "leaks": {"near": {"clips": 1, "allowed": False, "offenders": [offender]}}})
    'fold 3: 1 test clip shares near with training (a1 with b1)'
    """
    counts = {fold["fold"]: fold["leaks"] for fold in report["folds"]}
    found = []
    for kind in to_declare(report):
        offenders = report["leaks"][kind]["offenders"]
        fold = offenders[0]["fold"]
        count = counts[fold][kind]
        what = kind.removeprefix(POOL)
        pairs = what in ("pcm", "near")  # which of the two to look at is not known otherwise
        clips = [
            f"{item['test']} with {item['train']}" if pairs else item["test"]
            for item in offenders
            if item["fold"] == fold
        ]
        share = "test clip shares" if count == 1 else "test clips share"
        whom = "unlabelled clips" if kind != what else "training"
        found.append(f"fold {fold}: {count} {share} {what} with {whom} ({_named(clips, count)})")
    return "; ".join(found)


def provenance(uses: Mapping[str, Iterable[str]], test: Iterable[str]) -> dict:
    """Compare the clips that a fold's model rests on with those it is tested on.

    Folds that part clips well are worth nothing if the scaler was fitted on all of them.

    Parameters
    ----------
    uses : mapping of str to iterable of str
        Purpose to names of clips: whose features fitted the ``normalisation``, whose scores picked
        the epoch (``selection``), that got ``pseudo_labels``, that were ``augmented``, ... A clip
        that augmentation made is named by the one it was made of.
    test : iterable of str
        Names of the fold's test clips.

    Returns
    -------
    dict, ready for JSON
        Per purpose ``clips`` (how many different ones), ``sha256`` of their names as a sorted JSON
        list without blanks, how many are in ``test``, and which (``met``: the first 20 by name).

    Examples
    --------
    >>> report = provenance({"normalisation": ["a", "b", "c"]}, test=["c", "d"])
    >>> report["normalisation"]["clips"], report["normalisation"]["met"]
    (3, ['c'])
    """
    held_out, report = set(test), {}
    for purpose, clips in uses.items():
        names = sorted(set(clips))
        met = [name for name in names if name in held_out]
        report[purpose] = {
            "clips": len(names),
            "sha256": _sha256(_canonical(names)),
            "test": len(met),
            "met": met[:LISTED],
        }
    return report


def trespasses(report: dict, declared: tuple[str, ...] = ()) -> str:
    """What rests on test clips undeclared, as text; or ``""``.

    Parameters
    ----------
    report : dict
        Report of ``provenance``.
    declared : tuple of str
        Purposes for which the run says that it looks at test clips: ``selection`` where the epoch
        is picked on them.

    Examples
    --------
    >>> trespasses(provenance({"normalisation": ["a", "b", "c"]}, test=["c", "d"]))
    'normalisation rests on 1 test clip (c)'
    """
    found = []
    for purpose, use in report.items():
        if use["test"] and purpose not in declared:
            clips = "test clip" if use["test"] == 1 else "test clips"
            named = _named(use["met"], use["test"])
            found.append(f"{purpose} rests on {use['test']} {clips} ({named})")
    return "; ".join(found)


def declared(allow: Iterable[str], selection: str) -> tuple[str, ...]:
    """Purposes of provenance that may rest on test clips, by what protocol and run declare.

    >>> declared(["normalisation", "speaker"], "leaky")
    ('selection', 'normalisation')
    """
    by_kind = tuple(purpose for purpose, kind in PURPOSES.items() if kind in allow)
    return ("selection",) * (selection == "leaky") + by_kind


def pretraining(pretrained_on: Iterable[str], corpora: Iterable[str]) -> str:
    """Say of a run whether its feature or first weights were trained on its corpus.

    Parameters
    ----------
    pretrained_on : iterable of str
        Corpora that they state; ``unknown`` among them: what else is not known.
    corpora : iterable of str
        Names and parsers of the run's corpus.

    Returns
    -------
    str
        The corpus, ``unknown``, or ``""`` if it is none of theirs.

    Examples
    --------
    >>> pretraining(["ravdess", "unknown"], ["ravdess"]), pretraining(["unknown"], ["ravdess"])
    ('ravdess', 'unknown')
    """
    stated, own = set(pretrained_on), set(corpora)
    return min(stated & own, default="unknown" if "unknown" in stated else "")


def stated(
    allow: Iterable[str],
    tested: int,
    pretrained: str,
    provenance: Mapping[str, Mapping] | None,
    brought: Iterable[str] = (),
) -> dict[str, dict | None]:
    """Leaks of a run that no folds show, laid out as those of a certificate.

    Parameters
    ----------
    allow : iterable of str
        Kinds that the protocol declares.
    tested : int
        Test clips over all folds.
    pretrained : str
        What `pretraining` gives.
    provenance : mapping or None
        Per purpose how many ``clips`` it rests on and how many of them are in ``test``, over all
        folds; None where it is not known.
    brought : iterable of str
        Kinds that the feature or the first weights state of themselves: they touch every test clip.

    Returns
    -------
    dict
        Of each of ``vocabulary.STATED`` its ``clips`` and so on; None: not known. Without
        provenance pretraining, and what is brought.
    """
    found = {"pretraining": None if pretrained == "unknown" else tested * bool(pretrained)}
    if provenance:
        for purpose, kind in PURPOSES.items():
            found[kind] = provenance.get(purpose, {"test": 0})["test"]
    found |= dict.fromkeys(brought, tested)
    common = {"of": tested, "unlabelled": 0, "unlabelled_training": 0}
    return {
        kind: None
        if clips is None
        else common | {"clips": clips, "values": int(clips > 0), "allowed": kind in allow}
        for kind, clips in found.items()
    }


def _leak(
    index: pd.DataFrame, folds: pd.DataFrame, kind: str, allow: tuple[str, ...]
) -> tuple[pd.Series, dict] | None:
    """Test clips touched by fold, and the sum over all folds; None where it is not checkable."""
    what = kind.removeprefix(POOL)
    trained_on = folds["part"].isin([UNLABELED] if kind != what else ["train", "validation"])
    values = _values(index, what)
    tested = folds[folds["part"] == "test"]
    others = folds[trained_on]
    if values is None or any((rows["clip"].map(values) == "").all() for rows in (tested, others)):
        return None
    pairs = _pairs(index, _valued(tested, values), _valued(others, values), what)
    allowed = kind in allow or what in allow
    listed = pairs.head(LISTED if what in ("pcm", "near") or not allowed else 0)
    return pairs["fold"].value_counts(), {
        "clips": len(pairs),
        "of": len(tested),
        "values": int(pairs["value"].nunique()),
        "unlabelled": int((tested["clip"].map(values) == "").sum()),
        "unlabelled_training": int((others["clip"].drop_duplicates().map(values) == "").sum()),
        "allowed": allowed,
        "offenders": listed[["fold", "test", "train"]].to_dict("records"),
    }


def _values(index: pd.DataFrame, kind: str) -> pd.Series | None:
    """Map each clip to the value it may share; None if the index lacks the column."""
    column = LEAKS[kind].column
    if column not in index:
        return None
    values = index[column]
    if kind == "parent":  # a clip meets those made of it
        values = values.where(values != "", index["clip"])
    return pd.Series(values.to_numpy(), index=index["clip"])


def _valued(rows: pd.DataFrame, values: pd.Series) -> pd.DataFrame:
    """Rows of the folds whose clip has a value, ``fold, clip, value``."""
    rows = rows[["fold", "clip"]].assign(value=rows["clip"].map(values))
    return rows[rows["value"] != ""]


def _pairs(
    index: pd.DataFrame, tested: pd.DataFrame, others: pd.DataFrame, kind: str
) -> pd.DataFrame:
    """Test clips with the first clip each shares a value with: ``fold, test, value, train``."""
    tested = tested.rename(columns={"clip": "test"})
    others = others.rename(columns={"clip": "train"})
    if kind != "near":
        others = others.drop_duplicates(["fold", "value"])
        return tested.merge(others, on=["fold", "value"])[["fold", "test", "value", "train"]]
    # one of each different sound, so that a copy of the samples does not hide a near-duplicate
    pcm = pd.Series(index["pcm_hash"].to_numpy(), index=index["clip"])
    others = others.assign(pcm=others["train"].map(pcm)).drop_duplicates(["fold", "value", "pcm"])
    pairs = tested.merge(others, on=["fold", "value"])
    pairs = pairs[pairs["test"].map(pcm) != pairs["pcm"]].drop_duplicates(["fold", "test"])
    return pairs[["fold", "test", "value", "train"]]


def _named(clips: list[str], count: int) -> str:
    """Name the first few of so many clips."""
    named = clips[:NAMED]
    return ", ".join(named) + (", ..." if count > len(named) else "")


def _canonical(value: dict | list) -> str:
    """JSON with sorted keys and no blanks."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def _sha256(text: str) -> str:
    """Hash of a text as UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
