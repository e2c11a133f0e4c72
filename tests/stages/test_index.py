"""Bad raw data: a line that stops the stage, or a row that says what is wrong with one file."""

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from pipeline.audit.quality import LIMITS, SUSPICIONS
from pipeline.config.records import Corpus
from pipeline.corpora import ravdess
from pipeline.corpora.clip import NO_SOUND, Expected
from pipeline.errors import InputError
from pipeline.files import audio, tables
from pipeline.stages.index import COLUMNS, index

NAMES = [f"03-01-{emotion}-01-01-01-{actor}" for actor in ("01", "02") for emotion in ("01", "05")]
BAD = "03-01-05-01-01-01-02"
RATE = 8000
SHARED = Path(__file__).parents[3] / "shared" / "corpora"
NONE = dict.fromkeys(LIMITS, 0)


@pytest.fixture
def raw(tmp_path, monkeypatch):
    """Give a copy of a corpus that has four clips, 1 s each, named by RAVDESS's rule."""
    expect(monkeypatch, names=frozenset(NAMES))
    folder = tmp_path / "raw"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        soundfile.write(folder / f"{name}.wav", noise(number), RATE)
    return folder


def expect(monkeypatch, names=frozenset()):
    """Let RAVDESS have four clips."""
    expected = Expected(4, {"neutral": 2, "angry": 2}, {"01": 2, "02": 2}, names)
    monkeypatch.setattr(ravdess, "expected", lambda **settings: expected)


def noise(seed, seconds=1.0):
    """Draw noise, shape (samples,)."""
    return np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE))


def run(raw, **corpus):
    """Index a copy; return ``index.csv`` by clip, and ``quality.json``."""
    paths = raw.parent / "out" / "index.csv", raw.parent / "out" / "quality.json"
    index(raw, *paths, corpus=Corpus("small", {"song": False}, "ravdess", **corpus))
    return tables.read(paths[0]).set_index("path"), tables.read_json(paths[1])


def refused(raw, match, **corpus):
    """Check that a copy is refused with one line, and that nothing is written."""
    with pytest.raises(InputError, match=match) as error:
        run(raw, **corpus)
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


def point_to_lfs(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")


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


# ---- names -----------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path):
    """Give a corpus in folders: ``own(path, ...)`` makes clips of noise and indexes them."""

    def make(*paths):
        for number, path in enumerate(paths):
            path = os.path.join(os.fsencode(tmp_path / "own"), os.fsencode(path))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                soundfile.write(file, noise(number), RATE, format="WAV")
        return again()

    def again():
        corpus = Corpus("own", {}, "folders")
        index(tmp_path / "own", tmp_path / "i.csv", tmp_path / "q.json", corpus=corpus)
        return tables.read(tmp_path / "i.csv").set_index("path")

    make.again = again
    return make


def test_a_name_that_is_not_utf_8_is_quarantined(own):
    frame = own(b"sad/tr\xfcb.wav", "sad/1.wav", "happy/2.wav")
    assert frame.status.tolist() == ["ok", "ok", "quarantined"]
    assert frame.reason["sad/tr\\xfcb.wav"] == "its name is not UTF-8; rename it"


def test_a_name_with_a_carriage_return_is_read_back(own):
    frame = own("sad/a\rb.wav", "happy/2.wav")
    assert frame["clip"]["sad/a\rb.wav"] == "sad-a\rb"
    assert set(frame.status) == {"ok"}


def test_what_is_no_regular_file_is_quarantined(own, tmp_path):
    own("sad/1.wav", "happy/2.wav")
    os.mkfifo(tmp_path / "own" / "sad" / "pipe.wav")
    (tmp_path / "own" / "sad" / "round.wav").symlink_to("round.wav")
    frame = own.again()
    assert frame.reason["sad/pipe.wav"] == "not a regular file; remove it"
    assert frame.reason["sad/round.wav"] == "cannot be read (Too many levels of symbolic links)"
    assert frame.status.tolist() == ["ok", "ok", "quarantined", "quarantined"]


def test_links_that_lead_back_are_followed_once(own, tmp_path):
    own("sad/1.wav", "happy/2.wav")
    (tmp_path / "own" / "sad" / "up").symlink_to("..")
    (tmp_path / "own" / "happy" / "side").symlink_to("../sad")
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "home").symlink_to(tmp_path / "far")
    shutil.copy(tmp_path / "own" / "sad" / "1.wav", tmp_path / "far")
    (tmp_path / "own" / "happy" / "far").symlink_to(tmp_path / "far")
    assert list(own.again().index) == ["happy/2.wav", "happy/far/1.wav", "sad/1.wav"]


