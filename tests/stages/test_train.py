"""Stage train: the same bytes twice, after a kill and for one seed or several; what it refuses.

Run as a program it trains what the first argument lists, so that one process does several runs.
"""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from pipeline.models import dcnn_blstm, deep_emo_cluster, tim_net
from pipeline.models.training import EmotionTraining
from pipeline.settings import flat
from tests import chatter, specs

pytestmark = pytest.mark.slow

CLIPS, SHAPE, LABELS = 60, (24, 8), ("angry", "happy", "sad")
BACKENDS = ("jax", "tensorflow")
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


# ---- run as a program ------------------------------------------------------------------------


def main(jobs):
    """Train one run after another; each may be killed at its nth epoch, all epochs saved."""
    from pipeline import models
    from pipeline.engine import backend

    backend.choose("jax")
    from pipeline.config.records import Engine, Run
    from pipeline.engine import loop
    from pipeline.errors import InputError
    from pipeline.stages.train import train

    epoch, done = loop._Shared._epoch, []

    def counted(shared, *given):
        epoch(shared, *given)
        done.append(1)
        if len(done) == kill:
            os.kill(os.getpid(), signal.SIGKILL)

    loop._Shared._epoch, loop.CHECKPOINT_SECONDS = counted, 0
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


# ---- inputs ----------------------------------------------------------------------------------


def inputs(folder, validation=0, shift=0.0):
    """Write a store, an index, three folds and their certificate."""
    from pipeline.files import stores, tables

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    y = np.arange(CLIPS) % len(LABELS)
    x = (rng.normal(0, 1, (3, 1, 8))[y] + rng.normal(size=(CLIPS, *SHAPE))).astype(np.float32)
    x[0] += shift
    names = [f"clip{i:02}" for i in range(CLIPS)]
    facts = {"clips_sha256": stores.sha256(names), "content": np.zeros((CLIPS, 32), np.uint8)}
    spec = specs.spec().to_json()
    with stores.create(folder / "x.zarr", x.shape, spec, **facts, code="") as draft:
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
    tables.write_json(
        {"sha256": "of the folds", "allow": [], "leaks": {}, "protocol": {}}, folder / "folds.json"
    )
    return folder


def rated_inputs(folder, x_of_test=0.0, rating_of_test=0.0):
    """Write clips in chunks: 24 rated, in two folds with validation; 6 are not, and in a pool.

    Clips c00 to c07 are tested in fold 1, c08 to c15 in fold 2; the shifts are of those of fold 1.
    """
    from pipeline.files import stores, tables

    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    names = [f"c{i:02}" for i in range(30)]
    ratings = rng.normal(4, 1, (30, 2))
    x = (ratings[:, :1, None, None] + rng.normal(size=(30, *CHUNKS))).astype(np.float32) ** 2
    x[:8] += x_of_test
    ratings[:8] += rating_of_test
    spec = specs.spec(settings=CUT).to_json()
    facts = {"clips_sha256": stores.sha256(names), "content": np.zeros((30, 32), np.uint8)}
    with stores.create(folder / "x.zarr", x.shape, spec, **facts, code="") as draft:
        for block in draft.pending():
            draft.fill(block, lambda rows: (x[rows], 40 + rows, 12 + rows))
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
    tables.write_json({"sha256": "of the folds", "allow": []}, folder / "folds.json")
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


