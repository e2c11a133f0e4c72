import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pipeline.scoring import intervals, metrics
from pipeline.scoring.intervals import speaker_bootstrap


def frame(right, speakers):
    """Two classes in turn; ``right`` says of each clip whether it is recognised."""
    label = np.resize(["angry", "sad"], len(right))
    other = np.where(label == "sad", "angry", "sad")
    return pd.DataFrame(
        {"speaker": speakers, "label": label, "predicted": np.where(right, label, other)}
    )


def interval(predictions, metric, **settings):
    """Interval of a metric of confusion matrices, which the clips of two classes add up to."""
    cells = 2 * (predictions["label"] == "sad") + (predictions["predicted"] == "sad")
    single = np.eye(4, dtype=int).reshape(4, 2, 2)
    return speaker_bootstrap(predictions["speaker"], cells.to_numpy(), single, metric, **settings)


def rated(generator, speakers):
    """Moments of clips: ratings, and predictions that are off by much or little by speaker."""
    _, speaker = np.unique(speakers, return_inverse=True)
    truth = generator.normal(4, 1, len(speakers))
    shift = generator.normal(0, 0.8, speaker.max() + 1)[speaker]
    return truth, truth + shift + generator.normal(0, 0.3, len(speakers))


def expanded(units):
    """Percentiles between which an interval of 95 % from so many units lies."""
    stretch = stats.t.ppf(0.025, units - 1) * np.sqrt(units / (units - 1))
    return stats.norm.cdf([stretch, -stretch])


def speakers_of(number, clips):
    """Speaker of each clip, ``clips`` each."""
    return np.repeat([f"s{speaker}" for speaker in range(number)], clips)


@pytest.mark.parametrize("number", [3, 10])
def test_perfect_predictions_leave_no_doubt(number):
    predictions = frame(np.ones(number * 8, bool), speakers_of(number, 8))
    assert interval(predictions, metrics.uar) == (1, 1)
    predictions = frame(np.zeros(number * 8, bool), speakers_of(number, 8))
    assert interval(predictions, metrics.war) == (0, 0)


def test_speakers_alike_leave_no_doubt_between_them():
    # every speaker has the same three of four clips right: drawing others changes nothing
    predictions = frame(np.resize([True, True, True, False], 80), speakers_of(20, 4))
    assert interval(predictions, metrics.war) == (0.75, 0.75)
    assert interval(predictions, metrics.uar) == (0.75, 0.75)


def test_speakers_all_right_or_all_wrong_count_as_single_clips():
    # 100 speakers, half of them all right: the interval of 100 coins, 0.5 +- 1.96 * 0.05
    right = np.repeat(np.arange(100) % 2 == 0, 10)
    low, high = interval(frame(right, speakers_of(100, 10)), metrics.war)
    assert low == pytest.approx(0.402, abs=0.011)
    assert high == pytest.approx(0.598, abs=0.011)


def test_few_or_unknown_speakers_fall_back_to_clips():
    # 1000 clips, half of them right: 0.5 +- 1.96 * sqrt(0.25 / 1000), for any speakers
    right = np.repeat([True, False, True, False], 250)
    expected = pytest.approx((0.469, 0.531), abs=0.003)
    few = frame(right, speakers_of(4, 250))
    assert interval(few, metrics.war) == expected
    unknown = frame(right, speakers_of(10, 100)).assign(speaker=lambda f: f["speaker"].str[:0])
    assert interval(unknown, metrics.war) == expected
    known = frame(right, speakers_of(10, 100))
    assert interval(known, metrics.war)[0] < 0.3
    known.loc[0, "speaker"] = ""
    assert interval(known, metrics.war) == expected


def test_intervals_equal_those_of_the_plain_loop():
    generator = np.random.default_rng(0)
    predictions = frame(generator.random(240) < 0.7, generator.permutation(speakers_of(12, 20)))
    loop = np.random.default_rng(1)
    by_speaker = [rows for _, rows in predictions.groupby("speaker")]
    values = []
    for _ in range(2000):
        rows = pd.concat([by_speaker[i] for i in loop.integers(12, size=12)])
        counts = metrics.confusion(rows["label"], rows["predicted"], ["angry", "sad"])
        values.append(metrics.uar(counts))
    low, high = interval(predictions, metrics.uar)
    np.testing.assert_allclose([low, high], np.quantile(values, expanded(12)), atol=0.015)


