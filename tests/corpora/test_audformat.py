"""The parser of databases in audformat; most of it needs the library, which is installed apart."""

import sys

import pytest

from pipeline.corpora import audformat
from pipeline.errors import InputError
from tests.copies import audformat as copies


@pytest.fixture
def copy(tmp_path):
    """Give a database of 24 clips; needs the library."""
    pytest.importorskip("audformat")
    copies.write(tmp_path / "db")
    return tmp_path / "db"


def refused(folder, match, **settings):
    """Check that a database is refused with one line."""
    with pytest.raises(InputError, match=match) as error:
        audformat.clips(folder, **settings)
    assert len(str(error.value).splitlines()) == 1


def replace(path, old, new):
    """Change a text file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_without_the_library_its_name_is_given(tmp_path, monkeypatch):
    copies.write(tmp_path)
    monkeypatch.setitem(sys.modules, "audformat", None)
    refused(tmp_path, r'audformat is not installed; run .* -m pip install "audformat>=1\.4,<2"')


def test_every_field_of_a_clip(copy):
    clips = audformat.clips(copy)
    assert len(clips) == 24
    assert vars(clips[0]) == {
        "clip": "wav-s1_0_anger",
        "path": copy / "wav" / "s1_0_anger.wav",
        "corpus": "",
        "speaker": "s1",
        "sex": "f",
        "emotion": "anger",
        "sentence": "text 0",
        "session": "",
        "style": "",
        "partition": "train",
        "utterance": "",
        "parent": "",
        "arousal": 0.25,
        "dominance": None,
        "valence": None,
        "skip": "",
        "absent": "",
    }
    assert (clips[-1].speaker, clips[-1].sex, clips[-1].partition) == ("s2", "m", "validation")


def test_one_table_leaves_the_other_files_out(copy):
    clips = audformat.clips(copy, table="emotion.dev")
    assert {clip.speaker for clip in clips if not clip.skip} == {"s2"}
    assert [clip.skip for clip in clips].count("not labelled by the database") == 12


def test_a_file_with_an_empty_label_stays(copy):
    replace(copy / "db.emotion.train.csv", "s1_0_anger.wav,anger,0.25", "s1_0_anger.wav,,")
    first = audformat.clips(copy)[0]
    assert (first.emotion, first.arousal, first.skip) == ("", None, "")


def test_names_that_are_not_there_are_refused(copy):
    refused(copy, r"a scheme 'emotoin'; did you mean emotion\?", emotion="emotoin")
    refused(copy, r"no table 'emotion\.tain'; did you mean emotion\.train\?", table="emotion.tain")


def test_a_labelled_file_that_is_not_there_is_absent(copy):
    (copy / "wav" / "s1_0_anger.wav").unlink()
    (clip,) = [clip for clip in audformat.clips(copy) if clip.absent]
    assert (clip.clip, clip.absent) == ("wav/s1_0_anger.wav", "no such sound file")
    assert clip.emotion == "anger"


def test_tables_that_disagree_are_refused(copy):
    with (copy / "db.emotion.dev.csv").open("a") as file:
        file.write("wav/s1_0_anger.wav,sadness,0.25\n")
    refused(copy, r"; name one table in the settings")


def test_a_file_in_two_splits_is_refused(copy):
    with (copy / "db.emotion.dev.csv").open("a") as file:
        file.write("wav/s1_0_anger.wav,anger,0.25\n")
    refused(copy, r"wav/s1_0_anger\.wav is in validation and in train")


def test_labels_of_parts_of_files_are_refused(copy):
    replace(copy / "db.yaml", "dev:\n    type: filewise", "dev:\n    type: segmented")
    table = copy / "db.emotion.dev.csv"
    replace(table, "file,", "file,start,end,")
    replace(table, ".wav,", ".wav,0 days,0 days 00:00:01,")
    refused(copy, r"labels of emotion are of parts of files; cut them into files of their own")


def test_what_is_no_database_is_refused(copy):
    (copy / "db.yaml").write_text("- 1\n- 2\n")
    refused(copy, r"/db: not an audformat database \(")
    (copy / "db.yaml").unlink()
    refused(copy, r"/db: holds no db\.yaml; put the database there, not nested")
