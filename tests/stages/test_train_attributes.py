"""Stage train on attributes: cards, histories, selections, and what it refuses."""

import json

import numpy as np
import pytest

from pipeline.models import deep_emo_cluster
from pipeline.settings import flat
from tests.stages.training import CHUNKS, CUT, RATED, certify, content, rated_inputs, read, write

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rated(tmp_path_factory, trained):
    """Give runs on attributes."""
    folder = tmp_path_factory.mktemp("rated")
    made = rated_inputs(folder / "inputs")
    changed = rated_inputs(folder / "changed", x_of_test=5.0, rating_of_test=1.0)
    bare = rated_inputs(folder / "bare")
    rows = [row for row in read(bare / "folds.csv") if row["part"] != "unlabeled"]
    write(bare / "folds.csv", list(rows[0]), [row.values() for row in rows])
    certify(bare)
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
    models = ["fold-01.keras", "fold-02.keras"]
    assert sorted(content(bundle)) == ["card.json", *models, "history.csv", "limits.npz"]
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
