"""What parsers have in common: files found and named, labels as people see them, refusals."""

import re

import pytest

from pipeline.corpora import clip
from pipeline.corpora.clip import Clip
from pipeline.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Give ``folder(path, ...)``: a corpus of empty files."""

    def make(*paths):
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).touch()
        return tmp_path

    return make


def test_of_a_clip_nothing_is_known_but_its_name_and_file(tmp_path):
    one = Clip("a", tmp_path / "a.wav")
    words = {value for key, value in vars(one).items() if key not in ("clip", "path")}
    assert words == {"", None}
    assert one.arousal is one.dominance is one.valence is None


# ---- files -----------------------------------------------------------------------------------


def test_sound_files_at_any_depth_in_order(folder):
    found = clip.sound_files(folder("b.wav", "a/z.flac", "a.mp3", "notes.txt"))
    assert [path.name for path in found] == ["z.flac", "a.mp3", "b.wav"]


def test_a_folder_that_is_missing_or_empty_is_named(folder, tmp_path):
    message = rf"^{tmp_path}/a: no such folder; put the corpus there, or a link to it$"
    with pytest.raises(InputError, match=message):
        clip.sound_files(tmp_path / "a")
    message = rf"^{tmp_path}: holds no sound files \(\.wav .*\); copy the corpus there$"
    with pytest.raises(InputError, match=message):
        clip.sound_files(folder("notes.txt"))


def test_clips_are_named_by_their_paths_and_only_by_these_where_two_would_have_one_name():
    assert clip.by_path(["a/b.wav", "c.wav"]) == {"a/b.wav": "a-b", "c.wav": "c"}
    names = ["a/b.wav", "a-b.wav", "a/b.flac", "c/d.wav"]
    assert clip.by_path(names) == {
        "a/b.wav": "a/b",
        "a-b.wav": "a-b",
        "a/b.flac": "a/b",  # the same path: a copy, which the index tells apart
        "c/d.wav": "c-d",
    }


def read(path, name):
    """Read ``sad/s1_2``: emotion, then speaker and number."""
    emotion, _, own = name.partition("/")
    return Clip(own, path, emotion=clip.one_of("emotion", emotion, ("sad", "happy")))


def test_clips_are_in_order_of_emotion_and_name_with_numbers_by_value(folder):
    made = folder("sad/s10.wav", "sad/s9.wav", "happy/s11.flac")
    found = clip.by_name(made, read)
    assert [one.clip for one in found] == ["s11", "s9", "s10"]
    assert found[0].path == made / "happy" / "s11.flac"


def test_all_names_that_do_not_parse_are_counted_and_the_first_shown(folder):
    made = folder("sad/1.wav", *(f"{emotion}/1.wav" for emotion in ("a", "b", "c", "d")))
    with pytest.raises(InputError) as error:
        clip.by_name(made, read)
    shown = "; ".join(f"{e}/1.wav (emotion {e} is none of sad, happy)" for e in "abc")
    said = f"{made}: 4 files do not belong: {shown}; ...; rename or remove them"
    assert str(error.value) == said


def test_what_is_known_is_given_back():
    assert clip.one_of("emotion", "sad", ("sad", "happy")) == "sad"
    clip.refuse("folder", [])
    with pytest.raises(InputError, match=re.escape("folder: 1 files do not belong: a.wav (x); re")):
        clip.refuse("folder", ["a.wav (x)"])


# ---- labels ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "word",
    [
        *("Sad", " sad", "sad\u200b", "s\u00ada\u00add", "\uff53ad", "s\u0430d", "sad\ufe0f"),
        *("'sad'", "\u201csad\u201d", "sad\x00"),
    ],
    ids=ascii,
)
def test_labels_that_look_alike_are_one(word):
    assert clip.seen(word) == "sad"


@pytest.mark.parametrize(
    ("first", "second"), [("-1", "1"), ("sad", "sadness"), ("a", "b"), ("1", "10"), ("+1", "-1")]
)
def test_labels_that_differ_are_two(first, second):
    assert clip.seen(first) != clip.seen(second)


@pytest.mark.parametrize(
    ("word", "wanted"),
    [("very_happy", "very happy"), ("very-happy", "very happy"), ("007", "7"), ("1.50", "1.50")],
)
def test_words_and_numbers_are_as_people_read_them(word, wanted):
    assert clip.seen(word) == wanted
