"""Recipes: chunks of clips of any length, and arrays measured from the published systems."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.config import params
from pipeline.features import recipes
from pipeline.features.recipes import WaveformRecipe
from pipeline.stages import waveforms

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT.parent / "shared" / "golden"

# Of DeepEmoCluster: whole clips, in chunks.
LINE = {"function": "spectral.mel", "n_fft": 512, "hop": 256, "pad_mode": "reflect"}
WHOLE = WaveformRecipe(16000, "soxr_hq", "whole", normalise="peak").spec(None)
CHUNKED = recipes.read_feature(LINE | {"segment": 62, "chunks": 11}, "mel128").spec(WHOLE)


# ---- clips in chunks -------------------------------------------------------------------------


def samples(frames):
    """As many samples as make so many frames of `CHUNKED`, and some over."""
    return 256 * frames - 100


def chunks_of(*sounds, **changes):
    """Whole clips, together, by the recipes in chunks."""
    sounds = [recipes.waveform(sound, 16000, WHOLE) for sound in sounds]
    return recipes.feature(sounds, replace(CHUNKED, **changes))


def noise(frames):
    """Make a clip of so many frames."""
    return np.random.default_rng(frames).normal(0, 0.1, samples(frames)).astype(np.float32)


@pytest.mark.parametrize("changes", ({}, {"deltas": "difference"}))
def test_clips_of_any_length_have_as_many_chunks(changes):
    lengths = (1, 33, 61, 62, 71, 692, 1000)
    found = chunks_of(*map(noise, lengths), **changes)
    for frames, values in zip(lengths, found, strict=True):
        assert values.shape == (11, 62, 128, 3)[: 3 + len(changes)]
        assert values.dtype == np.float32 and np.isfinite(values).all()
        (whole,) = chunks_of(noise(frames), **changes, chunks=0, segment=0)
        assert len(whole) == frames
        np.testing.assert_array_equal(values[0, :frames], whole[:62])
        assert not values[:, frames:].any()
        (alone,) = chunks_of(noise(frames), **changes)
        np.testing.assert_array_equal(values, alone)


def test_clips_of_one_length_are_cut_as_each_alone():
    sounds = [noise(100), noise(100)[::-1].copy()]
    for values, sound in zip(chunks_of(*sounds), sounds, strict=True):
        np.testing.assert_array_equal(values, chunks_of(sound)[0])


@pytest.mark.parametrize("frames", (1, 61, 300))
def test_a_silent_clip_is_silent_in_all_chunks(frames):
    (values,) = chunks_of(np.zeros(samples(frames), np.float32))
    np.testing.assert_array_equal(values, np.zeros((11, 62, 128), np.float32), strict=True)


# ---- the published systems -------------------------------------------------------------------


def golden(name):
    """Arrays of a file of the measured ones."""
    if not GOLDEN.is_dir():
        pytest.skip("../shared/golden not found")
    return np.load(GOLDEN / name)


def made(signal, rate, sound, feature):
    """Make a waveform and a feature of one clip as the stages do."""
    held = params.load(ROOT / "params.yaml")
    lengths = np.array([len(signal)])
    spec = waveforms.resolved(held.sounds[sound], lengths)
    waveform = recipes.waveform(signal, rate, spec)
    (values,) = recipes.feature([waveform], held.features[feature].spec(spec))
    return waveform, values


@pytest.mark.corpus
@pytest.mark.parametrize("clip", ["anger", "boredom", "sadness"])
def test_light_sernet(clip):
    held = golden("lightsernet/features.npz")
    sound = held[f"{clip}_dataset.wave_after_pcm16"]
    spec = params.load(ROOT / "params.yaml").features["mfcc40-tf"].spec(WHOLE)
    (values,) = recipes.feature([sound], spec)
    np.testing.assert_allclose(values, held[f"{clip}_dataset.mfcc_tf_signal"], rtol=0, atol=1e-3)


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("clip", "rate"), [("a", 22050), ("b", 22050), ("c", 22050), ("d48k", 48000)]
)
def test_dcnn(clip, rate):
    held = golden("dcnn_blstm/frontend.npz")
    sound, values = made(held[f"{clip}/wav_in"], rate, "demo-dcnn-3s", "segments64-tf")
    wanted = held[f"{clip}/preemph"]
    assert sound.shape == wanted.shape
    # of a clip that is resampled first and cut then, the end rings differently
    np.testing.assert_allclose(sound[:-100], wanted[:-100], rtol=0, atol=1e-4)
    np.testing.assert_allclose(values, held[f"{clip}/segments"], rtol=0, atol=1e-4)


@pytest.mark.corpus
def test_deep_emo_cluster():
    held = golden("deepemocluster/frontend.npz")
    sound, chunks = made(held["wav"], 16000, "demo-whole-16k", "mel128-chunks")
    assert sound.shape == held["wav"].shape
    first = held["mel"][:62]
    np.testing.assert_allclose(chunks[0], first, rtol=1e-5, atol=1e-7)
    mean, std = held["normmean_temporal"][0], held["normstd_temporal"][0]
    scores = ((chunks - mean) / std).clip(-3, 3)
    np.testing.assert_allclose(scores, held["chunks_temporal"], rtol=0, atol=1e-5)
