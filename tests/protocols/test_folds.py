"""Parts of clips in the folds: of every kind, without labels, and with labels hidden."""

import numpy as np
import pandas as pd
import pytest

from pipeline.protocols.folds import assign
from pipeline.protocols.protocol import Protocol
from tests.protocols.made_up import (
    every_kind,
    everything,
    grid,
    parts,
    refused,
    table,
)


def test_every_kind_gives_the_same_bytes_again():
    index = everything()
    for protocol in every_kind():
        protocol.check()
        frames = [assign(index, protocol) for _ in range(2)]
        pd.testing.assert_frame_equal(*frames)
        assert set(frames[0]["part"]) <= {"train", "test", "unused"}
        for _, rows in frames[0].groupby("fold"):
            assert rows["clip"].tolist() == index["clip"].tolist()
            assert {"train", "test"} <= set(rows["part"])


def test_clips_without_emotion_are_a_pool_in_every_fold():
    index = grid(2, 4)
    index.loc[[1, 6, 7], "emotion"] = ""
    for protocol in (Protocol("kfold", 3, 0), Protocol("speakers", 2, validation=0)):
        for fold in parts(index, protocol).values():
            assert fold["unlabeled"]["clip"].tolist() == ["c0001", "c0006", "c0007"]
            assert set(fold["unlabeled"]["label"]) == {""}
            assert sum(len(fold[part]) for part in ("train", "test")) == 13
    frame = assign(index, Protocol("kfold", 3, 0, clips=13))
    assert frame["clip"].tolist() == index["clip"].tolist() * 3  # each in its place


def test_clips_without_emotion_may_be_left_out():
    index = grid(2, 4)
    index.loc[[1, 6], "emotion"] = ""
    where = {"emotion": ["angry", "sad"]}
    frame = assign(index, Protocol("kfold", 2, 0, where=where))
    assert set(frame["part"]) == {"train", "test"}
    assert frame["clip"].nunique() == 14


def test_what_a_corpus_keeps_for_tests_is_nobodys_pool():
    names = ["train", "validation", "test", "train", "validation", "test", "test3", ""]
    index = table({"partition": name} for name in names)
    index["emotion"] = ["sad"] * 3 + [""] * 5
    (fold,) = parts(index, Protocol("partition")).values()
    assert fold["unlabeled"].index.tolist() == [3, 7]
    assert fold["unused"].index.tolist() == [4, 5, 6]


def test_a_corpus_without_emotions_has_no_pool():
    frame = assign(grid().assign(emotion=""), Protocol("kfold", 2, 0))
    assert set(frame["part"]) == {"train", "test"}


def test_in_a_corpus_without_emotions_ratings_decide_who_is_in_the_pool():
    index = grid().assign(emotion="", arousal="3.5", valence="")
    for protocol in (Protocol("kfold", 2, 0), Protocol("speakers", 2), Protocol("partition")):
        index["partition"] = np.where(index["speaker"] == "s0", "test", "train")
        assert set(assign(index, protocol)["part"]) == {"train", "test"}
    index.loc[[1, 6], "arousal"] = ""
    index.loc[6, "valence"] = "1"  # rated, if not in all
    frame = assign(index, Protocol("kfold", 2, 0, clips=31))
    assert set(frame["clip"][frame["part"] == "unlabeled"]) == {"c0001"}
    assert set(frame["label"]) == {""}
    refused(index, Protocol("kfold", 2, 0, clips=9), r"^clips: 31 take part \(by ratings\), 9 were")
    index.loc[0, "emotion"] = "sad"  # now it is emotions that clips lack
    frame = assign(pd.concat([index, grid(1, 1)[1:]]), Protocol("kfold", 2, 0))
    assert set(frame["clip"][frame["part"] != "unlabeled"]) == {"c0000", "c0001"}


def test_by_ratings_some_are_hidden_whatever_their_emotion():
    index = grid(4, 2).assign(arousal="3.5")
    frame = assign(index, Protocol("speakers", 2, hidden=0.25, labels="ratings"))
    assert frame["part"].value_counts().to_dict() == {"test": 16, "train": 12, "unlabeled": 4}
    assert set(frame["label"]) == {""}


@pytest.mark.parametrize("hidden", (0.25, 0.5, 0.99))
def test_of_every_kind_a_share_of_each_label_is_hidden(hidden):
    index = everything(("angry", "angry", "sad"))
    for shown, protocol in zip(every_kind(), every_kind(hidden=hidden), strict=True):
        protocol.check()
        plain, frame = assign(index, shown), assign(index, protocol)
        pd.testing.assert_frame_equal(frame, assign(index, protocol))
        moved = frame["part"] == "unlabeled"
        pd.testing.assert_frame_equal(frame[~moved], plain[~moved])
        assert set(plain["part"][moved]) == {"train"}  # nobody who is tested
        assert set(frame["label"][moved]) == {""}
        for _, rows in plain[plain["part"] == "train"].groupby(["fold", "label"]):
            number = moved[rows.index].sum()
            assert number == min(round(hidden * len(rows)), len(rows) - 1)


def test_hidden_clips_are_others_in_each_fold_and_by_each_seed():
    index = table({"partition": name, "emotion": "sad"} for name in ["test"] + ["train"] * 40)
    index["session"] = index["partition"]
    index.loc[[1, 2], "session"] = ["a", "b"]  # folds 1 and 2 train on the same 40 but one

    def hidden(kind, **settings):
        folds = parts(index, Protocol(kind, hidden=0.5, **settings)).values()
        return [set(fold["unlabeled"]["clip"]) for fold in folds if "unlabeled" in fold]

    first, second, *_ = hidden("leave_one_session_out")
    assert len(first) == len(second) == 20
    assert 4 < len(first & second) < 16
    assert hidden("partition") == hidden("partition", seed=0) != hidden("partition", seed=1)


def test_validation_clips_keep_their_labels():
    index = grid(6, 4)
    shown = assign(index, Protocol("speakers", 3, validation=1))
    frame = assign(index, Protocol("speakers", 3, validation=1, hidden=0.5))
    kept = shown["part"] != "train"
    assert "validation" in set(shown["part"])
    pd.testing.assert_frame_equal(frame[kept], shown[kept])


def test_ratings_are_hidden_as_emotions_are():
    index = grid().assign(emotion="", arousal="3.5")
    frame = assign(index, Protocol("speakers", 2, hidden=0.25))
    assert frame["part"].value_counts().to_dict() == {"test": 32, "train": 24, "unlabeled": 8}


def test_what_is_hidden_is_drawn_by_seed_and_fold():
    index = table({"partition": name, "emotion": "sad"} for name in ["test"] + ["train"] * 20)
    (fold,) = parts(index, Protocol("partition", hidden=0.5, seed=3)).values()
    drawn = np.random.RandomState([3, 1]).permutation(np.arange(1, 21))[1:11]
    assert sorted(fold["unlabeled"]["clip"]) == [f"c{row:04d}" for row in sorted(drawn)]
