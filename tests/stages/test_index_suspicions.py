"""Duplicates and suspicious clips in the index: used, counted, named and limited."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from pipeline.audit.quality import SUSPICIONS
from pipeline.config.records import Corpus
from pipeline.files import audio, tables
from pipeline.stages.index import index
from tests.stages.indexing import BAD, NAMES, NONE, RATE, noise, point_to_lfs, refused, run

SHARED = Path(__file__).parents[3] / "shared" / "corpora"


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


def test_one_sound_under_two_emotions_is_a_contradiction(raw):
    shutil.copy(raw / f"{NAMES[0]}.wav", raw / f"{NAMES[1]}.wav")
    _, quality = run(raw)
    wanted = {"clips": NAMES[:2], "emotions": ["angry", "neutral"]}
    assert quality["contradictions"] == [wanted]
    assert quality["counts"]["contradictions"] == 1
    shutil.rmtree(raw.parent / "out")
    refused(raw, rf"contradictions 1, .*: {' = '.join(NAMES[:2])}; ", limits={"contradictions": 0})


def test_a_sound_said_twice_under_one_emotion_is_none(raw):
    shutil.copy(raw / f"{NAMES[0]}.wav", raw / f"{NAMES[2]}.wav")
    assert run(raw)[1]["contradictions"] == []


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
