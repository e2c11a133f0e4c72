"""Floors and probes: known answers on made-up clips."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.engine import floors
from tests.engine import test_classical as classical


def run(outputs=3, attributes=(), **changed):
    """Floors of made-up clips, whose length tells nothing unless it is given."""
    data = classical.made_up(outputs, attributes)
    return floors.of(replace(data, **{"samples": np.full(classical.CLIPS, 100)} | changed))


def test_floors_of_emotions():
    found = run()
    assert list(found["floors"]) == ["majority", "length", "svm"]
    assert found["floors"]["majority"] == {"uar": 1 / 3, "war": 1 / 3}
    assert found["floors"]["length"]["uar"] == pytest.approx(1 / 3)
    data = classical.made_up()
    taken = floors.classical.table(data, floors.svm.Settings().functionals)
    settings = floors.svm.Settings()
    machine, _ = floors.classical.fit(
        "svm", settings, floors.svm.TRAINING, data, data.folds[0], taken
    )
    test = data.folds[0].test
    wanted = data.target.summary(data.truth[test], machine.answer(taken[test]))
    assert found["floors"]["svm"] == wanted
    assert found["clips"] == 60
    assert wanted["uar"] > 0.4


def test_a_length_that_tells_the_emotion_is_found():
    samples = 100 * (1 + np.arange(classical.CLIPS) % 3)
    assert run(samples=samples)["floors"]["length"]["uar"] == 1


def test_shuffled_labels_fall_to_chance():
    shuffled = run()["shuffled"]
    assert shuffled["draws"] == floors.SHUFFLES
    assert abs(shuffled["uar"] - 1 / 3) < 3 * shuffled["uar_std"]


def test_floors_of_attributes():
    found = run(attributes=("arousal", "valence"))
    assert list(found["floors"]) == ["mean", "length", "svr"]
    nothing = {"ccc_arousal": 0, "ccc_valence": 0}
    assert found["floors"]["mean"] == pytest.approx(nothing, abs=1e-9)
    assert found["floors"]["svr"]["ccc_arousal"] > 0.3
    assert abs(found["shuffled"]["ccc_arousal"]) < 0.3


def test_a_speaker_in_the_feature_is_found():
    data = classical.made_up()
    assert run()["speaker"]["accuracy"] < 0.4
    x, valid = data.x.copy(), np.full(classical.CLIPS, classical.FRAMES)
    x += 3 * np.random.default_rng(5).normal(size=(9, 1, classical.BINS))[np.arange(90) // 10]
    speaker = run(x=x.astype(np.float32), valid=valid)["speaker"]
    assert speaker["accuracy"] > 0.9
    assert (speaker["speakers"], speaker["clips"], speaker["chance"]) == (9, 90, 1 / 9)


def test_without_known_speakers_nothing_is_said_of_them():
    clips = classical.made_up().clips.assign(speaker="")
    assert run(clips=clips)["speaker"] is None
