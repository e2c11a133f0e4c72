"""Trainings that start from a bundle: which weights go where, and from which none may start."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.engine.dataset import Fold
from pipeline.engine.task import FoldSeed
from pipeline.errors import InputError
from pipeline.inference import cards, starts
from pipeline.scoring.targets import Attributes, Emotions
from tests.inference import trained

SECOND = FoldSeed(Fold(2, *[np.empty(0, int)] * 3), 0, "fold-02")


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    """Give the card of a bundle whose epochs were picked on the test clips."""
    return trained.write(tmp_path_factory.mktemp("starts") / "own")


def given(card, **changed):
    """What `origin` is asked about a run, which differs from that of the bundle in some facts."""
    facts = {"model": card.model, "settings": card.settings, "certificate": "b"}
    return facts | {"target": card.target} | changed


def equal(model, fold):
    """Which layers with weights have those of the model of a fold, in order."""
    pairs = zip(model.layers, trained.build(fold).layers, strict=True)
    pairs = [(a.get_weights(), b.get_weights()) for a, b in pairs if a.weights]
    return [all(map(np.array_equal, ours, theirs)) for ours, theirs in pairs]


def test_under_other_folds_all_start_from_the_first_model(card):
    begin, model = starts.start(card.folder, replace(card, certificate="b")), trained.build(9)
    assert not all(equal(model, 1))
    begin(model, SECOND)
    assert all(equal(model, 1))
    assert not all(equal(model, 2))


def test_under_the_same_folds_each_starts_from_its_own(card, tmp_path):
    folder = tmp_path / "unpicked"
    held = trained.write(folder)
    cards.write(replace(held, selection="last"), folder)
    model = trained.build(9)
    starts.start(folder, card)(model, SECOND)
    assert all(equal(model, 2))


def test_the_last_layer_of_a_network_of_other_emotions_stays_untrained(card):
    other = replace(card, certificate="b", target=Emotions(("calm", "fear", "joy", "sad")))
    model = trained.build(9, outputs=4)
    head = model.layers[-1].get_weights()
    starts.start(card.folder, other)(model, SECOND)
    *body, last = equal(model, 1)
    assert all(body) and not last
    for ours, wanted in zip(model.layers[-1].get_weights(), head, strict=True):
        np.testing.assert_array_equal(ours, wanted)


def test_a_weight_of_another_shape_is_named_with_both(card):
    begin = starts.start(card.folder, replace(card, certificate="b"))
    message = r"^start_from: .*own: weight .*kernel has shape \(1, 5, 4\), the run's \(1, 7, 4\); "
    with pytest.raises(InputError, match=message):
        begin(trained.build(9, shape=(6, 7)), SECOND)


def test_the_origin_says_whether_its_folds_are_those_of_the_run(card):
    assert starts.origin(card.folder, **given(card)) == (card, False)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model": "gm_tcnet"}, "{0} holds another network than this run's"),
        ({"settings": {"blocks": 2}}, "{0} holds another network than this run's"),
        (
            {"certificate": "a"},
            "the epochs of {0} were picked on the test clips of these folds",
        ),
        (
            {"target": Attributes(("arousal",))},
            "{0} predicts other attributes than this run",
        ),
    ],
    ids="model settings leaky attributes".split(),
)
def test_a_bundle_that_a_run_cannot_start_from(card, changed, message):
    with pytest.raises(InputError) as error:
        starts.origin(card.folder, **given(card, **changed))
    assert str(error.value) == f"start_from: {message.format(card.folder)}"


def test_what_a_bundle_has_seen_is_of_its_folds(tmp_path):
    folder = tmp_path / "seen"
    stated = {"pretrained_on": ("a",), "leaks": ("transductive",), "selection": "last"}
    held = replace(trained.write(folder), **stated)
    cards.write(held, folder)
    own = starts.seen(folder, **given(held, certificate=held.certificate))
    assert own == {"pretrained_on": ("a",), "leaks": ("transductive",)}
    other = starts.seen(folder, **given(held))
    assert other == {"pretrained_on": ("a", held.corpus), "leaks": ()}


@pytest.mark.parametrize(
    ("pretrained_on", "leaks", "allow", "said"),
    [
        (["demo"], [], [], "feature or first weights were trained on demo; to declare it add pre"),
        (["unknown"], [], [], "nothing states what feature or first weights were trained on"),
        (["demo"], ["normalisation"], ["pretraining"], "first weights state normalisation; to"),
        (["demo"], ["normalisation"], ["pretraining", "normalisation"], ""),
        (["other"], [], [], ""),
    ],
)
def test_what_is_not_allowed_is_said(pretrained_on, leaks, allow, said):
    found = starts.undeclared(pretrained_on, leaks, ("demo",), allow)
    assert said in found and bool(said) == bool(found)
