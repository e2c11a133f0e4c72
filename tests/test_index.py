"""Bad raw data: a line that stops the stage, or a row that says what is wrong with one file."""

import shutil

import numpy as np
import pytest
import soundfile

from pipeline.corpora import ravdess
from pipeline.errors import InputError
from pipeline.files import audio, tables
from pipeline.index import COLUMNS, index
from pipeline.params import Corpus

NAMES = [f"03-01-{emotion}-01-01-01-{actor}" for actor in ("01", "02") for emotion in ("01", "05")]
BAD = "03-01-05-01-01-01-02"
RATE = 8000


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """Give a copy of a corpus that has four clips, 1 s each, named by RAVDESS's rule."""
    expected = {
        "clips": 4,
        "emotion": {"neutral": 2, "angry": 2},
        "speaker": {"01": 2, "02": 2},
    }
    monkeypatch.setattr(ravdess, "EXPECTED", expected)
    folder = tmp_path / "raw"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        soundfile.write(folder / f"{name}.wav", noise(number), RATE)
    return folder


def noise(seed, seconds=1.0):
    """Draw noise, shape (samples,)."""
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE))


def run(raw):
    """Index a copy; return ``index.csv`` by clip, and ``quality.json``."""
    paths = raw.parent / "out" / "index.csv", raw.parent / "out" / "quality.json"
    index(raw, *paths, corpus=Corpus("small", "ravdess", RATE))
    return tables.read(paths[0]).set_index("path"), tables.read_json(paths[1])


def refused(raw, match):
    """Check that a copy is refused with one line, and that nothing is written."""
    with pytest.raises(InputError, match=match) as error:
        run(raw)
    assert len(str(error.value).splitlines()) == 1
    assert not (raw.parent / "out").exists()


def test_a_good_copy(raw):
    frame, quality = run(raw)
    assert [frame.index.name, *frame.columns] == ["path", *(c for c in COLUMNS if c != "path")]
    assert list(frame["clip"]) == [NAMES[1], NAMES[3], NAMES[0], NAMES[2]]  # emotion, then name
    signal, _ = audio.read(raw / f"{NAMES[1]}.wav")
    said = {
        "clip": NAMES[1],
        "speaker": "01",
        "sex": "m",
        "emotion": "angry",
        "sentence": "01",
        "utterance": "01-01-05-01",
        "seconds": "1.000000",
        "sample_rate": "8000",
        "channels": "1",
        "pcm_sha256": audio.pcm_sha256(signal, RATE),
        "status": "ok",
    }
    assert frame.loc[f"{NAMES[1]}.wav"].to_dict() == dict.fromkeys(frame.columns, "") | said
    assert quality == {
        "clips": 4,
        "quarantined": {},
        "skipped": {},
        "duplicates": [],
        "seconds": 4.0,
        "speakers": 2,
        "emotion": {"angry": 2, "neutral": 2},
        "sample_rate": {"8000": 4},
        "channels": {"1": 4},
    }


def test_the_same_bytes_twice(raw):
    run(raw)
    out = raw.parent / "out"
    first = [(out / name).read_bytes() for name in ("index.csv", "quality.json")]
    run(raw)
    assert first == [(out / name).read_bytes() for name in ("index.csv", "quality.json")]


def cut(path):
    path.write_bytes(path.read_bytes()[:4000])


def cut_flac(path):
    soundfile.write(path.with_suffix(".flac"), noise(0), RATE)
    cut(path.with_suffix(".flac"))
    path.unlink()


