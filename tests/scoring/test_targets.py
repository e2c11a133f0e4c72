"""Targets: emotions and attributes laid out, scored and shown, each in its own way."""

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.scoring import metrics, targets
from pipeline.scoring.targets import Attributes, Emotions

EMOTIONS, RATED = Emotions(("angry", "sad")), Attributes(("valence", "arousal"))
PROBABILITIES = np.float32([[0.75, 0.25], [0.5, 0.5], [0.125, 0.875]])
RATINGS = np.float32([[1, 2], [3, 4], [5, 7]])


def test_a_run_is_on_attributes_if_it_names_any():
    assert targets.of([], ["angry", "sad"]) == EMOTIONS
    assert targets.of(["valence", "arousal"]) == RATED
    with pytest.raises(InputError, match="attributes is 'joy', wanted one of arousal, dominance"):
        targets.of(["joy"])


@pytest.mark.parametrize("target", [EMOTIONS, RATED])
def test_what_json_states_is_the_target(target):
    held = target.to_json()
    assert targets.of(held["attributes"], held["labels"]) == target


def test_emotions_are_predicted_with_their_probabilities():
    frame = EMOTIONS.predictions(np.array([0, 1, 1]), PROBABILITIES)
    assert list(frame) == ["label", "predicted", "p_angry", "p_sad"]
    assert frame["label"].tolist() == ["angry", "sad", "sad"]
    assert frame["predicted"].tolist() == ["angry", "angry", "sad"]
    np.testing.assert_array_equal(frame[["p_angry", "p_sad"]], PROBABILITIES)
    assert list(EMOTIONS.answers(PROBABILITIES)) == ["predicted", "p_angry", "p_sad"]
    assert EMOTIONS.summary(np.array([0, 1, 1]), PROBABILITIES) == {"uar": 0.75, "war": 2 / 3}


def test_attributes_are_predicted_next_to_their_ratings():
    frame = RATED.predictions(RATINGS, RATINGS + 1)
    wanted = ["true_valence", "predicted_valence", "true_arousal", "predicted_arousal"]
    assert list(frame) == RATED.columns == wanted
    np.testing.assert_array_equal(frame["true_arousal"], RATINGS[:, 1])
    np.testing.assert_array_equal(frame["predicted_valence"], RATINGS[:, 0] + 1)
    assert set(frame.dtypes) == {np.dtype("float32")}
    found = RATED.summary(RATINGS, RATINGS + 1)
    assert found["ccc_arousal"] == metrics.concordance(RATINGS[:, 1], RATINGS[:, 1] + 1)
    assert list(found) == ["ccc_valence", "ccc_arousal"]


def test_answers_in_words():
    assert EMOTIONS.words(EMOTIONS.answers(PROBABILITIES).loc[2]) == [
        "sad  ",
        "angry 12.5",
        "sad 87.5",
    ]
    assert RATED.words(RATED.answers(RATINGS).loc[0]) == ["valence 1.00", "arousal 2.00"]


def test_figures_in_words():
    assert (Emotions.show(0.1234), Emotions.change(-1.26)) == ("12.3", "\N{MINUS SIGN}1.3")
    assert (Attributes.show(-0.0001), Attributes.change(0.25)) == ("0.000", "+0.250")


def test_measures_are_those_of_what_is_predicted():
    assert [measure.key for measure in EMOTIONS.measures] == ["uar", "war"]
    assert [measure.key for measure in RATED.measures] == ["ccc_arousal", "ccc_valence"]


def test_predictions_that_were_written_are_checked():
    text = pd.DataFrame({"label": ["angry"], "predicted": ["bored"], "fold": ["1"]})
    with pytest.raises(InputError, match=r"label 'bored' is not one of run\.json"):
        EMOTIONS.parsed(text)
    text = pd.DataFrame({key: ["1.5", ""] for key in RATED.columns})
    assert RATED.parsed(text)["true_valence"].tolist()[0] == 1.5
    with pytest.raises(InputError, match="'high'"):
        RATED.parsed(text.replace("1.5", "high"))


def test_attributes_of_several_bundles_make_one_target():
    one, two = Attributes(("valence",)), Attributes(("arousal",))
    assert targets.joined([one, two]) == RATED
    assert targets.joined([EMOTIONS]) == EMOTIONS
