"""The parser of MSP-Podcast, on made-up rows."""

import pandas as pd
import pytest

from pipeline.corpora import msp_podcast
from pipeline.errors import InputError
from pipeline.files import tables
from tests.copies import msp_podcast as copies

NAME = "MSP-PODCAST_0001_0008"
ROW = {
    "FileName": f"{NAME}.wav",
    "EmoClass": "U",
    "EmoAct": "2.5",
    "EmoVal": "3.25",
    "EmoDom": "4.5",
    "SpkrID": "127",
    "Gender": "Female",
    "Split_Set": "Development",
}


def copy(folder, *rows, file="Labels/labels_consensus.csv", sound=()):
    """Make a copy: a sound file for each row and for each other name."""
    tables.write(pd.DataFrame([ROW | row for row in rows]), folder / file)
    (folder / "Audios").mkdir(exist_ok=True)
    for name in [*((ROW | row)["FileName"] for row in rows), *sound]:
        (folder / "Audios" / name).write_bytes(b"sound")
    return folder


def refused(folder, match):
    """Check that a copy is refused with one line."""
    with pytest.raises(InputError, match=match) as error:
        msp_podcast.clips(folder)
    assert len(str(error.value).splitlines()) == 1


def test_every_field_of_a_clip(tmp_path):
    (clip,) = msp_podcast.clips(copy(tmp_path, {}))
    assert vars(clip) == {
        "clip": NAME,
        "path": tmp_path / "Audios" / f"{NAME}.wav",
        "corpus": "",
        "speaker": "127",
        "sex": "f",
        "emotion": "surprise",
        "sentence": "",
        "session": "",
        "style": "",
        "partition": "validation",
        "utterance": "",
        "parent": "",
        "arousal": 2.5,
        "dominance": 4.5,
        "valence": 3.25,
        "skip": "",
        "absent": "",
    }


@pytest.mark.parametrize(
    ("said", "partition"),
    [
        *(("Train", "train"), ("Validation", "validation"), ("Development", "validation")),
        *(("Test", "test"), ("Test1", "test"), ("Test2", "test2")),
    ],
)
def test_partitions_of_all_releases(tmp_path, said, partition):
    (clip,) = msp_podcast.clips(copy(tmp_path, {"Split_Set": said}))
    assert clip.partition == partition


def test_columns_are_found_by_name_and_the_early_spelling_is_read(tmp_path):
    copy(tmp_path, {}, file="Labels/labels_concensus.csv")
    labels = tables.read(tmp_path / "Labels" / "labels_concensus.csv")
    tables.write(labels[labels.columns[::-1]], tmp_path / "Labels" / "labels_concensus.csv")
    (clip,) = msp_podcast.clips(tmp_path)
    assert (clip.arousal, clip.valence, clip.dominance) == (2.5, 3.25, 4.5)


def test_without_agreement_the_ratings_stay_and_unknown_speakers_have_no_name(tmp_path):
    row = {"EmoClass": "X", "SpkrID": "Unknown", "Gender": "Unknown"}
    (clip,) = msp_podcast.clips(copy(tmp_path, row))
    assert (clip.emotion, clip.speaker, clip.sex, clip.skip) == ("", "", "", "")
    assert clip.arousal == 2.5


def test_test_set_3_is_skipped_with_a_row_or_without(tmp_path):
    row = {"FileName": "MSP-PODCAST_0002_0001.wav", "EmoClass": "", "EmoAct": ""}
    copy(tmp_path, {}, row | {"Split_Set": "Test3"}, sound=["MSP-PODCAST_0002_0002.wav"])
    (tmp_path / "Partition.txt").write_text("Test3; MSP-PODCAST_0002_0002.wav\n")
    skips = [(clip.partition, clip.skip) for clip in msp_podcast.clips(tmp_path)]
    assert skips == [("validation", ""), *[("test3", "test set 3: its labels are secret")] * 2]


def test_what_earlier_releases_left_is_skipped(tmp_path):
    copy(tmp_path, {})
    copy_of_earlier = tmp_path / "Previous_releases_information" / "files_removed"
    copy_of_earlier.mkdir(parents=True)
    copy(copy_of_earlier, {"EmoClass": "A"}, sound=["MSP-PODCAST_0009_0001.wav"])
    clips = msp_podcast.clips(tmp_path)
    assert [clip.skip for clip in clips].count("of an earlier release") == 2
    assert [clip.emotion for clip in clips if not clip.skip] == ["surprise"]


def test_a_clip_without_a_row_is_refused(tmp_path):
    copy(tmp_path, {}, sound=["MSP-PODCAST_0009_0001.wav"])
    refused(
        tmp_path, r"1 files do not belong: MSP-PODCAST_0009_0001\.wav \(not in the label file\)"
    )


def test_a_row_without_a_clip_is_absent_even_if_an_earlier_release_had_it(tmp_path):
    copy(tmp_path, {}, {"FileName": "MSP-PODCAST_0009_0001.wav"})
    earlier = tmp_path / "Previous_releases_information"
    earlier.mkdir()
    (tmp_path / "Audios" / f"{NAME}.wav").rename(earlier / f"{NAME}.wav")
    absent = [clip.clip for clip in msp_podcast.clips(tmp_path) if clip.absent]
    assert absent == [NAME]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"EmoClass": "Z"}, "has EmoClass 'Z', not one of A C D F H N O S U X"),
        ({"EmoVal": "8"}, "has EmoVal '8', not a number from 1 to 7"),
        ({"EmoDom": "loud"}, "has EmoDom 'loud', not a number from 1 to 7"),
        ({"Split_Set": "Dev"}, "has Split_Set 'Dev', not one of Train, Development, Validation"),
    ],
)
def test_a_row_that_does_not_parse_is_refused(tmp_path, row, reason):
    copy(tmp_path, row)
    refused(tmp_path, rf"consensus\.csv: 1 rows do not parse, the first: {NAME} {reason}")


def test_two_rows_of_one_clip_are_refused(tmp_path):
    refused(copy(tmp_path, {}, {"EmoClass": "A"}), rf"the first: {NAME} has two rows; copy it aga")


def test_label_files_are_one(tmp_path):
    copy(tmp_path, {}, file="labels_consensus.csv")
    copy(tmp_path, {}, file="Labels/labels_consensus.csv")
    refused(tmp_path, r"wanted one labels_consensus\.csv, found Labels/labels_con.*, labels_con")
    for path in tmp_path.rglob("*.csv"):
        path.unlink()
    refused(tmp_path, r"wanted one labels_consensus\.csv, found none; copy Labels, of one release")


def test_a_column_that_is_missing_is_named(tmp_path):
    copy(tmp_path, {})
    labels = tables.read(tmp_path / "Labels" / "labels_consensus.csv")
    tables.write(labels.drop(columns="SpkrID"), tmp_path / "Labels" / "labels_consensus.csv")
    refused(tmp_path, r"labels_consensus\.csv: has no column SpkrID; copy it again")


def test_releases():
    assert msp_podcast.expected() is None
    assert msp_podcast.expected(release="1.6").clips == 50362
    with pytest.raises(InputError, match=r"release: no '1\.1'; did you mean 1\.\d+\?; '' takes"):
        msp_podcast.expected(release="1.1")


def test_a_copy_of_60(tmp_path):
    copies.write(tmp_path)
    clips = msp_podcast.clips(tmp_path)
    kept = [clip for clip in clips if not clip.skip]
    assert (len(clips), len(kept)) == (63, 60)
    assert {clip.partition for clip in kept} == {"train", "validation", "test", "test2"}
    assert len({clip.emotion for clip in kept}) == 10
