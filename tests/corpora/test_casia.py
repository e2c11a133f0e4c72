"""The parser of CASIA, on single names and on a whole copy."""

import pytest

from pipeline.corpora import casia
from pipeline.errors import InputError
from tests import copies
from tests.copies import touch


def test_every_field_of_a_clip(tmp_path):
    (clip,) = casia.clips(touch(tmp_path, "ZhaoZuoxiang/angry/201.wav"))
    assert vars(clip) == {
        "clip": "201-angry-zhaozuoxiang",
        "path": tmp_path / "ZhaoZuoxiang/angry/201.wav",
        "corpus": "",
        "speaker": "zhaozuoxiang",
        "sex": "m",
        "emotion": "angry",
        "sentence": "201",
        "session": "",
        "style": "",
        "partition": "",
        "utterance": "zhaozuoxiang-201-angry",
        "parent": "",
        "arousal": None,
        "dominance": None,
        "valence": None,
        "skip": "",
        "absent": "",
    }


def test_both_layouts_below_any_folders_give_one_clip_and_label_files_are_left_alone(tmp_path):
    touch(
        tmp_path,
        "CASIA/copy/wangzhe/fear/250.wav",
        "CASIA/copy/wangzhe/fear/250.lab",
        "CASIA/copy/wangzhe/fear/250.peak",
        "CASIA/copy/wangzhe/fear/250.tag",
        "by class/fear/250-fear-wangzhe.flac",
    )
    first, second = casia.clips(tmp_path)
    assert (first.clip, first.speaker) == (second.clip, second.speaker)
    assert first.clip == "250-fear-wangzhe"


def test_the_order_is_that_of_the_published_run(whole_copy):
    clips = [clip.clip for clip in casia.clips(whole_copy("casia"))]
    assert clips[:5] == [
        "201-angry-liuchanhg",
        "201-angry-wangzhe",
        "201-angry-zhaoquanyin",
        "201-angry-zhaozuoxiang",
        "202-angry-liuchanhg",
    ]
    assert clips[199:201] == ["250-angry-zhaozuoxiang", "201-fear-liuchanhg"]


def test_two_women_and_two_men_say_every_sentence_in_every_emotion(whole_copy):
    clips = casia.clips(whole_copy("casia"))
    assert {clip.speaker for clip in clips if clip.sex == "f"} == {"liuchanhg", "zhaoquanyin"}
    assert len({(clip.sentence, clip.speaker, clip.emotion) for clip in clips}) == 1200
    assert len({clip.sentence for clip in clips}) == 50


def test_a_clip_in_the_place_of_another_and_a_missing_one_are_named(tmp_path, indexed):
    raw = tmp_path / "raw"
    copies.load("casia").write(raw)
    (raw / "wangzhe" / "sad" / "217.wav").rename(raw / "217-fear-wangzhe.wav")
    with pytest.raises(
        InputError,
        match=r"wangzhe/fear/217\.wav have one name and different sound; keep the right one",
    ):
        indexed("casia", raw)
    (raw / "217-fear-wangzhe.wav").unlink()
    with pytest.raises(
        InputError, match=r"found 1199 clips, CASIA has 1200 \(1 missing: 217-sad-wangzhe"
    ):
        indexed("casia", raw)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("201.wav", r"201\.wav \(wanted a path such as liuchanhg/angry/201\.wav\)"),
        ("zhangsan/angry/201.wav", r"\(speaker zhangsan is none of liuchanhg, wangzhe, .*\)"),
        ("wangzhe/angri/201.wav", r"\(emotion angri is none of angry, fear, .*\)"),
        ("wangzhe/angry/301.wav", r"\(sentence 301 is not of the same text, 201\.\.250\)"),
    ],
)
def test_what_does_not_belong_is_refused(name, message, tmp_path):
    with pytest.raises(InputError, match=rf"1 files do not belong: .*{message}; rename or remove"):
        casia.clips(touch(tmp_path, name))
