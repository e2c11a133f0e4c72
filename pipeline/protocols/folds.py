"""The folds of a corpus by a protocol: the part of every clip in each."""

import numpy as np
import pandas as pd

from pipeline.protocols import groups
from pipeline.protocols.choice import choose, without_label
from pipeline.protocols.protocol import Protocol


def assign(clips: pd.DataFrame, protocol: Protocol) -> pd.DataFrame:
    """Give each clip that takes part its part in each fold.

    Clips without emotion, where others have one, are ``unlabeled`` in every fold; in a corpus
    without any emotion, so are clips without rating where others have one.

    Parameters
    ----------
    clips : DataFrame
        Usable clips in the corpus's order, with the columns of the index.
    protocol : Protocol
        Protocol that divides them.

    Returns
    -------
    DataFrame, a row per fold and clip that takes part
        ``clip, label, fold, part``: fold from 1, then the corpus's order within each; part is one
        of ``vocabulary.PARTS``. A clip that is ``hidden`` has no label in that fold.

    Raises
    ------
    InputError
        If the protocol and the corpus do not fit: see `choice.choose`; or there are too few clips
        or speakers, or labels that are needed are lacking.
    """
    taking = choose(clips, protocol)
    pool = without_label(taking)
    labelled = taking[~pool].reset_index(drop=True)
    kind, settings = protocol.of_kind()
    drawn = kind.parts(labelled, **settings).astype(object)  # (folds, labelled)
    if "validation" not in settings:
        groups.validate(labelled, drawn, protocol.validation)
    _hide(labelled["label"].to_numpy(), drawn, protocol)
    parts = np.full((len(drawn), len(taking)), "unlabeled", dtype=object)
    parts[:, ~pool] = drawn
    if protocol.kind == "partition":  # nobody trains on what the corpus keeps for tests
        parts[:, pool & ~taking["partition"].isin(["", "train"]).to_numpy()] = "unused"
    return pd.DataFrame(
        {
            "clip": np.tile(taking["clip"], len(parts)),
            "label": np.where(parts == "unlabeled", "", taking["label"]).ravel(),
            "fold": np.repeat(np.arange(1, len(parts) + 1), len(taking)),
            "part": parts.ravel(),
        }
    )


def _hide(labels: np.ndarray, parts: np.ndarray, protocol: Protocol) -> None:
    """Make unlabelled clips of a fraction of each label's training clips, in place, by fold."""
    for fold, part in enumerate(parts, start=1):
        generator = np.random.RandomState([protocol.seed or 0, fold])
        for label in sorted(set(labels)):
            rows = generator.permutation(np.flatnonzero((part == "train") & (labels == label)))
            part[rows[1:][: round(protocol.hidden * len(rows))]] = "unlabeled"  # one stays