def write_nan(path):
    signal = noise(0)
    signal[RATE // 2] = np.nan
    soundfile.write(path, signal, RATE, subtype="FLOAT")


def point_to_lfs(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")


def break_link(path):
    path.unlink()
    path.symlink_to("gone.wav")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (cut, "truncated: shorter than its header says; copy it again"),
        (cut_flac, "not a sound file libsndfile can read (Error : flac decoder lost sync)"),
        (lambda path: path.write_bytes(b""), "0 bytes; copy it again"),
        (
            lambda path: path.write_text("not sound at all\n" * 99),
            "not a sound file libsndfile can read (Format not recognised)",
        ),
        (point_to_lfs, "a git-LFS pointer, not sound; run git lfs pull"),
        (
            lambda path: soundfile.write(path, np.zeros(0), RATE),
            "holds no samples; copy it again",
        ),
        (lambda path: soundfile.write(path, np.zeros(RATE), RATE), "silent: every sample is 0"),
        (
            lambda path: soundfile.write(path, noise(0, 0.05), RATE),
            "0.0500 s long; wanted 0.1 s or more",
        ),
        (write_nan, "holds values that are not numbers"),
        (break_link, "no such file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_used_is_quarantined(raw, spoil, reason):
    good, _ = run(raw)
    spoil(raw / f"{BAD}.wav")
    frame, quality = run(raw)
    bad = frame[frame["clip"] == BAD].reset_index()
    assert list(bad.status) == ["quarantined"]
    assert list(bad.reason) == [reason]
    assert quality["quarantined"] == {bad.path[0]: reason}
    assert quality["clips"] == 3
    # the others are as they were, to the byte
    assert frame[frame["clip"] != BAD].equals(good[good["clip"] != BAD])
    assert quality["sample_rate"] == {"8000": 3}


def test_a_colon_in_a_folder_s_name_does_not_end_up_in_the_reason(raw):
    moved = raw.rename(raw.with_name("raw: second copy"))
    (moved / f"{BAD}.wav").write_bytes(b"")
    frame, _ = run(moved)
    assert frame.reason[f"{BAD}.wav"] == "0 bytes; copy it again"


def test_a_copy_of_which_nothing_can_be_used_is_refused(raw):
    for name in NAMES:
        (raw / f"{name}.wav").write_bytes(b"")
    refused(raw, r"raw: none of its 4 clips can be used: 0 bytes; copy it again")


def test_a_folder_that_is_missing_is_refused(raw):
    shutil.rmtree(raw)
    refused(raw, r"raw: no such folder; put the corpus there, or a link to it")


def test_an_empty_folder_is_refused(raw):
    shutil.rmtree(raw)
    raw.mkdir()
    refused(raw, r"raw: holds no sound files")


def test_a_name_that_does_not_parse_is_refused(raw):
    shutil.copy(raw / f"{BAD}.wav", raw / "take two.wav")
    refused(raw, r"raw: 1 files do not belong: take two\.wav \(wanted a name such as 03-01-05")


def test_a_label_outside_the_table_is_refused(raw):
    (raw / f"{BAD}.wav").rename(raw / "03-01-77-01-01-01-02.wav")
    refused(raw, r"03-01-77-01-01-01-02\.wav \(emotion 77 is not in the table 01\.\.08\)")


def test_too_few_clips_are_refused_with_emotions_and_speakers(raw):
    (raw / f"{BAD}.wav").unlink()
    refused(
        raw,
        r"raw: found 3 clips, RAVDESS has 4 \(emotion angry 1 of 2; speaker 02 1 of 2\); "
        "copy the corpus again",
    )


def test_too_many_clips_are_refused_with_emotions_and_speakers(raw):
    soundfile.write(raw / "03-01-08-01-01-01-25.wav", noise(9), RATE)
    refused(
        raw,
        r"raw: found 5 clips, RAVDESS has 4 \(emotion surprise 1 of 0; speaker 25 1 of 0\); copy",
    )


def test_the_right_number_of_the_wrong_clips_is_refused(raw):
    (raw / f"{BAD}.wav").rename(raw / "03-01-05-02-01-01-01.wav")
    refused(
        raw, r"raw: found 4 clips, RAVDESS has 4 \(speaker 01 3 of 2, 02 1 of 2\); copy the corpus"
    )


def test_a_second_file_of_equal_sound_is_skipped_as_a_copy(raw):
    (raw / "again").mkdir()
    signal, _ = audio.read(raw / f"{BAD}.wav")
    soundfile.write(raw / "again" / f"{BAD}.flac", signal, RATE)  # another container, one sound
    frame, quality = run(raw)
    assert frame.status[f"{BAD}.wav"] == "ok"
    assert frame.status[f"again/{BAD}.flac"] == "skipped"
    assert frame.reason[f"again/{BAD}.flac"] == f"copy of {BAD}.wav"
    assert quality["clips"] == 4
    assert quality["skipped"] == {"second copy": 1}
    assert quality["duplicates"] == []


def test_a_second_file_of_different_sound_is_refused(raw):
    (raw / "again").mkdir()
    soundfile.write(raw / "again" / f"{BAD}.wav", noise(99), RATE)
    refused(
        raw,
        rf"raw: {BAD}\.wav and again/{BAD}\.wav have one name and different sound; keep the right",
    )


@pytest.mark.parametrize("broken", [f"{BAD}.wav", f"again/{BAD}.wav"])
def test_of_a_good_file_and_a_broken_copy_the_good_one_is_taken(raw, broken):
    (raw / "again").mkdir()
    shutil.copy(raw / f"{BAD}.wav", raw / "again")
    (raw / broken).write_bytes(b"")
    frame, quality = run(raw)
    assert frame.status[broken] == "skipped"
    good = ({f"{BAD}.wav", f"again/{BAD}.wav"} - {broken}).pop()
    assert frame.status[good] == "ok"
    assert frame.reason[broken] == f"copy of {good}; 0 bytes; copy it again"
    assert quality["skipped"] == {"second copy": 1}


def test_two_names_of_one_recording_are_reported(raw):
    shutil.copy(raw / f"{NAMES[0]}.wav", raw / f"{NAMES[1]}.wav")
    frame, quality = run(raw)
    assert set(frame.status) == {"ok"}
    assert quality["duplicates"] == [sorted(NAMES[:2])]
