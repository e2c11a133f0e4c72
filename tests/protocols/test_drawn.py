"""Kinds of protocol that draw clips at random, or by their names."""

from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold, ShuffleSplit

from pipeline.errors import InputError
from pipeline.protocols import drawn, leakage
from pipeline.protocols.folds import assign
from pipeline.protocols.protocol import Protocol
from tests.protocols.made_up import (
    corpus,
    grid,
    parts,
    refused,
    table,
)


@pytest.mark.parametrize(("clips", "folds", "seed"), [(30, 3, 0), (31, 4, 1), (97, 10, 46)])
def test_kfold_is_scikit_learns(clips, folds, seed):
    index = corpus({"f1": clips})
    parts = drawn.kfold(index, folds=folds, seed=seed)
    oracle = KFold(folds, shuffle=True, random_state=seed).split(index)
    for number, (_, test) in enumerate(oracle, start=1):
        np.testing.assert_array_equal(np.flatnonzero(parts[number - 1] == "test"), test)


def test_a_random_split_is_scikit_learns():
    index = grid(6, 5)
    (fold,) = parts(index, Protocol("random_split", share=0.1, seed=3)).values()
    ((_, test),) = ShuffleSplit(1, test_size=0.1, random_state=3).split(index)
    assert fold["test"]["clip"].tolist() == index["clip"].iloc[np.sort(test)].tolist()
    assert (len(fold["test"]), len(fold["train"])) == (6, 54)
    protocol = Protocol("random_split", share=0.9, seed=3)
    refused(index[:2], protocol, "^share: 0.9 of 2 clips leaves none$")


def test_pairs_of_folds_test_every_clip_twice_on_average():
    index = grid(10, 10)
    frame = assign(index, Protocol("kfold_pairs", 10, 5))
    tested = frame[frame["part"] == "test"]
    assert len(tested) == 2 * len(index)
    assert tested.groupby("fold").size().eq(40).all()
    # each test part is two folds of KFold, and no two are the same
    single = {
        frozenset(index["clip"].iloc[test])
        for _, test in KFold(10, shuffle=True, random_state=5).split(index)
    }
    for _, rows in tested.groupby("fold"):
        assert sum(fold <= set(rows["clip"]) for fold in single) == 2
    assert tested.groupby("fold")["clip"].agg(frozenset).nunique() == 10


def light_sernet(speakers=10, takes=12):
    """EMO-DB's kind of names: two digits of the speaker, then the text."""
    return table(
        {
            "clip": f"{speaker:02d}a{take:02d}{emotion[0]}",
            "speaker": f"{speaker:02d}",
            "emotion": emotion,
        }
        for speaker, take, emotion in product(range(speakers), range(takes), ("angry", "sad"))
    )


def test_names_that_are_true_hold_out_what_they_name():
    index = light_sernet()
    by_name = assign(index, Protocol("leave_one_prefix_out", prefix=2))
    by_speaker = assign(index, Protocol("leave_one_speaker_out"))
    pd.testing.assert_frame_equal(by_name, by_speaker)


def test_names_dealt_out_anew_leave_classes_in_place_and_speakers_to_chance():
    index = light_sernet()
    frame = assign(index, Protocol("leave_one_prefix_out", prefix=2, seed=1))
    tested = frame[frame["part"] == "test"].merge(index, on="clip")
    assert sorted(tested["clip"]) == sorted(index["clip"])
    assert tested.groupby(["fold", "emotion"]).size().eq(12).all()  # as many as by true names
    own = (tested["fold"] - 1 == tested["speaker"].astype(int)).mean()
    assert 0.03 < own < 0.2  # chance is 0.1: EMO-DB's authors had 0.108
    report = leakage.certificate(index, frame, ())
    assert report["leaks"]["speaker"]["clips"] == len(index)


def test_as_many_folds_as_clips_and_no_more():
    index = corpus({"f1": 4})
    assert (drawn.kfold(index, folds=4, seed=0) == "test").sum(axis=1).tolist() == [1] * 4
    with pytest.raises(InputError, match=r"^folds: 5 of 4 clips; take fewer folds$"):
        drawn.kfold(index, folds=5, seed=0)


def test_pairs_are_drawn_from_all_pairs_in_order():
    index = corpus({"f1": 20})
    single = drawn.kfold(index, folds=4, seed=2) == "test"
    pairs = np.array([*combinations(range(4), 2)])[np.random.RandomState(2).permutation(6)[:4]]
    found = drawn.kfold_pairs(index, folds=4, seed=2) == "test"
    np.testing.assert_array_equal(found, [single[one] | single[other] for one, other in pairs])
    drawn.enough_for_pairs(folds=3, seed=0)
    with pytest.raises(InputError, match=r"^folds: kfold_pairs needs 3 or more, got 2$"):
        drawn.enough_for_pairs(folds=2, seed=0)


def test_names_are_dealt_out_within_each_class_in_order():
    names = ["1a", "1b", "1c", "2a", "2b", "2c", "3a"]
    index = pd.DataFrame({"clip": names, "label": ["c", "b", "a", "c", "b", "a", "b"]})
    generator, dealt = np.random.RandomState(4), np.array([name[0] for name in names])
    for rows in ([2, 5], [1, 4, 6], [0, 3]):
        dealt[rows] = dealt[generator.permutation(rows)]
    found = drawn.leave_one_prefix_out(index, prefix=1, seed=4) == "test"
    np.testing.assert_array_equal(found, [dealt == name for name in "123"])
