"""Verify: train a run's first epochs again, and compare.

Not a stage. Promised is: the same machine and the same lock file give the same bytes. Not promised
is it of another processor, another backend, another GPU or its next driver: they round otherwise,
and training lets such differences grow.
"""

import shlex
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np

from pipeline import models
from pipeline.config import params
from pipeline.engine import backend, classical, dataset, machines
from pipeline.errors import InputError
from pipeline.files import bundles, checked, tables
from pipeline.inference import cards, inputs
from pipeline.inference import models as trained
from pipeline.inference.cards import Card
from pipeline.models.training import AttributeFit, EmotionFit, Training
from pipeline.settings import read


def verify(bundle: Path, *, epochs: int = 3) -> None:
    """Train the first epochs of a run again, and compare.

    The first fold is trained again, and compared with its history; of a classical model, fitted
    again and compared with what was kept. All that was measured must be
    equal to the last digit, which is promised for the machine that trained the run, or one like it,
    with the same lock file; another processor, backend or GPU rounds otherwise. Nothing is changed.

    Parameters
    ----------
    bundle : Path
        Folder that train wrote, ``models/RUN``.
    epochs : int > 0
        Number of epochs; of a shorter training all.

    Raises
    ------
    InputError
        If a number differs, the first one being named; if the run was not trained here, is not in
        dvc.yaml, or its features or folds are others now.
    """
    card = cards.read(bundle)
    if card.weights:
        raise InputError(f"{bundle}: its weights were published, not trained here")
    if epochs < 1:
        raise InputError(f"epochs: must be at least 1, got {epochs}")
    trained.check(card)
    inputs.check(card)
    store, index, folds, certificate = _inputs(bundle, card.run)
    memory_mb = params.load().runs[card.run].engine.memory_mb
    library = card.backend if card.classical else backend.start(card.backend)
    if library != card.backend:
        raise InputError(f"{bundle}: trained with {card.backend}; KERAS_BACKEND says {library}")
    checked.expect(certificate, folds)
    data = dataset.load(store, index, folds, target=card.target, memory_mb=memory_mb)
    card.expect(checked.read(certificate)["sha256"], data.spec)

    if card.classical:
        _fitted_again(card, data)
        return
    found, one = _history(card, data, epochs), card.folds[0]
    checked.expect(bundle / cards.NAME, bundle / "history.csv")
    kept = tables.read(bundle / "history.csv")
    kept = kept[(kept.fold == str(one.fold)) & (kept.seed == str(one.seed))].to_dict("records")
    for row, wanted in zip(found, kept, strict=False):
        for key, value in row.items():
            # of the first epoch some measures are empty
            if value != (float(wanted[key]) if wanted[key] else None):
                raise InputError(
                    f"{bundle}: fold-{one.fold:02d}, epoch {row['epoch']}: {key} {value} here, "
                    f"{wanted[key] or None} in history.csv{_versions(card)}"
                )
    epochs_done = f"{len(found)} epoch{'s' if len(found) > 1 else ''}"
    sys.stdout.write(f"{bundle}: fold-{one.fold:02d}, {epochs_done}: identical\n")


def _fitted_again(card: Card, data: dataset.Dataset) -> None:
    """Fit the first fold of a classical model again, and compare all its numbers."""
    facts, one = models.facts(card.model), card.folds[0]
    settings = read(facts.settings, card.settings, "settings")
    training = cast(
        EmotionFit | AttributeFit, read(type(facts.training), card.training, "training")
    )
    taken = classical.table(data, settings.functionals)
    machine, _ = classical.fit(card.model, settings, training, data, data.folds[0], taken)
    kept = machines.read(card.folder / one.file)
    for name in machines.NAMES:
        if not np.array_equal(getattr(machine, name), getattr(kept, name)):
            raise InputError(f"{card.folder}: {one.file}: {name} is another here{_versions(card)}")
    sys.stdout.write(
        f"{card.folder}: fold-{one.fold:02d}, {machine.parameters} numbers: identical\n"
    )


def _inputs(bundle: Path, run: str) -> list[Path]:
    """Store, index, folds and certificate of a run: dvc.yaml knows where they lie."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            stage = repo.stage.load_one("dvc.yaml", name=f"train@{run}")
    except DvcException:
        raise InputError(f"{bundle}: no run {run} in the dvc.yaml and params.yaml here") from None
    return [Path(word) for word in shlex.split(stage.cmd)[4:8]]  # python -m pipeline train ...


def _history(card: Card, data: dataset.Dataset, epochs: int) -> list[dict]:
    """First epochs of the first fold. Of stacked folds all are trained: they are one program."""
    from pipeline.engine import loop

    network, facts, seeds = models.network(card.model), models.facts(card.model), card.seeds
    settings = read(facts.settings, card.settings, "settings")

    def build(seed: int):
        return network.build(card.input_shape, len(card.target.outputs), settings, seed)

    if not card.stacked:
        seeds = seeds[:1]
    training = cast(Training, read(type(facts.training), card.training, "training"))
    training = replace(training, epochs=min(epochs, training.epochs))
    with tempfile.TemporaryDirectory() as folder:
        trained = loop.train(
            build,
            data,
            training,
            selection=card.selection,
            seeds=seeds,
            stacked=card.stacked,
            folder=Path(folder),
            only=None if card.stacked else [card.folds[0].fold],
            with_clusters=getattr(network, "with_clusters", None),
        )
    return trained[0]["history"]


def _versions(card: Card) -> str:
    """Tail of a message: packages that are others now, the commonest reason."""
    now = bundles.versions(card.backend)
    names = [name for name in now if now[name] != card.versions.get(name)]
    shown = [f"{name} {now[name]} here, {card.versions.get(name)} then" for name in names]
    return f"; {', '.join(shown)}" if shown else ""
