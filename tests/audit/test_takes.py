"""Clips of one take, on sound made here."""

import numpy as np
import pandas as pd

from pipeline.audit import fingerprints, takes
from pipeline.files import audio

RATE = 16000


def speech(seed):
    """Noise in bursts, three seconds: the shape of speech, and another for every seed."""
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.uniform(0, 0.3, 30), RATE // 10)
    return (level * rng.normal(size=len(level))).astype(np.float32)


def found(folder, signals):
    """Write signals and compare them as the stage does."""
    rows, prints = [], []
    for name, signal in signals.items():
        audio.write_pcm16(folder / f"{name}.wav", signal, RATE)
        read, rate = audio.read(folder / f"{name}.wav")
        prints.append(fingerprints.fingerprint(audio.mono(read), rate))
        rows.append((name, f"{name}.wav", audio.pcm_hash(read, rate)))
    frame = pd.DataFrame(rows, columns=["clip", "path", "pcm_hash"])
    return takes.of_clips(frame, folder, prints)


def test_other_sound_is_another_take(tmp_path):
    one = found(tmp_path, {"a": speech(1), "b": speech(2)})
    assert one.recording == ["a", "b"]
    assert (one.duplicates, one.near_duplicates, one.surplus, one.compared) == ([], [], 0, 2)


def test_equal_samples_are_duplicates(tmp_path):
    one = found(tmp_path, {"a": speech(1), "b": speech(2), "c": speech(1)})
    assert one.recording == ["a", "b", "a"]
    assert one.duplicates == [["a", "c"]]
    assert (one.near_duplicates, one.surplus, one.compared) == ([], 0, 2)


def test_a_take_at_another_level_is_a_near_duplicate_of_the_first(tmp_path):
    signals = {"a": speech(1), "b": speech(2), "c": speech(2) * 0.5, "d": speech(2)}
    one = found(tmp_path, signals)
    assert one.recording == ["a", "b", "b", "b"]
    assert one.duplicates == [["b", "d"]]
    (group,) = one.near_duplicates
    assert group["clips"] == ["b", "c", "d"] and group["correlation"] > 0.99
    assert (one.surplus, one.compared) == (1, 3)
