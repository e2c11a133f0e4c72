"""Bad raw data: a line that stops the stage, or a row that says what is wrong with one file."""

import dataclasses
import shutil

import numpy as np
import pytest
import soundfile

from pipeline.audit.conditions import conditions
from pipeline.audit.quality import SUSPICIONS
from pipeline.config.records import Corpus
from pipeline.corpora import ravdess
from pipeline.corpora.clip import NO_SOUND
from pipeline.errors import InputError
from pipeline.files import audio, tables
from pipeline.stages.index import COLUMNS, index
from tests.stages.indexing import BAD, NAMES, NONE, RATE, expect, noise, point_to_lfs, refused, run


def test_a_good_copy(raw):
    frame, quality = run(raw)
    assert [frame.index.name, *frame.columns] == ["path", *(c for c in COLUMNS if c != "path")]
    assert list(frame["clip"]) == [NAMES[1], NAMES[3], NAMES[0], NAMES[2]]  # emotion, then name
    signal, _ = audio.read(raw / f"{NAMES[1]}.wav")
    measured = conditions(audio.mono(signal), RATE)
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
        **{name: str(value) for name, value in vars(measured).items() if name != "seconds"},
        "pcm_hash": audio.pcm_hash(signal, RATE),
        "recording": NAMES[1],
        "status": "ok",
    }
    assert frame.loc[f"{NAMES[1]}.wav"].to_dict() == dict.fromkeys(frame.columns, "") | said
    assert quality == {
        "clips": 4,
        "seconds": 4.0,
        "speakers": 2,
        "emotion": {"angry": 2, "neutral": 2},
        "sample_rate": {"8000": 4},
        "channels": {"1": 4},
        "counts": NONE | {"one_length": 4, "confound": 0.5},
        "quarantined": {},
        "skipped": {},
        **{kind: {} for kind in SUSPICIONS},
        "leading_silence": 0.0,
        "trailing_silence": 0.0,
        "one_length": 1.0,
        "duplicates": [],
        "near_duplicates": [],
        "contradictions": [],
        "compared": 4,
        "length_accuracy": 0.5,
        "length_chance": 0.5,
        "partial": None,
        "parser": "ravdess",
        "parser_settings": {"song": False},
        "sources": [{"name": "RAVDESS", **vars(ravdess.SOURCE)}],
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


def break_link(path):
    path.unlink()
    path.symlink_to("gone.wav")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (cut, "cut short: 3956 of 16000 bytes of sound are there; copy it again"),
        (cut_flac, "cut short or damaged: its last frame is not whole; copy it again"),
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
            "too short: 0.0500 s; wanted 0.1 s or more",
        ),
        (write_nan, "holds values that are not numbers"),
        (break_link, "a link to no such file"),
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


def test_too_few_clips_are_refused_with_names_emotions_and_speakers(raw):
    (raw / f"{BAD}.wav").unlink()
    refused(
        raw,
        rf"raw: found 3 clips, RAVDESS has 4 \(1 missing: {BAD}; emotion angry 1 of 2, "
        r"speaker 02 1 of 2\); copy the corpus again, or go on with what is there: "
        r"corpora\.small\.allow_partial: true",
    )


def test_too_many_clips_are_refused_with_names_emotions_and_speakers(raw):
    soundfile.write(raw / "03-01-08-01-01-01-25.wav", noise(9), RATE)
    refused(
        raw,
        r"raw: found 5 clips, RAVDESS has 4 \(1 extra: 03-01-08-01-01-01-25; "
        r"emotion surprise 1 of 0, speaker 25 1 of 0\); copy",
    )


def test_the_right_number_of_the_wrong_clips_is_refused(raw):
    (raw / f"{BAD}.wav").rename(raw / "03-01-05-02-01-01-01.wav")
    refused(
        raw,
        rf"raw: found 4 clips, RAVDESS has 4 \(1 missing: {BAD}; 1 extra: 03-01-05-02-01-01-01; "
        r"speaker 01 3 of 2, speaker 02 1 of 2\); copy",
    )


def test_a_wrong_name_is_refused_where_all_counts_are_right(raw):
    (raw / f"{BAD}.wav").rename(raw / "03-01-05-02-01-01-02.wav")
    refused(raw, rf"has 4 \(1 missing: {BAD}; 1 extra: 03-01-05-02-01-01-02\); copy the corpus")


