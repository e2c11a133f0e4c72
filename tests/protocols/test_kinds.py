"""Kinds of protocol and the choice of clips, on indexes small enough to count by hand."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from natsort import natsorted
from ruamel.yaml import YAML
from sklearn.model_selection import KFold, ShuffleSplit

from pipeline import settings
from pipeline.errors import InputError
from pipeline.protocols import leakage, listed
from pipeline.protocols.folds import assign
from pipeline.protocols.kinds import KINDS
from pipeline.protocols.protocol import Protocol
from pipeline.protocols.vocabulary import DECLARABLE

COLUMNS = (
    "clip corpus speaker sex emotion sentence session style partition utterance parent".split()
)
# IEMOCAP's turns by style and emotion, as its papers count them, and one of a class nobody uses
IEMOCAP = {
    "improvised": {"angry": 289, "happy": 284, "excited": 663, "neutral": 1099, "sad": 608},
    "scripted": {"angry": 814, "happy": 311, "excited": 378, "neutral": 609, "sad": 476},
}
FOUR = {"angry": "angry", "happy": "happy", "neutral": "neutral", "sad": "sad"}


def table(rows):
    """Make an index of rows that name some of its columns; the rest is empty."""
    frame = pd.DataFrame(dict.fromkeys(COLUMNS, "") | row for row in rows)
    named = frame["clip"].where(frame["clip"] != "", [f"c{i:04d}" for i in range(len(frame))])
    return frame.assign(clip=named, pcm_hash=named, recording=named)


def grid(speakers=4, sentences=4, emotions=("angry", "sad")):
    """Every speaker says every sentence in every emotion."""
    return table(
        {"speaker": f"s{s}", "sentence": f"t{t}", "emotion": emotion, "sex": "fm"[s % 2]}
        for s, t, emotion in product(range(speakers), range(sentences), emotions)
    )


def iemocap():
    """As many turns of each style and emotion as IEMOCAP has, and 40 of fear."""
    rows = [
        {"style": style, "emotion": emotion, "speaker": f"0{i % 5 + 1}{'FM'[i % 2]}"}
        for style, counts in IEMOCAP.items()
        for emotion, count in counts.items()
        for i in range(count)
    ]
    return table([*rows, *[{"style": "improvised", "emotion": "fear", "speaker": "01F"}] * 40])


def parts(index, protocol):
    """Assign and return ``{fold: {part: rows of the index}}``."""
    protocol.check()
    frame = assign(index, protocol).merge(index, on="clip", validate="many_to_one")
    return {fold: dict(list(rows.groupby("part"))) for fold, rows in frame.groupby("fold")}


def refused(index, protocol, match):
    protocol.check()
    with pytest.raises(InputError, match=match):
        assign(index, protocol)


# ---- kinds -----------------------------------------------------------------------------------


def every_kind(**common):
    """Give a protocol of every kind, each of which fits `everything`."""
    known = {"folds": 3, "seed": 7, "sentence_folds": 2, "share": 0.25, "prefix": 4}
    known |= {"test": ("test",), "list": "emodb", "validation": 0}
    for name, kind in KINDS.items():
        yield Protocol(name, **{key: known[key] for key in (*kind.needs, *kind.takes)}, **common)


def everything(emotions=("angry", "sad")):
    """An index that every kind can be carried out on: EMO-DB's speakers, two corpora and parts."""
    index = grid(10, 4, emotions)
    names = dict(zip(natsorted(set(index["speaker"])), listed.read("emodb").speakers, strict=True))
    index["speaker"] = index["speaker"].map(names)
    index["corpus"] = np.where(index["sentence"] < "t2", "one", "test")
    index["session"] = index["sentence"]
    index["partition"] = np.where(index["speaker"] < "12", "train", "test")
    return index


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


# ---- labels ----------------------------------------------------------------------------------


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


# ---- clips without a label -------------------------------------------------------------------


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


def test_by_ratings_some_are_hidden_whatever_their_emotion():
    index = grid(4, 2).assign(arousal="3.5")
    frame = assign(index, Protocol("speakers", 2, hidden=0.25, labels="ratings"))
    assert frame["part"].value_counts().to_dict() == {"test": 16, "train": 12, "unlabeled": 4}
    assert set(frame["label"]) == {""}


# ---- labels hidden ---------------------------------------------------------------------------


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


