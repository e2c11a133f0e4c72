from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from natsort import natsorted
from sklearn.model_selection import KFold

from pipeline import leakage, protocols
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.protocols import Protocol
from pipeline.split import split

GOLDEN = Path(__file__).parent / "golden" / "folds" / "ravdess_timnet_seed46.csv"
RAVDESS = ["neutral", "calm", "happy", "sad", "angry", "fear", "disgust", "surprise"]
TIMNET = Protocol("kfold", 10, 46, allow=("speaker", "sentence", "utterance", "pcm"))
LOSO = Protocol("leave_one_speaker_out", allow=("sentence",))


def ravdess():
    """The index of RAVDESS, from the rule that makes its file names."""
    rows = []
    for code, emotion in enumerate(RAVDESS, start=1):
        for intensity in ("01", "02") if emotion != "neutral" else ("01",):
            for sentence in ("01", "02"):
                for actor in range(1, 25):
                    take = f"03-01-{code:02d}-{intensity}-{sentence}"
                    for repetition in ("01", "02"):
                        rows.append(
                            {
                                "clip": f"{take}-{repetition}-{actor:02d}",
                                "speaker": f"{actor:02d}",
                                "sex": "male" if actor % 2 else "female",
                                "emotion": emotion,
                                "sentence": sentence,
                                "session": "",
                                "utterance": f"{take}-{actor:02d}",
                                "pcm_sha256": f"pcm of {take}-{repetition}-{actor:02d}",
                                "status": "ok",
                            }
                        )
    index = pd.DataFrame(rows)
    twins = index["clip"].isin(["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"])
    index.loc[twins, "pcm_sha256"] = "the same recording twice"
    rank = {clip: number for number, clip in enumerate(natsorted(index["clip"]))}
    return index.sort_values(
        ["emotion", "clip"], key=lambda c: c.map(rank) if c.name == "clip" else c, ignore_index=True
    )


def corpus(clips_of, emotions=("angry", "sad")):
    """An index with so many clips of each speaker, ``{"f1": 4}``; the letter is the sex."""
    rows = [
        {
            "clip": f"{speaker}-{number:02d}",
            "speaker": speaker,
            "sex": {"f": "female", "m": "male"}[speaker[0]],
            "emotion": emotions[number % len(emotions)],
            "sentence": "",
            "session": "",
            "utterance": "",
            "pcm_sha256": f"{speaker}-{number:02d}",
            "status": "ok",
        }
        for speaker, clips in clips_of.items()
        for number in range(clips)
    ]
    return pd.DataFrame(rows)


def speakers_tested(frame, index):
    """Speakers of the test part, ``{fold: set}``."""
    test = frame[frame["part"] == "test"].merge(index, on="clip")
    return test.groupby("fold")["speaker"].agg(set).to_dict()


def run(folder, index, protocol):
    """Split ``index`` through files; return the folds and the certificate."""
    tables.write(index, folder / "index.csv")
    paths = folder / "P.csv", folder / "P.json"
    split(folder / "index.csv", *paths, corpus="made", protocol=replace(protocol, name="P"))
    return tables.read(paths[0]), tables.read_json(paths[1])


def test_the_ravdess_folds_of_tim_net_are_the_authors(tmp_path):
    folds, report = run(tmp_path, ravdess(), TIMNET)
    golden = tables.read(GOLDEN)
    test = folds[folds["part"] == "test"].set_index("clip").loc[golden["clip"]]
    assert ravdess()["clip"].tolist() == golden["clip"].tolist()
    assert test["fold"].tolist() == golden["fold"].tolist()
    assert test["label"].tolist() == golden["emotion"].tolist()
    leaks = report["leaks"]
    assert round(100 * leaks["utterance"]["clips"] / leaks["utterance"]["of"], 1) == 91.1
    assert (leaks["speaker"]["clips"], leaks["speaker"]["values"]) == (1440, 24)
    assert leaks["session"] is None
    assert leaks["pcm"]["offenders"] == [
        {"fold": 4, "test": "03-01-03-01-02-01-07", "train": "03-01-03-01-02-02-07"},
        {"fold": 8, "test": "03-01-03-01-02-02-07", "train": "03-01-03-01-02-01-07"},
    ]


