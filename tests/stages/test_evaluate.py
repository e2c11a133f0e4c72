"""Stage evaluate: every held-out clip once, and nothing scored that does not belong together."""

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from pipeline.config import params
from pipeline.engine.dataset import Dataset
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.inference import cards
from pipeline.scoring import calibration, evaluation
from pipeline.stages.evaluate import COPIED, LEAK, evaluate, lengths, predicted
from tests import specs
from tests.rewriting import rewrite


@pytest.fixture(scope="module")
def predictions(finished):
    return pd.read_csv(finished / "reports" / "runs" / "tiny" / "predictions.csv")


@pytest.fixture
def given(finished, tmp_path):
    """Give the stage's paths, the bundle and the folds being copies that may be changed."""
    features, folds = finished / "features", tmp_path / "folds"
    shutil.copytree(features / "folds", folds)
    shutil.copytree(finished / "models" / "tiny", tmp_path / "tiny")
    return {
        "bundle": tmp_path / "tiny",
        "store": features / "data" / "demo-mfcc39.zarr",
        "index": features / "corpora" / "demo" / "index.csv",
        "quality": features / "corpora" / "demo" / "quality.json",
        "folds": folds / "demo-speakers5.csv",
        "certificate": folds / "demo-speakers5.json",
        "report": tmp_path / "report",
        "run": params.load(finished / "params.yaml").runs["tiny"],
    }


# ---- what is written -------------------------------------------------------------------------


def test_every_held_out_clip_is_predicted_once(finished, predictions):
    folds = pd.read_csv(finished / "features" / "folds" / "demo-speakers5.csv")
    held_out = folds[folds.part == "test"]
    assert sorted(predictions["clip"]) == sorted(held_out["clip"])
    assert not predictions["clip"].duplicated().any()
    stated = predictions.set_index("clip")[["fold", "label"]]
    wanted = held_out.set_index("clip")[["fold", "label"]]
    pd.testing.assert_frame_equal(stated.sort_index(), wanted.sort_index())


def test_probabilities_are_some_and_the_largest_is_predicted(finished, predictions):
    card = json.loads((finished / "models" / "tiny" / "card.json").read_text())
    columns = [f"p_{label}" for label in card["labels"]]
    of_clips = "clip speaker sex sentence session seconds fold label predicted".split()
    assert list(predictions) == [*of_clips, *columns, "seed", "unlike"]
    probabilities = predictions[columns].to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    largest = [card["labels"][i] for i in probabilities.argmax(axis=1)]
    assert list(predictions.predicted) == largest


def test_predictions_say_of_each_clip_what_the_index_does(finished):
    index = tables.read(finished / "features" / "corpora" / "demo" / "index.csv").set_index("clip")
    found = tables.read(finished / "reports" / "runs" / "tiny" / "predictions.csv")
    for column in ("speaker", "sex", "sentence", "session", "seconds"):
        assert found[column].tolist() == index.loc[found["clip"], column].tolist()


def test_the_report_says_what_it_is_of(finished, predictions):
    folder = finished / "reports" / "runs" / "tiny"
    run = json.loads((folder / "run.json").read_text())
    counted = {"folds", "clips", "speakers", "protocol_settings", "leaks", "quality", "length"}
    counted |= {"published", "provenance", "epochs_of_paper", "tested_folds", "data_sha256"}
    counted |= {"floors", "pretrained_on", "model_defaults", "temperatures", "contents", "checksum"}
    counted |= {"unlike", "models"}
    assert set(run) == set(COPIED) | counted
    assert (run["folds"], run["clips"]) == (5, len(predictions))
    assert run["tested_folds"] == [1, 2, 3, 4, 5]
    assert run["temperatures"] == [
        {"fold": fold, "seed": 0, "temperature": 1.0} for fold in range(1, 6)
    ]
    assert run["model_defaults"]["filters"] == 39 != run["settings"]["filters"]
    assert run["speakers"] == predictions.speaker.nunique()
    assert set(run["leaks"]["speaker"]) == set(LEAK)
    assert run["provenance"] == {
        "augmentation": {"clips": 0, "test": 0},
        "weights": {"clips": 4 * len(predictions), "test": 0},
        "selection": {"clips": 0, "test": 0},
    }
    bundle = finished / "models" / "tiny"
    assert (folder / "history.csv").read_bytes() == (bundle / "history.csv").read_bytes()
    found = json.loads((folder / "metrics.json").read_text())
    assert found["uar"] == evaluation.evaluate_emotions(predictions, run["labels"])["uar"]


def test_the_report_says_what_became_of_the_clips(finished):
    """The demo corpus, against the lengths that its index states."""
    run = json.loads((finished / "reports" / "runs" / "tiny" / "run.json").read_text())
    index = pd.read_csv(finished / "features" / "corpora" / "demo" / "index.csv")
    gap = 2.5 - index.seconds  # 55125 samples at 22050 Hz
    found = run["length"]
    assert (found["clips"], found["cut"]) == (210, (gap < 0).sum())
    assert found["padded"] == (gap > 0).sum() > 0
    assert found["largest_cut"] == pytest.approx(max(0, -gap.min()), abs=1e-3)
    assert found["median_padding"] == pytest.approx(gap[gap > 0].median(), abs=1e-3)


