"""Vectors: what the networks of a run make of their held-out clips, ahead of the last layer.

Not a stage. TIM-Net's is the fused vector of 39 values that its authors' test mode collects.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import progress
from pipeline.config import experiment
from pipeline.engine import backend, dataset
from pipeline.errors import InputError
from pipeline.files import checked, tables
from pipeline.inference import cards
from pipeline.reporting import maps

LEAST = 4  # clips of a fold that a map is drawn of


def vectors(
    bundle: Path, *, csv: Path, fold: int | None = None, picture: Path | None = None
) -> None:
    """Write what a run's networks make of held-out clips.

    A vector is the input of the last layer, of chunks their mean. Vectors of two folds or seeds are
    of two networks, and not comparable.

    Parameters
    ----------
    bundle : Path
        Folder that train wrote, ``models/RUN``; its features must be there.
    csv : Path
        Table to write: clip, speaker, sex, what is true and predicted of it, fold and seed of the
        network, and its vector, ``v01, v02, ...``.
    fold : int, optional
        Fold whose clips and networks are taken; by default all.
    picture : Path, optional
        PNG file to write: for each network a map of its clips (t-SNE) in the colours of what is
        true of them; of several attributes, of the first.

    Raises
    ------
    InputError
        If the bundle, its features or the fold are not there, its models are no networks, or the
        features are others than it was trained on; if a map has fewer than four clips.
    """
    if picture is not None and picture.suffix != ".png":
        raise InputError(f"picture: {picture}: wanted a name that ends in .png")
    card = cards.read(bundle)
    if card.classical:
        raise InputError(f"{bundle}: {card.model} has no vector of its own: ser extract makes it")
    chosen = card.of_fold(fold)
    made = experiment.of_bundle(card, "run dvc repro")
    checked.expect(made.certificate, made.folds)
    data = dataset.load(made.store, made.index, made.folds, target=card.target, memory_mb=0)
    card.expect(checked.read(made.certificate)["sha256"], data.spec)
    rows = {one.number: one.test for one in data.folds}
    if picture is not None and min(len(rows[one.fold]) for one in chosen) < LEAST:
        raise InputError(f"picture: a fold has fewer than {LEAST} clips, of which no map is drawn")
    backend.start(card.backend)
    from pipeline.inference import models

    ask, parts = models.asked(card), []
    for one in progress.counted(chosen, len(chosen), "vectors", "folds"):
        answers, inner = ask(one, data.each(rows[one.fold]))
        values = np.asarray(inner)
        clips = data.clips.loc[rows[one.fold], ["clip", "speaker", "sex"]].reset_index(drop=True)
        said = card.target.predictions(data.truth[rows[one.fold]], answers)
        width = len(str(values.shape[1]))
        names = [f"v{i:0{width}d}" for i in range(1, values.shape[1] + 1)]
        found = clips.join(said).assign(fold=one.fold, seed=one.seed)
        parts.append(found.join(pd.DataFrame(values, columns=names)))
    table = pd.concat(parts, ignore_index=True)
    tables.write(table, csv)
    sys.stdout.write(f"{csv}: {len(table)} vectors of {len(names)} values\n")
    if picture is not None:
        networks = "fold " + table.fold.astype(str)
        if len(card.seeds) > 1:
            networks += ", seed " + table.seed.astype(str)
        maps.draw(table[names].to_numpy(np.float64), table[said.columns[0]], networks, picture)
        sys.stdout.write(f"{picture}: a map for each network\n")