def test_intervals_of_ratings_equal_those_of_the_plain_loop():
    generator = np.random.default_rng(0)
    speakers = generator.permutation(speakers_of(12, 20))
    truth, predicted = rated(generator, speakers)
    loop = np.random.default_rng(1)
    values = []
    for _ in range(2000):
        drawn = loop.integers(12, size=12)
        t, p = (np.concatenate([v[speakers == f"s{i}"] for i in drawn]) for v in (truth, predicted))
        both = t.var() + p.var() + (t.mean() - p.mean()) ** 2
        values.append(2 * np.cov(t, p, ddof=0)[0, 1] / both)
    each, of_clips = np.arange(240), metrics.moments(truth, predicted)
    found = speaker_bootstrap(speakers, each, of_clips, metrics.ccc)
    np.testing.assert_allclose(found, np.quantile(values, expanded(12)), atol=0.015)

    # few or unknown speakers: clips are drawn, and the interval is that of independent ones
    values = [metrics.ccc(of_clips[loop.integers(240, size=240)].sum(axis=0)) for _ in range(1000)]
    expected = pytest.approx(np.quantile(values, [0.025, 0.975]), abs=0.01)
    unknown = np.where(each == 7, "", speakers)
    assert speaker_bootstrap(unknown, each, of_clips, metrics.ccc) == expected
    assert speaker_bootstrap(["s1"] * 240, each, of_clips, metrics.ccc) == expected
    assert found[1] - found[0] > 1.3 * (expected.expected[1] - expected.expected[0])


def test_draws_are_the_same_in_blocks(monkeypatch):
    generator = np.random.default_rng(0)
    predictions = frame(generator.random(240) < 0.7, speakers_of(12, 20))
    whole = interval(predictions, metrics.war, resamples=250)
    monkeypatch.setattr(intervals, "BLOCK", 7)
    assert interval(predictions, metrics.war, resamples=250) == whole


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = {"speakers": 0, "clips": 0}
    for _ in range(300):
        # speakers differ: each is recognised with a probability of its own, 0.7 on average
        chance = np.repeat(generator.beta(7, 3, size=24), 20)
        predictions = frame(generator.random(480) < chance, speakers_of(24, 20))
        low, high = interval(predictions, metrics.war, resamples=300)
        covered["speakers"] += low <= 0.7 <= high
        by_clip = predictions.assign(speaker="")
        low, high = interval(by_clip, metrics.war, resamples=300)
        covered["clips"] += low <= 0.7 <= high
    assert 0.92 <= covered["speakers"] / 300 <= 0.98
    assert covered["clips"] / 300 < 0.8  # what taking clips for independent would claim


def test_a_higher_level_is_wider_and_a_seed_repeats():
    generator = np.random.default_rng(0)
    predictions = frame(generator.random(240) < 0.7, speakers_of(12, 20))
    narrow = interval(predictions, metrics.war, level=0.5)
    wide = interval(predictions, metrics.war, level=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert interval(predictions, metrics.war, level=0.5) == narrow
    assert interval(predictions, metrics.war, level=0.9, seed=1) != interval(
        predictions, metrics.war, level=0.9
    )


def test_bounds_are_checked():
    predictions = frame(np.ones(8, bool), speakers_of(2, 4))
    with pytest.raises(ValueError, match="no predictions to resample"):
        interval(predictions[:0], metrics.war)
    with pytest.raises(ValueError, match="resamples: must be at least 1, got 0"):
        interval(predictions, metrics.war, resamples=0)
    with pytest.raises(ValueError, match="level: must lie between 0 and 1, got 95"):
        interval(predictions, metrics.war, level=95)
    for level in (0, 1, 1.5, -0.5):
        with pytest.raises(ValueError, match=f"level: must lie between 0 and 1, got {level}"):
            interval(predictions, metrics.war, level=level)


def test_one_draw_is_enough_and_there_are_2000_by_default():
    generator = np.random.default_rng(0)
    predictions = frame(generator.random(240) < 0.7, speakers_of(12, 20))
    low, high = interval(predictions, metrics.war, resamples=1)
    assert low == high
    default = interval(predictions, metrics.war)
    assert default == interval(predictions, metrics.war, resamples=2000, level=0.95, seed=0)


def test_five_known_speakers_are_enough_to_draw_them():
    assert intervals.over_speakers(["a", "b", "c", "d", "e", "a"])
    assert not intervals.over_speakers(["a", "b", "c", "d"])
    assert not intervals.over_speakers(["a", "b", "c", "d", "e", ""])


def test_clips_are_added_in_the_order_of_the_speakers_names():
    added = intervals.by_speaker(["b", "a", "b"], np.array([0, 1, 1]), np.array([[1, 0], [0, 1]]))
    np.testing.assert_array_equal(added, [[0, 1], [1, 1]])


def test_of_one_unit_nothing_is_known_and_of_two_little():
    draws = np.linspace(0, 1, 1001)
    assert intervals.quantiles(draws, 1, 0.9) == pytest.approx((0.05, 0.95))
    low, high = stats.norm.cdf(stats.t.ppf([0.05, 0.95], 1) * np.sqrt(2))
    assert intervals.quantiles(draws, 2, 0.9) == pytest.approx((low, high))