@pytest.mark.parametrize(
    ("policy", "samples", "chunks", "wanted"),  # cut, largest cut, padded, median padding
    [
        ("centre", 100, 0, (2, 1.5, 3, 0.5)),
        ("start", 100, 0, (2, 1.5, 3, 0.5)),
        ("whole", None, 0, (0, 0.0, 5, 1.6)),
        ("whole", None, 11, (0, 0.0, 0, 0.0)),  # the same number of chunks out of each
        ("segments", 100, 0, (0, 0.0, 5, 0.5)),
        ("centre", 10, 0, (6, 2.4, 0, 0.0)),
    ],
)
def test_clips_cut_and_padded_are_counted(policy, samples, chunks, wanted):
    """Six clips at 100 Hz and a copy of each; 100 samples are a second."""
    length = np.array([100, 90, 50, 20, 150, 250])
    sound = {"length": policy, "samples": samples, "sample_rate": 100}
    spec = specs.spec(waveform=sound, chunks=chunks)
    clips = pd.DataFrame(index=range(6))
    found = lengths(Dataset(None, None, (), clips, (), spec, samples=np.tile(length, 2)))
    counted = found["cut"], found["largest_cut"], found["padded"], found["median_padding"]
    assert counted == pytest.approx(wanted)
    assert (found["policy"], found["samples"], found["chunks"]) == (policy, samples, chunks)
    json.dumps(found)  # plain numbers


def test_measured_accuracy_is_that_of_training(finished, predictions):
    history = pd.read_csv(finished / "models" / "tiny" / "history.csv")
    for fold, rows in predictions.groupby("fold"):
        wanted = history[history.fold == fold].test_accuracy.iloc[-1]
        assert (rows.label == rows.predicted).mean() == pytest.approx(wanted)


def test_every_seed_is_predicted_with_its_own_models(given):
    """Two seeds out of one: the models of the folds, taken in turns."""
    from pipeline.engine import dataset

    card = tables.read_json(given["bundle"] / "card.json")
    one, two = card["folds"][:2]
    second = [one | {"seed": 2, "file": two["file"]}]
    rewrite(given["bundle"] / "card.json", folds=[one | {"seed": 1}, *second], seeds=[1, 2])
    card = cards.read(given["bundle"])
    data = dataset.load(*(given[key] for key in ("store", "index", "folds")),
                        target=card.target, memory_mb=0)  # fmt: skip
    found, places = predicted(card, data)
    assert set(places.seed) == {1}
    clips = len(data.folds[0].test)
    assert found.seed.tolist() == [1] * clips + [2] * clips
    assert found["clip"][:clips].tolist() == found["clip"][clips:].tolist()
    label = f"p_{data.target.labels[0]}"
    assert (found[label][:clips].to_numpy() != found[label][clips:].to_numpy()).any()
    scores = evaluation.scores(data.target, found)
    wars = [scores["war_seed_1"], scores["war_seed_2"]]
    assert scores["war"] == pytest.approx(np.mean(wars))
    assert scores["war_seeds_std"] == pytest.approx(np.std(wars))


def test_the_clips_of_the_first_fold_have_a_place_on_a_map(finished, predictions):
    places = pd.read_csv(finished / "reports" / "runs" / "tiny" / "map.csv")
    first = predictions[predictions.fold == 1]
    assert list(places["clip"]) == list(first["clip"])
    assert list(places.columns) == ["clip", "fold", "seed", "pca_1", "pca_2", "tsne_1", "tsne_2"]
    assert places.notna().all(axis=None)


def test_of_some_folds_only_theirs_are_scored(given, predictions):
    card = tables.read_json(given["bundle"] / "card.json")
    rewrite(given["bundle"] / "card.json", folds=card["folds"][1:3])
    evaluate(**given)
    found = pd.read_csv(given["report"] / "predictions.csv")
    pd.testing.assert_frame_equal(
        found, predictions[predictions.fold.isin([2, 3])].reset_index(drop=True)
    )
    run = tables.read_json(given["report"] / "run.json")
    assert (run["folds"], run["tested_folds"], run["clips"]) == (5, [2, 3], len(found))
    trained = sum(card["provenance"][fold]["weights"]["clips"] for fold in "23")
    assert run["provenance"]["weights"] == {"clips": trained, "test": 0}


