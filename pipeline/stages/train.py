"""Stage train: one model per fold of a run, or published weights in their place."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from pipeline import models, parallel, text, workers
from pipeline.config import code
from pipeline.config.records import Run
from pipeline.engine import backend, classical, dataset, machines
from pipeline.engine.dataset import Dataset, Fold
from pipeline.errors import InputError
from pipeline.files import bundles, checked, checkpoints, tables
from pipeline.inference import cards, limits, starts, temperatures
from pipeline.inference.cards import Card, FoldModel
from pipeline.models.training import Fit, Training
from pipeline.order import natural
from pipeline.protocols import leakage
from pipeline.scoring import targets
from pipeline.settings import flat

# Columns of a history as they are read: these, then clusters, then scores on test clips.
UNTRAINED = list[str]("fold seed epoch loss accuracy".split())
FIRST = "fold seed epoch stage loss accuracy cluster_loss attribute_loss triplet_loss".split()
FIRST += "unlabeled_loss nmi validation_loss validation_accuracy validation_uar".split()


def train(
    store: Path,
    index: Path,
    folds: Path,
    certificate: Path,
    bundle: Path,
    *,
    run: Run,
    only: list[int] | None = None,
) -> None:
    """Train the model of a run on every fold of its protocol.

    Parameters
    ----------
    store, index, folds, certificate : Path
        Feature store, ``index.csv``, and ``P.csv`` and ``P.json`` of the protocol.
    bundle : Path
        Folder to write: ``fold-01.keras ...`` (of a classical model ``fold-01.npz ...``),
        ``history.csv``, ``card.json``.
    run
        Line of params.yaml.
    only : list of int, optional
        Numbers of the folds to train, of which alone the bundle then is; by default all. The models
        are those of a training of all folds. ``ser record`` joins what was trained in parts.

    Raises
    ------
    InputError
        If model and feature do not fit, published weights do not fit, there is no such fold, or
        training diverges.
    """
    fitted = models.facts(run.model).classical
    library = machines.LIBRARY if fitted else backend.start(run.engine.backend)
    target = targets.of(run.training.attributes)
    settings = {"target": target, "memory_mb": run.engine.memory_mb}
    load = partial(dataset.load, store, index, folds, **settings)
    try:
        checked.expect(certificate, folds)
        data = load()
        trained = _numbers(run, data, only)
        device, stacked = "cpu", False
        if not fitted:
            (device,) = parallel.shared(lambda _: [_device(library)], 1, "", run.engine.workers)
            stacked = _stacked(run, library, data, device)
        card = _card(run, data, bundle, certificate, library, device, stacked)  # builds a model
        with bundles.resume(bundle, _fingerprint(run, card, store, index, folds)) as folder:
            made = _fit(run, card, data, load, folder, trained)
            made = temperatures.fitted(card, data, made, folder)
            _write(card, limits.fitted(card, data, made, folder), folder)
    except InputError as error:
        raise InputError(f"run {run.name}: {error}") from None


def _fingerprint(run: Run, card: Card, store: Path, index: Path, folds: Path) -> str:
    """Hash of all that decides the models: a training that was stopped goes on under the same."""
    inputs = [index, folds, *sorted(path for path in store.rglob("*") if path.is_file())]
    hashes = [tables.file_sha256(path) for path in inputs]
    return tables.sha256([card.to_json(), hashes, code.sha256(*code.modules("train", run))])


def _numbers(run: Run, data: Dataset, only: list[int] | None) -> list[int]:
    """Numbers of the folds that are trained: all, or those that are asked for."""
    known = [fold.number for fold in data.folds]
    if only is None:
        return known
    if run.weights:
        raise InputError("only: weights are imported for all folds; leave it out")
    if getattr(run.training, "compound_smoothing", False):
        raise InputError("only: compound_smoothing goes from fold to fold; leave it out")
    if unknown := sorted(set(only) - set(known)):
        raise InputError(f"only: no fold {unknown[0]}; there are {text.ranges(known)}")
    return [number for number in known if number in only]


def _fit(
    run: Run,
    card: Card,
    data: Dataset,
    load: Callable[[], Dataset],
    folder: Path,
    trained: list[int],
) -> list[dict]:
    """Train folds with every seed, or write published weights; the facts of each model."""
    if run.weights:
        return _published(run, data, folder)
    if isinstance(run.training, Fit):
        data = replace(data, folds=tuple(f for f in data.folds if f.number in trained))
        return classical.train(run.model, run.settings, run.training, data, run.seeds, folder)
    where = run.engine.workers
    held = load if workers.remote(where) else lambda: data
    work = partial(_trained, run, card, held, folder, trained)
    return parallel.shared(work, len(trained) * len(run.seeds), "train", where)


def _write(card: Card, trained: list[dict], folder: Path) -> None:
    """Write history and card next to the models, and remove what was kept to go on."""
    rows = [
        {"fold": fold["fold"], "seed": fold["seed"]} | row
        for fold in trained
        for row in fold.pop("history")
    ]
    tables.write(pd.DataFrame(rows, columns=_columns(rows)), folder / "history.csv")
    if card.backend == machines.LIBRARY:
        card = replace(card, parameters=machines.read(folder / trained[0]["file"]).parameters)
    files = {fold["file"] for fold in trained}
    for path in [*folder.glob("*.keras"), *folder.glob("fold-*.npz")]:
        if path.name not in files:  # of a fold that was finished earlier, and is not asked for now
            path.unlink()
    cards.write(replace(card, folds=tuple(FoldModel(**fold) for fold in trained)), folder)
    shutil.rmtree(folder / checkpoints.FOLDER, ignore_errors=True)


def _trained(
    run: Run,
    card: Card,
    read: Callable[[], Dataset],
    folder: Path,
    numbers: list[int],
    share: slice,
) -> list[dict]:
    """Train some of the folds and seeds of a run, on this machine or another."""
    _device(card.backend)
    from pipeline.engine import loop

    data = read()
    return loop.train(
        lambda seed: _build(run, data, seed),
        data,
        cast(Training, run.training),
        selection=run.selection,
        seeds=run.seeds,
        stacked=card.stacked,
        folder=folder,
        share=share,
        begin=starts.start(Path(run.start_from), card) if run.start_from else None,
        only=numbers,
        with_clusters=getattr(models.network(run.model), "with_clusters", None),
    )


def _brought(run: Run, data: Dataset, declared: dict) -> dict[str, Any]:
    """What a card holds of what feature and first weights have seen; leaks only if declared."""
    stated = [data.spec.settings, vars(run)]
    if run.start_from:
        of_run = run.model, flat(run.settings), declared["sha256"], data.target
        stated.append(starts.seen(Path(run.start_from), *of_run))
    found = {key: {*chain(*(one.get(key, ()) for one in stated))} for key in starts.SEEN}
    if said := starts.undeclared(**found, own=(run.corpus, *run.parsers), allow=declared["allow"]):
        raise InputError(f"{said} to protocols.{run.protocol}.allow")
    return {key: tuple(sorted(names)) for key, names in found.items()}


def _device(library: str) -> str:
    """Kind of device that computes on this machine: cpu, gpu."""
    found = backend.start(library)
    if found != library:
        raise InputError(
            f"engine.workers: a worker computes with {found} already, the run with {library}; "
            "restart the workers"
        )
    import keras

    return keras.distribution.list_devices()[0].partition(":")[0]


def _build(run: Run, data: Dataset, seed: int):
    """Untrained model of a run."""
    outputs = len(data.target.outputs)
    return models.network(run.model).build(data.x.shape[1:], outputs, run.settings, seed)


def _task(run: Run):
    """Kind of task that the model of a run is trained by."""
    from pipeline.engine import loop

    return loop.task(models.network(run.model))


def _stacked(run: Run, library: str, data: Dataset, device: str) -> bool:
    """Whether the folds are stacked into one program: asked for, or possible on a GPU."""
    possible = library == "jax" and isinstance(data.x, np.ndarray) and _task(run).STACKS
    if run.engine.folds == "auto":
        return possible and device != "cpu"
    if run.engine.folds == "stacked" and not possible:
        raise InputError(
            "engine.folds: stacked needs backend jax, features within engine.memory_mb, and a run "
            "on emotions; take threads or auto"
        )
    return run.engine.folds == "stacked"


def _published(run: Run, data: Dataset, temporary: Path) -> list[dict]:
    """Write models with published weights, a file per fold in natural order."""
    read, folder = models.read_published(run.model), Path(run.weights)
    files = natural(folder.glob("*.hdf5"))
    if len(files) != len(data.folds):
        raise InputError(
            f"weights: {folder}: found {len(files)} .hdf5 files, "
            f"the protocol has {len(data.folds)} folds"
        )
    model, written = _build(run, data, 0), []
    for fold, file in zip(data.folds, files, strict=True):
        weights = read(file)
        try:
            models.network(run.model).set_weights(model, weights)
        except InputError as error:
            raise InputError(f"{file}: {error}") from None
        name = f"{bundles.fold_name(fold.number, 0, (0,))}.keras"
        bundles.write_model(model.save, temporary / name)
        written.append({"fold": fold.number, "seed": 0, "file": name, "epoch": None, "history": []})
    return written


def _provenance(run: Run, data: Dataset, allow: list[str]) -> dict | None:
    """What each fold rests on, no test clip undeclared; None for imported weights."""
    if run.weights:
        return None
    declared = leakage.declared(allow, run.selection)
    found, clips = {}, len(data.clips)
    for fold in data.folds:
        picked = {"last": fold.test[:0], "best_validation": fold.validation, "leaky": fold.test}
        if run.selection == "best_validation" and not len(fold.validation):
            raise InputError(
                f"selection: best_validation needs validation clips, fold {fold.number} has none"
            )
        uses = {"weights": fold.train, "selection": picked[run.selection]}
        uses |= {"augmentation": fold.train[fold.train >= clips]} | _uses(run, fold)
        if temperatures.fits(data):
            uses["temperature"] = fold.validation
        names = {purpose: data.clips["clip"][rows % clips] for purpose, rows in uses.items()}
        rests_on = leakage.provenance(names, data.clips["clip"][fold.test])
        if trespass := leakage.trespasses(rests_on, declared):
            raise InputError(f"fold {fold.number}: {trespass}; choose another protocol")
        found[str(fold.number)] = rests_on
    return found


def _uses(run: Run, fold: Fold) -> dict[str, np.ndarray]:
    """Rows of the clips that a fold's models rest on, besides training and selection."""
    if isinstance(run.training, Fit):
        searched = any(
            len(getattr(run.settings, key)) > 1 for key in models.facts(run.model).searched
        )
        return classical.uses(fold, run.training, searched)
    return _task(run).uses(fold, run.seeds, run.training)


