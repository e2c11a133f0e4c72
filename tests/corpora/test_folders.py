"""The parser of corpora in a folder per emotion."""

import pytest

from pipeline.corpora import folders
from pipeline.errors import InputError


def touch(folder, *names):
    """Make files; parsers do not decode."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"sound")
    return folder


def test_emotions_are_the_outermost_folders(tmp_path):
    touch(tmp_path, "sad/ada/10.wav", "sad/ada/9.wav", "happy/1.flac")
    clips = folders.clips(tmp_path)
    assert [clip.clip for clip in clips] == ["happy-1", "sad-ada-9", "sad-ada-10"]
    assert [clip.emotion for clip in clips] == ["happy", "sad", "sad"]
    assert {clip.speaker for clip in clips} == {""}
    assert clips[0].path == tmp_path / "happy" / "1.flac"


def test_sound_in_no_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"1 files do not belong: 1\.wav \(wanted it in a folder"):
        folders.clips(touch(tmp_path, "1.wav", "happy/1.wav", "sad/1.wav"))


def test_a_copy_nested_once_more_is_refused(tmp_path):
    with pytest.raises(InputError, match=r": all sound is below data; wanted a folder for each"):
        folders.clips(touch(tmp_path, "data/happy/1.wav", "data/sad/1.wav"))


@pytest.mark.parametrize(
    "names",
    [
        ["0001/Angry/a.wav", "0001/Sad/b.wav", "0002/Angry/c.wav", "0002/Sad/d.wav"],
        ["train/x/1.wav", "train/y/2.wav", "test/x/3.wav"],
        ["train/1.wav", "test/2.wav"],
        ["ada/wut/1.wav", "ada/trauer/2.wav", "bob/trauer/3.wav"],
        ["ada/s1/wut/1.wav", "ada/s2/trauer/2.wav", "bob/s1/wut/3.wav"],
        ["s1/un/1.wav", "s1/du/2.wav", "s2/un/3.wav", "s2/du/4.wav"],
    ],
)
def test_folders_of_speakers_or_parts_are_not_taken_for_emotions(tmp_path, names):
    with pytest.raises(InputError, match=r"seem to be of speakers or of training and test, the in"):
        folders.clips(touch(tmp_path, *names))


@pytest.mark.parametrize(
    ("inner", "outer"), [(("ada", "bob"), ("sad", "Angry")), (("s1", "s2"), ("grau", "blau"))]
)
def test_speakers_within_emotions_are_no_emotions(tmp_path, inner, outer):
    touch(tmp_path, *(f"{emotion}/{speaker}/1.wav" for emotion in outer for speaker in inner))
    assert {clip.emotion for clip in folders.clips(tmp_path)} == set(outer)


def test_paths_whose_joined_names_are_equal_are_two_clips(tmp_path):
    clips = folders.clips(touch(tmp_path, "sad/s1-01.wav", "sad/s1/01.wav", "happy/s2/01.wav"))
    assert [clip.clip for clip in clips] == ["happy-s2-01", "sad/s1-01", "sad/s1/01"]
