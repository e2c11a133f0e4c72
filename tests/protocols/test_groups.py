"""Speakers whose training clips become validation clips."""

import pandas as pd

from pipeline.protocols.folds import assign
from pipeline.protocols.protocol import Protocol
from tests.protocols.made_up import corpus, ravdess, refused, speakers_tested

TIMNET = Protocol("kfold", 10, 46, allow=("speaker", "sentence", "utterance", "pcm"))


def test_validation_is_balanced_in_sex_though_the_corpus_is_not():
    index = corpus(dict.fromkeys(["f1", "f2", "m1", "m2", "m3", "m4", "m5", "m6"], 4))
    frame = assign(index, Protocol("leave_one_speaker_out", validation=2))
    rows = frame[frame["part"] == "validation"].merge(index, on="clip")
    assert rows.groupby(["fold", "sex"])["speaker"].nunique().eq(1).all()
    assert rows.groupby("fold")["sex"].nunique().eq(2).all()


def test_validation_speakers_rotate_and_never_train():
    index = ravdess()
    frame = assign(index, Protocol("leave_one_speaker_out", validation=2))
    rows = frame.merge(index, on="clip")
    chosen = rows[rows["part"] == "validation"].groupby("fold")["speaker"].agg(set)
    assert len(set(map(frozenset, chosen))) > 12  # 24 speakers: a round of pairs and more
    uses = pd.Series([speaker for pair in chosen for speaker in pair]).value_counts()
    assert len(uses) == 24
    assert uses.max() <= 3  # 48 choices of 24 speakers: twice, and once more where one was tested
    parts = rows.groupby(["fold", "speaker"])["part"].nunique()
    assert parts.eq(1).all()


def test_kfold_validates_on_training_clips_of_some_speakers():
    index = ravdess()
    plain = assign(index, TIMNET)
    frame = assign(index, Protocol("kfold", 10, 46, 2))
    assert (frame["part"] == "test").equals(plain["part"] == "test")
    rows = frame.merge(index, on="clip")
    held = rows[rows["part"] == "validation"].groupby("fold")["speaker"].agg(set)
    assert held.map(len).eq(2).all()
    train = rows[rows["part"] == "train"].groupby("fold")["speaker"].agg(set)
    assert all(not held[fold] & train[fold] for fold in held.index)


def test_two_groups_are_enough_to_leave_one_out():
    index = corpus({"f1": 2, "m1": 2})
    frame = assign(index, Protocol("leave_one_speaker_out"))
    assert speakers_tested(frame, index) == {1: {"f1"}, 2: {"m1"}}
    message = "^leave_one_speaker_out needs 2 speakers or more, the corpus has 1$"
    refused(corpus({"f1": 2}), Protocol("leave_one_speaker_out"), message)


def test_somebody_is_left_to_train_on():
    index = corpus({"f1": 2, "f2": 2, "m1": 2})
    frame = assign(index, Protocol("leave_one_speaker_out", validation=1))
    assert frame.groupby("fold")["part"].value_counts().unstack().eq(2).all(axis=None)
    message = "^validation: 2 speakers of the 2 that fold 1 trains on leave none to train on"
    refused(index, Protocol("leave_one_speaker_out", validation=2), message)
