"""The leakage certificate: what the test clips of each fold share with those trained on.

Kinds of leak, and the column of the index whose value a test clip then shares with a train or
validation clip of its fold:

* ``clip``: the clip itself;
* ``pcm``: another clip with the same samples;
* ``speaker``, ``sentence``, ``session``;
* ``utterance``: another take of the same speaker, sentence, emotion and intensity.
"""

import hashlib
import json

import pandas as pd

KINDS = {
    "clip": "clip",
    "pcm": "pcm_sha256",
    "speaker": "speaker",
    "sentence": "sentence",
    "session": "session",
    "utterance": "utterance",
}
PARTS = ("train", "validation", "test")
LISTED = 20  # offenders of one kind
NAMED = 3  # of them in a message


def certificate(index: pd.DataFrame, folds: pd.DataFrame, allow: tuple[str, ...]) -> dict:
    """Count the test clips that share something with train or validation clips of their fold.

    Parameters
    ----------
    index : DataFrame
        One row per clip: ``clip`` and the columns named in ``KINDS``, ``""`` where unknown.
    folds : DataFrame
        ``clip, label, fold, part``; every clip is in the index.
    allow : tuple of str, from ``KINDS``
        Kinds of leak that the protocol declares.

    Returns
    -------
    dict, ready for JSON
        * ``allow``, ``labels``: sorted;
        * ``folds``: per fold its number ``fold``, ``clips`` per part, ``absent`` labels that no
          test clip has, and ``leaks``: test clips touched, per kind;
        * ``leaks``: per kind, over all folds, ``clips`` touched ``of`` how many test clips,
          distinct ``values`` shared, test clips that are ``unlabelled`` and so go unchecked,
          whether ``allowed``, and ``offenders``, ``{fold, test, train}``, the first 20 of a kind
          that is not allowed, and of ``pcm`` always;
        * ``folds_sha256``: of the folds as CSV, hence of the file itself;
        * ``sha256``: of all the above as JSON with sorted keys and no blanks.

        A kind for which the corpus has no label at all is None: not checkable, which is not 0.
    """
    labels = sorted(set(folds["label"]))
    tested = folds[folds["part"] == "test"]
    tested_labels = tested.groupby("fold")["label"].agg(set)
    sizes = folds.groupby(["fold", "part"]).size()
    shared = {kind: _shared(index, folds, kind) for kind in KINDS}
    touched = {
        k: None if pairs is None else pairs["fold"].value_counts() for k, pairs in shared.items()
    }
    report = {
        "allow": sorted(allow),
        "labels": labels,
        "folds": [
            {
                "fold": int(fold),
                "clips": {part: int(sizes.get((fold, part), 0)) for part in PARTS},
                "absent": sorted(set(labels) - tested_labels.get(fold, set())),
                "leaks": {
                    kind: None if counts is None else int(counts.get(fold, 0))
                    for kind, counts in touched.items()
                },
            }
            for fold in folds["fold"].unique()
        ],
        "leaks": {
            kind: None if pairs is None else _summary(pairs, tested, index, kind, kind in allow)
            for kind, pairs in shared.items()
        },
        "folds_sha256": _sha256(folds.to_csv(index=False, lineterminator="\n")),
    }
    canonical = json.dumps(report, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return report | {"sha256": _sha256(canonical)}


def undeclared(report: dict) -> str:
    """Each undeclared leak of a certificate, in the first fold that has it, as text; or ``""``.

    >>> offender = {"fold": 3, "test": "a1", "train": "b1"}
    >>> undeclared({"folds": [{"fold": 3, "leaks": {"speaker": 1}}],
    ...             "leaks": {"speaker": {"clips": 1, "allowed": False, "offenders": [offender]}}})
    'fold 3: 1 test clip shares speaker with training (a1)'
    """
    counts = {fold["fold"]: fold["leaks"] for fold in report["folds"]}
    found = []
    for kind, leak in report["leaks"].items():
        if leak is None or leak["allowed"] or not leak["clips"]:
            continue
        fold = leak["offenders"][0]["fold"]
        count = counts[fold][kind]
        clips = [item["test"] for item in leak["offenders"] if item["fold"] == fold][:NAMED]
        named = ", ".join(clips) + (", ..." if count > len(clips) else "")
        share = "test clip shares" if count == 1 else "test clips share"
        found.append(f"fold {fold}: {count} {share} {kind} with training ({named})")
    return "; ".join(found)


def _values(index: pd.DataFrame, kind: str) -> pd.Series:
    """Map each clip to what it may share with others."""
    return pd.Series(index[KINDS[kind]].to_numpy(), index=index["clip"])


def _shared(index: pd.DataFrame, folds: pd.DataFrame, kind: str) -> pd.DataFrame | None:
    """Test clips with the first clip each shares a value with: ``fold, test, value, train``."""
    rows = folds[["fold", "part"]].assign(
        test=folds["clip"], value=folds["clip"].map(_values(index, kind))
    )
    rows = rows[rows["value"] != ""]
    if rows.empty:
        return None
    is_test = rows["part"] == "test"
    others = rows[~is_test].drop_duplicates(["fold", "value"]).rename(columns={"test": "train"})
    pairs = rows[is_test].merge(others, on=["fold", "value"], how="inner")
    return pairs[["fold", "test", "value", "train"]]


def _summary(
    pairs: pd.DataFrame, tested: pd.DataFrame, index: pd.DataFrame, kind: str, allowed: bool
) -> dict:
    """Sum a kind of leak up over all folds."""
    listed = pairs.head(LISTED if kind == "pcm" or not allowed else 0)
    return {
        "clips": len(pairs),
        "of": len(tested),
        "values": int(pairs["value"].nunique()),
        "unlabelled": int((tested["clip"].map(_values(index, kind)) == "").sum()),
        "allowed": allowed,
        "offenders": listed[["fold", "test", "train"]].to_dict("records"),
    }


def _sha256(text: str) -> str:
    """Hash of a text as UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()
