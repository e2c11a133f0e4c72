import hashlib
import json

import numpy as np
import pandas as pd
import pytest

from pipeline.files import tables
from pipeline.protocols import leakage, vocabulary
from pipeline.protocols.vocabulary import LEAKS

COLUMNS = [leak.column for leak in LEAKS.values()]


def table(**columns):
    """An index of clips ``a, b, ...`` whose unnamed columns are empty."""
    clips = len(next(iter(columns.values())))
    empty = dict.fromkeys(COLUMNS, [""] * clips)
    return pd.DataFrame(empty | {"clip": list("abcdefgh"[:clips])} | columns)


def folds(*parts, labels=None):
    """Folds of clips ``a, b, ...`` from one string per fold: ``"tTvnu"`` (n is unlabeled)."""
    names = {"t": "train", "T": "test", "v": "validation", "n": "unlabeled", "u": "unused"}
    return pd.DataFrame(
        [
            ("abcdefgh"[i], (labels or "x" * len(part))[i], fold, names[part[i]])
            for fold, part in enumerate(parts, start=1)
            for i in range(len(part))
        ],
        columns=["clip", "label", "fold", "part"],
    )


def test_shared_values_are_counted_by_hand():
    index = table(speaker=["s", "s", "u", "u"], sentence=["1", "2", "1", "3"])
    report = leakage.certificate(index, folds("TTtt", "TtTt"), ("sentence",))
    assert [fold["leaks"]["speaker"] for fold in report["folds"]] == [0, 2]
    assert [fold["leaks"]["sentence"] for fold in report["folds"]] == [1, 0]
    assert report["leaks"]["speaker"] == {
        "clips": 2,
        "of": 4,
        "values": 2,
        "unlabelled": 0,
        "unlabelled_training": 0,
        "allowed": False,
        "offenders": [
            {"fold": 2, "test": "a", "train": "b"},
            {"fold": 2, "test": "c", "train": "d"},
        ],
    }
    assert report["leaks"]["sentence"]["clips"] == 1
    assert report["leaks"]["sentence"]["offenders"] == []


def test_validation_counts_as_training():
    index = table(speaker=["s", "s", "u"])
    report = leakage.certificate(index, folds("Tvt"), ())
    assert report["leaks"]["speaker"]["clips"] == 1
    counts = {"train": 1, "validation": 1, "test": 1, "unlabeled": 0, "unused": 0}
    assert report["folds"][0]["clips"] == counts


def test_a_clip_on_both_sides_is_a_leak():
    both = folds("Tt")
    both.loc[1, "clip"] = "a"
    report = leakage.certificate(table(speaker=["s", "u"]), both, ())
    assert report["leaks"]["clip"]["offenders"] == [{"fold": 1, "test": "a", "train": "a"}]


def test_the_same_samples_are_listed_though_declared():
    index = table(pcm_hash=["1", "2", "1"])
    report = leakage.certificate(index, folds("Ttt"), ("pcm",))
    assert report["leaks"]["pcm"]["offenders"] == [{"fold": 1, "test": "a", "train": "c"}]
    assert leakage.undeclared(report) == ""


def test_a_near_duplicate_is_another_sound_of_one_recording():
    index = table(pcm_hash=list("1123"), recording=list("aaac"))
    report = leakage.certificate(index, folds("Ttut", "Tutt"), ("pcm",))
    assert report["leaks"]["near"]["clips"] == 1  # b in fold 1 has the samples of a: pcm
    assert report["leaks"]["near"]["offenders"] == [{"fold": 2, "test": "a", "train": "c"}]
    assert report["leaks"]["pcm"]["offenders"] == [{"fold": 1, "test": "a", "train": "b"}]
    # a copy of the samples does not hide a near one
    both = leakage.certificate(index, folds("Tttt"), ("pcm",))
    assert both["leaks"]["near"]["offenders"] == [{"fold": 1, "test": "a", "train": "c"}]


@pytest.mark.parametrize(
    ("parts", "offender"),
    [("Ttuu", ("a", "b")), ("tTuu", ("b", "a")), ("uTtu", ("b", "c"))],
)
def test_a_made_clip_meets_its_origin_and_what_else_was_made_of_it(parts, offender):
    index = table(parent=["", "a", "a", ""])
    report = leakage.certificate(index, folds(parts), ())
    test, train = offender
    assert report["leaks"]["parent"]["offenders"] == [{"fold": 1, "test": test, "train": train}]