def test_ravdess_by_speaker_leaks_sentences_only(tmp_path):
    index = ravdess()
    protocol = Protocol("speakers", 6, validation=2, allow=("sentence",))
    folds, report = run(tmp_path, index, protocol)
    touched = {kind: leak and leak["clips"] for kind, leak in report["leaks"].items()}
    assert touched == {
        "clip": 0,
        "pcm": 0,
        "speaker": 0,
        "sentence": 1440,
        "session": None,
        "utterance": 0,
    }
    for fold in report["folds"]:
        assert fold["clips"] == {"train": 1080, "validation": 120, "test": 240}
    sexes = folds.merge(index, on="clip").groupby(["fold", "part", "sex"])["speaker"].nunique()
    assert (
        sexes.unstack().eq({"female": 1, "male": 1}).xs("validation", level="part").all(axis=None)
    )
    assert sexes.unstack().eq({"female": 2, "male": 2}).xs("test", level="part").all(axis=None)


@pytest.mark.parametrize(
    "protocol",
    [
        TIMNET,
        Protocol("kfold", 10, 46, 2, TIMNET.allow),
        Protocol("speakers", 5, allow=("sentence",)),
        Protocol("speakers", 5, 7, 3, ("sentence",)),
        LOSO,
        Protocol("leave_one_speaker_out", None, None, 2, ("sentence",)),
    ],
)
def test_every_clip_is_tested_once_and_has_one_part_per_fold(tmp_path, protocol):
    index = ravdess()
    folds, report = run(tmp_path, index, protocol)
    assert list(folds.columns) == ["clip", "label", "fold", "part"]
    tested = folds[folds["part"] == "test"]["clip"]
    assert sorted(tested) == sorted(index["clip"])
    for _, rows in folds.groupby("fold"):
        assert rows["clip"].tolist() == index["clip"].tolist()
        assert rows["label"].tolist() == index["emotion"].tolist()
    assert folds["fold"].astype(int).is_monotonic_increasing
    # split again: the same bytes
    again, report_again = run(tmp_path, index, protocol)
    pd.testing.assert_frame_equal(folds, again)
    assert report == report_again


@pytest.mark.parametrize(("clips", "folds", "seed"), [(30, 3, 0), (31, 4, 1), (97, 10, 46)])
def test_kfold_is_scikit_learns(clips, folds, seed):
    index = corpus({"f1": clips})
    fold = protocols.kfold(index, Protocol("kfold", folds, seed))
    oracle = KFold(folds, shuffle=True, random_state=seed).split(index)
    for number, (_, test) in enumerate(oracle, start=1):
        np.testing.assert_array_equal(np.flatnonzero(fold == number), test)


def test_speakers_are_dealt_evenly_in_sex_and_clips():
    index = corpus({"f1": 60, "f2": 40, "f3": 30, "f10": 20, "m1": 50, "m2": 10})
    frame = protocols.assign(index, Protocol("speakers", 2))
    # f1 -> 1, m1 -> 2 (fewer clips), f2 -> 2 (no woman yet), f3 -> 1 (fewer clips),
    # f10 -> 2 (fewer women), m2 -> 1 (no man yet): 100 and 110 clips
    assert speakers_tested(frame, index) == {1: {"f1", "f3", "m2"}, 2: {"m1", "f2", "f10"}}


def test_sex_is_balanced_before_clips():
    index = corpus({"f1": 60, "f2": 50, "m1": 8, "m2": 8})
    frame = protocols.assign(index, Protocol("speakers", 2))
    # both men to fold 2 would be 60 and 66 clips, but leave no man in fold 1
    assert speakers_tested(frame, index) == {1: {"f1", "m2"}, 2: {"f2", "m1"}}


def test_validation_is_balanced_in_sex_though_the_corpus_is_not():
    index = corpus(dict.fromkeys(["f1", "f2", "m1", "m2", "m3", "m4", "m5", "m6"], 4))
    frame = protocols.assign(index, Protocol("leave_one_speaker_out", validation=2))
    rows = frame[frame["part"] == "validation"].merge(index, on="clip")
    assert rows.groupby(["fold", "sex"])["speaker"].nunique().eq(1).all()
    assert rows.groupby("fold")["sex"].nunique().eq(2).all()