def test_folders_outside_that_link_to_each_other_are_entered_once(own, tmp_path):
    own("sad/1.wav", "happy/2.wav")
    names = [str(number) for number in range(11)]  # 11! ways through them
    for name in names:
        (tmp_path / "far" / name).mkdir(parents=True)
        shutil.copy(tmp_path / "own" / "sad" / "1.wav", tmp_path / "far" / name)
        for other in names:
            (tmp_path / "far" / name / f"to{other}").symlink_to(f"../{other}")
    (tmp_path / "own" / "happy" / "far").symlink_to(tmp_path / "far" / "0")
    (tmp_path / "own" / "happy" / "above").symlink_to("../..")
    frame = own.again()
    assert len(frame) == 2 + len(names)
    assert frame.pcm_hash.nunique() == 2


def test_a_link_that_was_of_a_folder_is_quarantined(own, tmp_path):
    own("sad/1.wav", "happy/2.wav")
    (tmp_path / "own" / "sad" / "more").symlink_to("nowhere")
    assert own.again().reason["sad/more"] == "a link to no such file"


def test_emotions_that_look_alike_are_named(own):
    with pytest.raises(InputError, match=r"own: the emotions .*, .* look alike: they differ in ca"):
        own("sad/1.wav", "s\u0430d/2.wav", "happy/3.wav")


def test_speakers_that_look_alike_are_named(tmp_path):
    """Else one who speaks in training speaks in the test, too."""
    (tmp_path / "own").mkdir()
    for number in (1, 2):
        soundfile.write(tmp_path / "own" / f"{number}.wav", noise(number), RATE)
    labels = "path,label,speaker\n1.wav,sad,bob\n2.wav,happy,Bob\n"
    (tmp_path / "own" / "labels.csv").write_text(labels, encoding="utf-8")
    with pytest.raises(InputError, match=r"own: the speakers .* look alike"):
        corpus = Corpus("own", {}, "table")
        index(tmp_path / "own", tmp_path / "i.csv", tmp_path / "q.json", corpus=corpus)


# ---- duplicates ------------------------------------------------------------------------------


def test_two_names_of_one_recording_are_reported(raw):
    shutil.copy(raw / f"{NAMES[0]}.wav", raw / f"{NAMES[1]}.wav")
    frame, quality = run(raw)
    assert set(frame.status) == {"ok"}
    assert quality["duplicates"] == [sorted(NAMES[:2])]
    assert quality["near_duplicates"] == []
    assert quality["compared"] == 3
    first = frame["clip"].iloc[0]
    assert first == NAMES[1]
    assert dict(zip(frame["clip"], frame.recording, strict=True)) == {
        name: first if name in NAMES[:2] else name for name in NAMES
    }


def at_another_rate(path, signal):
    signal = 0.25 * soxr.resample(signal, RATE, 11025)
    soundfile.write(path, signal, 11025)


def cut_at_the_ends(path, signal):
    soundfile.write(path, signal[1001:-789], RATE)


def as_mp3(path, signal):
    soundfile.write(path.with_suffix(".mp3"), signal, RATE, compression_level=0.0)  # it is noise
    path.unlink()


def as_ogg(path, signal):
    soundfile.write(path.with_suffix(".ogg"), signal, RATE)
    path.unlink()


def as_stereo(path, signal):
    soundfile.write(path, np.stack([signal, signal], axis=1), RATE)


