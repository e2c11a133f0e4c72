"""The parser of the embedded corpus."""

import shutil

import pytest

from pipeline.corpora import demo
from pipeline.errors import InputError
from pipeline.files import tables


@pytest.fixture
def copy(tmp_path):
    """Give a folder with two sound files and their labels; parsers do not decode."""
    folder = tmp_path / "demo"
    (folder / "wav").mkdir(parents=True)
    lines = ["path,speaker,sex,emotion,sentence,arousal,dominance,valence"]
    for name in ("m01_s2_happy", "f10_s1_angry"):
        speaker, sentence, emotion = name.split("_")
        (folder / "wav" / f"{name}.wav").write_bytes(b"sound")
        lines.append(f"wav/{name}.wav,{speaker},{name[0]},{emotion},{sentence},6.10,5.25,2.00")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_every_field_of_a_clip(copy):
    first, second = demo.clips(copy)
    assert (first.clip, second.clip) == ("f10_s1_angry", "m01_s2_happy")
    assert vars(first) == {
        "clip": "f10_s1_angry",
        "path": copy / "wav" / "f10_s1_angry.wav",
        "corpus": "",
        "speaker": "f10",
        "sex": "f",
        "emotion": "angry",
        "sentence": "s1",
        "session": "",
        "style": "",
        "partition": "",
        "utterance": "f10-s1-angry",
        "parent": "",
        "arousal": 6.1,
        "dominance": 5.25,
        "valence": 2.0,
        "skip": "",
        "absent": "",
    }


def test_a_file_without_a_label_is_refused(copy):
    shutil.copy(copy / "wav" / "m01_s2_happy.wav", copy / "wav" / "m01_s9_happy.wav")
    with pytest.raises(
        InputError,
        match=r"demo: 1 files do not belong: wav/m01_s9_happy\.wav \(not in labels\.csv\); rename",
    ):
        demo.clips(copy)


def test_a_label_outside_the_table_is_refused(copy):
    labels = tables.read(copy / "labels.csv")
    labels.loc[0, "emotion"] = "hangry"
    tables.write(labels, copy / "labels.csv")
    with pytest.raises(
        InputError, match=r"m01_s2_happy\.wav \(emotion 'hangry' is not in the table\)"
    ):
        demo.clips(copy)


def test_labels_that_are_not_there_are_named(copy):
    (copy / "labels.csv").unlink()
    with pytest.raises(InputError, match=r"labels\.csv: no such file"):
        demo.clips(copy)


def test_the_order_is_emotion_then_name(demo_corpus):
    clips = demo.clips(demo_corpus)
    assert [clip.clip for clip in clips[:3]] == ["f01_s1_angry", "f01_s2_angry", "f01_s3_angry"]
    assert [clip.clip for clip in clips[-2:]] == ["m05_s2_sad", "m05_s3_sad"]
    keys = [(clip.emotion, clip.clip) for clip in clips]
    assert keys == sorted(keys)
