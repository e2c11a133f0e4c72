"""The parser of RAVDESS, on names alone, on a full-size copy, and on the corpus itself."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from natsort import natsorted

from pipeline.corpora import ravdess
from pipeline.errors import InputError
from pipeline.files import tables
from tests import copies
from tests.copies import touch

SHARED = Path(__file__).parents[3] / "shared" / "corpora"


def test_every_field_of_a_clip(tmp_path):
    (clip,) = ravdess.clips(touch(tmp_path, "Actor_12/03-01-06-02-01-02-12.wav"))
    assert vars(clip) == {
        "clip": "03-01-06-02-01-02-12",
        "path": tmp_path / "Actor_12" / "03-01-06-02-01-02-12.wav",
        "corpus": "",
        "speaker": "12",
        "sex": "f",
        "emotion": "fear",
        "sentence": "01",
        "session": "",
        "style": "",
        "partition": "",
        "utterance": "12-01-06-02",
        "parent": "",
        "arousal": None,
        "dominance": None,
        "valence": None,
        "skip": "",
        "absent": "",
    }


def test_actors_with_odd_numbers_are_men(tmp_path):
    names = [f"03-01-01-01-01-01-{actor:02}.wav" for actor in range(1, 25)]
    sexes = {clip.speaker: clip.sex for clip in ravdess.clips(touch(tmp_path, *names))}
    assert (sexes["01"], sexes["02"], sexes["24"]) == ("m", "f", "f")
    assert Counter(sexes.values()) == {"m": 12, "f": 12}


def test_takes_of_one_utterance_share_its_name(tmp_path):
    names = ["03-01-05-01-01-01-09", "03-01-05-01-01-02-09", "03-01-05-02-01-01-09"]
    first, second, strong = ravdess.clips(touch(tmp_path, *(f"{name}.wav" for name in names)))
    assert first.utterance == second.utterance != strong.utterance


def test_any_nesting_any_suffix_and_hidden_files(tmp_path):
    touch(
        tmp_path,
        "03-01-01-01-01-01-01.wav",
        "speech/Actor_02/03-01-01-01-01-01-02.flac",
        "a/b/c/03-01-01-01-01-01-03.WAV",
        "a/.DS_Store",
        "a/._03-01-01-01-01-01-03.wav",
        "__MACOSX/._03-01-01-01-01-01-04.wav",
        "__MACOSX/03-01-01-01-01-01-04.wav",
        "README.txt",
    )
    assert [clip.speaker for clip in ravdess.clips(tmp_path)] == ["01", "02", "03"]


def test_links_to_folders_are_followed(tmp_path):
    elsewhere = touch(tmp_path / "elsewhere", "Actor_01/03-01-01-01-01-01-01.wav")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "speech").symlink_to(elsewhere)
    assert len(ravdess.clips(tmp_path / "raw")) == 1


def test_song_is_skipped_with_its_reason(tmp_path):
    touch(tmp_path, "03-01-01-01-01-01-01.wav", "03-02-01-01-01-01-01.wav")
    assert [clip.skip for clip in ravdess.clips(tmp_path)] == ["", "song is another corpus"]


def test_song_is_a_corpus_of_its_own(tmp_path, indexed):
    copies.load("ravdess").write_song(tmp_path / "raw" / "song")
    touch(tmp_path / "raw", "speech/03-01-01-01-01-01-01.wav")
    frame, quality = indexed("ravdess", tmp_path / "raw", song=True)
    assert quality["clips"] == 1012
    assert quality["speakers"] == 23
    assert quality["emotion"] == {
        name: 92 if name == "neutral" else 184
        for name in ("neutral", "calm", "happy", "sad", "angry", "fear")
    }
    assert quality["skipped"] == {"speech is another corpus": 1}
    usable = frame[frame.status == "ok"]
    assert set(usable["clip"]) == ravdess.expected(song=True).names
    assert set(Counter(usable.speaker).values()) == {44}
    assert "18" not in set(usable.speaker)


def test_a_copy_of_speech_alone_is_no_copy_of_song(ravdess_corpus, indexed):
    with pytest.raises(InputError, match=r"found 0 clips, RAVDESS has 1012 \("):
        indexed("ravdess", ravdess_corpus, song=True)


def test_an_emotion_outside_the_table_is_refused(tmp_path):
    touch(tmp_path, "03-01-09-01-01-01-01.wav")
    with pytest.raises(
        InputError, match=r"03-01-09-01-01-01-01\.wav \(emotion 09 is not in the table 01\.\.08\)"
    ):
        ravdess.clips(tmp_path)


def test_names_that_do_not_parse_are_refused_all_at_once(tmp_path):
    touch(tmp_path, "03-01-01-01-01-01-01.wav", *(f"take {n}.wav" for n in range(5)))
    with pytest.raises(InputError) as error:
        ravdess.clips(tmp_path)
    wanted = "(wanted a name such as 03-01-05-01-01-01-01.wav)"
    assert str(error.value) == (
        f"{tmp_path}: 5 files do not belong: take 0.wav {wanted}; take 1.wav {wanted}; "
        f"take 2.wav {wanted}; ...; rename or remove them"
    )


def test_a_whole_copy(ravdess_corpus, indexed):
    frame, quality = indexed("ravdess", ravdess_corpus)
    assert len(frame) == 1440
    assert set(frame.status) == {"ok"}
    assert quality["clips"] == 1440
    assert quality["speakers"] == 24
    assert quality["emotion"] == {
        name: 96 if name == "neutral" else 192 for name in ravdess.EMOTIONS.values()
    }
    assert quality["channels"] == {"1": 1435, "2": 5}
    assert quality["duplicates"] == [["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"]]
    assert quality["quarantined"] == {} and quality["skipped"] == {}
    assert Counter(Path(path).suffix for path in frame.path) == {".wav": 1380, ".flac": 60}


def test_the_order_is_that_of_the_published_run(ravdess_corpus, indexed):
    frame, _ = indexed("ravdess", ravdess_corpus)
    golden = tables.read(
        Path(__file__).parents[1] / "golden" / "folds" / "ravdess_timnet_seed46.csv"
    )
    assert list(frame["clip"]) == list(golden["clip"])
    assert list(frame.emotion) == list(golden.emotion)


def test_a_copy_that_holds_each_clip_twice_with_song_beside_it(ravdess_corpus, indexed, tmp_path):
    raw = tmp_path / "ravdess"
    raw.mkdir()
    (raw / "Audio_Speech_Actors_01-24").symlink_to(ravdess_corpus)
    once, _ = indexed("ravdess", raw)
    (raw / "a second unpacking").mkdir()
    (raw / "a second unpacking" / "here").symlink_to(ravdess_corpus)
    (raw / "song").mkdir()
    soundfile.write(raw / "song" / "03-02-01-01-01-01-01.wav", np.full(960, 0.1), 8000)
    twice, quality = indexed("ravdess", raw)
    assert quality["clips"] == 1440
    assert quality["skipped"] == {"second copy": 1440, "song is another corpus": 1}
    usable = twice[twice.status == "ok"].reset_index(drop=True)
    pd.testing.assert_frame_equal(usable, once)  # the copy that lies less deep


def test_a_copy_with_clips_missing_says_which(ravdess_corpus, indexed, tmp_path):
    raw = tmp_path / "ravdess"
    raw.mkdir()
    for actor in sorted(ravdess_corpus.iterdir()):
        if actor.name not in ("Actor_07", "Actor_24"):
            (raw / actor.name).symlink_to(actor)
    with pytest.raises(
        InputError,
        match=r"ravdess: found 1320 clips, RAVDESS has 1440 \(120 missing: "
        r"03-01-01-01-01-01-07, 03-01-01-01-01-01-24, .*copy the corpus again",
    ):
        indexed("ravdess", raw)
    assert not (tmp_path / "index.csv").exists()


@pytest.mark.corpus
def test_the_corpus_itself(indexed):
    if not (SHARED / "ravdess").is_dir():
        pytest.skip("no corpora next to the repository")
    frame, quality = indexed("ravdess", SHARED / "ravdess")
    assert quality["clips"] == 1440
    assert quality["channels"] == {"1": 1435, "2": 5}
    assert quality["duplicates"] == [["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"]]
    facts = tables.read(SHARED / "ravdess_manifest.csv").set_index("flac_path").loc[frame.path]
    assert list(frame.channels) == list(facts.channels)
    assert list(frame.sample_rate) == list(facts.sr)
    seconds = facts.frames.astype(int) / facts.sr.astype(int)
    np.testing.assert_allclose(frame.seconds.astype(float), seconds, atol=1e-6)
    assert list(frame["clip"]) == [
        clip.clip for clip in natsorted(frame.itertuples(), key=lambda row: (row.emotion, row.clip))
    ]