@pytest.mark.parametrize("change", [at_another_rate, cut_at_the_ends, as_mp3, as_ogg, as_stereo])
def test_one_take_in_other_samples_is_reported(raw, change):
    change(raw / f"{NAMES[3]}.wav", audio.read(raw / f"{NAMES[0]}.wav")[0][:, 0])
    frame, quality = run(raw)
    assert quality["duplicates"] == []
    (group,) = quality["near_duplicates"]
    assert group["clips"] == [NAMES[3], NAMES[0]]  # in the corpus's order
    assert 0.8 < group["correlation"] <= 1
    assert quality["counts"]["near_duplicates"] == 1
    recording = dict(zip(frame["clip"], frame.recording, strict=True))
    assert recording == {name: name for name in NAMES} | {NAMES[0]: NAMES[3]}


def test_equal_and_similar_clips_are_one_recording(raw):
    shutil.copy(raw / f"{NAMES[0]}.wav", raw / f"{NAMES[1]}.wav")
    cut_at_the_ends(raw / f"{NAMES[2]}.wav", audio.read(raw / f"{NAMES[0]}.wav")[0][:, 0])
    frame, quality = run(raw)
    assert quality["duplicates"] == [sorted(NAMES[:2])]
    assert quality["near_duplicates"][0]["clips"] == [NAMES[1], NAMES[0], NAMES[2]]
    assert (quality["counts"]["duplicates"], quality["counts"]["near_duplicates"]) == (1, 1)
    assert list(frame.recording) == [NAMES[1], NAMES[3], NAMES[1], NAMES[1]]


def test_what_cannot_be_used_is_no_recording(raw):
    (raw / f"{BAD}.wav").write_bytes(b"")
    frame, _ = run(raw)
    assert frame.recording[f"{BAD}.wav"] == ""


# ---- suspicions and limits -------------------------------------------------------------------


def clip_it(path, signal):
    soundfile.write(path, np.clip(20 * signal, -1, 1), RATE)


def write_aiff(path, signal):
    soundfile.write(path, signal, RATE, format="AIFF")


def write_stereo(path, left, right):
    soundfile.write(path, np.stack([left, right], axis=1), RATE)


def forget_the_length(path, signal):
    soundfile.write(path, signal, RATE)
    data = bytearray(path.read_bytes())
    data[40:44] = bytes(4)
    path.write_bytes(data)


SPOILED = {
    "clipped": clip_it,
    "loud": lambda path, signal: soundfile.write(path, 20 * signal, RATE, subtype="FLOAT"),
    "quiet": lambda path, signal: soundfile.write(path, 0.01 * signal, RATE, subtype="PCM_24"),
    "offset": lambda path, signal: soundfile.write(path, signal + 0.1, RATE),
    "padded": lambda path, signal: soundfile.write(path, np.pad(signal, (0, 900)), RATE),
    "silence": lambda path, signal: soundfile.write(
        path, signal * np.repeat([1e-3, 1.0, 1e-3], [3000, 1000, 4000]), RATE, subtype="FLOAT"
    ),
    "dead": lambda path, signal: write_stereo(path, signal, 0 * signal),
    "cancelled": lambda path, signal: write_stereo(path, signal, -0.9 * signal),
    "unchecked": forget_the_length,
    "misnamed": write_aiff,
}


@pytest.mark.parametrize("kind", SPOILED)
def test_a_suspicious_clip_is_used_counted_and_named(raw, kind):
    SPOILED[kind](raw / f"{BAD}.wav", noise(3))
    frame, quality = run(raw)
    assert frame.status[f"{BAD}.wav"] == "ok"
    assert quality["counts"] == NONE | {
        kind: 1,
        "one_length": 0 if kind == "padded" else 4,
        "confound": quality["length_accuracy"],
    }
    (path, fact) = quality[kind].popitem()
    assert path == f"{BAD}.wav"
    texts = {"misnamed": "AIFF", "unchecked": "its header states no length"}
    assert fact == texts[kind] if kind in texts else fact > 0


def test_every_suspicion_was_tried():
    assert list(SPOILED) == list(SUSPICIONS)


