"""The demo corpus: complete, the same bytes each time, and sounding as its labels say."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import scipy.signal

from pipeline.errors import InputError
from pipeline.files import audio
from pipeline.stages import demo


@pytest.fixture(scope="module")
def corpus(demo_corpus):
    return demo_corpus


@pytest.fixture(scope="module")
def labels(corpus):
    return pd.read_csv(corpus / "labels.csv")


@pytest.fixture(scope="module")
def signals(corpus, labels):
    read = [audio.read(corpus / path) for path in labels.path]
    assert {(rate, signal.shape[1]) for signal, rate in read} == {(16000, 1)}
    return [signal[:, 0].astype(float) for signal, _ in read]


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def level_db(signal):
    return 10 * np.log10(np.mean(signal**2))


def pitch(signal):
    """Median over voiced 40 ms frames of the autocorrelation's highest peak, 70 to 450 Hz."""
    frames = np.lib.stride_tricks.sliding_window_view(signal, 640)[::320]  # (frames, 640)
    spectrum = np.fft.rfft(frames - frames.mean(axis=1, keepdims=True), 2048)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:, :640]  # (frames, lags)
    lags = np.arange(16000 // 450, 16000 // 70)
    best = correlation[:, lags].argmax(axis=1)
    strength = correlation[np.arange(len(frames)), lags[best]] / (correlation[:, 0] + 1e-9)
    loud = correlation[:, 0] > 0.1 * correlation[:, 0].max()
    return 16000 / np.median(lags[best][loud & (strength > 0.4)])


def test_same_bytes_twice_whatever_an_earlier_or_killed_run_left(corpus, tmp_path, monkeypatch):
    for left in ("demo", ".demo.part"):
        (tmp_path / left / "wav").mkdir(parents=True)
        (tmp_path / left / "wav" / "stale.wav").write_bytes(b"stale")
    # All speakers are made twice, in two processes, where test_interrupted kills the stage.
    speaker = next(iter(demo.SPEAKERS))
    monkeypatch.setattr(demo, "SPEAKERS", {speaker: demo.SPEAKERS[speaker]})
    demo.demo(tmp_path / "demo")
    made, whole = digests(tmp_path / "demo"), digests(corpus)
    del made["labels.csv"]
    wanted = [name for name in whole if name.startswith(f"wav/{speaker}_")] + ["README.md"]
    assert made == {name: whole[name] for name in wanted}
    assert len(made) == 21 + 1
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_every_speaker_says_every_sentence_in_every_emotion_once(labels):
    assert list(labels.columns) == [
        *("path", "speaker", "sex", "emotion", "sentence", "arousal", "dominance", "valence")
    ]
    assert len(labels) == 210
    assert not labels.duplicated(["speaker", "sentence", "emotion"]).any()
    assert sorted(labels.speaker.unique()) == [f"{s}{n:02}" for s in "fm" for n in range(1, 6)]
    assert sorted(labels.sentence.unique()) == ["s1", "s2", "s3"]
    assert " ".join(sorted(labels.emotion.unique())) == (
        "angry boredom disgust fear happy neutral sad"
    )


def test_labels_agree_with_the_files(corpus, labels):
    written = {f"wav/{path.name}" for path in (corpus / "wav").iterdir()}
    assert set(labels.path) == written
    named = "wav/" + labels.speaker + "_" + labels.sentence + "_" + labels.emotion + ".wav"
    assert list(labels.path) == list(named)
    assert list(labels.sex) == [speaker[0] for speaker in labels.speaker]


def test_readme_is_three_lines_with_the_licence(corpus):
    lines = (corpus / "README.md").read_text().splitlines()
    assert len(lines) == 3
    assert "synthetic" in lines[0]
    assert "pipeline demo" in lines[1]
    assert "CC0" in lines[2]


def test_clips_last_1_to_3_seconds_and_are_neither_clipped_nor_silent(signals):
    seconds = np.array([len(signal) / 16000 for signal in signals])
    peaks = np.array([np.abs(signal).max() for signal in signals])
    assert (seconds.min() >= 1.2) and (seconds.max() <= 3.0)
    assert peaks.max() < 0.95
    assert min(map(level_db, signals)) > -50
    # A microphone is never digitally silent: not even the pause before the first word.
    assert all(signal[:800].any() for signal in signals)


def test_no_two_clips_are_alike(signals):
    assert len({signal.tobytes() for signal in signals}) == 210


def test_pitch_finds_the_pitch_of_a_pulse_train():
    pulses = np.zeros(16000)
    pulses[::80] = 1.0
    assert pitch(pulses) == pytest.approx(200)


def test_anger_is_louder_and_higher_than_sadness(labels, signals):
    measured = pd.DataFrame(
        {"emotion": labels.emotion, "level": map(level_db, signals), "pitch": map(pitch, signals)}
    )
    mean = measured.groupby("emotion").mean()
    assert mean.level["angry"] > mean.level["sad"] + 6
    assert mean.pitch["angry"] > mean.pitch["sad"] * 1.2


def test_neutral_pitch_is_the_one_asked_for_and_women_speak_above_men(labels, signals):
    neutral = labels[labels.emotion == "neutral"]
    measured = pd.Series({i: pitch(signals[i]) for i in neutral.index})
    asked = [
        demo.SPEAKERS[clip.speaker][0]
        * 2 ** (demo.perform(clip.speaker, clip.sentence, clip.emotion)[0].pitch / 12)
        for clip in neutral.itertuples()
    ]
    above = 12 * np.log2(measured / asked)
    # Loud frames are stressed ones: 4 semitones of accent, 1 of drift and declination.
    assert above.between(0, 5).all()
    assert measured[neutral.sex == "f"].min() > measured[neutral.sex == "m"].max()


def test_attributes_are_on_their_scale_and_follow_the_sound(labels, signals):
    attributes = labels[["arousal", "dominance", "valence"]]
    assert attributes.min().min() >= 1 and attributes.max().max() <= 7
    np.testing.assert_array_equal(attributes, attributes.round(2))
    mean = labels.groupby("emotion")[["arousal", "dominance", "valence"]].mean()
    assert mean.arousal["angry"] > mean.arousal["neutral"] > mean.arousal["sad"]
    assert mean.dominance["angry"] > mean.dominance["fear"]
    assert mean.valence.idxmax() == "happy"
    # Within an emotion, the louder clip is rated the more aroused one.
    level = pd.Series([level_db(signal) for signal in signals])
    within = pd.DataFrame({"level": level, "arousal": labels.arousal})
    within -= within.groupby(labels.emotion).transform("mean")
    assert within.corr().loc["level", "arousal"] > 0.3


def test_resonator_peaks_at_its_centre_with_unit_gain_at_0_hertz():
    frequencies = np.arange(0, 8000, 10)
    _, response = scipy.signal.sosfreqz(
        demo.resonator([1500], [100]), worN=frequencies, fs=demo.SAMPLE_RATE
    )
    gain = np.abs(response)
    assert gain[0] == pytest.approx(1)
    assert frequencies[gain.argmax()] == pytest.approx(1500, abs=10)
    half_power = frequencies[gain > gain.max() / np.sqrt(2)]
    assert np.ptp(half_power) == pytest.approx(100, abs=20)


def test_glottis_pulses_at_the_pitch_asked_for():
    calm = demo.EMOTIONS["neutral"]
    pulses, flow = demo.glottis(np.full(16000, 125.0), calm, np.random.default_rng(0))
    assert pitch(pulses) == pytest.approx(125, rel=0.02)
    assert np.mean(pulses**2) == pytest.approx(1)
    assert flow.min() >= 0 and flow.max() <= 1


def test_a_folder_with_anything_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds thesis\.txt, wanted nothing or an earlier demo"):
        demo.demo(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_kill_leaves_no_half_written_corpus(tmp_path, monkeypatch):
    def killed(path, signal, sample_rate):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(demo, "write_pcm16", killed)
        with pytest.raises(KeyboardInterrupt):
            demo.demo(tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
