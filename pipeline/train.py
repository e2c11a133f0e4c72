"""Stage train: one model per fold of a run, or published weights in their place."""

import hashlib
from pathlib import Path

import pandas as pd
from natsort import natsorted

from pipeline import backend, dataset, plugins
from pipeline.dataset import Dataset
from pipeline.errors import InputError
from pipeline.files import bundles, stores, tables
from pipeline.params import Run


def train(
    store: Path, index: Path, folds: Path, certificate: Path, bundle: Path, *, run: Run
) -> None:
    """Train the model of a run on every fold of its protocol.

    Parameters
    ----------
    store, index, folds, certificate : Path
        Feature store, ``index.csv``, and ``P.csv`` and ``P.json`` of the protocol.
    bundle : Path
        Folder to write: ``fold-01.keras ...``, ``history.csv``, ``card.json``.
    run
        Line of params.yaml.

    Raises
    ------
    InputError
        If model and feature do not fit, published weights do not fit, or training diverges.
    """
    backend.choose(run.backend)
    import keras

    from pipeline.engine import loop

    data = dataset.load(store, index, folds)
    network = plugins.load("models", run.model)

    def build(seed: int) -> keras.Model:
        return network.build(data.x.shape[1:], len(data.labels), **run.settings, seed=seed)

    try:
        parameters = build(0).count_params()
        if run.weights:
            trained = _published(build, network, data, Path(run.weights))
        else:
            trained = loop.train(build, data, run.training, selection=run.selection, seed=run.seed)
        with bundles.create(bundle) as aside:
            rows, selected = [], []
            for fold, model, epoch, history in trained:
                file = bundles.model_file(aside, fold.number)
                bundles.write_model(model.save, file)
                rows += [{"fold": fold.number} | row for row in history]
                selected.append({"fold": fold.number, "file": file.name, "epoch": epoch})
            tables.write(pd.DataFrame(rows, columns=_columns(rows)), aside / "history.csv")
            card = _card(run, data, tables.read_json(certificate)) | {
                "parameters": parameters,
                "folds": selected,
                "backend": keras.config.backend(),
                "versions": bundles.versions(keras.config.backend()),
            }
            tables.write_json(card, aside / "card.json")
    except InputError as error:
        raise InputError(f"run {run.name}: {error}") from None


def _published(build, network, data: Dataset, folder: Path):
    """Models with published weights, a file per fold in natural order."""
    files = natsorted(folder.glob("*.hdf5"))
    if len(files) != len(data.folds):
        raise InputError(
            f"weights: {folder}: found {len(files)} .hdf5 files, "
            f"the protocol has {len(data.folds)} folds"
        )
    for fold, file in zip(data.folds, files, strict=True):
        model = build(0)
        network.set_weights(model, network.read_published(file))
        yield fold, model, None, []


def _columns(rows: list[dict]) -> list[str]:
    """Columns of the history, in the order they are read."""
    present = {key for row in rows for key in row}
    order = "fold epoch loss accuracy validation_loss validation_accuracy test_accuracy".split()
    return [key for key in order if key in present or not rows]


def _card(run: Run, data: Dataset, certificate: dict) -> dict:
    """All that is needed to use the models, and to know how they came to be."""
    return {
        "run": run.name,
        "model": run.model,
        "corpus": run.corpus,
        "waveform": run.waveform,
        "feature": run.feature,
        "protocol": run.protocol,
        "labels": list(data.labels),
        "input_shape": list(data.x.shape[1:]),
        "spec": data.spec,
        "spec_sha256": stores.sha256(data.spec),
        "normalisation": None,
        "settings": run.settings,
        "training": None if run.weights else run.training,
        "selection": run.selection,
        "seed": run.seed,
        "weights": _weights(run),
        "certificate": certificate["sha256"],
    }


def _weights(run: Run) -> dict | None:
    """Name and SHA-256 of imported weight files."""
    if not run.weights:
        return None
    files = natsorted(Path(run.weights).glob("*.hdf5"))
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


if __name__ == "__main__":
    from pipeline.cli import command

    command(train)