@pytest.fixture(scope="session")
def trained(tmp_path_factory, environment):
    """Give ``trained(library, *jobs)``: train in another process; killed ones give None."""

    def run(library, *jobs):
        done = subprocess.run(
            [sys.executable, __file__, json.dumps(jobs, default=str)],
            cwd=Path(__file__).parents[2],
            env=environment | {"KERAS_BACKEND": library, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
        )
        if done.returncode == -signal.SIGKILL:
            return None
        assert done.returncode == 0, done.stderr
        assert chatter.lines(done.stderr) == []
        return json.loads(done.stdout)

    return run


def several(library, folder, trained):
    """Train a backend's runs; return the folder, and what is stated of each."""
    made, other = inputs(folder / "inputs"), inputs(folder / "validated", validation=4)
    changed = inputs(folder / "changed", shift=1.0)
    elsewhere = inputs(folder / "elsewhere")
    declared = '{"sha256": "of other folds", "allow": ["pretraining"]}'
    (elsewhere / "folds.json").write_text(declared)

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
    assert sorted(first) == ["card.json", *(f"{name}.keras" for name in FOLDS), "history.csv"]


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
    assert sorted(part) == ["card.json", "fold-01.keras", "fold-03.keras", "history.csv"]
    assert all(part[name] == whole[name] for name in ("fold-01.keras", "fold-03.keras"))
    rows = read(folder / "first" / "history.csv")
    assert read(folder / "in parts" / "history.csv") == [row for row in rows if row["fold"] != "2"]
    card, of_all = (json.loads(held["card.json"]) for held in (part, whole))
    of_all["folds"] = [fold for fold in of_all["folds"] if fold["fold"] != 2]
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


# ---- attributes ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rated(tmp_path_factory, trained):
    """Give runs on attributes."""
    folder = tmp_path_factory.mktemp("rated")
    made = rated_inputs(folder / "inputs")
    changed = rated_inputs(folder / "changed", x_of_test=5.0, rating_of_test=1.0)
    bare = rated_inputs(folder / "bare")
    rows = [row for row in read(bare / "folds.csv") if row["part"] != "unlabeled"]
    write(bare / "folds.csv", list(rows[0]), [row.values() for row in rows])
    pool = {"training": {"unlabeled": 4}}
    of_one = {"attributes": ("arousal",), "epochs": 1}
    runs = {
        "first": (made, {}),
        "changed": (changed, {}),
        "semi": (made, pool | {"selection": "best_validation", "seeds": (1, 2)}),
        "in order": (made, {"settings": {"temporal": "triplet"}, "training": of_one}),
        "no pool": (bare, pool),
        "not rated": (made, {"training": {"attributes": ("arousal", "dominance")}}),
        "stacked": (made, {"engine": {"folds": "stacked"}}),
        "weights": (made, {"weights": str(made)}),
    }
    jobs = [
        {"inputs": of, "bundle": folder / f"b-{name}", "run": {"model": "deep_emo_cluster"} | run}
        for name, (of, run) in runs.items()
    ]
    outcome = trained("jax", *jobs)
    return folder, {name: one["said"] for name, one in zip(runs, outcome, strict=True)}


def bundle_of(rated, name):
    """Folder, card and history of a run on attributes."""
    folder, said = rated
    assert said[name] == ""
    bundle = folder / f"b-{name}"
    return bundle, json.loads((bundle / "card.json").read_text()), read(bundle / "history.csv")


def test_a_card_says_what_is_predicted(rated):
    bundle, card, _ = bundle_of(rated, "first")
    assert (card["attributes"], card["labels"]) == (["valence", "arousal"], [])
    assert card["input_shape"] == list(CHUNKS)
    assert card["training"] == flat(RATED) | {"attributes": card["attributes"]}
    assert card["settings"] == flat(deep_emo_cluster.Settings(temporal="none"))
    assert card["spec"]["settings"] == CUT
    assert (card["stacked"], card["weights"]) == (False, None)
    assert sorted(content(bundle)) == ["card.json", "fold-01.keras", "fold-02.keras", "history.csv"]
    assert bundle_of(rated, "in order")[1]["attributes"] == ["arousal"]


def test_a_card_says_what_a_fold_on_attributes_rests_on(rated):
    from pipeline.protocols import leakage

    def use(*rows):
        return leakage.provenance({"": [f"c{row:02}" for row in rows]}, [])[""]

    first, semi = (bundle_of(rated, name)[1]["provenance"] for name in ("first", "semi"))
    assert list(first) == list(semi) == ["1", "2"]
    train = use(*range(8, 20))
    uses = {"weights": train, "normalisation": train, "selection": use(), "augmentation": use()}
    assert first["1"] == uses | {"unlabeled": use()}
    of_two = use(*range(8), *range(16, 20))
    assert semi["2"]["weights"] == semi["2"]["normalisation"] == of_two
    assert semi["2"]["selection"] == use(*range(20, 24))
    assert semi["2"]["unlabeled"] == use(24, 25, 27, 28, 29)  # four for each of two seeds


def test_a_history_of_attributes_is_in_the_order_it_is_read(rated):
    before = "fold seed epoch loss cluster_loss attribute_loss".split()
    then = "nmi cluster_01 cluster_02 cluster_03".split()
    validation, test = (
        [f"{part}_ccc_{name}" for name in ("arousal", "valence")] for part in ("validation", "test")
    )
    _, _, history = bundle_of(rated, "first")
    assert list(history[0]) == [*before, *then, *validation, *test]
    assert [(row["fold"], row["epoch"]) for row in history] == [*zip("1122", "1212", strict=True)]
    assert [row["nmi"] == "" for row in history] == [True, False] * 2
    assert all(sum(int(row[name]) for name in then[1:]) == 12 * 6 for row in history)

    _, _, history = bundle_of(rated, "semi")
    assert list(history[0]) == [*before, "unlabeled_loss", *then, *validation, *test]
    assert [row["seed"] for row in history] == [*"1111", *"2222"]


def test_the_epoch_is_picked_by_the_mean_concordance_on_validation(rated):
    _, card, history = bundle_of(rated, "semi")
    assert [(fold["fold"], fold["seed"]) for fold in card["folds"]] == [
        *((1, 1), (2, 1), (1, 2), (2, 2))
    ]
    for fold in card["folds"]:
        merits = [
            float(row["validation_ccc_arousal"]) + float(row["validation_ccc_valence"])
            for row in history
            if (row["fold"], row["seed"]) == (str(fold["fold"]), str(fold["seed"]))
        ]
        assert fold["epoch"] == 1 + int(np.argmax(merits))


def test_a_triplet_loss_has_its_column(rated):
    _, _, history = bundle_of(rated, "in order")
    assert list(history[0])[4:8] == ["cluster_loss", "attribute_loss", "triplet_loss", "nmi"]
    assert list(history[0])[-2:] == ["validation_ccc_arousal", "test_ccc_arousal"]
    assert all(float(row["triplet_loss"]) > 0 for row in history)


def test_held_out_clips_leave_a_model_of_attributes_alone(rated):
    (first, _, history), (changed, _, other) = (bundle_of(rated, n) for n in ("first", "changed"))
    assert content(first)["fold-01.keras"] == content(changed)["fold-01.keras"]
    assert content(first)["fold-02.keras"] != content(changed)["fold-02.keras"]
    for row, of_other in zip(history[:2], other[:2], strict=True):
        for name in ("arousal", "valence"):
            assert row.pop(f"test_ccc_{name}") != of_other.pop(f"test_ccc_{name}")
        assert row == of_other


def test_a_model_of_attributes_answers_in_the_units_of_the_ratings(rated):
    import keras

    from pipeline import models

    models.network("deep_emo_cluster")  # registers its layers

    bundle, _, _ = bundle_of(rated, "semi")
    model = keras.models.load_model(bundle / "fold-01-seed-1.keras")
    index = read(rated[0] / "inputs" / "index.csv")[8:20]  # trained on in fold 1
    for i, name in enumerate(("valence", "arousal")):
        values = np.array([float(row[name]) for row in index])
        scales = model.get_layer("ratings")
        assert float(scales.mean[i]) == pytest.approx(values.mean(), rel=1e-5)
        assert float(scales.std[i]) == pytest.approx(values.std(), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "no pool",
            "unlabeled: fold 1 has no clips without labels; set it to 0, or take a protocol with "
            "hidden labels or a corpus with such clips",
        ),
        (
            "not rated",
            "{0}/inputs/index.csv: arousal, dominance: fold 1 has no train clip that is rated on "
            "them; take other attributes, another protocol, or a corpus with ratings",
        ),
        (
            "stacked",
            "engine.folds: stacked needs backend jax, features within engine.memory_mb, and a run "
            "on emotions; take threads or auto",
        ),
        ("weights", "weights: {0}/inputs: found 0 .hdf5 files, the protocol has 2 folds"),
    ],
)
def test_what_attributes_cannot_be_is_told_in_one_line(rated, name, message):
    folder, said = rated
    assert said[name] == f"run tiny: {message.format(folder)}"
    assert not (folder / f"b-{name}").exists()


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


