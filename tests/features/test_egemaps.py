"""eGeMAPS: its shape, its names, and openSMILE's values where that is installed."""

import importlib.util
import sys

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.features import egemaps

RATE = 16000


def test_without_the_package_it_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "afx_audio", None)
    with pytest.raises(InputError, match=r"needs the package afx-audio; pip install .*egemaps"):
        egemaps.functionals(np.zeros((1, RATE), np.float32), RATE)


@pytest.mark.skipif(not importlib.util.find_spec("afx_audio"), reason="afx-audio is not installed")
def test_a_vowel_has_its_pitch_and_silence_has_none():
    import afx_audio

    time = np.arange(RATE) / RATE
    vowel = sum(np.sin(2 * np.pi * 110 * k * time) / k for k in range(1, 30)).astype(np.float32)
    found = egemaps.functionals(np.stack([0.1 * vowel, 0 * vowel]), RATE)
    assert found.shape == (2, 1, 88)
    pitch = afx_audio.EGEMAPS_NAMES.index("F0semitoneFrom27.5Hz_sma3nz_amean")
    np.testing.assert_allclose(found[:, 0, pitch], [24, 0], atol=0.1)  # two octaves


@pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("afx_audio", "opensmile"))),
    reason="afx-audio and opensmile are not both installed",
)
def test_most_functionals_follow_opensmile(demo_corpus):
    from tests.bench import egemaps as bench

    paths = sorted((demo_corpus / "wav").glob("*.wav"))[::10]
    names, found, wanted = bench.both([bench.at_rate(path) for path in paths])
    correlations = bench.agreement(found, wanted)["correlation"]
    assert len(names) == 88
    assert np.median(correlations) > 0.9
