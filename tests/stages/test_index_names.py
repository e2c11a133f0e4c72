"""Names of files and labels in the index: odd ones, links, and those that look alike."""

import os
import re
import shutil

import pytest
import soundfile

from pipeline.config.records import Corpus
from pipeline.errors import InputError
from pipeline.files import tables
from pipeline.stages.index import index
from tests.stages.indexing import RATE, noise


@pytest.fixture
def own(tmp_path):
    """Give a corpus in folders: ``own(path, ...)`` makes clips of noise and indexes them."""

    def make(*paths):
        for number, path in enumerate(paths):
            path = os.path.join(os.fsencode(tmp_path / "own"), os.fsencode(path))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                soundfile.write(file, noise(number), RATE, format="WAV")
        return again()

    def again():
        corpus = Corpus("own", {}, "folders")
        index(tmp_path / "own", tmp_path / "i.csv", tmp_path / "q.json", corpus=corpus)
        return tables.read(tmp_path / "i.csv").set_index("path")

    make.again = again
    return make


def test_a_name_that_is_not_utf_8_is_quarantined(own):
    frame = own(b"sad/tr\xfcb.wav", "sad/1.wav", "happy/2.wav")
    assert frame.status.tolist() == ["ok", "ok", "quarantined"]
    assert frame.reason["sad/tr\\xfcb.wav"] == "its name is not UTF-8; rename it"


@pytest.mark.parametrize("sign", ["\r", "\x1b[31m", "\x07", "\n", "\u202e"])
def test_a_name_with_a_control_character_is_refused_and_shown_escaped(own, sign):
    shown = re.escape(f"sad/a{ascii(sign)[1:-1]}b.wav")
    with pytest.raises(InputError, match=f"{shown}: a control character in a file name; rename it"):
        own(f"sad/a{sign}b.wav", "sad/1.wav", "happy/2.wav")


def test_what_is_no_regular_file_is_quarantined(own, tmp_path):
    own("sad/1.wav", "happy/2.wav")
    os.mkfifo(tmp_path / "own" / "sad" / "pipe.wav")
    (tmp_path / "own" / "sad" / "round.wav").symlink_to("round.wav")
    frame = own.again()
    assert frame.reason["sad/pipe.wav"] == "not a regular file; remove it"
    assert frame.reason["sad/round.wav"] == "cannot be read (Too many levels of symbolic links)"
    assert frame.status.tolist() == ["ok", "ok", "quarantined", "quarantined"]


def test_links_that_lead_back_are_followed_once(own, tmp_path):
    own("sad/1.wav", "happy/2.wav")
    (tmp_path / "own" / "sad" / "up").symlink_to("..")
    (tmp_path / "own" / "happy" / "side").symlink_to("../sad")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "home").symlink_to(tmp_path / "far")
    shutil.copy(tmp_path / "own" / "sad" / "1.wav", tmp_path / "far")
    (tmp_path / "own" / "happy" / "far").symlink_to(tmp_path / "far")
    assert list(own.again().index) == ["happy/2.wav", "happy/far/1.wav", "sad/1.wav"]


def test_folders_outside_that_link_to_each_other_are_entered_once(own, tmp_path):
    own("sad/1.wav", "happy/2.wav")
    names = [str(number) for number in range(11)]  # 11! ways through them
    for name in names:
        (tmp_path / "far" / name).mkdir(parents=True)
        shutil.copy(tmp_path / "own" / "sad" / "1.wav", tmp_path / "far" / name)
        for other in names:
            (tmp_path / "far" / name / f"to{other}").symlink_to(f"../{other}")
    (tmp_path / "own" / "happy" / "far").symlink_to(tmp_path / "far" / "0")
    (tmp_path / "own" / "happy" / "above").symlink_to("../..")
    frame = own.again()
    assert len(frame) == 2 + len(names)
    assert frame.pcm_hash.nunique() == 2


def test_a_link_that_was_of_a_folder_is_quarantined(own, tmp_path):
    own("sad/1.wav", "happy/2.wav")
    (tmp_path / "own" / "sad" / "more").symlink_to("nowhere")
    assert own.again().reason["sad/more"] == "a link to no such file"


def test_emotions_that_look_alike_are_named(own):
    with pytest.raises(InputError, match=r"own: the emotions .*, .* look alike: they differ in ca"):
        own("sad/1.wav", "s\u0430d/2.wav", "happy/3.wav")


def test_speakers_that_look_alike_are_named(tmp_path):
    """Else one who speaks in training speaks in the test, too."""
    (tmp_path / "own").mkdir()
    for number in (1, 2):
        soundfile.write(tmp_path / "own" / f"{number}.wav", noise(number), RATE)
    labels = "path,label,speaker\n1.wav,sad,bob\n2.wav,happy,Bob\n"
    (tmp_path / "own" / "labels.csv").write_text(labels, encoding="utf-8")
    with pytest.raises(InputError, match=r"own: the speakers .* look alike"):
        corpus = Corpus("own", {}, "table")
        index(tmp_path / "own", tmp_path / "i.csv", tmp_path / "q.json", corpus=corpus)
