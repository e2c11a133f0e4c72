import numpy as np
import pandas as pd
import pytest

from pipeline import metrics
from pipeline.statistics import speaker_bootstrap


def frame(right, speakers):
    """Two classes in turn; ``right`` says of each clip whether it is recognised."""
    label = np.resize(["angry", "sad"], len(right))
    other = np.where(label == "sad", "angry", "sad")
    return pd.DataFrame(
        {"speaker": speakers, "label": label, "predicted": np.where(right, label, other)}
    )


def speakers_of(number, clips):
    """Speaker of each clip, ``clips`` each."""
    return np.repeat([f"s{speaker}" for speaker in range(number)], clips)


@pytest.mark.parametrize("number", [3, 10])
def test_perfect_predictions_leave_no_doubt(number):
    predictions = frame(np.ones(number * 8, bool), speakers_of(number, 8))
    assert speaker_bootstrap(predictions, metrics.uar) == (1, 1)
    predictions = frame(np.zeros(number * 8, bool), speakers_of(number, 8))
    assert speaker_bootstrap(predictions, metrics.war) == (0, 0)


def test_speakers_alike_leave_no_doubt_between_them():
    # every speaker has the same three of four clips right: drawing others changes nothing
    predictions = frame(np.resize([True, True, True, False], 80), speakers_of(20, 4))
    assert speaker_bootstrap(predictions, metrics.war) == (0.75, 0.75)
    assert speaker_bootstrap(predictions, metrics.uar) == (0.75, 0.75)


def test_speakers_all_right_or_all_wrong_count_as_single_clips():
    # 100 speakers, half of them all right: the interval of 100 coins, 0.5 +- 1.96 * 0.05
    right = np.repeat(np.arange(100) % 2 == 0, 10)
    low, high = speaker_bootstrap(frame(right, speakers_of(100, 10)), metrics.war)
    assert low == pytest.approx(0.402, abs=0.011)
    assert high == pytest.approx(0.598, abs=0.011)


def test_few_or_unknown_speakers_fall_back_to_clips():
    # 1000 clips, half of them right: 0.5 +- 1.96 * sqrt(0.25 / 1000), whoever speaks
    right = np.repeat([True, False, True, False], 250)
    expected = pytest.approx((0.469, 0.531), abs=0.003)
    few = frame(right, speakers_of(4, 250))
    assert speaker_bootstrap(few, metrics.war) == expected
    unknown = frame(right, speakers_of(10, 100)).assign(speaker=lambda f: f["speaker"].str[:0])
    assert speaker_bootstrap(unknown, metrics.war) == expected
    known = frame(right, speakers_of(10, 100))
    assert speaker_bootstrap(known, metrics.war)[0] < 0.3
    known.loc[0, "speaker"] = ""
    assert speaker_bootstrap(known, metrics.war) == expected


def test_intervals_equal_those_of_the_plain_loop():
    generator = np.random.default_rng(0)
    predictions = frame(generator.random(240) < 0.7, generator.permutation(speakers_of(12, 20)))
    loop = np.random.default_rng(1)
    by_speaker = [rows for _, rows in predictions.groupby("speaker")]
    values = []
    for _ in range(400):
        rows = pd.concat([by_speaker[i] for i in loop.integers(12, size=12)])
        counts = metrics.confusion(rows["label"], rows["predicted"], ["angry", "sad"])
        values.append(metrics.uar(counts))
    low, high = speaker_bootstrap(predictions, metrics.uar)
    np.testing.assert_allclose([low, high], np.quantile(values, [0.025, 0.975]), atol=0.015)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = {"speakers": 0, "clips": 0}
    for _ in range(300):
        # speakers differ: each is recognised with a probability of its own, 0.7 on average
        chance = np.repeat(generator.beta(7, 3, size=24), 20)
        predictions = frame(generator.random(480) < chance, speakers_of(24, 20))
        low, high = speaker_bootstrap(predictions, metrics.war, resamples=300)
        covered["speakers"] += low <= 0.7 <= high
        by_clip = predictions.assign(speaker="")
        low, high = speaker_bootstrap(by_clip, metrics.war, resamples=300)
        covered["clips"] += low <= 0.7 <= high
    assert 0.88 <= covered["speakers"] / 300 <= 0.98
    assert covered["clips"] / 300 < 0.8  # what taking clips for independent would claim


def test_a_higher_level_is_wider_and_a_seed_repeats():
    generator = np.random.default_rng(0)
    predictions = frame(generator.random(240) < 0.7, speakers_of(12, 20))
    narrow = speaker_bootstrap(predictions, metrics.war, level=0.5)
    wide = speaker_bootstrap(predictions, metrics.war, level=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert speaker_bootstrap(predictions, metrics.war, level=0.5) == narrow
    assert speaker_bootstrap(predictions, metrics.war, level=0.5, seed=1) != narrow


def test_bounds_are_checked():
    predictions = frame(np.ones(8, bool), speakers_of(2, 4))
    with pytest.raises(ValueError, match="no predictions to resample"):
        speaker_bootstrap(predictions[:0], metrics.war)
    with pytest.raises(ValueError, match="resamples: must be at least 1, got 0"):
        speaker_bootstrap(predictions, metrics.war, resamples=0)
    with pytest.raises(ValueError, match="level: must lie between 0 and 1, got 95"):
        speaker_bootstrap(predictions, metrics.war, level=95)