# ---- published weights and what is refused ---------------------------------------------------


@pytest.fixture(scope="module")
def refused(tmp_path_factory, trained):
    """Give what is said of runs that cannot be."""
    folder = tmp_path_factory.mktemp("refused")
    made = inputs(folder / "inputs")
    published(folder / "two", classes=3, count=2)
    published(folder / "fours", classes=4, count=3)
    published(folder / "three", classes=3, count=3)
    runs = {
        "two": {"weights": str(folder / "two")},
        "fours": {"weights": str(folder / "fours")},
        "three": {"weights": str(folder / "three")},
        "cnn": {"model": "dcnn_blstm", "settings": {"resize": 64}},
    }
    jobs = [
        {"inputs": made, "bundle": folder / f"b-{name}", "run": {"model": "tim_net"} | run}
        for name, run in runs.items()
    ]
    outcome = trained("jax", *jobs)
    return folder, {name: one["said"] for name, one in zip(runs, outcome, strict=True)}


def published(folder, classes, count):
    """Write weights as Keras 2 does, a file per fold; the heads differ."""
    import h5py

    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        with h5py.File(folder / f"best_{number + 1}.hdf5", "w") as file:
            names, shapes = [], {}
            for i in range(6):  # in, in, then two of each direction
                shape = (1, 8, 4) if i < 2 else (2, 4, 4)
                shapes[f"conv1d_{i}"] = {"kernel": shape, "bias": (4,)}
            for i in range(4):
                four = ("gamma", "beta", "moving_mean", "moving_variance")
                shapes[f"batch_normalization_{i}"] = dict.fromkeys(four, (4,))
            shapes["dense"] = {"kernel": (4, classes), "bias": (classes,)}
            shapes["weight_layer"] = {"kernel": (1, 1)}
            for name, weights in shapes.items():
                names.append(name)
                group = file.create_group(name)
                group.attrs["weight_names"] = [f"{name}/{w}:0".encode() for w in weights]
                for weight, shape in weights.items():
                    value = np.full(shape, number + 1.0) if name == "dense" else rng.random(shape)
                    group[f"{name}/{weight}:0"] = value.astype(np.float32)
            file.attrs["layer_names"] = [name.encode() for name in names]


