import itertools

import numpy as np
import pytest
from scipy import stats

from pipeline.scoring import metrics, paired
from pipeline.scoring.intervals import quantiles


def counts(right, wrong):
    """Confusion matrices of two classes, one a speaker: half of each speaker's clips a class."""
    cells = np.stack([np.stack([right, wrong], -1), np.stack([wrong, right], -1)], -2)
    return np.asarray(cells)


def runs(better, speakers, clips=8, seed=0):
    """Two runs of one seed: the first names ``better`` more of each speaker's clips rightly."""
    right = np.random.default_rng(seed).integers(2, clips - better, speakers)
    first, second = (counts(r, clips - r) for r in (right + better, right))
    return first[None], second[None]


def test_runs_that_answer_alike_do_not_differ():
    first, _ = runs(1, 10)
    found = paired.difference(first, first, metrics.uar)
    assert (found.value, found.low, found.high, found.p_value) == (0, 0, 0, 1)


@pytest.mark.parametrize("speakers", [5, 10, 12])
def test_few_speakers_are_exchanged_in_all_ways(speakers):
    # better on every speaker by the same: only all or none exchanged give as large a difference
    first, second = runs(2, speakers)
    found = paired.difference(first, second, metrics.war)
    assert found.value == pytest.approx(2 / 8)
    assert found.p_value == 2 / 2**speakers
    assert (found.low, found.high) == pytest.approx((0.25, 0.25))


def test_exchanges_are_those_of_the_definition():
    generator = np.random.default_rng(1)
    truth, speaker = generator.normal(4, 1, 60), np.arange(60) % 6
    answers = [truth + generator.normal(0, spread, 60) for spread in (0.6, 1.0)]
    sums = [metrics.moments(truth, found) for found in answers]
    added = [np.stack([s[speaker == n].sum(0) for n in range(6)])[None] for s in sums]
    found = paired.difference(*added, metrics.ccc)

    def gap(exchanged):
        swap = np.isin(speaker, exchanged)
        one, other = np.where(swap, *answers[::-1]), np.where(swap, *answers)
        return metrics.concordance(truth, one) - metrics.concordance(truth, other)

    every = [gap(who) for n in range(7) for who in itertools.combinations(range(6), n)]
    assert found.value == pytest.approx(gap([]))
    assert found.p_value == np.mean(np.abs(every) >= abs(gap([])) - 1e-12)


def test_many_speakers_are_exchanged_at_random_and_the_p_value_is_never_0():
    first, second = runs(2, 30)
    assert paired.difference(first, second, metrics.war).p_value == 1 / 10_000


def test_exchanging_the_runs_turns_the_difference_round():
    first, second = runs(0, 9)[0], runs(1, 9, seed=1)[1]
    one, other = (
        paired.difference(*pair, metrics.uar) for pair in ((first, second), (second, first))
    )
    assert one.value == -other.value
    assert one.p_value == other.p_value
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=0.02)


def test_one_good_speaker_does_not_make_a_difference_sure():
    first, second = runs(0, 10)
    first = first.copy()
    first[0, 0] = counts(*np.array([[8], [0]]))[0]
    found = paired.difference(first, second, metrics.war)
    assert found.value > 0
    assert found.low <= 0
    assert found.p_value == 1  # exchanging the others changes nothing


def test_intervals_of_several_seeds_hold_each_of_them():
    first, second = runs(3, 20)
    both = np.concatenate([first, second])  # one seed is better by 3 of 8 clips, one is as good
    found = paired.difference(both, second.repeat(2, axis=0), metrics.war)
    assert found.value == pytest.approx(3 / 16)
    assert found.low <= 0
    assert found.high >= 3 / 8


def test_unequal_numbers_of_seeds_have_an_interval_and_no_test():
    first, second = runs(1, 8)
    found = paired.difference(first.repeat(2, axis=0), second, metrics.war)
    assert np.isnan(found.p_value)
    assert found.low == pytest.approx(1 / 8)


def test_runs_of_other_speakers_cannot_be_paired():
    with pytest.raises(ValueError, match="cannot be paired"):
        paired.difference(runs(1, 8)[0], runs(1, 7)[1], metrics.war)


@pytest.mark.parametrize(("one", "other"), [(6, 0), (5, 1), (10, 3), (2, 2)])
def test_mcnemar_counts_the_clips_that_one_run_alone_names(one, other):
    first = [True] * one + [False] * other + [True] * 4 + [False] * 3
    second = [False] * one + [True] * other + [True] * 4 + [False] * 3
    tail = stats.binom.cdf(min(one, other), one + other, 0.5)
    assert paired.mcnemar(first, second) == pytest.approx(min(1, 2 * tail))


def test_mcnemar_of_equal_answers():
    assert paired.mcnemar([True, False], [True, False]) == 1


def test_holm_by_hand():
    assert paired.holm([0.01, 0.02, 0.022]) == pytest.approx([0.03, 0.04, 0.04])
    assert paired.holm([0.6, 0.5]) == [1, 1]
    adjusted = paired.holm([0.02, float("nan"), 0.04])
    assert adjusted[::2] == pytest.approx([0.04, 0.04])
    assert np.isnan(adjusted[1])
    assert paired.holm([]) == []


def test_bounds_move_out_the_fewer_units_there_are():
    draws = np.linspace(0, 1, 100_001)
    # six units: t of 5 degrees of freedom 2.5706, times sqrt(6 / 5), as a normal tail
    assert quantiles(draws, 6, 0.95) == pytest.approx((0.00243, 0.99757), abs=2e-5)
    assert quantiles(draws, 10**9, 0.95) == pytest.approx((0.025, 0.975), abs=1e-5)


def test_two_speakers_are_the_fewest():
    first, second = runs(1, 2)
    assert paired.difference(first, second, metrics.war).p_value == 2 / 4
    with pytest.raises(ValueError, match="cannot be paired"):
        paired.difference(first[:, :1], second[:, :1], metrics.war)


def test_above_12_speakers_only_some_exchanges_are_tried():
    first, second = runs(2, 13)
    found = paired.difference(first, second, metrics.war, exchanges=10)
    assert found.p_value >= 1 / 10


def test_draws_and_seed_are_those_stated_unless_others_are_given():
    generator = np.random.default_rng(0)
    truth = generator.normal(4, 1, (14, 5))
    first, second = (
        np.stack([metrics.moments(one, one + 0.5 * generator.normal(size=5)).sum(0) for one in t])
        for t in (truth, truth)
    )
    stated = {"resamples": 2000, "exchanges": 10_000, "level": 0.95, "seed": 0}
    found = paired.difference(first[None], second[None], metrics.ccc)
    assert found == paired.difference(first[None], second[None], metrics.ccc, **stated)


def test_holm_gives_no_probability_above_1():
    assert paired.holm([0.9, 0.8, 0.7]) == [1, 1, 1]
