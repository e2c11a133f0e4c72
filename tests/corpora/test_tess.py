"""The parser of TESS, on single names and on a whole copy."""

import pytest

from pipeline.corpora import tess
from pipeline.errors import InputError
from tests.copies import touch


def test_every_field_of_a_clip(tmp_path):
    (clip,) = tess.clips(touch(tmp_path, "OAF_Pleasant_surprise/OAF_food_ps.wav"))
    assert vars(clip) == {
        "clip": "OAF_food_ps",
        "path": tmp_path / "OAF_Pleasant_surprise/OAF_food_ps.wav",
        "corpus": "",
        "speaker": "OAF",
        "sex": "f",
        "emotion": "surprise",
        "sentence": "food",
        "session": "",
        "style": "",
        "partition": "",
        "utterance": "OAF-food-ps",
        "parent": "",
        "arousal": None,
        "dominance": None,
        "valence": None,
        "skip": "",
        "absent": "",
    }


def test_the_misspelt_name_is_mended(tmp_path):
    (clip,) = tess.clips(touch(tmp_path, "OAF_neutral/OA_bite_neutral.wav"))
    assert (clip.clip, clip.speaker) == ("OAF_bite_neutral", "OAF")
    assert clip.path.stem == "OA_bite_neutral"


def test_a_whole_copy_with_aiff_files_and_another_rate(whole_copy, indexed):
    frame, quality = indexed("tess", whole_copy("tess"))
    assert quality["clips"] == 2800
    assert quality["quarantined"] == {}
    assert quality["sample_rate"] == {"8000": 2799, "16000": 1}
    assert set(frame[frame.sample_rate == "16000"]["clip"]) == {"OAF_food_fear"}
    assert frame.sentence.nunique() == 200


def test_a_re_upload_that_holds_clips_twice(whole_copy, indexed, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "TESS Toronto emotional speech set data").symlink_to(whole_copy("tess"))
    (tmp_path / "raw" / "OAF_neutral").symlink_to(whole_copy("tess") / "OAF_neutral")
    _, quality = indexed("tess", tmp_path / "raw")
    assert quality["clips"] == 2800
    assert quality["skipped"] == {"second copy": 200}


def test_missing_clips_are_counted(whole_copy, indexed, tmp_path):
    for folder in whole_copy("tess").iterdir():
        if folder.name != "YAF_fear":
            (tmp_path / folder.name).symlink_to(folder)
    with pytest.raises(
        InputError,
        match=r"found 2600 clips, TESS has 2800 \(.*fear 200 of 400, speaker YAF 1200 of 1400",
    ):
        indexed("tess", tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("OAF_back.wav", r"OAF_back\.wav \(wanted a name such as OAF_back_angry\.wav\)"),
        ("OA_back_angry.wav", r"\(speaker OA is none of OAF, YAF\)"),
        ("OAF_back_mad.wav", r"\(emotion mad is none of angry, disgust, .*\)"),
    ],
)
def test_what_does_not_belong_is_refused(name, message, tmp_path):
    with pytest.raises(InputError, match=rf"1 files do not belong: .*{message}; rename or remove"):
        tess.clips(touch(tmp_path, name))