def test_published_weights_take_the_place_of_training(refused):
    import keras

    from pipeline import models

    models.network("tim_net")  # registers its layers

    folder, said = refused
    assert said["three"] == ""
    bundle = folder / "b-three"
    card = json.loads((bundle / "card.json").read_text())
    assert card["training"] is None
    assert list(card["weights"]) == [f"best_{n}.hdf5" for n in (1, 2, 3)]
    assert [fold["epoch"] for fold in card["folds"]] == [None] * 3
    for number, name in enumerate(FOLDS, start=1):
        model = keras.models.load_model(bundle / f"{name}.keras")
        assert (model.get_layer("head").bias.numpy() == number).all()
    assert (bundle / "history.csv").read_text().startswith("fold,seed,epoch,loss")
    assert read(bundle / "history.csv") == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("two", "weights: {0}/two: found 2 .hdf5 files, the protocol has 3 folds"),
        ("fours", "{0}/fours/best_1.hdf5: weights: a head of 4 classes, the run has 3"),
        ("cnn", "dcnn_blstm takes (segments, frames, bins, 3); got shape (24, 8)"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(refused, name, message):
    folder, said = refused
    assert said[name].startswith(f"run tiny: {message.format(folder)}")
    assert len(said[name].splitlines()) == 1
    assert not (folder / f"b-{name}").exists()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
