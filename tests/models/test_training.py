"""Trainings as records: their bounds, and what is wrong with single settings, in one line."""

from dataclasses import replace

import pytest

from pipeline.errors import InputError
from pipeline.models.training import (
    AnyTraining,
    AttributeFit,
    AttributeTraining,
    EmotionFit,
    EmotionTraining,
    Fit,
    SegmentTraining,
)
from pipeline.settings import flat, read


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("learning_rate", -1, "must be above 0, got -1.0"),
        ("learning_rate", 0, "must be above 0, got 0.0"),
        ("learning_rate", float("nan"), "wanted a number, got nan"),
        ("learning_rate", True, "wanted a number, got true"),
        ("label_smoothing", 5, "must be at least 0 and below 1, got 5.0"),
        ("beta_1", 2, "must be at least 0 and below 1, got 2.0"),
        ("epsilon", -1, "must be above 0, got -1.0"),
        ("decay_every", 0, "must be at least 1, got 0"),
        ("decay_from", -3, "must be at least 1, got -3"),
        ("optimiser", "sgd", "no 'sgd'; known: adam, adamw"),
        ("loss", "hinge", "no 'hinge'; known: cross_entropy, focal, margin"),
        ("schedule", "linear", "no 'linear'; known: constant, steps, cosine"),
        ("clip_norm", -1, "must be at least 0, got -1.0"),
        ("weight_decay", -1, "must be at least 0, got -1.0"),
        ("patience", -1, "must be at least 0, got -1"),
        ("balance", "weight", "no 'weight'; did you mean weights?"),
        ("epochs", 0, "must be at least 1, got 0"),
        ("attributes", ["arousal"], "no such key; known: epochs, batch, "),
        ("clusters", 10, "no such key; known: epochs, batch, "),
        ("unlabeled", 0, "no such key; known: epochs, batch, "),
    ],
)
def test_a_setting_of_a_training_on_emotions_out_of_bounds(setting, value, message):
    with pytest.raises(InputError) as error:
        read(EmotionTraining, {setting: value}, "settings")
    assert str(error.value).startswith(f"settings.{setting}: {message}")


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("attributes", ["arousl"], "no 'arousl'; did you mean arousal?"),
        ("attributes", ["arousal", "anger"], "no 'anger'; known: arousal, dominance, valence"),
        ("attributes", "arousal", "wanted a list, got 'arousal'"),
        ("attributes", [1], "wanted a text, got 1"),
        ("attributes", None, "wanted a list, got nothing"),
        ("attribute", ["arousal"], "no such key; did you mean attributes?"),
        ("clusters", 1, "must be at least 2, got 1"),
        ("clusters", "ten", "wanted a whole number, got 'ten'"),
        ("unlabeled", -1, "must be at least 0, got -1"),
        ("unlabeled", 0.5, "wanted a whole number, got 0.5"),
        ("unlabelled", 9, "no such key; did you mean unlabeled?"),
        ("sampler", "clip", "no 'clip'; did you mean clips?"),
    ],
)
def test_a_setting_of_a_training_on_attributes_out_of_bounds(setting, value, message):
    with pytest.raises(InputError) as error:
        read(AttributeTraining, {setting: value}, "settings")
    assert str(error.value) == f"settings.{setting}: {message}"


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("segment_epochs", -1, "must be at least 0, got -1"),
        ("segment_epochs", 30, "must be below epochs, 30, which they are a part of, got 30"),
        ("segment_batch", 0, "must be at least 1, got 0"),
        ("segment_rate", 0, "must be above 0, got 0.0"),
        ("segment_decay", -0.1, "must be at least 0, got -0.1"),
    ],
)
def test_a_setting_of_a_training_in_two_stages_out_of_bounds(setting, value, message):
    with pytest.raises(InputError) as error:
        read(SegmentTraining, {setting: value}, "settings")
    assert str(error.value) == f"settings.{setting}: {message}"


def test_stages_of_a_training_share_all_but_length_batch_and_rate():
    made = read(SegmentTraining, {"epochs": 50, "segment_epochs": 20, "balance": "weights"}, "")
    first, second = map(flat, made.stages())
    changed = {key for key in first if first[key] != second[key]}
    assert (first["epochs"], second["epochs"]) == (20, 30)
    assert changed == set(
        "epochs batch learning_rate schedule decay decay_from decay_every".split()
    )


@pytest.mark.parametrize("kind", [AttributeTraining, AttributeFit])
@pytest.mark.parametrize("attributes", [[], ["arousal", "arousal"]])
def test_attributes_are_one_or_more_each_once(kind, attributes):
    with pytest.raises(InputError) as error:
        read(kind, {"attributes": attributes}, "settings")
    assert str(error.value) == (
        f"settings.attributes: wanted one or more, each once, got {attributes}"
    )
    made = read(kind, {"attributes": ["valence", "arousal"]}, "settings")
    assert made.attributes == ("valence", "arousal")  # in the order of the answers


@pytest.mark.parametrize("kind", AnyTraining.__args__)
def test_what_the_engine_asks_of_any_training_is_there(kind):
    """Of a constant it is no setting: params.yaml cannot state it."""
    made, rated = kind(), kind in (AttributeTraining, AttributeFit)
    assert bool(made.attributes) == rated == ("attributes" in flat(made))
    assert isinstance(made, Fit) == (kind in (EmotionFit, AttributeFit))
    if not isinstance(made, Fit):
        assert (made.patience, made.unlabeled) == (0, 0)
        assert replace(made, epochs=3).epochs == 3
