"""Split: who is in which fold, for ever, with a certificate of what leaks."""

from pathlib import Path

import pandas as pd

from pipeline import leakage, protocols
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.protocols import Protocol


def split(index: Path, folds: Path, certificate: Path, *, corpus: str, protocol: Protocol) -> None:
    """Part the clips of an index into folds and certify what leaks between their parts.

    Parameters
    ----------
    index : Path
        Index of the corpus, in the corpus's order; clips whose status is not ``ok`` take no part.
    folds : Path
        CSV to write, ``clip, label, fold, part``: a row per fold and clip.
    certificate : Path
        JSON to write: see ``pipeline.leakage.certificate``.
    corpus : str
        Its name, for messages.
    protocol : Protocol
        How to part them.

    Raises
    ------
    InputError
        If the protocol cannot be carried out on this corpus, a part of a fold is empty or lacks
        a class, or there is a leak that the protocol does not declare. Nothing is written then.
    """
    try:
        clips = _usable(tables.read(index))
        protocols.check(protocol)
        frame = protocols.assign(clips, protocol)
        _check_classes(frame, protocol)
        report = leakage.certificate(clips, frame, protocol.allow)
        settings = {key: value for key, value in vars(protocol).items() if key != "name"}
        leaks = leakage.undeclared(report)
        if leaks:
            raise InputError(
                f"{leaks}; declare it under protocols.{protocol.name}.allow "
                "or choose another protocol"
            )
    except InputError as error:
        raise InputError(f"{corpus}/{protocol.name}: {error}") from None
    tables.write(frame, folds)
    tables.write_json(report | {"protocol": settings}, certificate)


def _usable(index: pd.DataFrame) -> pd.DataFrame:
    """Return the clips that take part, each under its own name, all with an emotion or none."""
    clips = index[index["status"] == "ok"].reset_index(drop=True)
    if clips.empty:
        raise InputError(f"none of the {len(index)} clips of the index is usable; see its reasons")
    twice = clips["clip"][clips["clip"].duplicated()]
    if len(twice):
        raise InputError(f"clip {twice.iloc[0]} is in the index more than once; index again")
    unlabelled = clips["clip"][clips["emotion"] == ""]
    if 0 < len(unlabelled) < len(clips):
        raise InputError(
            f"{len(unlabelled)} of {len(clips)} clips have no emotion, the first is "
            f"{unlabelled.iloc[0]}; label them or take them out of the corpus"
        )
    return clips


def _check_classes(frame: pd.DataFrame, protocol: Protocol) -> None:
    """Refuse folds that do not train on and test every class.

    One speaker may well lack a class (EMO-DB's 08 has no disgust) and no other fold can mend it:
    under ``leave_one_speaker_out`` that is allowed of the test part, and the certificate says so.
    """
    parts = ["train"] if protocol.kind == "leave_one_speaker_out" else ["train", "test"]
    counts = frame.groupby(["fold", "part", "label"]).size()
    for fold in frame["fold"].unique():
        for part in parts:
            for label in sorted(set(frame["label"])):
                if (fold, part, label) not in counts.index:
                    raise InputError(
                        f"fold {fold}: no {part} clip is {label}; take another number of folds, "
                        "another seed, or another protocol"
                    )


if __name__ == "__main__":
    from pipeline.cli import command

    command(split)
