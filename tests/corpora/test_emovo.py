"""The parser of EMOVO, on single names and on a whole copy."""

import pytest

from pipeline.corpora import emovo
from pipeline.errors import InputError
from tests.copies import touch


def test_every_field_of_a_clip(tmp_path):
    (clip,) = emovo.clips(touch(tmp_path, "m2/gio-m2-n4.wav"))
    assert vars(clip) == {
        "clip": "gio-m2-n4",
        "path": tmp_path / "m2/gio-m2-n4.wav",
        "corpus": "",
        "speaker": "m2",
        "sex": "m",
        "emotion": "happy",
        "sentence": "n4",
        "session": "",
        "style": "",
        "partition": "",
        "utterance": "m2-n4-gio",
        "parent": "",
        "arousal": None,
        "dominance": None,
        "valence": None,
        "skip": "",
        "absent": "",
    }


def test_letters_are_those_of_italian_words(tmp_path):
    words = ("neu", "dis", "gio", "pau", "rab", "sor", "tri")
    touch(tmp_path, *(f"{word}-f1-b1.wav" for word in words))
    assert {clip.clip[:3]: clip.emotion for clip in emovo.clips(tmp_path)} == {
        **{"rab": "angry", "dis": "disgust", "pau": "fear", "gio": "happy"},
        **{"neu": "neutral", "tri": "sad", "sor": "surprise"},
    }


def test_the_order_is_that_of_the_published_run(whole_copy):
    clips = [clip.clip for clip in emovo.clips(whole_copy("emovo"))]
    assert clips[:4] == ["rab-f1-b1", "rab-f1-b2", "rab-f1-b3", "rab-f1-d1"]
    assert clips[83:85] == ["rab-m3-n5", "dis-f1-b1"]
    assert clips[-1] == "sor-m3-n5"


def test_stereo_but_for_one(whole_copy, indexed):
    frame, quality = indexed("emovo", whole_copy("emovo"))
    assert quality["channels"] == {"1": 1, "2": 587}
    assert list(frame[frame.channels == "1"]["clip"]) == ["rab-f1-b1"]


def test_a_missing_clip_is_named(whole_copy, indexed, tmp_path):
    for path in whole_copy("emovo").rglob("*.wav"):
        if path.stem != "pau-f2-l3":
            (tmp_path / path.name).symlink_to(path)
    with pytest.raises(InputError, match=r"found 587 clips, EMOVO has 588 \(1 missing: pau-f2-l3;"):
        indexed("emovo", tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rab-f1.wav", r"rab-f1\.wav \(wanted a name such as rab-f1-b1\.wav\)"),
        ("rob-f1-b1.wav", r"\(emotion rob is none of rab, dis, .*\)"),
        ("rab-f4-b1.wav", r"\(speaker f4 is none of f1, f2, .*\)"),
        ("rab-f1-d3.wav", r"\(sentence d3 is none of b1, .*\)"),
    ],
)
def test_what_does_not_belong_is_refused(name, message, tmp_path):
    with pytest.raises(InputError, match=rf"1 files do not belong: .*{message}; rename or remove"):
        emovo.clips(touch(tmp_path, name))
