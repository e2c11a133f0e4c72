"""Trainings by the stage: what they are given, and a program that does several in one process.

Run as a program it trains what the first argument lists.
"""

import csv
import json
import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from pipeline.features import framing
from pipeline.models import dcnn_blstm, deep_emo_cluster, tim_net
from pipeline.models.training import EmotionTraining
from tests import specs

CLIPS, SHAPE, LABELS = 60, (24, 8), ("angry", "happy", "sad")
SETTINGS = {"blocks": 1, "filters": 4, "kernel": 2, "dropout": 0.1}
TRAINING = EmotionTraining(
    epochs=4,
    batch=16,
    label_smoothing=0.1,
    learning_rate=1e-2,
    beta_1=0.93,
    beta_2=0.98,
    epsilon=1e-8,
)
FOLDS = ["fold-01", "fold-02", "fold-03"]
CHUNKS = (6, 4, 4)  # of the rated clips: chunks, frames, bins
CUT = {"n_fft": 8, "hop": 4, "centre": True}
RATED = replace(
    deep_emo_cluster.TRAINING,
    **{"attributes": ("valence", "arousal"), "epochs": 2, "batch": 8, "clusters": 3},
)


@dataclass(frozen=True)
class NoSettings:
    """Settings of a network that has none."""


# Of each model, settings and training of its runs.
GIVEN = {
    "small": (NoSettings(), TRAINING),
    "tim_net": (tim_net.Settings(**SETTINGS), TRAINING),
    "dcnn_blstm": (dcnn_blstm.Settings(), TRAINING),
    "deep_emo_cluster": (deep_emo_cluster.Settings(temporal="none"), RATED),
}


# ---- inputs ----------------------------------------------------------------------------------


def inputs(folder, validation=0, shift=0.0):
    """Write a store, an index, three folds and their certificate."""
    from pipeline.files import drafts, tables

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    y = np.arange(CLIPS) % len(LABELS)
    x = (rng.normal(0, 1, (3, 1, 8))[y] + rng.normal(size=(CLIPS, *SHAPE))).astype(np.float32)
    x[0] += shift
    names = [f"clip{i:02}" for i in range(CLIPS)]
    facts = {"clips_sha256": tables.sha256(names), "content": np.zeros((CLIPS, 32), np.uint8)}
    spec = specs.spec().to_json()
    with drafts.create(folder / "x.zarr", x.shape, spec, **facts, code="") as draft:
        for block in draft.pending():
            draft.fill(block, lambda rows: (x[rows], rows, rows))
    write(
        folder / "index.csv",
        ["clip", "status", "speaker", "sex"],
        [(n, "ok", n[:5], "") for n in names],
    )
    rows = []
    for fold in range(3):
        for i, name in enumerate(names):
            part = "test" if i // 20 == fold else "train"
            part = "validation" if part == "train" and i % 20 < validation else part
            rows.append((name, LABELS[y[i]], fold + 1, part))
    write(folder / "folds.csv", ["clip", "label", "fold", "part"], rows)
    certify(folder, leaks={}, protocol={})
    return folder


def certify(folder, **facts):
    """Write a certificate of the folds that lie in a folder."""
    from pipeline.files import checked

    facts = {"sha256": "of the folds", "allow": []} | facts
    checked.write(facts, folder / "folds.json", [folder / "folds.csv"])


def rated_inputs(folder, x_of_test=0.0, rating_of_test=0.0):
    """Write clips in chunks: 24 rated, in two folds with validation; 6 are not, and in a pool.

    Clips c00 to c07 are tested in fold 1, c08 to c15 in fold 2; the shifts are of those of fold 1.
    """
    from pipeline.files import drafts, tables

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    names = [f"c{i:02}" for i in range(30)]
    ratings = rng.normal(4, 1, (30, 2))
    x = (ratings[:, :1, None, None] + rng.normal(size=(30, *CHUNKS))).astype(np.float32) ** 2
    x[:8] += x_of_test
    ratings[:8] += rating_of_test
    sums = np.stack([framing.sums(clip) for clip in x])
    spec = specs.spec(settings=CUT).to_json()
    facts = {"clips_sha256": tables.sha256(names), "content": np.zeros((30, 32), np.uint8)}
    with drafts.create(folder / "x.zarr", x.shape, spec, **facts, code="") as draft:
        for block in draft.pending():
            draft.fill(block, lambda rows: (x[rows], 40 + rows, 12 + rows, sums[rows]))
    texts = [(f"{a:.3f}", f"{v:.3f}") if i < 24 else ("", "") for i, (a, v) in enumerate(ratings)]
    write(
        folder / "index.csv",
        ["clip", "status", "speaker", "sex", "arousal", "valence", "dominance"],
        [(n, "ok", n, "", *pair, "") for n, pair in zip(names, texts, strict=True)],
    )
    rows = []
    for fold in range(2):
        for i, name in enumerate(names):
            part = "test" if i // 8 == fold else "validation" if i // 4 == 5 else "train"
            rows.append((name, "", fold + 1, part if i < 24 else "unlabeled"))
    write(folder / "folds.csv", ["clip", "label", "fold", "part"], rows)
    certify(folder)
    return folder


def write(path, head, rows):
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


def read(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def content(bundle):
    """Bytes of every file."""
    return {path.name: path.read_bytes() for path in sorted(bundle.iterdir())}


# ---- run as a program ------------------------------------------------------------------------


def main(jobs):
    """Train one run after another; each may be killed at its nth epoch, all epochs saved."""
    from pipeline import models
    from pipeline.engine import backend

    backend.start("jax")
    from pipeline.config.records import Engine, Run
    from pipeline.engine import loop
    from pipeline.engine.emotions import EmotionTask
    from pipeline.errors import InputError
    from pipeline.stages.train import train

    epoch, done = EmotionTask.epoch, []

    def counted(task, *given):
        found = epoch(task, *given)
        done.append(1)
        if len(done) == kill:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    EmotionTask.epoch, loop.CHECKPOINT_SECONDS = counted, 0
    from tests.engine.made_up import perceptron

    network, facts, outcome = models.network, models.facts, []
    # compiled in no time
    small = SimpleNamespace(build=lambda _shape, _outputs, _settings, seed: perceptron(seed))
    for job in jobs:
        kill = job.get("kill")
        done.clear()
        folder, given = Path(job["inputs"]), job["run"]
        run = {"name": "tiny", "model": "small", "corpus": "c", "waveform": "w", "feature": "f"}
        run |= {"protocol": "p", "data": "d", "folds": "p", "selection": "last", "weights": ""}
        run |= {"seeds": (0,)} | given
        engine = {"backend": "jax", "folds": "threads", "memory_mb": 100}
        engine["workers"] = "threads"
        run["engine"] = Engine(**engine | given.get("engine", {}))
        own = run["model"] == "small"
        models.network = (lambda _: small) if own else network
        models.facts = (lambda _: SimpleNamespace(classical=False)) if own else facts
        settings, training = GIVEN[run["model"]]
        run["settings"] = replace(settings, **given.get("settings", {}))
        run["training"] = replace(training, **given.get("training", {}))
        names = ("x.zarr", "index.csv", "folds.csv", "folds.json")
        try:
            paths = (*(folder / n for n in names), Path(job["bundle"]))
            train(*paths, run=Run(**run), only=job.get("only"))
            said = ""
        except InputError as error:
            said = str(error)
        outcome.append({"said": said, "epochs": len(done)})
    print(json.dumps(outcome))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
