"""Split: who is in which fold, for ever, with a certificate of what leaks."""

from collections import Counter
from pathlib import Path

import pandas as pd

from pipeline.config.records import Folds
from pipeline.errors import InputError
from pipeline.files import checked, tables
from pipeline.files.index import Index
from pipeline.protocols import leakage
from pipeline.protocols.folds import assign
from pipeline.protocols.kinds import KINDS
from pipeline.protocols.protocol import Protocol
from pipeline.protocols.vocabulary import LABELLED


def split(index: Path, table: Path, certificate: Path, *, folds: Folds) -> None:
    """Divide clips into folds, and certify what leaks.

    Parameters
    ----------
    index : Path
        Index of the corpus, in the corpus's order; clips whose status is not ``ok`` take no part.
    table : Path
        CSV to write, ``clip, label, fold, part``: a row per fold and clip that takes part.
    certificate : Path
        JSON to write: see ``pipeline.protocols.leakage.certificate``; with the ``protocol``, and of
        clips by the corpus's own words, what was ``merged`` under each label and what
        ``dropped``.
    folds : Folds
        Protocol: a line of params.yaml.

    Raises
    ------
    InputError
        If the protocol cannot be carried out on this corpus, leaves one class, a part of a fold is
        empty or lacks a class, or there is a leak that the protocol does not declare. Nothing is
        written then.
    """
    protocol = folds.rule
    try:
        clips = Index.read(index).usable().clips
        frame = assign(clips, protocol)
        _check_classes(frame, protocol)
        report = leakage.certificate(clips, frame, protocol.allow)
        report |= {"protocol": protocol.recorded()}
        report |= _words(clips, frame)
        if leaks := leakage.undeclared(report):
            allow = ", ".join([*protocol.allow, *leakage.to_declare(report)])
            raise InputError(
                f"{leaks}; to declare it set protocols.{folds.protocol}.allow: [{allow}], "
                "or choose another protocol"
            )
    except InputError as error:
        raise InputError(f"{folds.corpus}/{folds.protocol}: {error}") from None
    tables.write(frame, table)
    checked.write(report, certificate, [table])


def _check_classes(frame: pd.DataFrame, protocol: Protocol) -> None:
    """Refuse folds that do not train on and test every class.

    One speaker may well lack a class (EMO-DB's 08 has no disgust) and no other fold can mend it:
    where kinds of protocol have no choice that is allowed of the test part, if it tests anything,
    and the certificate says so.
    """
    counts = frame.groupby(["fold", "part", "label"]).size()
    sizes = frame.groupby(["fold", "part"]).size()
    labels = sorted(set(frame["label"][frame["part"].isin(LABELLED)]))
    if len(labels) == 1 and labels[0]:
        raise InputError(
            f"one class is left, {labels[0]!r}, and no other to predict; "
            "see labels and where (labels: ratings, where ratings are predicted)"
        )
    remedy = "take another number of folds, another seed, or another protocol"
    lacks = KINDS[protocol.kind].lacks
    for fold in frame["fold"].unique():
        for part in ("train", "test"):
            if (fold, part) not in sizes.index:
                raise InputError(f"fold {fold}: no clip is in its {part} part; {remedy}")
            for label in [] if lacks and part == "test" else labels:
                if (fold, part, label) not in counts.index:
                    raise InputError(f"fold {fold}: no {part} clip is {label}; {remedy}")


def _words(clips: pd.DataFrame, frame: pd.DataFrame) -> dict:
    """Count clips by the corpus's own words: ``{label: {word: clips}}`` and ``{word: clips}``."""
    label_of = frame.groupby("clip")["label"].max()  # not "" if it is hidden in some folds alone
    labels = clips["clip"].map(label_of)  # NaN where a clip takes no part
    merged = {
        label: dict(sorted(Counter(clips["emotion"][labels == label]).items()))
        for label in sorted(set(label_of))
    }
    dropped = Counter(clips["emotion"][labels.isna()])
    return {"merged": merged, "dropped": dict(sorted(dropped.items()))}
