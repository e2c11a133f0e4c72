"""Recipes of params.yaml against arrays measured from the published systems."""

from pathlib import Path

import numpy as np
import pytest

from pipeline import extract, params, waveforms
from pipeline.features import recipes

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT.parent / "shared" / "golden"

pytestmark = pytest.mark.corpus


def golden(name):
    """Arrays of a file of the measured ones."""
    if not GOLDEN.is_dir():
        pytest.skip("../shared/golden not found")
    return np.load(GOLDEN / name)


def made(signal, rate, waveform, feature):
    """Make a waveform and a feature of one clip as the stages do."""
    held = params.load(ROOT / "params.yaml")
    lengths = np.array([len(signal)])
    spec = waveforms.resolved(held.waveforms[waveform], held.corpora["demo"], lengths)
    spec = {"waveform": spec} | extract.resolved(held.features[feature])
    sound = recipes.waveform(signal, rate, spec["waveform"])
    (values,) = recipes.feature([sound], spec["waveform"]["sample_rate"], spec)
    return sound, values


@pytest.mark.parametrize("clip", ["anger", "boredom", "sadness"])
def test_light_sernet(clip):
    held = golden("lightsernet/features.npz")
    sound = held[f"{clip}_dataset.wave_after_pcm16"]
    spec = extract.resolved(params.load(ROOT / "params.yaml").features["mfcc40-tf"])
    (values,) = recipes.feature([sound], 16000, spec)
    np.testing.assert_allclose(values, held[f"{clip}_dataset.mfcc_tf_signal"], rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("clip", "rate"), [("a", 22050), ("b", 22050), ("c", 22050), ("d48k", 48000)]
)
def test_dcnn(clip, rate):
    held = golden("dcnn_blstm/frontend.npz")
    sound, values = made(held[f"{clip}/wav_in"], rate, "dcnn-3s", "segments64-tf")
    wanted = held[f"{clip}/preemph"]
    assert sound.shape == wanted.shape
    # of a clip that is resampled first and cut then, the end rings differently
    np.testing.assert_allclose(sound[:-100], wanted[:-100], rtol=0, atol=1e-4)
    np.testing.assert_allclose(values, held[f"{clip}/segments"], rtol=0, atol=1e-4)


def test_deep_emo_cluster():
    held = golden("deepemocluster/frontend.npz")
    sound, values = made(held["wav"], 16000, "whole-16k", "mel128")
    assert sound.shape == held["wav"].shape
    np.testing.assert_allclose(values, held["mel"], rtol=1e-5, atol=1e-7)
