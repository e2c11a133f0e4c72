from dataclasses import replace
from functools import wraps
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.config.records import Folds
from pipeline.corpora import ravdess as parser
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.protocols.kinds import KINDS
from pipeline.protocols.protocol import Protocol
from pipeline.stages.split import split
from tests.copies.sound import noise
from tests.protocols.made_up import corpus, ravdess

GOLDEN = Path(__file__).parents[1] / "golden" / "folds" / "ravdess_timnet_seed46.csv"
TIMNET = Protocol("kfold", 10, 46, allow=("speaker", "sentence", "utterance", "pcm"))
LOSO = Protocol("leave_one_speaker_out", allow=("sentence",))


def run(folder, index, protocol):
    """Split ``index`` through files; return the folds and the certificate."""
    tables.write(index, folder / "index.csv")
    paths = folder / "P.csv", folder / "P.json"
    folds = Folds("made", protocol, corpus="made", protocol="P")
    split(folder / "index.csv", *paths, folds=folds)
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
        "near": 0,
        "speaker": 0,
        "sentence": 1440,
        "session": None,
        "utterance": 0,
        "parent": 0,
    }
    for fold in report["folds"]:
        counts = {"train": 1080, "validation": 120, "test": 240, "unlabeled": 0, "unused": 0}
        assert fold["clips"] == counts
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


@pytest.mark.parametrize(
    "protocol",
    [
        Protocol("kfold", 2, 0, allow=("speaker",)),
        Protocol("speakers", 2, validation=1),
        Protocol("partition"),
    ],
)
def test_a_corpus_of_ratings_alone_is_indexed_and_split(tmp_path, indexed, protocol):
    raw = tmp_path / "raw"
    rows = [(speaker, number) for speaker in ("f1", "f2", "f3", "m1") for number in range(3)]
    for seed, (speaker, number) in enumerate(rows):
        noise(raw / f"{speaker}-{number}.wav", seed)
    table = pd.DataFrame(
        {
            "path": [f"{speaker}-{number}.wav" for speaker, number in rows],
            "label": "",
            "speaker": [speaker for speaker, _ in rows],
            "partition": ["test" if speaker == "m1" else "train" for speaker, _ in rows],
            "arousal": [f"{1 + number}" for _, number in rows],
            "dominance": "",
            "valence": [f"{-number / 8}" for _, number in rows],
        }
    )
    tables.write(table, raw / "labels.csv")
    index, quality = indexed("table", raw)
    assert quality["emotion"] == {"": 12}
    folds, report = run(tmp_path, index, protocol)
    assert set(folds["clip"]) == set(index["clip"])
    tested = folds[folds["part"] == "test"]["clip"]
    assert sorted(tested) == sorted(index["clip"] if protocol.folds else index["clip"][9:])
    assert "unlabeled" not in set(folds["part"])
    assert report["labels"] == [""]


def test_an_undeclared_leak_stops_the_split_and_writes_nothing(tmp_path):
    message = (
        r"^made/P: fold 1: 144 test clips share speaker with training "
        r"\(03-01-05-01-01-01-01, 03-01-05-01-01-01-10, 03-01-05-01-01-01-11, \.\.\.\); "
        r"to declare it set protocols\.P\.allow: \[sentence, utterance, pcm, speaker\], "
        r"or choose another protocol$"
    )
    with pytest.raises(InputError, match=message):
        run(tmp_path, ravdess(), Protocol("kfold", 10, 46, 0, ("sentence", "utterance", "pcm")))
    assert [path.name for path in tmp_path.iterdir()] == ["index.csv"]


def test_all_undeclared_leaks_are_told_at_once(tmp_path):
    with pytest.raises(InputError, match=r"fold 4: 1 test clip shares pcm .*; fold 1: .* speaker"):
        run(tmp_path, ravdess(), Protocol("kfold", 10, 46))


def test_the_first_fold_and_clips_of_a_leak_are_named(tmp_path):
    index = corpus({"f1": 4, "f2": 4, "m1": 4})
    index.loc[[7, 8], "pcm_hash"] = "same"
    message = r"fold 2: 1 test clip shares pcm with training \(f2-03 with m1-00\); to declare it"
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
    message = r".*index\.csv: none of its 8 clips is usable"
    fails(tmp_path, index.assign(status="bad"), LOSO, message)
    twice = index.assign(clip=index["clip"].replace("m1-03", "f1-00"))
    fails(tmp_path, twice, LOSO, r".*index\.csv: has clip f1-00 more than once")