def test_ties_go_by_natural_name_or_by_the_seed():
    index = corpus({f"f{number}": 4 for number in (1, 2, 10, 11)})
    assert speakers_tested(protocols.assign(index, Protocol("speakers", 4)), index) == {
        1: {"f1"},
        2: {"f2"},
        3: {"f10"},
        4: {"f11"},
    }
    dealt = {
        tuple(map(tuple, speakers_tested(protocols.assign(index, protocol), index).values()))
        for protocol in (Protocol("speakers", 4, seed) for seed in range(10))
    }
    assert len(dealt) > 5


def test_a_seed_leaves_sizes_and_sexes_balanced():
    index = ravdess()
    frame = protocols.assign(index, Protocol("speakers", 6, 3))
    test = frame[frame["part"] == "test"].merge(index, on="clip")
    assert test.groupby("fold").size().eq(240).all()
    assert test.groupby(["fold", "sex"])["speaker"].nunique().eq(2).all()


def test_leave_one_speaker_out_goes_in_natural_order():
    index = corpus({"m10": 4, "f1": 4, "m2": 4})
    frame = protocols.assign(index, LOSO)
    assert speakers_tested(frame, index) == {1: {"f1"}, 2: {"m2"}, 3: {"m10"}}


def test_validation_speakers_rotate_and_never_train():
    index = ravdess()
    frame = protocols.assign(index, Protocol("leave_one_speaker_out", validation=2))
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
    plain = protocols.assign(index, TIMNET)
    frame = protocols.assign(index, Protocol("kfold", 10, 46, 2))
    assert (frame["part"] == "test").equals(plain["part"] == "test")
    rows = frame.merge(index, on="clip")
    held = rows[rows["part"] == "validation"].groupby("fold")["speaker"].agg(set)
    assert held.map(len).eq(2).all()
    train = rows[rows["part"] == "train"].groupby("fold")["speaker"].agg(set)
    assert all(not held[fold] & train[fold] for fold in held.index)


def test_quarantined_clips_take_no_part(tmp_path):
    index = corpus({"f1": 6, "m1": 6})
    index.loc[3, "status"] = "quarantined"
    folds, _ = run(tmp_path, index, LOSO)
    assert index["clip"][3] not in set(folds["clip"])
    assert folds["clip"].nunique() == 11


def test_a_speaker_may_lack_a_class_when_left_out_alone(tmp_path):
    index = corpus({"f1": 4, "f2": 4, "m1": 4})
    index.loc[index["speaker"] == "f2", "emotion"] = "sad"
    _, report = run(tmp_path, index, LOSO)
    assert [fold["absent"] for fold in report["folds"]] == [[], ["angry"], []]


def test_a_corpus_without_emotions_can_be_split(tmp_path):
    index = corpus({"f1": 4, "m1": 4}).assign(emotion="")
    folds, _ = run(tmp_path, index, LOSO)
    assert set(folds["label"]) == {""}


def test_an_undeclared_leak_stops_the_split_and_writes_nothing(tmp_path):
    message = (
        r"^made/P: fold 1: 144 test clips share speaker with training "
        r"\(03-01-05-01-01-01-01, 03-01-05-01-01-01-10, 03-01-05-01-01-01-11, \.\.\.\); "
        r"declare it under protocols\.P\.allow or choose another protocol$"
    )
    with pytest.raises(InputError, match=message):
        run(tmp_path, ravdess(), Protocol("kfold", 10, 46, 0, ("sentence", "utterance", "pcm")))
    assert [path.name for path in tmp_path.iterdir()] == ["index.csv"]


def test_all_undeclared_leaks_are_told_at_once(tmp_path):
    with pytest.raises(InputError, match=r"fold 4: 1 test clip shares pcm .*; fold 1: .* speaker"):
        run(tmp_path, ravdess(), Protocol("kfold", 10, 46))


