"""Kinds of protocol that hold whole groups out."""

import pandas as pd

from pipeline.protocols.folds import assign
from pipeline.protocols.protocol import Protocol
from tests.protocols.made_up import (
    corpus,
    grid,
    parts,
    ravdess,
    refused,
    speakers_tested,
    table,
)


def test_speakers_are_dealt_evenly_in_sex_and_clips():
    index = corpus({"f1": 60, "f2": 40, "f3": 30, "f10": 20, "m1": 50, "m2": 10})
    frame = assign(index, Protocol("speakers", 2))
    # f1 -> 1, m1 -> 2 (fewer clips), f2 -> 2 (no woman yet), f3 -> 1 (fewer clips),
    # f10 -> 2 (fewer women), m2 -> 1 (no man yet): 100 and 110 clips
    assert speakers_tested(frame, index) == {1: {"f1", "f3", "m2"}, 2: {"m1", "f2", "f10"}}


def test_sex_is_balanced_before_clips():
    index = corpus({"f1": 60, "f2": 50, "m1": 8, "m2": 8})
    frame = assign(index, Protocol("speakers", 2))
    # both men to fold 2 would be 60 and 66 clips, but leave no man in fold 1
    assert speakers_tested(frame, index) == {1: {"f1", "m2"}, 2: {"f2", "m1"}}


def test_ties_go_by_natural_name_or_by_the_seed():
    index = corpus({f"f{number}": 4 for number in (1, 2, 10, 11)})
    assert speakers_tested(assign(index, Protocol("speakers", 4)), index) == {
        1: {"f1"},
        2: {"f2"},
        3: {"f10"},
        4: {"f11"},
    }
    dealt = {
        tuple(map(tuple, speakers_tested(assign(index, protocol), index).values()))
        for protocol in (Protocol("speakers", 4, seed) for seed in range(10))
    }
    assert len(dealt) > 5


def test_a_seed_leaves_sizes_and_sexes_balanced():
    index = ravdess()
    frame = assign(index, Protocol("speakers", 6, 3))
    test = frame[frame["part"] == "test"].merge(index, on="clip")
    assert test.groupby("fold").size().eq(240).all()
    assert test.groupby(["fold", "sex"])["speaker"].nunique().eq(2).all()


def test_leave_one_speaker_out_goes_in_natural_order():
    index = corpus({"m10": 4, "f1": 4, "m2": 4})
    frame = assign(index, Protocol("leave_one_speaker_out"))
    assert speakers_tested(frame, index) == {1: {"f1"}, 2: {"m2"}, 3: {"m10"}}


def test_sessions_are_left_out_in_natural_order():
    index = table({"session": session, "emotion": "sad"} for session in ("10", "2", "1", "2"))
    folds = parts(index, Protocol("leave_one_session_out"))
    assert [set(fold["test"]["session"]) for fold in folds.values()] == [{"1"}, {"2"}, {"10"}]
    assert all(len(fold["test"]) + len(fold["train"]) == 4 for fold in folds.values())


def test_whole_sentences_are_held_out():
    folds = parts(grid(4, 5), Protocol("sentences", 2))
    tested = [set(fold["test"]["sentence"]) for fold in folds.values()]
    assert tested == [{"t0", "t2", "t4"}, {"t1", "t3"}]
    for fold in folds.values():
        assert not set(fold["test"]["sentence"]) & set(fold["train"]["sentence"])
        assert set(fold["test"]["speaker"]) == set(fold["train"]["speaker"])


def test_held_out_speakers_say_held_out_sentences():
    index = grid(4, 4)
    folds = parts(index, Protocol("speakers_and_sentences", 2, sentence_folds=4))
    assert len(folds) == 8
    # fold 1 .. 4 test the first group, a woman and a man, on one sentence after another
    firsts = [set(fold["test"]["speaker"]) for fold in folds.values()]
    assert firsts == [{"s0", "s3"}] * 4 + [{"s1", "s2"}] * 4
    assert [set(folds[fold]["test"]["sentence"]) for fold in (1, 2, 5)] == [{"t0"}, {"t1"}, {"t0"}]
    for fold in folds.values():
        for column in ("speaker", "sentence"):
            assert not set(fold["test"][column]) & set(fold["train"][column])
        shared = fold["unused"]["speaker"].isin(fold["test"]["speaker"])
        shared = shared.astype(int) + fold["unused"]["sentence"].isin(fold["test"]["sentence"])
        assert shared.eq(1).all()
        assert [len(fold[part]) for part in ("test", "unused", "train")] == [4, 16, 12]
    tested = pd.concat([fold["test"]["clip"] for fold in folds.values()])
    assert sorted(tested) == sorted(index["clip"])


def test_the_corpus_says_who_is_tested():
    names = ["train", "validation", "test", "test2", "train", "test"]
    index = table({"partition": name, "emotion": "sad"} for name in names)
    (fold,) = parts(index, Protocol("partition")).values()
    assert {part: rows.index.tolist() for part, rows in fold.items()} == {
        **{"train": [0, 4], "validation": [1], "test": [2, 5], "unused": [3]}
    }
    (fold,) = parts(index, Protocol("partition", test=("test2", "validation"))).values()
    assert fold["test"]["partition"].tolist() == ["validation", "test2"]
    assert set(fold["unused"]["partition"]) == {"test"}
    protocol = Protocol("partition", test=("test3",))
    refused(index, protocol, "^test: no clip with a label is of partition 'test3'; did you mean")
    index.loc[0, "partition"] = "dev"
    refused(index, Protocol("partition"), "^the index has a partition 'dev', wanted train, valid")
    index.loc[0, "partition"] = ""
    refused(index, Protocol("partition"), "^1 of 6 clips have no partition label; label them")


def test_corpora_are_held_out_one_by_one_or_as_told():
    index = table({"corpus": name, "emotion": "sad"} for name in ("b", "a", "c", "a"))
    folds = parts(index, Protocol("corpora"))
    assert [set(fold["test"]["corpus"]) for fold in folds.values()] == [{"a"}, {"b"}, {"c"}]
    (fold,) = parts(index, Protocol("corpora", test=("c", "a"))).values()
    assert (set(fold["test"]["corpus"]), set(fold["train"]["corpus"])) == ({"a", "c"}, {"b"})
    refused(index, Protocol("corpora", test=("ab",)), "^test: no corpus 'ab'; did you mean")
    refused(index, Protocol("corpora", test=("a", "b", "c")), "^test: names all 3 corpora; leave")
    refused(index[index["corpus"] == "a"], Protocol("corpora"), "^corpora needs 2 corpora or more")
    refused(grid(), Protocol("corpora"), "^32 of 32 clips have no corpus label; .* no corpora$")
    older = index.drop(columns="corpus")
    refused(older, Protocol("corpora"), "^the index has no column corpus; index the corpus again$")