@pytest.mark.parametrize("kind", SPOILED)
def test_a_count_above_its_limit_stops_the_stage(raw, kind):
    SPOILED[kind](raw / f"{BAD}.wav", noise(3))
    run(raw, limits={kind: 1.0})
    shutil.rmtree(raw.parent / "out")
    refused(
        raw,
        rf"raw: {kind} 1, corpora\.small\.limits allows 0: {BAD}\.wav \(.+\); "
        "mend the copy or raise the limit",
        limits={kind: 0.0},
    )


def test_quarantined_clips_are_limited(raw):
    point_to_lfs(raw / f"{BAD}.wav")
    refused(raw, rf"quarantined 1, .*: {BAD}\.wav \(a git-LFS", limits={"quarantined": 0})


def test_duplicates_are_limited(raw):
    shutil.copy(raw / f"{NAMES[0]}.wav", raw / f"{NAMES[1]}.wav")
    as_ogg(raw / f"{NAMES[3]}.wav", noise(2))
    groups = {"duplicates": NAMES[:2], "near_duplicates": [NAMES[3], NAMES[2]]}
    for kind, names in groups.items():
        refused(raw, rf"{kind} 1, .* allows 0: {' = '.join(names)}; mend", limits={kind: 0})


def test_lengths_are_limited(raw):
    refused(raw, r"one_length 4, .* allows 0: all are 1 s long", limits={"one_length": 0})
    refused(
        raw,
        r"confound 0\.5, .* allows 0\.4: emotions guessed by the clips' lengths, chance 0\.5",
        limits={"confound": 0.4},
    )


def test_what_a_partial_copy_lacks_is_limited(raw):
    (raw / f"{BAD}.wav").unlink()
    refused(
        raw,
        rf"missing 1, .* allows 0: 1 missing: {BAD}; emotion angry 1 of 2",
        allow_partial=True,
        limits={"missing": 0, "extra": 0},
    )


def test_the_first_of_many_are_named_and_all_are_counted(raw):
    names = [f"03-01-05-01-01-01-{actor:02}" for actor in range(3, 33)]
    for number, name in enumerate(names, start=10):
        soundfile.write(raw / f"{name}.wav", 0.01 * noise(number), RATE, subtype="PCM_24")
    _, quality = run(raw, allow_partial=True)
    assert quality["counts"]["quiet"] == 30
    assert list(quality["quiet"]) == [f"{name}.wav" for name in names[:20]]
    assert quality["partial"]["extra_names"] == names[:20]
    shutil.rmtree(raw.parent / "out")
    message = rf"quiet 30, .*: {names[0]}\.wav \([\d.]+\), .*, {names[2]}\.wav \([\d.]+\), \.\.\.; "
    refused(raw, message, allow_partial=True, limits={"quiet": 29})


# ---- a real corpus ---------------------------------------------------------------------------


@pytest.mark.corpus
def test_the_audit_of_ravdess(tmp_path):
    if not (SHARED / "ravdess").is_dir():
        pytest.skip("needs ../shared/corpora/ravdess")
    paths = tmp_path / "index.csv", tmp_path / "quality.json"
    corpus = Corpus("ravdess", {"song": False}, "ravdess", limits={"near_duplicates": 0})
    index(SHARED / "ravdess", *paths, corpus=corpus)
    frame, quality = tables.read(paths[0]), tables.read_json(paths[1])
    assert quality["duplicates"] == [["03-01-03-01-02-01-07", "03-01-03-01-02-02-07"]]
    assert quality["near_duplicates"] == []
    assert quality["compared"] == 1439
    counts = {"duplicates": 1, "quiet": 12, "padded": 305, "confound": 0.2125}
    assert quality["counts"] == NONE | counts
    assert quality["length_chance"] == 0.1333
    assert quality["partial"] is quality["one_length"] is None
    copied = frame[frame["clip"] != frame.recording]
    assert list(copied["clip"]) == ["03-01-03-01-02-02-07"]
    assert list(copied.recording) == ["03-01-03-01-02-01-07"]