def test_probabilities_are_by_the_temperature_of_the_card(given, predictions):
    card = tables.read_json(given["bundle"] / "card.json")
    card["folds"][1]["temperature"] = 3.0
    rewrite(given["bundle"] / "card.json", folds=card["folds"])
    evaluate(**given)
    found = pd.read_csv(given["report"] / "predictions.csv")
    columns = [name for name in found if name.startswith("p_")]
    second = (found.fold == 2).to_numpy()
    before = predictions[columns].to_numpy()
    np.testing.assert_array_equal(found[columns].to_numpy()[~second], before[~second])
    wanted = calibration.tempered(before[second], 3.0)
    np.testing.assert_allclose(found[columns].to_numpy()[second], wanted, rtol=1e-4)
    assert found.predicted.tolist() == predictions.predicted.tolist()
    stated = tables.read_json(given["report"] / "run.json")["temperatures"]
    assert [one["temperature"] for one in stated] == [1.0, 3.0, 1.0, 1.0, 1.0]


@pytest.fixture
def rated(given, monkeypatch):
    """Give the stage's paths and what it reads, the card being one of a run on attributes."""
    from pipeline.engine import answers

    index = pd.read_csv(given["index"], keep_default_na=False)
    rewrite(given["bundle"] / "card.json", labels=[], attributes=["arousal", "valence"])
    ratings = index.set_index("clip")[["arousal", "valence"]]

    def predict(model, x):
        """Rate all clips alike but the first two."""
        return np.repeat([[2.0, 1.5]], len(x), axis=0).astype(np.float32) + np.eye(len(x), 2)

    both = answers.both
    monkeypatch.setattr(answers, "both", lambda *asked: (predict(*asked), both(*asked)[1]))
    return given, ratings


def test_ratings_are_predicted_in_the_units_of_the_corpus(rated):
    given, ratings = rated
    evaluate(**given)
    found = pd.read_csv(given["report"] / "predictions.csv", dtype={"speaker": str})
    columns = "true_arousal predicted_arousal true_valence predicted_valence".split()
    of_clips = "clip speaker sex sentence session seconds fold".split()
    assert list(found) == [*of_clips, *columns, "seed", "unlike"]
    assert len(found) == len(ratings) == found["clip"].nunique()
    wanted = ratings.loc[found["clip"], "valence"].to_numpy(float)
    np.testing.assert_allclose(found["true_valence"], wanted, rtol=1e-6)
    first = found.groupby("fold").nth(0)
    assert set(first["predicted_arousal"]) == {3.0}  # a fold's clips stay in their order
    assert set(found["predicted_valence"]) == {1.5, 2.5}
    scores = tables.read_json(given["report"] / "metrics.json")
    expected = evaluation.evaluate_attributes(found, ["arousal", "valence"])
    assert scores == pytest.approx(expected, abs=1e-5)
    run = tables.read_json(given["report"] / "run.json")
    assert (run["attributes"], run["labels"]) == (["arousal", "valence"], [])


# ---- what is refused -------------------------------------------------------------------------


def test_other_folds_are_refused(given):
    rewrite(given["certificate"], sha256="of others")
    with pytest.raises(InputError, match="tiny: trained on other folds or features; run dvc repro"):
        evaluate(**given)
    assert not given["report"].exists()


def test_other_features_are_refused(given):
    card = cards.read(given["bundle"])
    changed = dataclasses.replace(card.spec, function="spectral.mel")
    rewrite(given["bundle"] / "card.json", spec=changed.to_json())
    with pytest.raises(InputError, match="tiny: trained on other folds or features; run dvc repro"):
        evaluate(**given)


def test_a_folder_without_a_card_is_no_bundle(given):
    (given["bundle"] / "card.json").unlink()
    with pytest.raises(InputError, match=r"tiny: not a model bundle \(no card\.json\)"):
        evaluate(**given)


@pytest.mark.parametrize("name", ["fold-01", "fold-02"])
def test_a_bundle_that_lacks_a_model(given, name):
    (given["bundle"] / f"{name}.keras").unlink()
    message = rf"{name}\.keras: no such file, but card\.json names it; run dvc pull or dvc repro"
    with pytest.raises(InputError, match=message):
        evaluate(**given)


def test_a_model_that_predicts_no_numbers(given, monkeypatch):
    from pipeline.engine import answers

    monkeypatch.setattr(answers, "both", lambda model, x: [np.full((len(x), 7), np.nan)] * 2)
    with pytest.raises(InputError, match=r"fold-01\.keras predicts NaN; train it"):
        evaluate(**given)
    assert not given["report"].exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"selection": "leaky"}, "trained with selection 'last', params.yaml says 'leaky'"),
        ({"seeds": (0, 1)}, r"trained with seeds \[0\], params.yaml says \[0, 1\]"),
        ({"epochs": 7}, "trained with epochs 1, params.yaml says 7"),
        ({"filters": 8}, "trained with filters 4, params.yaml says 8"),
    ],
)
def test_models_of_another_line_are_refused(given, changes, message):
    run = given["run"]
    for key, value in changes.items():
        for part in ("training", "settings"):
            if hasattr(getattr(run, part), key):
                value = dataclasses.replace(getattr(run, part), **{key: value})
                key = part
        run = dataclasses.replace(run, **{key: value})
    with pytest.raises(InputError, match=f"{message}; run dvc repro --force train@tiny"):
        evaluate(**given | {"run": run})
    assert not given["report"].exists()
