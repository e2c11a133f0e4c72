"""Facts of a signal whose answers are known, and lengths that do or do not tell the emotion."""

import re

import numpy as np
import pytest

from pipeline.audit.quality import (
    LIMITS,
    SUSPICIONS,
    empty,
    facts,
    length_confound,
    suspicions,
    unusable,
)

RATE = 16000


def tone(seconds=1.0, amplitude=0.5, channels=1):
    """Sine of 250 Hz, shape (samples, channels)."""
    time = np.arange(round(seconds * RATE)) / RATE
    sine = amplitude * np.sin(2 * np.pi * 250 * time)
    return np.repeat(sine[:, None], channels, axis=1).astype(np.float32)


def suspected(signal, misnamed=""):
    """Name what is suspicious, with the facts."""
    return suspicions(facts(signal, RATE), misnamed)


def test_a_tone_is_beyond_suspicion():
    found = facts(tone(), RATE)
    assert (found.peak, found.clipped, found.offset, found.zeros) == (0.5, 0, 0.0, 0.0)
    assert (found.leading, found.trailing, found.silence) == (0.0, 0.0, 0.0)
    assert suspected(tone()) == {}
    assert suspected(tone(channels=2)) == {}


@pytest.mark.parametrize("sign", [1, -1])
def test_runs_at_full_scale_are_clipping_whichever_channel_holds_them(sign):
    signal = tone(channels=2)
    signal[100:104, 1] = sign
    signal[200:203, 0] = sign
    assert suspected(signal) == {"clipped": 7}


def test_peaks_of_one_or_two_samples_at_full_scale_are_not_clipping():
    signal = tone(channels=2)
    signal[[100, 101, 300]] = 1.0
    assert facts(signal, RATE).clipped == 0


def test_a_run_does_not_go_on_into_the_next_channel():
    signal = tone(channels=2)
    signal[-2:, 0] = 1.0
    signal[:2, 1] = 1.0
    assert facts(signal, RATE).clipped == 0


def test_a_low_peak_is_quiet():
    assert suspected(tone(amplitude=0.009)) == {"quiet": 0.009}
    assert suspected(tone(amplitude=0.011)) == {}


def test_an_offset_is_measured_in_shares_of_the_rms():
    signal = tone(amplitude=np.sqrt(2) * 0.1)  # RMS 0.1
    assert suspected(signal + np.float32(0.02)) == {"offset": 0.196}  # 0.02 / hypot(0.1, 0.02)
    assert suspected(signal - np.float32(0.005)) == {}


def test_silence_and_zeros_at_the_ends():
    quiet = tone(0.5, amplitude=0.5e-3)  # 60 dB below
    found = facts(np.concatenate([quiet, tone(0.2), tone(0.3, 0.5e-3)]), RATE)
    assert (found.leading, found.trailing, found.silence) == (0.5, 0.3, 0.8)
    assert found.zeros == 0.0
    padded = facts(np.concatenate([tone(0.5), np.zeros((4000, 1), np.float32)]), RATE)
    assert (padded.zeros, padded.trailing, padded.leading) == (0.25, 0.25, 0.0)


def test_a_clip_of_which_more_than_two_thirds_are_silent_ends_is_suspicious():
    ends = tone(0.4, amplitude=0.5e-3)
    assert suspected(np.concatenate([ends, tone(0.2), ends])) == {"silence": 0.8}
    assert suspected(np.concatenate([ends, tone(0.5), ends])) == {}


def test_zeros_of_a_tenth_of_a_second_are_padding():
    zeros = np.zeros((1600, 1), np.float32)
    assert suspected(np.concatenate([zeros, tone()])) == {"padded": 0.1}
    assert suspected(np.concatenate([zeros[:1500], tone(), zeros[:1500]])) == {}


def test_a_container_that_the_suffix_does_not_say():
    assert suspected(tone(), "AIFF") == {"misnamed": "AIFF"}


def test_every_suspicion_can_be_limited():
    assert set(SUSPICIONS) < set(LIMITS)
    assert len(set(LIMITS)) == len(LIMITS)


# ---- lengths ---------------------------------------------------------------------------------


