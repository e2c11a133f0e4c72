"""Stage evaluate: every held-out clip predicted, then metrics with intervals."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import models as networks
from pipeline import progress, text
from pipeline.config import code
from pipeline.config.records import Run
from pipeline.engine import backend, dataset, floors
from pipeline.engine.dataset import Dataset
from pipeline.errors import InputError
from pipeline.files import checked, stores, tables
from pipeline.inference import cards, limits
from pipeline.inference.cards import Card
from pipeline.protocols import leakage
from pipeline.reporting import maps
from pipeline.scoring import evaluation
from pipeline.scoring.unlike import COLUMN, warned
from pipeline.settings import flat

COPIED = (
    "run model corpus waveform feature protocol selection seeds weights settings training "
    "parameters input_shape labels attributes certificate device backend versions spec spec_sha256"
).split()

TABLES = "history.csv map.csv metrics.json predictions.csv".split()
OF_CLIPS = "clip speaker sex sentence session seconds".split()  # of the index
LEAK = "clips of values unlabelled unlabelled_training allowed".split()


def evaluate(
    bundle: Path,
    store: Path,
    index: Path,
    quality: Path,
    folds: Path,
    certificate: Path,
    report: Path,
    *,
    run: Run,
) -> None:
    """Predict and score the test clips of every fold.

    Of a bundle of some folds only (``ser train --only``), the test clips of those.

    Parameters
    ----------
    bundle : Path
        Folder that train wrote.
    store, index, quality, folds, certificate : Path
        Feature store, ``index.csv``, ``quality.json``, ``P.csv`` and ``P.json`` of the protocol.
    report : Path
        Folder to write: ``predictions.csv``, ``history.csv``, ``map.csv``, ``run.json``,
        ``metrics.json`` and of that ``headline.json``, which DVC shows.
    run
        Line of params.yaml, by which the models must have been trained.

    Raises
    ------
    InputError
        If the models were trained by another line, or on other folds or features than the ones
        given, or one predicts NaN.
    """
    card = cards.read(bundle)
    checked.expect(certificate, folds)
    _expect(card, run)
    if not card.classical:
        backend.start(card.backend)
    # nothing in memory: it is read fold by fold
    data = dataset.load(store, index, folds, target=card.target, memory_mb=0)
    declared = checked.read(certificate)
    card.expect(declared["sha256"], data.spec)
    provenance = _provenance(card, declared["allow"])
    predictions, places = predicted(card, data)
    pretrained = leakage.pretraining(card.pretrained_on, (run.corpus, *run.parsers))
    tested = sum(len(fold.test) for fold in data.folds)
    stated = leakage.stated(declared["allow"], tested, pretrained, provenance, card.leaks)
    audited = checked.read(quality)
    scores, held = evaluation.scores(card.target, predictions), card.to_json()
    facts = {key: held[key] for key in COPIED} | {
        "folds": len(data.folds),
        "tested_folds": sorted({one.fold for one in card.folds}),
        "clips": predictions["clip"].nunique(),
        "speakers": int(predictions.speaker.nunique()),
        "protocol_settings": declared["protocol"],
        "leaks": {
            kind: leak and {key: leak[key] for key in LEAK}
            for kind, leak in (declared["leaks"] | stated).items()
        },
        "provenance": provenance,
        "pretrained_on": list(card.pretrained_on),
        "data_sha256": hashlib.sha256(stores.read(store).hash.tobytes()).hexdigest(),
        "quality": audited,
        "length": lengths(data),
        "model_defaults": _own(card.model),
        "unlike": warned(predictions),
        "models": cards.hashes(card, card.folds),
        "temperatures": [
            {key: getattr(one, key) for key in ("fold", "seed", "temperature")}
            for one in card.folds
        ],
        "epochs_of_paper": getattr(networks.facts(card.model).training, "epochs", 0),
        "published": _published(card, audited["parser"]),
        "floors": _floors(data, store),
    }
    tables.write(predictions, report / "predictions.csv")
    tables.write(places, report / "map.csv")
    checked.expect(bundle / cards.NAME, bundle / "history.csv")
    tables.write(tables.read(bundle / "history.csv"), report / "history.csv")
    tables.write_json(scores, report / "metrics.json")
    stated = [report / name for name in TABLES]
    checked.write(facts, report / "run.json", stated)
    headline = {measure.key: scores[measure.key] for measure in card.target.measures}
    tables.write_json(headline, report / "headline.json")


def _expect(card: Card, run: Run) -> None:
    """Refuse models that another line of params.yaml trained: it was edited meanwhile."""
    line = {"model": run.model, "selection": run.selection, "seeds": list(run.seeds)}
    line |= flat(run.settings) | ({} if run.weights else flat(run.training))
    held = card.to_json()
    held |= {**held["settings"], **(held["training"] or {})}
    for key, wanted in line.items():
        wanted = list(wanted) if isinstance(wanted, tuple) else wanted
        if held[key] != wanted:
            raise InputError(
                f"{card.folder}: trained with {key} {text.shown(held[key])}, params.yaml says "
                f"{text.shown(wanted)}; run dvc repro --force train@{run.name}"
            )


def _published(card: Card, parser: str) -> list[dict]:
    """Results published of the model on a corpus, under any name in params.yaml.

    Each with its conditions in full: a setting that it does not state is the model's own.
    """
    own = {k: v for k, v in _own(card.model).items() if k not in ("epochs", "attributes")}
    found = []
    for line in networks.facts(card.model).published:
        line = dict(line)
        if line.pop("corpus") == parser:
            if conditions := line.get("conditions"):
                line["conditions"] = conditions | {"settings": own | conditions.get("settings", {})}
            found.append(line)
    return found


def _own(model: str) -> dict:
    """Settings of network and training that a model has where a run states none."""
    facts = networks.facts(model)
    return flat(facts.settings()) | flat(facts.training)


def _floors(data: Dataset, store: Path) -> dict:
    """Floors of these clips and of all folds; computed once, for all runs on them.

    They are kept next to the store, under the hash of all that decides them; like the store that
    was made before, that is local, and computed again where it is not.
    """
    key = floors.key(data, stores.read(store), code.sha256("engine.floors"))
    kept = store.with_name(f".{store.name}.floors") / f"{key}.json"
    if not kept.is_file():
        tables.write_json(floors.of(data), kept)
    return tables.read_json(kept)


def _provenance(card: Card, allow: list[str]) -> dict | None:
    """Per purpose, the clips that all folds' models rest on, and how many of them are tested."""
    of_all, numbers = card.provenance or {}, {str(one.fold) for one in card.folds}
    folds = [fold for number, fold in of_all.items() if number in numbers]
    declared = leakage.declared(allow, card.selection)
    for fold in folds:
        if trespass := leakage.trespasses(fold, declared):
            raise InputError(f"run {card.run}: {trespass}; run dvc repro")
    return {
        purpose: {key: sum(fold[purpose][key] for fold in folds) for key in ("clips", "test")}
        for purpose in (folds[0] if folds else ())
    } or None


