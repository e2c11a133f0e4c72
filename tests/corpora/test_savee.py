"""The parser of SAVEE, on single names and on a whole copy."""

import pytest

from pipeline.corpora import savee
from pipeline.errors import InputError
from tests import copies
from tests.copies import touch


def test_every_field_of_a_clip(tmp_path):
    (clip,) = savee.clips(touch(tmp_path, "AudioData/JK/su09.wav"))
    assert vars(clip) == {
        "clip": "JK_su09",
        "path": tmp_path / "AudioData/JK/su09.wav",
        "corpus": "",
        "speaker": "JK",
        "sex": "m",
        "emotion": "surprise",
        "sentence": "su09",
        "session": "",
        "style": "",
        "partition": "",
        "utterance": "JK-su09",
        "parent": "",
        "arousal": None,
        "dominance": None,
        "valence": None,
        "skip": "",
        "absent": "",
    }


def test_the_flat_layout_gives_the_same_clips(tmp_path):
    touch(tmp_path, "folders/AudioData/DC/a01.wav", "ALL/DC_a01.wav", "ALL/KL_sa15.flac")
    first, second, other = savee.clips(tmp_path)
    assert first.clip == second.clip == "DC_a01"
    assert (first.speaker, first.sentence) == (second.speaker, second.sentence) == ("DC", "a01")
    assert (other.clip, other.emotion) == ("KL_sa15", "sad")


def test_s_is_two_emotions(tmp_path):
    touch(tmp_path, *(f"DC/{letters}01.wav" for letters in ("a", "d", "f", "h", "n", "sa", "su")))
    assert {clip.sentence[:-2]: clip.emotion for clip in savee.clips(tmp_path)} == {
        **{"a": "angry", "d": "disgust", "f": "fear", "h": "happy"},
        **{"n": "neutral", "sa": "sad", "su": "surprise"},
    }


def test_the_order_is_emotion_speaker_number(whole_copy):
    clips = [clip.clip for clip in savee.clips(whole_copy("savee"))]
    assert clips[:2] == ["DC_a01", "DC_a02"]
    assert clips[14:16] == ["DC_a15", "JE_a01"]
    assert clips[59:61] == ["KL_a15", "DC_d01"]


def test_a_missing_and_an_extra_clip_are_named(tmp_path, indexed):
    raw = tmp_path / "raw"
    copies.load("savee").write(raw)
    gone, extra = raw / "AudioData" / "DC" / "a07.wav", raw / "AudioData" / "KL" / "su16.wav"
    gone.rename(extra)
    with pytest.raises(
        InputError,
        match=r"found 480 clips, SAVEE has 480 \(1 missing: DC_a07; 1 extra: KL_su16; .*angry 59",
    ):
        indexed("savee", raw)
    extra.unlink()
    with pytest.raises(InputError, match=r"found 479 clips, SAVEE has 480 \(1 missing: DC_a07; "):
        indexed("savee", raw)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a01.wav", r"a01\.wav \(wanted a path such as DC/a01\.wav or DC_a01\.wav\)"),
        ("AudioData/XY/a01.wav", r"\(speaker XY is none of DC, JE, JK, KL\)"),
        ("DC_sx01.wav", r"\(emotion sx is none of a, d, f, h, n, sa, su\)"),
    ],
)
def test_what_does_not_belong_is_refused(name, message, tmp_path):
    with pytest.raises(InputError, match=rf"1 files do not belong: .*{message}; rename or remove"):
        savee.clips(touch(tmp_path, name))