def test_lengths_that_tell_the_emotion():
    emotions = ["angry", "sad"] * 50
    seconds = np.where(np.array(emotions) == "sad", 3.0, 2.0) + np.arange(100) / 2000
    assert length_confound(seconds, emotions) == (1.0, 0.5)


def test_lengths_that_tell_nothing_score_near_chance():
    """Guesses are of clips left out: with them the score would be about 0.4."""
    rng = np.random.default_rng(0)
    emotions = np.repeat(list("abcd"), 100)
    accuracy, chance = length_confound(rng.uniform(1, 5, 400), emotions)
    assert chance == 0.25
    assert 0.18 < accuracy < 0.32


def test_a_length_of_which_nothing_is_known_is_guessed_to_be_the_commonest_emotion():
    assert length_confound(np.arange(10) * 1.0, ["sad"] * 6 + ["angry"] * 4) == (0.6, 0.6)


def test_bins_are_of_a_tenth_of_a_second():
    emotions = ["angry", "sad"] * 20
    apart = np.where(np.array(emotions) == "sad", 2.0, 2.1)
    assert length_confound(apart, emotions)[0] == 1.0
    together = np.where(np.array(emotions) == "sad", 2.0, 2.09)
    assert length_confound(together, emotions)[0] == 0.5


# ---- sound that says nothing -----------------------------------------------------------------


def with_a_spike(value):
    """Make a tone of which one sample is something else."""
    signal = tone()
    signal[5000] = value
    return signal


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (tone(0), r"too short: 0\.0000 s; wanted 0\.1 s or more"),
        (tone(0.0999), r"too short: 0\.0999 s; wanted 0\.1 s or more"),
        (0 * tone(), "silent: every sample is 0"),
        (0 * tone(channels=2), "silent: every sample is 0"),
        (np.sign(tone()) * np.float32(2**-16), r"silent: no sample is beyond 0\.000015 of full"),
        (0 * tone() + np.float32(0.25), r"constant: every sample is 0\.2500; no sound"),
        (np.hstack([tone(), -tone()]), "the channels cancel: their mean is silent"),
        (np.hstack([tone(), -tone() * np.float32(0.9999)]), "the channels cancel: their mean is"),
        (with_a_spike(np.nan), "holds values that are not numbers"),
        (with_a_spike(-np.inf), "holds values that are not numbers"),
        (with_a_spike(1e30), r"holds a value of 1e\+30; full scale is 1"),
        (with_a_spike(-1e30), r"holds a value of -?1e\+30; full scale is 1"),
    ],
)
def test_sound_that_says_nothing_is_named(signal, reason):
    assert re.match(reason, unusable(signal, RATE))
    if len(signal) > RATE / 2:
        assert empty(signal) == unusable(signal, RATE)


@pytest.mark.parametrize(
    "signal",
    [
        *(tone(), tone(0.1), tone(channels=2), tone(amplitude=2**-13), tone(amplitude=1e5)),
        tone() + np.float32(0.5),
        np.hstack([tone(), 0 * tone()]),
        np.hstack([tone(), -0.5 * tone()]),
    ],
)
def test_sound_that_says_something_is_used(signal):
    assert unusable(signal, RATE) == ""


def test_a_float_file_above_full_scale_is_loud_and_not_clipped():
    loud = tone(amplitude=1.5)
    assert suspicions(facts(loud, RATE, unbounded=True), "") == {"loud": 1.5}
    assert set(suspicions(facts(loud, RATE), "")) == {"clipped"}
    flat = np.clip(loud, -1.2, 1.2)
    found = suspicions(facts(flat, RATE, unbounded=True), "")
    assert set(found) == {"loud", "clipped"}
    full = np.clip(loud, -1, 1)
    assert set(suspicions(facts(full, RATE, unbounded=True), "")) == {"clipped"}


def test_a_dead_channel_and_channels_that_nearly_cancel():
    assert suspected(np.hstack([tone(), 0 * tone()])) == {"dead": 1}
    found = suspected(np.hstack([tone(), -0.95 * tone()]).astype(np.float32))
    assert found == {"cancelled": pytest.approx(0.0256, abs=1e-3)}


def test_a_length_that_is_not_stated_is_noted():
    assert suspicions(facts(tone(), RATE), "", "no length") == {"unchecked": "no length"}
