"""The parser of CREMA-D, on single names and on a whole copy."""

from collections import Counter

import pytest

from pipeline.corpora import cremad
from pipeline.errors import InputError
from tests.copies import touch


def test_every_field_of_a_clip(tmp_path):
    (clip,) = cremad.clips(touch(tmp_path, "AudioWAV/1002_IEO_HAP_LO.wav"))
    assert vars(clip) == {
        "clip": "1002_IEO_HAP_LO",
        "path": tmp_path / "AudioWAV/1002_IEO_HAP_LO.wav",
        "corpus": "",
        "speaker": "1002",
        "sex": "f",
        "emotion": "happy",
        "sentence": "IEO",
        "session": "",
        "style": "",
        "partition": "",
        "utterance": "1002-IEO-HAP-LO",
        "parent": "",
        "arousal": None,
        "dominance": None,
        "valence": None,
        "skip": "",
        "absent": "",
    }


def test_the_misspelt_name_is_mended(tmp_path):
    (clip,) = cremad.clips(touch(tmp_path, "AudioWAV/1040_ITH_SAD_X.wav"))
    assert (clip.clip, clip.path.stem) == ("1040_ITH_SAD_XX", "1040_ITH_SAD_X")


def test_43_women_and_48_men(whole_copy):
    sexes = {clip.speaker: clip.sex for clip in cremad.clips(whole_copy("cremad"))}
    assert Counter(sexes.values()) == {"f": 43, "m": 48}
    assert (sexes["1001"], sexes["1091"]) == ("m", "f")


def test_a_whole_copy_with_a_silent_clip_and_recordings_of_two_labels(whole_copy, indexed):
    _, quality = indexed("cremad", whole_copy("cremad"))
    assert quality["clips"] == 7441
    assert quality["speakers"] == 91
    assert [path.split("/")[-1] for path in quality["quarantined"]] == ["1076_MTI_SAD_XX.wav"]
    assert sorted(quality["duplicates"]) == [
        ["1006_TIE_HAP_XX", "1006_TIE_NEU_XX"],
        ["1013_WSI_DIS_XX", "1013_WSI_SAD_XX"],
        ["1017_IWW_ANG_XX", "1017_IWW_FEA_XX"],
    ]


def test_a_missing_clip_is_counted(whole_copy, indexed, tmp_path):
    for path in whole_copy("cremad").rglob("*_FEA_*.wav"):
        (tmp_path / path.name).symlink_to(path)
    with pytest.raises(
        InputError, match=r"found 1271 clips, CREMA-D has 7442 \(.*emotion angry 0 of 1271, "
    ):
        indexed("cremad", tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("1001_DFA_ANG.wav", r"1001_DFA_ANG\.wav \(wanted a name such as 1001_DFA_ANG_XX\.wav\)"),
        ("1092_DFA_ANG_XX.wav", r"\(actor 1092 is not in 1001\.\.1091\)"),
        ("1001_ABC_ANG_XX.wav", r"\(sentence ABC is none of DFA, IEO, .*\)"),
        ("1001_DFA_SUR_XX.wav", r"\(emotion SUR is none of ANG, DIS, .*\)"),
        ("1001_DFA_ANG_UN.wav", r"\(level UN is none of LO, MD, HI, XX\)"),
    ],
)
def test_what_does_not_belong_is_refused(name, message, tmp_path):
    with pytest.raises(InputError, match=rf"1 files do not belong: .*{message}; rename or remove"):
        cremad.clips(touch(tmp_path, name))