def test_clips_are_counted_where_names_follow_no_rule(raw, monkeypatch):
    expect(monkeypatch)
    (raw / f"{BAD}.wav").rename(raw / "03-01-05-02-01-01-01.wav")
    refused(
        raw,
        r"found 4 clips, RAVDESS has 4 \(1 missing; 1 extra; "
        r"speaker 01 3 of 2, speaker 02 1 of 2\); copy",
    )


def test_a_partial_copy_goes_on_where_that_is_allowed_and_the_fact_is_kept(raw):
    (raw / f"{BAD}.wav").unlink()
    soundfile.write(raw / "03-01-08-01-01-01-01.wav", noise(9), RATE)
    soundfile.write(raw / "03-01-08-01-01-02-01.wav", noise(10), RATE)
    frame, quality = run(raw, allow_partial=True)
    assert len(frame) == 5
    assert quality["partial"] == {
        "expected": 4,
        "found": 5,
        "missing": 1,
        "extra": 2,
        "missing_names": [BAD],
        "extra_names": ["03-01-08-01-01-01-01", "03-01-08-01-01-02-01"],
        "wrong": [
            *("emotion angry 1 of 2", "emotion surprise 2 of 0"),
            *("speaker 01 4 of 2", "speaker 02 1 of 2"),
        ],
    }
    assert (quality["counts"]["missing"], quality["counts"]["extra"]) == (1, 2)


def test_a_whole_copy_is_not_partial_because_it_may_be(raw):
    assert run(raw, allow_partial=True)[1] == run(raw)[1]


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


@pytest.mark.parametrize("pointer", [False, True])
def test_of_a_recording_and_its_lossy_copy_the_recording_is_taken(raw, pointer):
    (raw / "AudioMP3").mkdir()
    signal, _ = audio.read(raw / f"{BAD}.wav")
    soundfile.write(raw / "AudioMP3" / f"{BAD}.mp3", signal, RATE)
    if pointer:
        point_to_lfs(raw / f"{BAD}.wav")
    frame, quality = run(raw)
    assert frame.status[f"{BAD}.wav"] == ("quarantined" if pointer else "ok")
    assert frame.status[f"AudioMP3/{BAD}.mp3"] == "skipped"
    assert frame.reason[f"AudioMP3/{BAD}.mp3"] == f"copy of {BAD}.wav"
    assert quality["clips"] == 3 + (not pointer)


def test_a_longer_lossy_file_is_no_copy(raw):
    soundfile.write(raw / f"{BAD}.mp3", noise(9, 2.0), RATE)
    refused(raw, rf"raw: {BAD}\.wav and {BAD}\.mp3 have one name and different sound; keep the")


def test_labelled_clips_without_sound_are_missing(raw, monkeypatch):
    monkeypatch.setattr(ravdess, "expected", lambda **settings: None)
    found = ravdess.clips(raw, song=False)
    gone = dataclasses.replace(found[0], clip="gone", absent=NO_SOUND)
    other = dataclasses.replace(found[0], clip="other", absent=NO_SOUND, skip="not agreed upon")

    def clips(folder, *, song: bool = False):
        return [*found, gone, other]

    monkeypatch.setattr(ravdess, "clips", clips)
    refused(
        raw,
        r"raw: found 4 clips, RAVDESS has 5 \(1 missing: gone: no such sound file\); copy the corp",
    )
    frame, quality = run(raw, allow_partial=True)
    assert len(frame) == 4
    assert quality["partial"]["missing_names"] == ["gone"]
    assert quality["counts"]["missing"] == 1


def test_rows_of_a_table_without_sound_are_named_or_left_out(tmp_path):
    for name in ("01.wav", "02.wav"):
        tmp_path.joinpath("own").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "own" / name, noise(int(name[:2])), RATE)
    text = "path,label\n01.wav,sad\n2.wav,happy\n3.wav,sad\n"
    (tmp_path / "own" / "labels.csv").write_text(text)
    paths = tmp_path / "index.csv", tmp_path / "quality.json"
    reason = (
        r"found 1 clips, .* has 3 \(2 missing: 2\.wav: no such sound file, did you mean 02\.wav\?"
    )
    with pytest.raises(InputError, match=reason):
        index(tmp_path / "own", *paths, corpus=Corpus("own", {}, "table"))
    index(tmp_path / "own", *paths, corpus=Corpus("own", {}, "table", allow_partial=True))
    found = tables.read(paths[0])
    assert found[["path", "status"]].to_numpy().tolist() == [
        ["01.wav", "ok"],
        ["02.wav", "skipped"],
    ]
    assert tables.read_json(paths[1])["partial"]["missing_names"] == ["2.wav", "3.wav"]