def _columns(rows: list[dict]) -> list[str]:
    """Columns of a history, in the order they are read."""
    present = {key for row in rows for key in row}
    if "epoch" not in present:  # of values that were compared, or of nothing
        present |= set(UNTRAINED)

    def place(key: str) -> tuple:
        return FIRST.index(key) if key in FIRST else len(FIRST), key[:5] == "test_", key

    return sorted(present, key=place)


def _card(
    run: Run,
    data: Dataset,
    bundle: Path,
    certificate: Path,
    library: str,
    device: str,
    stacked: bool,
) -> Card:
    """What the bundle will be, its models still missing."""
    declared = checked.read(certificate)
    return Card(
        folder=bundle,
        run=run.name,
        model=run.model,
        corpus=run.corpus,
        waveform=run.waveform,
        feature=run.feature,
        protocol=run.protocol,
        target=data.target,
        input_shape=data.x.shape[1:],
        spec=data.spec,
        settings=flat(run.settings),
        training=None if run.weights else flat(run.training),
        selection=run.selection,
        seeds=run.seeds,
        weights=_weights(run),
        files=_files(run),
        backend=library,
        device=device,
        versions=bundles.versions(library),
        certificate=declared["sha256"],
        stacked=stacked,
        parameters=0 if library == machines.LIBRARY else _build(run, data, 0).count_params(),
        provenance=_provenance(run, data, declared["allow"]),
        **_brought(run, data, declared),
    )


def _files(run: Run) -> dict[str, str]:
    """SHA-256 of the files that a run starts from: those its settings name, and of a bundle."""
    settings = flat(run.settings).items()
    paths = {key: Path(value) for key, value in settings if isinstance(value, str)}
    if run.start_from:
        bundle = Path(run.start_from)
        paths |= {str(bundle / one.file): bundle / one.file for one in cards.read(bundle).folds}
    return {key: tables.file_sha256(path) for key, path in paths.items() if path.is_file()}


def _weights(run: Run) -> dict | None:
    """Name and SHA-256 of imported weight files."""
    if not run.weights:
        return None
    files = natural(Path(run.weights).glob("*.hdf5"))
    return {file.name: tables.file_sha256(file) for file in files}
