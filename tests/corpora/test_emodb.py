"""The parser of EMO-DB, on single names and on a whole copy."""

import pytest

from pipeline.corpora import emodb
from pipeline.errors import InputError
from tests import copies
from tests.copies import touch
from tests.copies.sound import noise


def test_every_field_of_a_clip(tmp_path):
    (clip,) = emodb.clips(touch(tmp_path, "wav/08a04Ab.wav"))
    assert vars(clip) == {
        "clip": "08a04Ab",
        "path": tmp_path / "wav/08a04Ab.wav",
        "corpus": "",
        "speaker": "08",
        "sex": "f",
        "emotion": "fear",
        "sentence": "a04",
        "session": "",
        "style": "",
        "partition": "",
        "utterance": "08-a04-A",
        "parent": "",
        "arousal": None,
        "dominance": None,
        "valence": None,
        "skip": "",
        "absent": "",
    }


def test_takes_of_one_utterance_share_its_name(tmp_path):
    touch(tmp_path, "wav/03a01Wa.wav", "wav/03a01Wc.wav", "wav/03a02Wa.wav")
    first, second, other = emodb.clips(tmp_path)
    assert first.utterance == second.utterance != other.utterance


def test_letters_are_those_of_german_words(tmp_path):
    touch(tmp_path, *(f"03a01{letter}a.wav" for letter in "WLEAFTN"))
    assert {clip.clip[5]: clip.emotion for clip in emodb.clips(tmp_path)} == {
        **{"W": "angry", "L": "boredom", "E": "disgust", "A": "fear"},
        **{"F": "happy", "T": "sad", "N": "neutral"},
    }


def test_five_women_and_five_men(whole_copy):
    clips = emodb.clips(whole_copy("emodb"))
    assert {clip.speaker for clip in clips if clip.sex == "f"} == {"08", "09", "13", "14", "16"}
    assert {clip.speaker for clip in clips if clip.sex == "m"} == {"03", "10", "11", "12", "15"}


def test_a_missing_an_extra_and_a_mislabelled_clip_show_in_the_counts(tmp_path, indexed):
    raw = tmp_path / "raw"
    copies.load("emodb").write(raw)
    last = raw / "wav" / "16a01Ta.wav"
    extra = raw / "wav" / "03a01Wz.wav"
    noise(extra, 1)
    with pytest.raises(
        InputError,
        match=r"found 536 clips, EMO-DB has 535 \(.*emotion angry 128 of 127, speaker 03 50 of 49",
    ):
        indexed("emodb", raw)
    extra.unlink()
    last.rename(last.with_name("16a01Nz.wav"))
    with pytest.raises(
        InputError, match=r"found 535 .* \(.*emotion neutral 80 of 79, emotion sad 61 of 62"
    ):
        indexed("emodb", raw)
    last.with_name("16a01Nz.wav").unlink()
    with pytest.raises(
        InputError,
        match=r"found 534 clips, EMO-DB has 535 \(.*emotion sad 61 of 62, speaker 16 70 of 71",
    ):
        indexed("emodb", raw)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("03a01W.wav", r"03a01W\.wav \(wanted a name such as 03a01Wa\.wav\)"),
        ("04a01Wa.wav", r"\(speaker 04 is none of 03, 08, .*\)"),
        ("03a03Wa.wav", r"\(text a03 is none of a01, a02, a04, .*\)"),
        ("03a01Xa.wav", r"\(emotion X is none of W, L, E, A, F, N, T\)"),
    ],
)
def test_what_does_not_belong_is_refused(name, message, tmp_path):
    with pytest.raises(InputError, match=rf"1 files do not belong: .*{message}; rename or remove"):
        emodb.clips(touch(tmp_path, name))
