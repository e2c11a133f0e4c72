"""Stage evaluate: every held-out clip predicted, then metrics with intervals."""

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import plugins
from pipeline.engine import backend, dataset
from pipeline.engine.dataset import Dataset, Fold
from pipeline.errors import InputError
from pipeline.files import bundles, tables
from pipeline.protocols import leakage
from pipeline.scoring import metrics

COPIED = (
    "run model corpus waveform feature protocol selection seeds weights settings training "
    "parameters input_shape labels attributes certificate device backend versions spec_sha256"
).split()


LEAK = "clips of values unlabelled unlabelled_training allowed".split()


def evaluate(
    bundle: Path,
    store: Path,
    index: Path,
    quality: Path,
    folds: Path,
    certificate: Path,
    report: Path,
) -> None:
    """Predict the test clips of every fold with that fold's model, and score them.

    Parameters
    ----------
    bundle : Path
        Folder that train wrote.
    store, index, quality, folds, certificate : Path
        Feature store, ``index.csv``, ``quality.json``, ``P.csv`` and ``P.json`` of the protocol.
    report : Path
        Folder to write: ``predictions.csv``, ``metrics.json``, ``history.csv``, ``run.json``.

    Raises
    ------
    InputError
        If the models were trained on other folds or features than the ones given, or one predicts
        what is no number.
    """
    card = bundles.read_card(bundle)
    backend.choose(card["backend"])
    attributes = tuple(card["attributes"])
    # nothing in memory: it is read fold by fold
    data = dataset.load(store, index, folds, memory_mb=0, attributes=attributes)
    declared = tables.read_json(certificate)
    if (card["certificate"], card["spec"]) != (declared["sha256"], data.spec):
        raise InputError(f"{bundle}: trained on other folds or features; run dvc repro")
    predictions = _predictions(bundle, data)
    if attributes:
        scores = metrics.attributes_over_seeds(predictions, attributes)
    else:
        scores = metrics.emotions_over_seeds(predictions, data.labels)
    facts = {key: card[key] for key in COPIED} | {
        "folds": len(data.folds),
        "clips": predictions["clip"].nunique(),
        "speakers": int(predictions.speaker.nunique()),
        "protocol_settings": declared["protocol"],
        "leaks": {
            kind: leak and {key: leak[key] for key in LEAK}
            for kind, leak in declared["leaks"].items()
        },
        "provenance": _provenance(card),
        "quality": tables.read_json(quality),
        "length": _length(data),
        "published": [
            {key: value for key, value in line.items() if key != "corpus"}
            for line in plugins.constant("models", card["model"], "PUBLISHED")
            if line["corpus"] == card["corpus"]
        ],
    }
    tables.write(predictions, report / "predictions.csv")
    tables.write(tables.read(bundle / "history.csv"), report / "history.csv")
    tables.write_json(facts, report / "run.json")
    tables.write_json(scores, report / "metrics.json")


def _provenance(card: dict) -> dict | None:
    """Per purpose, the clips that all folds' models rest on, and how many of them are tested."""
    folds = list((card["provenance"] or {}).values())
    for fold in folds:
        if trespass := leakage.trespasses(fold, ("selection",) * (card["selection"] == "leaky")):
            raise InputError(f"run {card['run']}: {trespass}; run dvc repro")
    return {
        purpose: {key: sum(fold[purpose][key] for fold in folds) for key in ("clips", "test")}
        for purpose in (folds[0] if folds else ())
    } or None


def _length(data: Dataset) -> dict:
    """How clips were brought to length: counts of them, and by how many seconds.

    Where clips are taken whole they are padded to the longest, or to full pieces; not so where a
    feature takes a fixed number of pieces out of each.
    """
    spec, chunks = data.spec["waveform"], data.spec["chunks"]
    length = data.samples[: len(data.clips)]  # without copies
    if chunks and spec["length"] == "whole":
        gap = np.zeros_like(length)
    elif spec["length"] == "segments":
        gap = -length % spec["samples"]
    else:
        gap = (spec["samples"] or length.max()) - length
    seconds = gap / spec["sample_rate"]
    return {
        "policy": spec["length"],
        "chunks": chunks,
        "samples": spec["samples"],
        "sample_rate": spec["sample_rate"],
        "clips": len(gap),
        "cut": int((gap < 0).sum()),
        "largest_cut": float(max(0, -seconds.min())),
        "padded": int((gap > 0).sum()),
        "median_padding": float(np.median(seconds[gap > 0])) if (gap > 0).any() else 0.0,
    }


def _predictions(bundle: Path, data: Dataset) -> pd.DataFrame:
    """One row per test clip and seed, in the order of the folds."""
    from pipeline.engine import answers
    from pipeline.inference import models

    card, models = bundles.read_card(bundle), models.models(bundle)
    folds = {fold.number: fold for fold in data.folds}
    frames = []
    for unit in card["folds"]:
        fold = folds[unit["fold"]]
        found = answers.predict(models(unit["file"]), data.take(fold.test))
        if not np.isfinite(found).all():
            raise InputError(
                f"{bundle}: {unit['file']} predicts what is no number; "
                "train it again with a lower learning rate"
            )
        frames.append(_rows(data, fold, found, card["attributes"]).assign(seed=unit["seed"]))
    return pd.concat(frames, ignore_index=True)


def _rows(data: Dataset, fold: Fold, found: np.ndarray, attributes: list[str]) -> pd.DataFrame:
    """Predictions of one fold; found (clips, classes) probabilities or (clips, attributes)."""
    clips = data.clips.loc[fold.test, ["clip", "speaker", "sex"]].reset_index(drop=True)
    clips["fold"] = fold.number
    for column, name in enumerate(attributes):
        clips[f"true_{name}"] = data.ratings[fold.test, column]
        clips[f"predicted_{name}"] = found[:, column]
    if attributes:
        return clips
    clips["label"] = [data.labels[i] for i in data.y[fold.test]]
    clips["predicted"] = [data.labels[i] for i in found.argmax(axis=1)]
    return clips.join(pd.DataFrame(found, columns=[f"p_{label}" for label in data.labels]))
