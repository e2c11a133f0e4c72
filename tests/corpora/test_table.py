"""The parser of corpora with a table of one's own."""

import pytest

from pipeline.corpora import table
from pipeline.errors import InputError


def corpus(folder, text, *names, file="labels.csv"):
    """Make a table, and files that are not listened to."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"sound")
    (folder / file).write_text(text)
    return folder


def refused(folder, match):
    """Check that a corpus is refused with one line."""
    with pytest.raises(InputError, match=match) as error:
        table.clips(folder)
    assert len(str(error.value).splitlines()) == 1


def test_every_field_of_a_clip(tmp_path):
    head = "path,label,clip,speaker,sex,sentence,session,style,partition,utterance,parent,"
    rows = (
        "arousal,dominance,valence\n"
        "a/b.wav,,first,,,,,,,,,,,\n"
        "a/c.wav,happy,second,ada,f,s1,1,read,test2,ada-s1,first,1,-2.5,3e-1\n"
    )
    plain, full = table.clips(corpus(tmp_path, head + rows, "a/b.wav", "a/c.wav"))
    assert vars(full) == {
        "clip": "second",
        "path": tmp_path / "a" / "c.wav",
        "corpus": "",
        "speaker": "ada",
        "sex": "f",
        "emotion": "happy",
        "sentence": "s1",
        "session": "1",
        "style": "read",
        "partition": "test2",
        "utterance": "ada-s1",
        "parent": "first",
        "arousal": 1.0,
        "dominance": -2.5,
        "valence": 0.3,
        "skip": "",
        "absent": "",
    }
    empty = {key: value for key, value in vars(plain).items() if value not in ("", None, False)}
    assert empty == {"clip": "first", "path": tmp_path / "a" / "b.wav"}


def test_two_columns_are_enough_and_the_order_is_that_of_the_rows(tmp_path):
    text = "path,label\nb/1.wav, happy \n./a/1.flac,sad\n"
    first, second = table.clips(corpus(tmp_path, text, "a/1.flac", "b/1.wav"))
    assert (first.clip, first.emotion) == ("b-1", "happy")
    assert (second.clip, second.emotion) == ("a-1", "sad")


def test_files_that_the_table_does_not_name_are_skipped(tmp_path):
    corpus(tmp_path, "path,label\nb.wav,happy\n", "a.wav", "b.wav", file="train.csv")
    first, second = table.clips(tmp_path, file="train.csv")
    assert (first.clip, first.skip) == ("b", "")
    assert (second.clip, second.skip) == ("a", "not in train.csv")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("path,label,speakr\n", r"no column is called 'speakr'; did you mean speaker\?"),
        ("path;label\n", "its columns are divided by ';'; save it with commas"),
        ("path,speaker\na.wav,x\n", "has no column label; wanted path,label and what is known"),
        ("path,label\n,x\n", r"1 rows .*: line 2 without a path \(no such sound file"),
        ("path,label\na.wav,x\na.wav,x\n", r"1 rows cannot be used: a\.wav \(has two rows\)"),
        ("path,label,clip\na.wav,x,k\nb.wav,x,k\n", r"1 rows .*: b\.wav \(a second clip k\)"),
        ("path,label,sex\na.wav,x,F\n", r"a\.wav \(sex 'F'; wanted f, m or nothing\)"),
        ("path,label,partition\na.wav,x,dev\n", r"\(partition 'dev'; wanted train, validation, t"),
        ("path,label,arousal\na.wav,x,high\n", r"\(arousal 'high'; wanted a number or nothing\)"),
        ("path,label,arousal\na.wav,x,1_0\n", r"\(arousal '1_0'; wanted a number or nothing\)"),
        ("path,label,valence\na.wav,x,nan\n", r"\(valence 'nan'; wanted a number or nothing\)"),
        ("path,label,parent\na.wav,x,q\n", r"a \(no other clip is its parent q\)"),
        ("path,label,parent\na.wav,x,a\n", r"a \(no other clip is its parent a\)"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, text, reason):
    refused(corpus(tmp_path, text, "a.wav", "b.wav"), rf"labels\.csv: .*{reason}")


def test_all_bad_rows_are_counted_and_three_shown(tmp_path):
    text = "path,label,sex\n" + "".join(f"{n}.wav,x,F\n" for n in range(5))
    refused(corpus(tmp_path, text, "a.wav"), r"5 rows .* 0\.wav .* 1\.wav .* 2\.wav .*; \.\.\.$")


@pytest.mark.parametrize(
    "path",
    [
        "ada\\01 e\u0301.wav",
        "ADA/01 \u00c9.WAV",
        " ada / 01 \u00e9.wav ",
        "own/ada/01 \u00e9.wav",
        "/data/own/ada/01 \u00e9.wav",
        "C:\\data\\ada\\01 \u00e9.wav",
        "\u202aada/\u200b01 \u00e9.wav",
    ],
)
def test_a_path_may_be_written_in_other_ways(tmp_path, path):
    folder = corpus(tmp_path, "", "own/ada/01 \u00e9.wav", "own/bob/01 \u00e9.wav") / "own"
    (folder / "labels.csv").write_text(f"path,label\n{path},sad\n")
    first, second = table.clips(folder)
    assert (first.clip, first.emotion) == ("ada-01 \u00e9", "sad")
    assert second.skip == "not in labels.csv"


@pytest.mark.parametrize(
    ("path", "near"),
    [
        (path, "ada/01.wav")
        for path in ("../ada/01.wav", "ada/1.wav", "eve/ada/01.wav", "ada/01.mp3")
    ],
)
def test_a_path_that_names_no_file_is_answered_with_the_nearest(tmp_path, path, near):
    corpus(tmp_path, f"path,label\n{path},sad\n", "ada/01.wav", "bob/10.wav")
    first, *others = table.clips(tmp_path)
    assert (first.clip, first.absent) == (path, f"no such sound file, did you mean {near}?")
    assert all(clip.skip for clip in others)


def test_a_path_that_may_mean_two_files_is_not_guessed(tmp_path):
    corpus(tmp_path, "path,label\nA/B.wav,sad\n", "a/b.wav", "A/b.wav")
    first = table.clips(tmp_path)[0]
    assert first.absent == "no such sound file, did you mean A/b.wav?"


def test_paths_whose_joined_names_are_equal_are_two_clips(tmp_path):
    text = "path,label\ns1-01.wav,sad\ns1/01.wav,happy\ns2/01.wav,sad\n"
    clips = table.clips(corpus(tmp_path, text, "s1-01.wav", "s1/01.wav", "s2/01.wav"))
    assert [clip.clip for clip in clips] == ["s1-01", "s1/01", "s2-01"]


def test_a_table_that_is_not_there_is_named(tmp_path):
    corpus(tmp_path, "", "a.wav", file="notes.txt")
    refused(tmp_path, r"labels\.csv: no such file")
