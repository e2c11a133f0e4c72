"""Which clips take part, and under which label."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import KFold

from pipeline.protocols.folds import assign
from pipeline.protocols.protocol import Protocol
from tests.protocols.made_up import (
    grid,
    iemocap,
    parts,
    refused,
    table,
)

FOUR = {"angry": "angry", "happy": "happy", "neutral": "neutral", "sad": "sad"}


@pytest.mark.parametrize(
    ("labels", "where", "counts"),
    [
        (FOUR | {"excited": "happy"}, {}, (1103, 1636, 1708, 1084)),
        (FOUR | {"excited": "happy"}, {"style": ["improvised"]}, (289, 947, 1099, 608)),
        (FOUR | {"excited": "happy"}, {"style": ["scripted"]}, (814, 689, 609, 476)),
        (FOUR, {"style": ["improvised"]}, (289, 284, 1099, 608)),
        (FOUR, {"style": ["improvised", "scripted"]}, (1103, 595, 1708, 1084)),
        ("four-1", {}, (1103, 1636, 1708, 1084)),
    ],
)
def test_the_classes_of_iemocap_as_its_papers_take_them(labels, where, counts):
    assert sum(counts) in (5531, 2943, 2588, 2280, 4490)
    protocol = Protocol("kfold", 10, 16, labels=labels, where=where, clips=sum(counts))
    protocol.check()
    frame = assign(iemocap(), protocol)
    first = frame[frame["fold"] == 1]["label"].value_counts()
    assert first[sorted(FOUR)].tolist() == list(counts)
    assert len(frame) == 10 * sum(counts)


def test_folds_are_drawn_from_the_clips_that_take_part():
    index = table({"emotion": emotion} for emotion in ["sad", "calm", "fear", "neutral"] * 10)
    protocol = Protocol(
        "kfold", 5, 3, labels={"sad": "sad", "calm": "neutral", "neutral": "neutral"}
    )
    left = index[index["emotion"] != "fear"].reset_index(drop=True)
    frame = assign(index, protocol)
    for fold, (_, test) in enumerate(KFold(5, shuffle=True, random_state=3).split(left), 1):
        rows = frame[(frame["fold"] == fold) & (frame["part"] == "test")]
        assert rows["clip"].tolist() == left["clip"].iloc[np.sort(test)].tolist()
    assert set(frame["label"]) == {"sad", "neutral"}


def test_a_wrong_number_of_clips_is_told_with_the_counts():
    index = table({"emotion": emotion} for emotion in ["sad", "sad", "calm"])
    message = r"^clips: 3 take part \(calm 1, sad 2\), 4 were wanted; see labels and where"
    refused(index, Protocol("kfold", 2, 0, clips=4), message)
    assign(index, Protocol("kfold", 2, 0, clips=3))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"labels": {"angri": "angry", "sad": "sad"}},
            "^labels: no clip is 'angri'; did you mean angry\\?$",
        ),
        (
            {"where": {"stile": ["a"]}},
            "^where: the index has no column 'stile'; did you mean style\\?$",
        ),
        (
            {"where": {"style": ["acted"]}},
            "^where.style: no clip has 'acted'; did you mean scripted",
        ),
        (
            {"labels": {"sad": "sad", "angry": "angry"}, "where": {"style": ["scripted"]}},
            "^labels: no clip is left that becomes 'angry'; see where$",
        ),
        (
            {"where": {"style": ["scripted"], "speaker": ["2"]}},
            "^none of the 3 clips takes part; see labels and where$",
        ),
    ],
)
def test_a_choice_that_the_corpus_does_not_have_is_one_line(settings, message):
    rows = [("angry", "improvised", "1"), ("sad", "improvised", "2"), ("sad", "scripted", "1")]
    index = table({"emotion": e, "style": style, "speaker": s} for e, style, s in rows)
    refused(index, Protocol("kfold", 2, 0, **settings), message)


def test_by_ratings_emotions_decide_nothing():
    index = grid(4, 2).assign(arousal="3.5", valence="", partition="train")  # 16 clips
    index.loc[[0, 1, 2, 3], "emotion"] = ["", "", "bored", "happy"]  # rated as the others are
    index.loc[[1, 4, 15], "arousal"] = ""
    index.loc[1, "valence"] = "2"  # rated, if not in all
    index.loc[12:, "partition"] = "test"
    for kind, own in (("kfold", (3, 0)), ("speakers", (2,))):
        protocol = Protocol(kind, *own, labels="ratings", clips=14)
        for fold in parts(index, protocol).values():
            assert fold["unlabeled"]["clip"].tolist() == ["c0004", "c0015"]
            assert sorted(pd.concat([fold["train"], fold["test"]])["clip"]) == [
                clip for clip in index["clip"] if clip not in ("c0004", "c0015")
            ]
            assert {label for rows in fold.values() for label in rows["label"]} == {""}
    (fold,) = parts(index, Protocol("partition", labels="ratings")).values()
    assert fold["test"]["clip"].tolist() == ["c0012", "c0013", "c0014"]
    assert fold["unlabeled"]["clip"].tolist() == ["c0004"]  # of training; not that of the test
    assert fold["unused"]["clip"].tolist() == ["c0015"]
    # without that word, clips without emotion are a pool, and clips without rating are not
    (fold,) = parts(index, Protocol("partition")).values()
    assert fold["unlabeled"]["clip"].tolist() == ["c0000", "c0001"]


def test_a_choice_without_clips_is_refused_by_ratings_too():
    rows = [("angry", "1", "a"), ("sad", "2", "a"), ("sad", "1", "b")]
    index = table({"emotion": e, "speaker": s, "style": style} for e, s, style in rows)
    where = {"style": ["b"], "speaker": ["2"]}
    message = "^none of the 3 clips takes part; see labels and where$"
    refused(index, Protocol("kfold", 2, 0, labels="ratings", where=where), message)


def test_a_choice_of_clips_without_emotion_is_refused_where_others_have_one():
    index = table({"emotion": e, "speaker": s} for e, s in [("", "1"), ("", "1"), ("sad", "2")])
    message = "^none of the 3 clips takes part; see labels and where$"
    refused(index, Protocol("kfold", 2, 0, where={"speaker": ["1"]}), message)