def test_unlabeled_clips_are_a_kind_of_training_of_their_own():
    index = table(speaker=["s", "s", "u", "s", ""])
    report = leakage.certificate(index, folds("Tntun", "Tuttn"), ())
    assert report["folds"][0]["clips"] == {
        **{"train": 1, "validation": 0, "test": 1, "unlabeled": 2, "unused": 1}
    }
    leaks = report["leaks"]
    assert [fold["leaks"]["speaker"] for fold in report["folds"]] == [0, 1]
    assert leaks["unlabeled_speaker"]["offenders"] == [{"fold": 1, "test": "a", "train": "b"}]
    assert leaks["unlabeled_speaker"]["unlabelled_training"] == 1
    assert leakage.undeclared(report) == (
        "fold 2: 1 test clip shares speaker with training (a); "
        "fold 1: 1 test clip shares speaker with unlabelled clips (a)"
    )
    for allow in (("speaker",), ("unlabeled_speaker",)):
        message = leakage.undeclared(leakage.certificate(index, folds("Tntun", "Tuttn"), allow))
        assert ("with training" in message, "with unlabelled" in message) == (
            "speaker" not in allow,
            False,
        )
    without = leakage.certificate(index, folds("Tttvt"), ())
    assert set(without["leaks"]) == set(LEAKS)


def test_an_index_of_before_has_fewer_columns():
    index = table(speaker=["s", "s"]).drop(columns=["recording", "parent"])
    report = leakage.certificate(index, folds("Tt"), ())
    assert (report["leaks"]["near"], report["leaks"]["parent"]) == (None, None)
    assert report["leaks"]["speaker"]["clips"] == 1


def test_a_side_without_any_label_cannot_be_checked():
    index = table(speaker=["s", "", ""])
    assert leakage.certificate(index, folds("Ttt"), ())["leaks"]["speaker"] is None


def test_what_is_not_labelled_cannot_be_checked():
    index = table(speaker=["s", "", "", "s"])
    report = leakage.certificate(index, folds("TTtt"), ())
    assert report["leaks"]["session"] is None
    assert report["folds"][0]["leaks"]["session"] is None
    # two empty labels share nothing
    leak = report["leaks"]["speaker"]
    assert (leak["clips"], leak["unlabelled"], leak["unlabelled_training"]) == (1, 1, 1)


def test_labels_absent_from_a_test_part_are_named():
    report = leakage.certificate(
        table(speaker=list("stuv")), folds("TTtt", "TtTt", labels="xyyx"), ()
    )
    assert report["labels"] == ["x", "y"]
    assert [fold["absent"] for fold in report["folds"]] == [[], []]
    report = leakage.certificate(table(speaker=list("stuv")), folds("TttT", labels="xyyx"), ())
    assert report["folds"][0]["absent"] == ["y"]


def test_twenty_offenders_are_listed():
    clips = [f"c{number:02d}" for number in range(50)]
    index = pd.DataFrame(dict.fromkeys(COLUMNS, [""] * 50) | {"clip": clips, "speaker": ["s"] * 50})
    frame = pd.DataFrame(
        {"clip": clips, "label": "x", "fold": 1, "part": ["train"] + ["test"] * 49}
    )
    report = leakage.certificate(index, frame, ())
    assert report["leaks"]["speaker"]["clips"] == 49
    assert [o["test"] for o in report["leaks"]["speaker"]["offenders"]] == clips[1:21]


def test_undeclared_leaks_are_told_in_one_line():
    index = table(speaker=["s"] * 5, sentence=["1", "2", "3", "3", "4"])
    report = leakage.certificate(index, folds("tTTTT", "TTTtt"), ())
    assert leakage.undeclared(report) == (
        "fold 1: 4 test clips share speaker with training (b, c, d, ...); "
        "fold 2: 1 test clip shares sentence with training (c)"
    )
    report = leakage.certificate(index, folds("tTTTT", "TTTtt"), ("speaker", "sentence"))
    assert leakage.undeclared(report) == ""


