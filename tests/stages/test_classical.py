"""Classical models through the stages and commands: like any other model, and without Keras."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from pipeline.config import experiment, params
from pipeline.engine import dataset, machines
from pipeline.errors import InputError
from pipeline.files import checked, tables
from pipeline.inference import cards
from pipeline.models.training import EmotionFit
from pipeline.protocols import vocabulary
from pipeline.reporting.results import read_run
from pipeline.reporting.wording import stated_words
from pipeline.scoring.targets import Emotions
from pipeline.stages.evaluate import evaluate
from pipeline.stages.train import train

ENGINES = {"keras", "tensorflow", "jax", "torch"}
RUNS = """\
  svm-demo: {model: svm, corpus: demo, data: demo-mfcc39, folds: demo-speakers5}
  searched-demo:
    {model: logistic_regression, corpus: demo, data: demo-mfcc39, folds: demo-speakers5,
     seeds: [1, 2], settings: {c: [0.01, 1], percentiles: [50], deltas: true}}
  rated-demo:
    {model: svr, corpus: demo, data: demo-mfcc39, folds: demo-speakers5,
     settings: {attributes: [arousal, valence]}}
  ridge-demo: {model: ridge, corpus: demo, data: demo-mfcc39, folds: demo-speakers5}
"""
NAMES = ("svm-demo", "searched-demo", "rated-demo", "ridge-demo")
SCRIPT = """
import sys
from pathlib import Path
from pipeline.commands.predict import predict
from pipeline.commands.verify import verify
from pipeline.config import experiment, params
from pipeline.files import tables
from pipeline.stages.evaluate import evaluate
from pipeline.stages.train import train

for name in sys.argv[1:]:
    run = params.load().runs[name]
    made = experiment.of(run)
    quality = made.index.with_name("quality.json")
    bundle = Path("models") / name
    train(made.store, made.index, made.folds, made.certificate, bundle, run=run)
    report = Path("reports/runs") / name
    evaluate(
        bundle, made.store, made.index, quality, made.folds, made.certificate, report, run=run
    )
    rows = tables.read(report / "predictions.csv")
    clip = rows["clip"][rows.fold == "1"].iloc[0]
    predict(bundle, [Path(f"raw_data/demo/wav/{clip}.wav")], csv=Path(name + ".csv"), fold=1)
