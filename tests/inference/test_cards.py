"""Cards of bundles: what is written is read again, and what is not one is refused in one line."""

import dataclasses
import json
import re

import pytest

from pipeline.errors import InputError
from pipeline.inference import cards
from pipeline.inference.cards import FoldModel
from pipeline.scoring.targets import Attributes, Emotions
from tests import rated
from tests.rewriting import rewrite

TARGETS = [Emotions(("angry", "sad")), Attributes(("valence", "arousal"))]


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_written_is_read_again(tmp_path, target):
    card = rated.card(tmp_path, target)
    cards.write(card, tmp_path)
    assert cards.read(tmp_path) == card


@pytest.mark.parametrize("target", TARGETS)
def test_the_file_has_its_documented_keys(tmp_path, target):
    cards.write(rated.card(tmp_path, target), tmp_path)
    held = json.loads((tmp_path / "card.json").read_text())
    keys = "run model corpus waveform feature protocol labels attributes input_shape spec settings "
    keys += "spec_sha256 training selection seeds weights files backend device versions stacked "
    keys += "certificate parameters provenance folds pretrained_on leaks contents checksum"
    assert set(held) == set(keys.split())
    assert held["labels"] + held["attributes"] == list(target.outputs)
    model = {"fold": 1, "seed": 0, "file": "fold-01.keras", "epoch": 1, "temperature": 1.0}
    model["limits"] = None
    assert held["folds"] == [model]


def test_models_are_chosen_by_fold(tmp_path):
    models = tuple(FoldModel(fold, seed, "", None) for seed in (3, 4) for fold in (1, 2))
    card = rated.card(tmp_path / "run", TARGETS[0], folds=models)
    assert card.of_fold(None) == models
    assert card.of_fold(2) == models[1::2]
    with pytest.raises(InputError, match=r"run: no fold 3; it has 1 to 2$"):
        card.of_fold(3)


def test_other_folds_or_features_are_refused(tmp_path):
    card = rated.card(tmp_path / "run", TARGETS[0], certificate="a")
    card.expect("a", rated.spec())
    other = dataclasses.replace(rated.spec(), chunks=9)
    for certificate, spec in (("b", rated.spec()), ("a", other)):
        with pytest.raises(InputError, match="run: trained on other folds or features; run dvc"):
            card.expect(certificate, spec)


def test_a_mistyped_bundle_is_answered_with_the_nearest(tmp_path):
    (tmp_path / "tim_net-demo").mkdir()
    (tmp_path / "tim_net-demo/card.json").touch()
    with pytest.raises(InputError, match=r"tim_net-dmo: no such bundle; did you mean tim_net-demo"):
        cards.read(tmp_path / "tim_net-dmo")


def test_a_folder_without_a_card_is_refused(tmp_path):
    message = (
        rf"^{re.escape(str(tmp_path))}: not a model bundle \(no card\.json\); train it with dvc"
    )
    with pytest.raises(InputError, match=message):
        cards.read(tmp_path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"attributes": None}, "attributes is None, wanted a list"),
        ({"spec": []}, r"spec is \[\], wanted a mapping"),
        ({"parameters": "many"}, "parameters is many, wanted a whole number"),
        ({"attributes": ["joy"]}, "attributes is 'joy', wanted one of arousal, dominance, valence"),
        ({"labels": []}, "names neither labels nor attributes"),
        ({"folds": []}, "names no folds"),
        ({"folds": [{"fold": 1}]}, "each of folds wants fold, seed, file and epoch"),
    ],
)
def test_a_damaged_card_is_refused(tmp_path, changed, message):
    held = rated.card(tmp_path, TARGETS[0]).to_json()
    (tmp_path / "card.json").write_text(json.dumps(held | changed))
    with pytest.raises(InputError, match=rf"card\.json: {message}; train it again with dvc repro$"):
        cards.read(tmp_path)


def test_a_card_of_an_earlier_version_is_refused(tmp_path):
    held = rated.card(tmp_path, TARGETS[0]).to_json()
    del held["attributes"], held["stacked"]
    (tmp_path / "card.json").write_text(json.dumps(held))
    with pytest.raises(InputError, match=r"card\.json: has no attributes, stacked; train it again"):
        cards.read(tmp_path)


@pytest.mark.parametrize("pair", ([1.0], "1 to 2", [1.0, None], {"low": 1.0}))
def test_limits_are_pairs_of_numbers(tmp_path, pair):
    one = FoldModel(1, 0, "fold-01.keras", 1, limits={"level": pair})
    cards.write(rated.card(tmp_path, TARGETS[0], folds=(one,)), tmp_path)
    with pytest.raises(InputError, match=r"fold-01\.keras: limits\.level is .*, wanted a pair"):
        cards.read(tmp_path)


def test_limits_are_read_again(tmp_path):
    one = FoldModel(1, 0, "fold-01.keras", 1, limits={"level": [-40.0, -20.0]})
    cards.write(rated.card(tmp_path, TARGETS[0], folds=(one,)), tmp_path)
    assert cards.read(tmp_path).folds == (one,)
    rewrite(tmp_path / "card.json", folds=[vars(one) | {"limits": [1, 2]}])
    with pytest.raises(InputError, match=r"fold-01\.keras: limits is \[1, 2\], wanted a mapping"):
        cards.read(tmp_path)