def test_the_hash_covers_counts_and_folds():
    index = table(speaker=list("stuv"))
    report = leakage.certificate(index, folds("TTtt"), ())
    digest = report.pop("sha256")
    canonical = json.dumps(report, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert digest == hashlib.sha256(canonical.encode()).hexdigest()
    # other clips in the test part, the same counts
    moved = leakage.certificate(index, folds("tTTt"), ())
    assert moved.pop("sha256") != digest
    assert moved.pop("folds_sha256") != report.pop("folds_sha256")
    assert moved == report


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_those_of_the_definition(seed):
    generator = np.random.default_rng(seed)
    index = table(
        speaker=generator.choice(["", "s", "u", "v"], 8), session=generator.choice(["", "1"], 8)
    )
    parts = ["".join(generator.choice(list("tTv"), 8)) for _ in range(3)]
    frame = folds(*parts)
    report = leakage.certificate(index, frame, ())
    rows = frame.merge(index, on="clip")
    for kind in ("speaker", "session"):
        for number, found in enumerate(report["folds"], start=1):
            fold = rows[rows["fold"] == number]
            others = set(fold.loc[fold["part"] != "test", kind]) - {""}
            expected = (fold["part"].eq("test") & fold[kind].isin(others)).sum()
            assert found["leaks"][kind] == expected


# ---- provenance ------------------------------------------------------------------------------


def scaler(rows, x):
    """Mean and deviation of some rows, and which rows they rest on."""
    return x[rows].mean(), x[rows].std(), list(rows)


def test_a_scaler_fitted_on_all_clips_is_caught():
    clips, x = list("abcdef"), np.arange(6.0)
    train, test = [0, 1, 2, 3], [4, 5]
    for rows, said in ((train, ""), (train + test, "normalisation rests on 2 test clips (e, f)")):
        *_, used = scaler(rows, x)
        uses = {"normalisation": [clips[row] for row in used], "selection": ["d"]}
        report = leakage.provenance(uses, [clips[row] for row in test])
        assert leakage.trespasses(report) == said


def test_provenance_counts_hashes_and_names():
    test = [f"t{number:02d}" for number in range(30)]
    uses = {"pseudo_labels": ["x", "b", "x"], "selection": [*test, "b"], "augmented": []}
    report = leakage.provenance(uses, test)
    assert report["pseudo_labels"] == {
        **{"clips": 2, "sha256": hashlib.sha256(b'["b","x"]').hexdigest(), "test": 0, "met": []}
    }
    assert (report["selection"]["clips"], report["selection"]["test"]) == (31, 30)
    assert report["selection"]["met"] == test[:20]
    assert report["augmented"]["clips"] == 0
    assert leakage.trespasses(report) == "selection rests on 30 test clips (t00, t01, t02, ...)"
    assert leakage.trespasses(report, ("selection",)) == ""
    json.dumps(report)


# ---- what no folds show ----------------------------------------------------------------------


def test_what_a_run_states_is_laid_out_as_other_leaks():
    uses = {"normalisation": {"clips": 40, "test": 8}, "unlabeled": {"clips": 9, "test": 0}}
    found = leakage.stated(["normalisation"], 8, "demo", uses)
    assert [found[kind]["clips"] for kind in vocabulary.STATED] == [8, 8, 0]
    assert [found[kind]["allowed"] for kind in vocabulary.STATED] == [False, True, False]
    assert {leak["of"] for leak in found.values()} == {8}
    assert leakage.stated([], 8, "", uses)["pretraining"]["clips"] == 0
    assert leakage.stated([], 8, "unknown", None) == {"pretraining": None}
    found = leakage.stated(["transductive"], 8, "", None, vocabulary.BROUGHT)
    touched = {kind: (leak["clips"], leak["allowed"]) for kind, leak in found.items()}
    assert touched == {
        "pretraining": (0, False),
        "normalisation": (8, False),
        "transductive": (8, True),
    }


def test_what_is_declared_may_rest_on_test_clips():
    report = leakage.provenance({"normalisation": ["a"], "unlabeled": ["a"]}, ["a"])
    declared = leakage.declared(["transductive", "speaker"], "last")
    assert declared == ("unlabeled",)
    assert leakage.trespasses(report, declared) == "normalisation rests on 1 test clip (a)"
    assert leakage.trespasses(report, leakage.declared(vocabulary.STATED, "last")) == ""


def test_the_certificate_of_folds_does_not_count_what_they_do_not_show():
    report = leakage.certificate(table(speaker="uuvv"), folds("TTtt"), ("pretraining",))
    assert report["allow"] == ["pretraining"]
    assert not report["leaks"].keys() & vocabulary.STATED.keys()


def test_hashes_are_of_the_folds_as_written_and_of_names_as_they_are(tmp_path):
    frame = folds("Tt")
    report = leakage.certificate(table(speaker=["s", "u"]), frame, ())
    tables.write(frame, tmp_path / "folds.csv")
    assert report["folds_sha256"] == tables.file_sha256(tmp_path / "folds.csv")
    named = leakage.provenance({"selection": ["ä"]}, [])["selection"]
    assert named["sha256"] == hashlib.sha256('["ä"]'.encode()).hexdigest()


def test_what_no_folds_show_is_stated_by_hand():
    rests_on = {"normalisation": {"clips": 9, "test": 1}, "selection": {"clips": 0, "test": 0}}
    found = leakage.stated(("selection",), 7, "demo", rests_on, ["speaker"])
    common = {"of": 7, "unlabelled": 0, "unlabelled_training": 0}
    assert found["pretraining"] == common | {"clips": 7, "values": 1, "allowed": False}
    assert found["speaker"] == common | {"clips": 7, "values": 1, "allowed": False}
    by_purpose = {p: found[kind] for p, kind in vocabulary.PURPOSES.items()}
    assert by_purpose.pop("normalisation") == common | {"clips": 1, "values": 1, "allowed": False}
    for leak in by_purpose.values():
        assert (leak["clips"], leak["values"]) == (0, 0)
    assert leakage.stated((), 7, "unknown", None) == {"pretraining": None}
    assert leakage.stated((), 7, "", None)["pretraining"]["clips"] == 0
