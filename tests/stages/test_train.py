"""Stage train: the same bytes twice, after a kill, for one seed or several, and elsewhere."""

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.settings import flat
from tests import specs
from tests.stages.training import FOLDS, LABELS, SHAPE, TRAINING, certify, content, inputs, read

pytestmark = pytest.mark.slow
BACKENDS = ("jax", "tensorflow")

TABLES = ("history.csv", "limits.npz")


def several(library, folder, trained):
    """Train a backend's runs; return the folder, and what is stated of each."""
    made, other = inputs(folder / "inputs"), inputs(folder / "validated", validation=4)
    changed = inputs(folder / "changed", shift=1.0)
    elsewhere = inputs(folder / "elsewhere")
    certify(elsewhere, sha256="of other folds", allow=["pretraining"])

    def job(name, given, of=made, **more):
        return {"inputs": of, "bundle": folder / name, "run": given} | more

    def still(name):
        return {"start_from": str(folder / name), "training": {"epochs": 1, "learning_rate": 1e-30}}

    leaky = {"selection": "leaky"}
    assert trained(library, job("killed", leaky, kill=7)) is None
    for name in ("other settings", "other data"):
        shutil.copytree(folder / ".killed.part", folder / f".{name}.part")
    jobs = {
        "again": job("again", leaky),
        "killed": job("killed", leaky),
        "first": job("first", leaky),
        "other settings": job("other settings", leaky | {"training": {"beta_1": 0.9}}),
        "other data": job("other data", leaky, of=changed),
        "seeds": job("seeds", {"seeds": (1, 2), "training": {"epochs": 2}}),
        "validated": job("validated run", {"selection": "best_validation"}, of=other),
        "diverging": job("diverging", {"training": {"learning_rate": 1e38}}),
        "in parts": job("in parts", leaky, only=[3, 1]),
        "no such fold": job("no such fold", {}, only=[2, 4]),
        "mended": job("diverging", {"training": {"epochs": 1}}),
        "started": job("started", still("diverging")),
        "started elsewhere": job("started elsewhere", still("diverging"), of=elsewhere),
        "started on test": job("started on test", still("first")),
        "stacked": job("stacked", {"engine": {"folds": "stacked", "memory_mb": 0}}),
    }
    return folder, dict(zip(jobs, trained(library, *jobs.values()), strict=True))


@pytest.fixture(scope="session")
def of_both(tmp_path_factory, trained):
    """Give the runs of both backends, trained next to each other."""
    folders = [tmp_path_factory.mktemp(f"train-{library}") for library in BACKENDS]
    with ThreadPoolExecutor() as pool:
        found = pool.map(several, BACKENDS, folders, [trained] * 2)
        return dict(zip(BACKENDS, found, strict=True))


@pytest.fixture(params=BACKENDS)
def runs(request, of_both):
    """Give the runs of one backend, then of the other."""
    return request.param, *of_both[request.param]


# ---- bundles ---------------------------------------------------------------------------------


def test_trained_twice_the_same_bytes(runs):
    _, folder, _ = runs
    first, again = content(folder / "first"), content(folder / "again")
    assert first == again
    assert sorted(first) == [
        "card.json",
        *(f"{name}.keras" for name in FOLDS),
        "history.csv",
        "limits.npz",
    ]


def test_a_killed_run_goes_on_and_gives_the_bytes_of_an_undisturbed_one(runs):
    _, folder, outcome = runs
    assert content(folder / "killed") == content(folder / "first")
    assert outcome["first"]["epochs"] == 12
    assert outcome["killed"]["epochs"] < 8  # of the killed one's seven, two may not have been saved
    assert not list(folder.glob(".*.part"))


def test_folds_trained_alone_are_those_of_a_whole_run(runs):
    _, folder, outcome = runs
    assert outcome["in parts"] == {"said": "", "epochs": 8}
    whole, part = content(folder / "first"), content(folder / "in parts")
    assert sorted(part) == [
        "card.json",
        "fold-01.keras",
        "fold-03.keras",
        "history.csv",
        "limits.npz",
    ]
    assert all(part[name] == whole[name] for name in ("fold-01.keras", "fold-03.keras"))
    rows = read(folder / "first" / "history.csv")
    assert read(folder / "in parts" / "history.csv") == [row for row in rows if row["fold"] != "2"]
    card, of_all = (json.loads(held["card.json"]) for held in (part, whole))
    of_all["folds"] = [fold for fold in of_all["folds"] if fold["fold"] != 2]
    for one in (card, of_all):
        del one["contents"], one["checksum"]  # of their files, which are fewer
    assert card == of_all
    assert outcome["no such fold"]["said"] == "run tiny: only: no fold 4; there are 1 to 3"


@pytest.mark.parametrize("change", ["other settings", "other data"])
def test_what_was_left_under_other_inputs_is_thrown_away(runs, change):
    _, folder, outcome = runs
    assert outcome[change] == {"said": "", "epochs": 12}
    found, first = content(folder / change), content(folder / "first")
    assert found["fold-02.keras"] != first["fold-02.keras"]


def test_a_card_says_what_is_needed(runs):
    library, folder, _ = runs
    card = json.loads((folder / "first" / "card.json").read_text())
    assert card["backend"] == library
    assert (card["device"], card["stacked"]) == ("cpu", False)
    assert card["labels"] == list(LABELS)
    assert card["input_shape"] == list(SHAPE)
    assert card["certificate"] == "of the folds"
    assert card["training"] == flat(TRAINING)
    assert card["spec"] == specs.spec().to_json()
    history = read(folder / "first" / "history.csv")
    for fold, name in zip(card["folds"], FOLDS, strict=True):
        assert fold["file"] == f"{name}.keras"
        scores = [float(r["test_accuracy"]) for r in history if int(r["fold"]) == fold["fold"]]
        assert fold["epoch"] == 1 + int(np.argmax(scores))