# ---- what makes no sense ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("kind: kfolds", "^P.kind: no 'kfolds'; did you mean kfold"),
        ("kind: speakers", "^P.folds: speakers needs one$"),
        ("kind: sentences", "^P.folds: sentences needs one$"),
        ("kind: kfold, folds: 1, seed: 1", "^P.folds: must be at least 2, got 1$"),
        ("kind: kfold_pairs, folds: 2, seed: 0", "^P.folds: kfold_pairs needs 3 or more, got 2$"),
        ("kind: kfold, folds: 2", "^P.seed: kfold draws clips at random and needs one$"),
        (
            "kind: kfold, folds: 2, seed: -1",
            "^P.seed: must be at least 0 and at most 4294967295, got -1$",
        ),
        (
            "kind: speakers_and_sentences, folds: 2, sentence_folds: 1",
            "^P.sentence_folds: must be at least 2, got 1$",
        ),
        (
            "kind: kfold, folds: 2, seed: 0, sentence_folds: 2",
            "^P.sentence_folds: kfold takes none; remove it$",
        ),
        (
            "kind: leave_one_session_out, folds: 5",
            "^P.folds: leave_one_session_out makes one per session; remove it$",
        ),
        ("kind: partition, seed: 1", "^P.seed: partition draws nothing; remove it$"),
        ("kind: partition, test: [dev]", "^P.test: no 'dev'; known: validation, test, test2"),
        ("kind: partition, test: [train]", "^P.test: no 'train'"),
        ("kind: corpora, test: [a, a]", r"^P.test: wanted different names, got \['a', 'a'\]$"),
        ("kind: kfold, folds: 2, seed: 0, test: [a]", "^P.test: kfold takes none; remove it$"),
        ("kind: random_split, seed: 1", "^P.share: random_split needs one$"),
        ("kind: random_split, share: 0.1", "^P.seed: random_split draws clips at random and"),
        (
            "kind: random_split, share: 1, seed: 1",
            "^P.share: must be above 0 and below 1, got 1.0$",
        ),
        ("kind: leave_one_prefix_out", "^P.prefix: leave_one_prefix_out needs one$"),
        (
            "kind: leave_one_prefix_out, prefix: 0",
            "^P.prefix: must be at least 1 letters, got 0$",
        ),
        ("kind: partition, hidden: 1", "^P.hidden: must be at least 0 and below 1, got 1.0$"),
        ("kind: partition, hidden: -0.1", "^P.hidden: must be at least 0 and below 1, got -0.1$"),
        ("kind: partition, clips: 0", "^P.clips: must be at least 1, got 0$"),
        ("kind: partition, validation: -1", "^P.validation: must be at least 0, got -1$"),
        ("kind: partition, allow: [speakr]", "^P.allow: no 'speakr'; did you mean speaker"),
        ("kind: partition, labels: four", "^P.labels: no ontology 'four'; did you mean four-1"),
        ("kind: partition, labels: {a: 1}", "^P.labels: wanted emotion: label, got 'a': 1$"),
        ("kind: partition, labels: {a: ''}", "^P.labels: wanted emotion: label, got 'a': ''$"),
        (
            "kind: partition, labels: {a: x, b: x}",
            "^P.labels: leave one class, 'x'; give two or more$",
        ),
        ("kind: partition, where: {style: a}", "^P.where.style: wanted a list of texts"),
        ("kind: partition, where: {session: [1]}", r"^P.where.session: .* got \[1\]; put num"),
        ("kind: partition, where: {style: []}", "^P.where.style: wanted a list of texts"),
        ("kind: listed_speakers", "^P.list: listed_speakers needs one$"),
        ("kind: partition, list: emodb", "^P.list: partition takes none; remove it$"),
        (
            "kind: listed_speakers, list: ravdes",
            r"^P.list: no 'ravdes'; did you mean ravdess\?$",
        ),
        (
            "kind: listed_speakers, list: ravdess, validation: 1",
            "^P.validation: ravdess lists 2 speakers per fold; set it to 0 or 2, got 1$",
        ),
        (
            "kind: listed_speakers, list: cremad",
            "^P.validation: cremad lists 18 speakers per fold; set it to 18, got 0$",
        ),
    ],
)
def test_a_protocol_that_makes_no_sense_is_refused(line, message):
    with pytest.raises(InputError, match=message):
        settings.read(Protocol, YAML(typ="safe", pure=True).load(f"{{{line}}}"), "P")


def test_every_kind_of_leak_can_be_declared():
    line = {"kind": "kfold", "folds": 2, "seed": 0, "allow": [*DECLARABLE]}
    assert settings.read(Protocol, line, "P").allow == DECLARABLE


def test_the_certificate_keeps_a_list_only_where_one_is_named():
    assert "list" not in Protocol("partition").recorded()
    assert Protocol("listed_speakers", list="emodb").recorded()["list"] == "emodb"
