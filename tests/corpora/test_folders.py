"""The parser of corpora in a folder per emotion."""

import pytest

from pipeline.corpora import folders
from pipeline.errors import InputError


def touch(folder, *names):
    """Make files; parsers do not listen."""
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
