"""What every parser promises, whatever file is dropped into ``pipeline/corpora``.

A new parser needs one thing more than its file: a fixture ``NAME_corpus`` in ``tests/conftest.py``
that gives a whole copy, made up, small, and with the oddities of the corpus.
"""

import dataclasses

import pytest

from pipeline import plugins
from pipeline.corpora.clip import Clip
from pipeline.errors import InputError
from pipeline.files import audio

NAMES = plugins.names("corpora")
COUNTED = ("emotion", "speaker")


@pytest.fixture(params=NAMES)
def parser(request):
    """Give each parser in turn."""
    return plugins.load("corpora", request.param)


@pytest.fixture
def copy(parser, request):
    """Give a whole copy of the parser's corpus; not to be changed."""
    return request.getfixturevalue(f"{parser.__name__.rsplit('.', 1)[1]}_corpus")


@pytest.fixture
def clips(parser, copy):
    """Give what the parser finds in a whole copy."""
    return parser.clips(copy)


def test_the_docstring_says_whose_it_is_how_it_is_laid_out_and_in_which_order(parser):
    text = parser.__doc__
    head = text.splitlines()[0]
    assert f"{parser.EXPECTED['clips']} " in head
    if parser.__name__ != "pipeline.corpora.demo":  # nobody recorded it
        assert "Citation: " in text
        assert "Layout: " in text
    assert "licence" in text.lower()
    assert "\nOrder: " in text


def test_counts_add_up(parser):
    expected = parser.EXPECTED
    assert set(expected) == {"clips", *COUNTED}
    for column in COUNTED:
        assert sum(expected[column].values()) == expected["clips"]
        assert min(expected[column].values()) > 0
    assert isinstance(parser.NAME, str) and parser.NAME


def test_a_whole_copy_has_the_counts(parser, clips):
    kept = [clip for clip in clips if not clip.skip]
    assert len(kept) == parser.EXPECTED["clips"]
    for column in COUNTED:
        values = [getattr(clip, column) for clip in kept]
        counts = {value: values.count(value) for value in set(values)}
        assert counts == parser.EXPECTED[column]


def test_clips_are_named_once_and_say_who_speaks_what(parser, clips):
    assert all(isinstance(clip, Clip) for clip in clips)
    kept = [clip for clip in clips if not clip.skip]
    assert len({clip.clip for clip in kept}) == len(kept)
    assert {clip.emotion for clip in clips} <= set(parser.EXPECTED["emotion"])
    for clip in kept:
        texts = [getattr(clip, field.name) for field in dataclasses.fields(clip)]
        assert all(text == text.strip() for text in texts if isinstance(text, str))
        assert clip.speaker
        assert clip.sex in ("f", "m", "")
        assert audio.read(clip.path)
        ratings = (clip.arousal, clip.dominance, clip.valence)
        assert all(rating is None or isinstance(rating, float) for rating in ratings)


def test_takes_of_one_utterance_agree_in_all_it_is_made_of(clips):
    said = {}
    for clip in clips:
        if clip.utterance:
            made_of = (clip.speaker, clip.sentence, clip.emotion)
            assert said.setdefault(clip.utterance, made_of) == made_of


def test_the_order_does_not_depend_on_where_the_copy_lies(parser, copy, clips, tmp_path):
    (tmp_path / "elsewhere").symlink_to(copy)
    again = parser.clips(tmp_path / "elsewhere")
    assert [clip.clip for clip in again] == [clip.clip for clip in clips]


def test_a_folder_that_is_missing_or_empty_is_refused(parser, tmp_path):
    with pytest.raises(InputError, match=r"here: no such folder; put the corpus there, or a link"):
        parser.clips(tmp_path / "here")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "notes.txt").write_text("to do: copy the corpus")
    with pytest.raises(InputError, match=r"here: holds no sound files \(\.aif .*\); copy the corp"):
        parser.clips(tmp_path / "here")