print(sorted(module for module in sys.modules if "." not in module))
"""


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory):
    """Give a folder in which the runs were trained, evaluated and asked, and what was loaded."""
    folder = tmp_path_factory.mktemp("classical")
    held = (finished / "params.yaml").read_text()
    (folder / "params.yaml").write_text(held.replace("\nruns:\n", f"\nruns:\n{RUNS}", 1))
    for name in ("features", "raw_data"):
        (folder / name).symlink_to(finished / name)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *NAMES], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (folder / "loaded.txt").write_text(done.stdout.splitlines()[-1])
    return folder


def test_no_library_of_networks_is_loaded(folder):
    loaded = set(eval((folder / "loaded.txt").read_text()))
    assert "sklearn" in loaded
    assert not loaded & ENGINES


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_holds_arrays_and_a_card(folder, name):
    bundle = folder / "models" / name
    card = cards.read(bundle)
    assert (card.backend, card.device, card.classical) == ("scikit-learn", "cpu", True)
    assert "keras" not in card.versions
    assert card.versions["scikit-learn"]
    assert card.parameters == machines.read(bundle / card.folds[0].file).parameters > 0
    assert {path.suffix for path in bundle.iterdir()} == {".npz", ".json", ".csv"}
    assert len(card.folds) == 5 * len(card.seeds)
    for uses in card.provenance.values():
        assert uses["normalisation"] == uses["weights"]
        assert uses["normalisation"]["test"] == 0
        assert ("search" in uses) == (name == "searched-demo")


@pytest.mark.parametrize("name", NAMES)
def test_predict_gives_what_evaluate_gave(folder, name):
    (found,) = pd.read_csv(folder / f"{name}.csv", keep_default_na=False).to_dict("records")
    path = folder / "reports" / "runs" / name / "predictions.csv"
    predictions = pd.read_csv(path, keep_default_na=False)
    row = predictions[predictions.fold == 1].iloc[0]
    assert Path(found.pop("path")).stem == row["clip"]
    assert len(found) > 0
    for key, value in found.items():
        assert value == row.get(f"predicted_{key}", row.get(key))


def test_what_is_reported_is_what_scikit_learn_says_of_the_store(folder):
    run = params.load(folder / "params.yaml").runs["svm-demo"]
    made = experiment.of(run, folder)
    data = dataset.load(made.store, made.index, made.folds, target=Emotions(), memory_mb=100)
    x = data.x.astype(float)
    x = np.concatenate([x.mean(axis=1), x.std(axis=1)], axis=1)
    found = []
    for fold in data.folds:
        scaler = StandardScaler().fit(x[fold.train])
        machine = SVC(gamma="auto", break_ties=True)
        machine.fit(scaler.transform(x[fold.train]), data.truth[fold.train])
        found += machine.predict(scaler.transform(x[fold.test])).tolist()
    predictions = pd.read_csv(folder / "reports" / "runs" / "svm-demo" / "predictions.csv")
    assert list(predictions.predicted) == [data.target.outputs[i] for i in found]
    metrics = json.loads((folder / "reports/runs/svm-demo/metrics.json").read_text())
    assert metrics["uar"] > 0.5


def test_values_that_were_compared_stand_in_the_history(folder):
    history = tables.read(folder / "models" / "searched-demo" / "history.csv")
    assert list(history) == "fold seed epoch loss accuracy c chosen score".split()
    assert len(history) == 5 * 2 * 2
    assert (history[history.chosen == "1"].groupby(["fold", "seed"]).size() == 1).all()


def test_a_report_of_it_has_no_epochs(folder):
    for name in NAMES:
        run = read_run(folder / "reports" / "runs" / name)
        assert run.protocol == "speakers held out"
        assert run.epochs == 0
        assert run.objections == []


STATED = {
    "pretraining": ({"pretrained_on": ("demo", "unknown")}, "corpus of pretraining shared"),
    "normalisation": (
        {"training": EmotionFit(scaling="all")},
        "statistics of normalisation shared",
    ),
    "transductive": ({"leaks": ("transductive",)}, "test clips without labels shared"),
}


@pytest.mark.parametrize("kind", STATED)
def test_a_leak_that_a_run_states_must_be_allowed_and_is_shown(folder, tmp_path, kind):
    changed, objection = STATED[kind]
    run = replace(params.load(folder / "params.yaml").runs["svm-demo"], **changed)
    made = experiment.of(run, folder)
    quality = made.index.with_name("quality.json")
    given = (made.store, made.index, made.folds)
    said = {
        "pretraining": "feature or first weights were trained on demo, unknown; to declare it add "
        "pretraining to protocols.speakers5.allow",
        "normalisation": "fold 1: normalisation rests on 42 test clips",
        "transductive": "feature or first weights state transductive; to declare it add "
        "transductive to protocols.speakers5.allow",
    }
    with pytest.raises(InputError, match=said[kind]):
        train(*given, made.certificate, tmp_path / "bundle", run=run)
    declared = checked.read(made.certificate)
    allowed = tmp_path / "folds.json"
    checked.write(declared | {"allow": [*declared["allow"], kind]}, allowed, [made.folds])
    train(*given, allowed, tmp_path / "bundle", run=run)
    report = tmp_path / "svm-demo"
    evaluate(
        *(tmp_path / "bundle", made.store, made.index, quality, made.folds, allowed, report),
        run=run,
    )
    found = read_run(report)
    leak = found.facts["leaks"][kind]
    assert (leak["clips"], leak["of"], leak["allowed"]) == (210, 210, True)
    assert found.objections == [objection]
    others = vocabulary.STATED.keys() - {kind}
    assert all(found.facts["leaks"][other]["clips"] == 0 for other in others)
    card = cards.read(tmp_path / "bundle")
    assert (card.pretrained_on, card.leaks) == (run.pretrained_on, run.leaks)
    assert "declared by the protocol" in stated_words(kind, leak, found.facts)


def test_a_feature_of_unknown_training_is_no_honest_one(folder):
    run = read_run(folder / "reports" / "runs" / "svm-demo")
    assert run.facts["leaks"]["pretraining"]["clips"] == 0
    facts = run.facts | {"leaks": run.facts["leaks"] | {"pretraining": None}}
    assert replace(run, facts=facts).objections == ["corpus of pretraining not known"]