def test_every_seed_has_its_files_and_rows(runs):
    _, folder, _ = runs
    names = {f"{fold}-seed-{seed}.keras" for fold in FOLDS for seed in (1, 2)}
    assert names == {path.name for path in (folder / "seeds").glob("*.keras")}
    history = read(folder / "seeds" / "history.csv")
    wanted = [(f, s, e) for s in "12" for f in "123" for e in "12"]
    assert [(row["fold"], row["seed"], row["epoch"]) for row in history] == wanted
    assert list(history[0]) == "fold seed epoch loss accuracy test_accuracy test_uar".split()


def test_validation_has_its_columns_and_picks_the_epoch(runs):
    _, folder, _ = runs
    history = read(folder / "validated run" / "history.csv")
    assert {"validation_loss", "validation_accuracy"} < set(history[0])
    card = json.loads((folder / "validated run" / "card.json").read_text())
    for fold in card["folds"]:
        rows = [row for row in history if int(row["fold"]) == fold["fold"]]
        scores = [float(row["validation_accuracy"]) for row in rows]
        assert fold["epoch"] == 1 + int(np.argmax(scores))
        assert fold["temperature"] == 1  # of two speakers none is fitted


def test_divergence_is_told_and_other_settings_begin_anew(runs):
    _, folder, outcome = runs
    said = outcome["diverging"]["said"]
    assert said.startswith(
        "run tiny: fold-01: the loss is NaN in epoch 1, step 2 of 3; lower the lea"
    )
    assert [f"{name}: " in said for name in FOLDS] == [True] * 3
    assert outcome["mended"] == {"said": "", "epochs": 3}
    assert "card.json" in content(folder / "diverging")


def hidden(bundle, name):
    """Weights of a layer of a model."""
    return keras.models.load_model(bundle / f"{name}.keras").get_layer("hidden").get_weights()


def test_a_training_starts_from_a_bundle_of_the_same_folds(runs):
    _, folder, outcome = runs
    assert outcome["started"] == {"said": "", "epochs": 3}
    for name in FOLDS:
        found, wanted = hidden(folder / "started", name), hidden(folder / "diverging", name)
        np.testing.assert_array_equal(found[0], wanted[0])
    card = json.loads((folder / "started" / "card.json").read_text())
    assert card["pretrained_on"] == []
    assert set(card["files"]) == {str(folder / "diverging" / f"{name}.keras") for name in FOLDS}


def test_a_bundle_of_other_folds_is_known_as_pretraining(runs):
    _, folder, outcome = runs
    assert outcome["started elsewhere"] == {"said": "", "epochs": 3}
    first = hidden(folder / "diverging", "fold-01")
    for name in FOLDS:
        np.testing.assert_array_equal(hidden(folder / "started elsewhere", name)[0], first[0])
    card = json.loads((folder / "started elsewhere" / "card.json").read_text())
    assert card["pretrained_on"] == ["c"]
    said = outcome["started on test"]["said"]
    assert said.endswith("first were picked on the test clips of these folds")


def test_stacked_folds_need_jax_and_features_in_memory(runs):
    _, folder, outcome = runs
    said = "run tiny: engine.folds: stacked needs backend jax, features within engine.memory_mb"
    assert outcome["stacked"]["said"].startswith(said)
    assert not list(folder.glob("*stacked*"))


# ---- workers of a scheduler ------------------------------------------------------------------


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory, environment):
    """Give the address of a dask scheduler with two workers, started as a person would."""
    outcome = tmp_path_factory.mktemp("dask") / "scheduler.json"
    known = ["--scheduler-file", str(outcome), "--no-dashboard"]
    worker = ["worker", *known, "--nthreads", "1", "--no-nanny"]
    commands = [["scheduler", "--port", "0", "--host", "127.0.0.1", *known], worker, worker]
    run = {"cwd": outcome.parent, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    run["env"] = environment | {"PYTHONPATH": str(Path(__file__).parents[2])}
    started = [
        subprocess.Popen([sys.executable, "-m", "dask", *words], **run) for words in commands
    ]
    from distributed import Client

    try:
        with Client(scheduler_file=str(outcome), timeout=30) as client:
            client.wait_for_workers(2, timeout=30)
            yield client.scheduler.address
    finally:
        for process in started:  # asked to end, workers wait for a scheduler that has gone
            process.kill()
            process.wait()


def test_the_workers_of_a_scheduler_train_the_same_bytes(tmp_path, trained, scheduler):
    made = inputs(tmp_path / "inputs")
    run = {"model": "tim_net", "training": {"epochs": 2}}
    jobs = {
        name: {"inputs": made, "bundle": tmp_path / name, "run": run | {"engine": engine}}
        for name, engine in {
            "here": {},
            "elsewhere": {"workers": scheduler},
            "stacked here": {"folds": "stacked"},
            "stacked elsewhere": {"workers": scheduler, "folds": "stacked"},
        }.items()
    }
    outcome = dict(zip(jobs, trained("jax", *jobs.values()), strict=True))
    assert outcome["here"] == {"said": "", "epochs": 3 * 2}
    assert outcome["elsewhere"] == outcome["stacked elsewhere"] == {"said": "", "epochs": 0}
    assert content(tmp_path / "here") == content(tmp_path / "elsewhere")

    # three folds stacked here; two and one there
    here, there = (read(tmp_path / f"stacked {at}" / "history.csv") for at in ("here", "elsewhere"))
    for one, other in zip(here, there, strict=True):
        assert float(one["loss"]) == pytest.approx(float(other["loss"]), rel=1e-5)