def lengths(data: Dataset) -> dict:
    """How clips were brought to length: counts of them, and by how many seconds.

    Where clips are taken whole they are padded to the longest, or to full segments; not so where a
    feature takes a fixed number of chunks out of each.
    """
    spec, chunks = data.spec.waveform, data.spec.chunks
    length = data.samples[: len(data.clips)]  # without copies
    if chunks and spec.length == "whole":
        gap = np.zeros_like(length)
    elif spec.length == "segments":
        gap = -length % spec.samples
    else:
        gap = (spec.samples or length.max()) - length
    seconds = gap / spec.sample_rate
    return {
        "policy": spec.length,
        "chunks": chunks,
        "samples": spec.samples,
        "sample_rate": spec.sample_rate,
        "clips": len(gap),
        "cut": int((gap < 0).sum()),
        "largest_cut": float(max(0, -seconds.min())),
        "padded": int((gap > 0).sum()),
        "median_padding": float(np.median(seconds[gap > 0])) if (gap > 0).any() else 0.0,
    }


def predicted(card: Card, data: Dataset) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per test clip and seed, in the order of the folds; and a map of the first fold.

    Where the bundle has limits, each row says in what the clip is unlike the training clips. The
    map is of the first network (`maps.table`), of classical models empty.
    """
    from pipeline.inference import models

    ask, judge = models.asked(card), limits.judge(card)
    folds = {fold.number: fold for fold in data.folds}
    frames, places = [], pd.DataFrame(columns=maps.PLACES)
    for one in progress.counted(card.folds, len(card.folds), "evaluate", "folds"):
        rows = folds[one.fold].test
        found, vectors = ask(one, data.each(rows))
        if not np.isfinite(found).all():
            raise InputError(
                f"{card.folder}: {one.file} predicts NaN; train it again with a lower learning rate"
            )
        clips = data.clips.loc[rows, OF_CLIPS].reset_index(drop=True)
        predicted = card.target.predictions(data.truth[rows], found)
        frame = clips.assign(fold=one.fold).join(predicted).assign(seed=one.seed)
        if vectors is not None and not frames:
            places = maps.table(frame, vectors)
        if judge is not None:
            unlike = judge(one, data.clips.iloc[rows], vectors)
            frame[COLUMN] = [" ".join(kinds) for kinds in unlike]
        frames.append(frame)
    return pd.concat(frames, ignore_index=True), places
