"""The parser of joined corpora."""

import json
import os
import shutil
from pathlib import Path

import pytest

from pipeline.config import params
from pipeline.corpora import joined
from pipeline.errors import InputError

OF = {"rav": "ravdess", "mine": "table"}


@pytest.fixture
def copy(tmp_path):
    """Give two clips of one corpus and two of another; parsers do not decode."""
    for name in ("rav/a/03-01-05-01-01-01-01.wav", "rav/03-02-05-01-01-01-01.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"sound")
    (tmp_path / "mine").mkdir()
    for name in ("x", "y"):
        (tmp_path / "mine" / f"{name}.wav").write_bytes(b"sound")
    (tmp_path / "mine" / "labels.csv").write_text(
        "path,label,speaker,sentence,session,utterance,parent\ny.wav,angry,01,01,2,u,\n"
        "x.wav,sad,,,,,y\n"
    )
    return tmp_path


def test_every_field_that_names_something_says_of_which_corpus(copy):
    clips = joined.clips(copy, of=OF)
    assert [clip.corpus for clip in clips] == ["rav", "rav", "mine", "mine"]
    assert [clip.skip for clip in clips] == ["", "song is another corpus", "", ""]
    speech, mine, child = clips[0], clips[2], clips[3]
    assert vars(speech) == {
        "clip": "rav-03-01-05-01-01-01-01",
        "path": copy / "rav" / "a" / "03-01-05-01-01-01-01.wav",
        "corpus": "rav",
        "speaker": "rav-01",
        "sex": "m",
        "emotion": "angry",
        "sentence": "rav-01",
        "session": "",
        "style": "",
        "partition": "",
        "utterance": "rav-01-01-05-01",
        "parent": "",
        "arousal": None,
        "dominance": None,
        "valence": None,
        "skip": "",
        "absent": "",
    }
    assert (mine.speaker, mine.sentence, mine.session) == ("mine-01", "mine-01", "mine-2")
    assert (mine.utterance, mine.emotion) == ("mine-u", "angry")
    assert (child.clip, child.parent, child.speaker) == ("mine-x", "mine-y", "")


def test_what_is_expected_adds_up_where_it_is_known_of_all():
    known = joined.expected(of={"one": "demo", "two": "ravdess"})
    assert known.clips == 210 + 1440
    assert known.emotion["angry"] == 30 + 192
    assert (known.speaker["one-f01"], known.speaker["two-24"]) == (21, 60)
    assert not known.names  # the demo corpus does not name its own
    named = joined.expected(of={"rav": "ravdess"})
    assert "rav-03-01-05-01-01-01-01" in named.names
    assert joined.expected(of={"one": "demo", "two": "table"}) is None


def test_a_link_to_a_folder_is_refused_for_dvc_does_not_see_into_it(copy):
    (copy / "rav").rename(copy.parent / "ravdess")
    (copy / "rav").symlink_to(copy.parent / "ravdess")
    with pytest.raises(InputError, match=r"/rav: a link to a folder, in which DVC would not"):
        joined.clips(copy, of=OF)
    (copy / "rav").unlink()
    shutil.copytree(copy.parent / "ravdess", copy / "rav", copy_function=os.symlink)
    assert len(joined.clips(copy, of=OF)) == 4


def test_a_corpus_that_is_not_named_is_refused(copy):
    with pytest.raises(InputError, match=r"2 files do not belong: mine/x\.wav \(of joins rav\); m"):
        joined.clips(copy, of={"rav": "ravdess"})


def test_a_corpus_that_is_not_there_is_refused(copy):
    with pytest.raises(InputError, match=r"/emodb: no such folder; put the corpus there, or a lin"):
        joined.clips(copy, of=OF | {"emodb": "demo"})


@pytest.mark.parametrize(
    ("of", "reason"),
    [
        ({}, r"of: names no corpus; wanted \{folder: parser, \.\.\.\}"),
        ({"rav": "ravdes"}, r"of\.rav: no parser 'ravdes'; did you mean ravdess\?"),
        ({"all": "joined"}, r"of\.all: no parser 'joined'; "),
        ({1: "demo"}, r"of: 1 is no name; wanted letters, digits, _, -"),
        ({"../rav": "ravdess"}, r"of: '\.\./rav' is no name; "),
        ({"one": ["demo"]}, r"of\.one: no parser \['demo'\]; "),
    ],
)
def test_bad_settings_are_refused(copy, of, reason):
    with pytest.raises(InputError, match=reason):
        joined.clips(copy, of=of)
    with pytest.raises(InputError, match=reason):
        joined.expected(of=of)


def test_params_take_the_setting(tmp_path):
    text = (Path(__file__).parents[2] / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(
        text.replace("corpora:", f"corpora:\n  all: {{parser: joined, of: {json.dumps(OF)}}}\n#", 1)
    )
    assert params.load(tmp_path / "params.yaml").corpora["all"].settings == {"of": OF}