def test_the_first_fold_and_clips_of_a_leak_are_named(tmp_path):
    index = corpus({"f1": 4, "f2": 4, "m1": 4})
    index.loc[[7, 8], "pcm_sha256"] = "same"
    message = r"fold 2: 1 test clip shares pcm with training \(f2-03\); declare"
    with pytest.raises(InputError, match=message):
        run(tmp_path, index, LOSO)


def fails(tmp_path, index, protocol, match):
    with pytest.raises(InputError, match=f"^made/P: {match}"):
        run(tmp_path, index, protocol)


def test_speakers_must_be_known(tmp_path):
    index = corpus({"f1": 4, "m1": 4})
    index.loc[[0, 5, 6], "speaker"] = ""
    for protocol in (LOSO, Protocol("speakers", 2), Protocol("kfold", 2, 0, 1)):
        fails(tmp_path, index, protocol, "3 of 8 clips have no speaker label; label them")


def test_no_more_folds_than_speakers_or_clips(tmp_path):
    index = corpus({"f1": 4, "m1": 4})
    fails(tmp_path, index, Protocol("speakers", 3), "folds: 3 of 2 speakers; take fewer")
    fails(tmp_path, index, Protocol("kfold", 9, 0), "folds: 9 of 8 clips; take fewer")
    fails(tmp_path, corpus({"f1": 4}), LOSO, "leave_one_speaker_out needs 2 speakers or more")


def test_validation_must_leave_someone_to_train_on(tmp_path):
    protocol = Protocol("leave_one_speaker_out", validation=1)
    message = "validation: 1 speakers of the 1 that fold 1 trains on leave none to train on"
    fails(tmp_path, corpus({"f1": 4, "m1": 4}), protocol, message)


def test_a_fold_must_train_on_every_class(tmp_path):
    index = corpus({"f1": 4, "f2": 4, "m1": 4})
    index.loc[index["speaker"] != "f2", "emotion"] = "sad"
    fails(tmp_path, index, LOSO, "fold 2: no train clip is angry; take another number of folds")


def test_a_drawn_fold_must_test_every_class(tmp_path):
    index = corpus({"f1": 4, "f2": 4, "m1": 4})
    index.loc[index["speaker"] == "m1", "emotion"] = "sad"
    fails(tmp_path, index, Protocol("speakers", 3), "fold 3: no test clip is angry; take another")


def test_the_index_must_make_sense(tmp_path):
    index = corpus({"f1": 4, "m1": 4})
    fails(tmp_path, index.assign(status="bad"), LOSO, "none of the 8 clips of the index is usable")
    twice = index.assign(clip=index["clip"].replace("m1-03", "f1-00"))
    fails(tmp_path, twice, LOSO, "clip f1-00 is in the index more than once")
    index.loc[[2, 4], "emotion"] = ""
    fails(tmp_path, index, LOSO, "2 of 8 clips have no emotion, the first is f1-02")


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        (Protocol("kfolds", 10, 46), r"^kind: no 'kfolds'; did you mean kfold\?$"),
        (Protocol("speakers"), "^folds: speakers needs 2 or more, got None$"),
        (Protocol("kfold", 1, 46), "^folds: kfold needs 2 or more, got 1$"),
        (Protocol("leave_one_speaker_out", 10), "^folds: .* makes one per speaker; remove it$"),
        (Protocol("leave_one_speaker_out", seed=1), "^seed: .* draws nothing; remove it$"),
        (Protocol("kfold", 10), "^seed: kfold draws clips at random and needs one$"),
        (Protocol("kfold", 10, -1), r"^seed: must be from 0 to 2\*\*32 - 1, got -1$"),
        (Protocol("speakers", 5, validation=-1), "^validation: must be 0 speakers or more, got -1"),
        (
            Protocol("speakers", 5, allow=("speakr",)),
            r"^allow: no leak 'speakr'; did you mean speaker\?$",
        ),
    ],
)
def test_a_protocol_that_makes_no_sense_is_refused(protocol, message):
    with pytest.raises(InputError, match=message):
        protocols.check(protocol)


def test_every_kind_of_leak_can_be_declared():
    protocols.check(Protocol("kfold", 2, 0, 0, tuple(leakage.KINDS)))