def test_one_class_alone_is_refused(tmp_path):
    index = corpus({"f1": 4, "f2": 4, "m1": 4}).assign(emotion="sad")
    fails(tmp_path, index, LOSO, "one class is left, 'sad', and no other to predict")
    run(tmp_path, index, replace(LOSO, labels="ratings"))


# ---- planted faults --------------------------------------------------------------------------


def spoken():
    """Three women and three men say four sentences in two emotions, each pair in a session."""
    index = corpus(dict.fromkeys(["f1", "f2", "f3", "m1", "m2", "m3"], 8))
    number = index["clip"].str[-1].astype(int)
    index["sentence"] = "t" + (number // 2).astype(str)
    index["session"] = index["speaker"].str[1]
    return index


APART = {
    "speakers": (Protocol("speakers", 3, allow=("sentence", "session")), "speaker"),
    "sentences": (Protocol("sentences", 2, allow=("speaker", "session")), "sentence"),
    "sessions": (Protocol("leave_one_session_out", allow=("sentence",)), "session"),
}


@pytest.mark.parametrize("name", APART)
def test_a_kind_that_parts_badly_is_caught(tmp_path, monkeypatch, name):
    protocol, leak = APART[name]
    sound = KINDS[protocol.kind]
    run(tmp_path, spoken(), protocol)  # no fault yet
    for path in tmp_path.iterdir():
        path.unlink()

    @wraps(sound.parts)
    def faulty(clips, **settings):
        parts = sound.parts(clips, **settings)
        parts[1, np.flatnonzero(parts[1] == "test")[0]] = "train"
        return parts

    monkeypatch.setitem(KINDS, protocol.kind, replace(sound, parts=faulty))
    fails(tmp_path, spoken(), protocol, rf"fold 2: \d+ test clips share .*\b{leak} with training")
    assert [path.name for path in tmp_path.iterdir()] == ["index.csv"]


@pytest.mark.parametrize(
    ("column", "leak"),
    [("pcm_hash", "pcm"), ("recording", "near"), ("parent", "parent"), ("session", "session")],
)
def test_what_two_clips_share_across_a_fold_is_caught(tmp_path, column, leak):
    index = spoken().assign(session="")
    protocol = Protocol("leave_one_speaker_out", allow=("sentence",))
    run(tmp_path, index, protocol)  # no fault yet
    # f1-03 is the origin of a clip of m3, or its like
    index.loc[[3, 44], column] = "f1-03"
    named = "f1-03 with m3-04" if leak in ("pcm", "near") else "f1-03"
    message = rf"fold 1: 1 test clip shares {leak} with training \({named}\); to declare it set "
    fails(tmp_path, index, protocol, rf"{message}protocols.P.allow: \[sentence, {leak}\], or")
    run(tmp_path, index, replace(protocol, allow=("sentence", leak)))


def test_the_unlabelled_twin_of_a_test_clip_is_caught(tmp_path):
    index = spoken()
    pool = index[index["speaker"] == "m3"].assign(speaker="", sentence="", session="", emotion="")
    index = pd.concat([index[index["speaker"] != "m3"], pool], ignore_index=True)
    protocol = Protocol("leave_one_speaker_out", allow=("sentence", "session"))
    _, report = run(tmp_path, index, protocol)
    assert report["folds"][0]["clips"]["unlabeled"] == 8
    assert report["leaks"]["unlabeled_pcm"]["clips"] == 0
    assert report["leaks"]["unlabeled_speaker"] is None  # nobody knows who speaks there
    index.loc[[3, 44], "recording"] = "f1-03"
    message = (
        r"fold 1: 1 test clip shares near with unlabelled clips \(f1-03 with m3-04\); to declare "
    )
    message += r"it set protocols.P.allow: \[sentence, session, unlabeled_near\], or"
    fails(tmp_path, index, protocol, message)
    index.loc[44, "pcm_hash"] = index.loc[3, "pcm_hash"]
    fails(tmp_path, index, protocol, message.replace("near", "pcm"))
    index.loc[44, "speaker"] = "f1"
    fails(
        tmp_path, index, protocol, "fold 1: 1 .* shares pcm .*; fold 1: 8 .* share speaker with un"
    )
    allow = (*protocol.allow, "unlabeled_pcm", "unlabeled_speaker")
    run(tmp_path, index, replace(protocol, allow=allow))


# ---- labels ----------------------------------------------------------------------------------


def test_the_certificate_counts_what_tests_share_with_clips_whose_label_is_hidden(tmp_path):
    allow = ("speaker", "sentence", "session")
    shown = Protocol("kfold", 4, 0, allow=allow)
    folds, report = run(tmp_path, spoken(), replace(shown, hidden=0.5))
    _, without = run(tmp_path, spoken(), shown)
    assert "unlabeled_speaker" not in without["leaks"]
    assert report["leaks"]["unlabeled_speaker"]["clips"] == len(spoken())
    assert report["leaks"]["unlabeled_speaker"]["allowed"]
    assert report["leaks"]["unlabeled_clip"]["clips"] == 0
    for fold in report["folds"]:
        counts = {"train": 18, "validation": 0, "test": 12, "unlabeled": 18, "unused": 0}
        assert fold["clips"] == counts
    assert report["protocol"]["hidden"] == 0.5
    assert report["merged"] == without["merged"]  # each has its label in the fold that tests it
    assert set(folds["label"][folds["part"] == "unlabeled"]) == {""}
    # no held-out speaker is trained on, no matter whose labels are hidden
    protocol = Protocol("leave_one_speaker_out", allow=("sentence", "session"), hidden=0.5)
    _, report = run(tmp_path, spoken(), protocol)
    assert report["leaks"]["unlabeled_speaker"]["clips"] == 0
    fails(tmp_path, spoken(), Protocol("kfold", 4, 0, hidden=0.5), "fold 1: 12 .* share speaker")


def test_the_certificate_says_what_was_merged_and_dropped(tmp_path):
    index = corpus(dict.fromkeys(["f1", "m1"], 12), ("excited", "happy", "sad", "fear"))
    index.loc[0, "emotion"] = ""
    allow = ("unlabeled_speaker",)
    protocol = Protocol("leave_one_speaker_out", allow=allow, labels="four-1", clips=17)
    folds, report = run(tmp_path, index, protocol)
    assert report["merged"] == {
        "": {"": 1},
        "happy": {"excited": 5, "happy": 6},
        "sad": {"sad": 6},
    }
    assert report["dropped"] == {"fear": 6}
    assert report["labels"] == ["happy", "sad"]
    assert report["protocol"]["labels"] == "four-1"
    assert set(folds["clip"]) == set(index["clip"][index["emotion"] != "fear"])


def test_a_fold_must_train_and_test_something(tmp_path):
    index = spoken()
    index = index[(index["speaker"] != "m3") | (index["sentence"] == "t0")]
    protocol = Protocol("speakers_and_sentences", 6, sentence_folds=4, allow=("session",))
    fails(tmp_path, index, protocol, r"fold \d+: no clip is in its test part; take another number")
    index = spoken().assign(partition="test")
    fails(tmp_path, index, Protocol("partition"), "fold 1: no clip is in its train part; take")


# ---- the corpus itself -----------------------------------------------------------------------


@pytest.mark.corpus
def test_the_authors_folds_of_ravdess_itself_share_everything(tmp_path):
    shared = Path(__file__).parents[3] / "shared" / "corpora"
    if not (shared / "ravdess").is_dir():
        pytest.skip("../shared/corpora/ravdess not found")
    pcm = tables.read(shared / "ravdess_manifest.csv")
    pcm = pcm.set_index(pcm["wav_path"].str.extract(r"([\d-]+)\.wav", expand=False))["pcm_sha1"]
    index = pd.DataFrame([vars(clip) for clip in parser.clips(shared / "ravdess")])
    index = index.assign(status="ok", pcm_hash=index["clip"].map(pcm))
    first = index.drop_duplicates("pcm_hash").set_index("pcm_hash")["clip"]
    index["recording"] = index["pcm_hash"].map(first)
    folds, report = run(tmp_path, index.drop(columns="path"), TIMNET)
    golden = tables.read(GOLDEN)
    assert index["clip"].tolist() == golden["clip"].tolist()
    tested = folds[folds["part"] == "test"].set_index("clip")["fold"]
    assert tested.loc[golden["clip"]].tolist() == golden["fold"].tolist()
    leaks = report["leaks"]
    assert (leaks["speaker"]["clips"], leaks["speaker"]["values"]) == (1440, 24)
    assert round(100 * leaks["utterance"]["clips"] / leaks["utterance"]["of"], 1) == 91.1
    assert {item["test"] for item in leaks["pcm"]["offenders"]} == {
        *("03-01-03-01-02-01-07", "03-01-03-01-02-02-07")
    }
    assert (leaks["clip"]["clips"], leaks["near"]["clips"], leaks["parent"]["clips"]) == (0, 0, 0)
