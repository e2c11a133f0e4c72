"""Recipes as graphs: what they make of sound of any length is what the stages make."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from pipeline.commands import import_weights
from pipeline.config import params
from pipeline.errors import InputError
from pipeline.features import framing, recipes
from pipeline.files.spec import Spec
from pipeline.inference import fused
from tests import rated

ROOT = Path(__file__).parents[2]


def spec_of(waveform, feature, **changes):
    """Resolve two recipes of params.yaml, with other settings of the function."""
    held = params.load(ROOT / "params.yaml")
    clip = held.waveforms[waveform]
    spec = held.features[feature].spec(
        clip.spec(clip.samples if isinstance(clip.samples, int) else 16000)
    )
    return dataclasses.replace(spec, settings=spec.settings | changes)


@pytest.mark.parametrize("share", [0.011, 0.6, 1, 1.7], ids="instant short exact long".split())
@pytest.mark.parametrize(
    ("waveform", "feature", "changes"),
    [
        ("light-sernet-3s", "mfcc40-tf", {}),
        ("dcnn-3s", "segments64-tf", {}),
        ("centred", "mfcc39", {}),
        ("centred", "mfcc39", {"win_length": 1101, "periodic": False, "pad_mode": "reflect"}),
        ("centred", "mel128-chunks", {"pad_mode": "symmetric", "power": 1.0}),
        ("light-sernet-3s", "mfcc40-tf", {"log": "db", "top_db": None, "dct_norm": "ortho"}),
    ],
    ids="light_sernet dcnn tim_net window mel decibels".split(),
)
def test_a_graph_makes_what_the_recipe_makes(waveform, feature, changes, share):
    spec = spec_of(waveform, feature, **changes)
    fused.check(spec)
    recipe = spec.waveform
    sound = rated.sound(int(share * recipe.samples), recipe.sample_rate)
    clip = recipes.waveform(sound, recipe.sample_rate, recipe)
    (made,) = recipes.feature([clip], spec)
    shape = (len(made) + 2, *made.shape[1:])
    (wanted,) = framing.rectangle([made], shape)
    found = fused.feature(tf.constant(sound), spec, shape).numpy()
    # What float32 leaves: where a band is nearly silent, its logarithm moves most.
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-3 * np.abs(wanted).max())
    assert np.abs(found - wanted).mean() < 1e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("samples", [1, 2, 100, 256, 257, 5000, 15872, 16128, 59200, 200000])
@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
def test_a_graph_cuts_any_length_into_chunks(mode, samples):
    spec = Spec.from_json(import_weights.SPEC)
    spec = dataclasses.replace(spec, settings={**spec.settings, "pad_mode": mode})
    fused.check(spec)
    sound = rated.sound(samples + 1, 16000)[1:]  # the first sample is silent, as the last are
    clip = recipes.waveform(sound, 16000, spec.waveform)
    (wanted,) = recipes.feature([clip], spec)
    found = fused.feature(tf.constant(sound), spec, (11, 62, 128)).numpy()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


def test_a_graph_of_silence_is_finite():
    spec = spec_of("light-sernet-3s", "mfcc40-tf")
    found = fused.feature(tf.zeros(5000), spec, (184, 40)).numpy()
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    ("waveform", "changes", "message"),
    [
        ("whole-16k", {}, "recipe has length whole, wanted centre, start, or whole with chunks"),
        ("centred", {"function": "cepstral.plp"}, "recipe has function cepstral.plp, wanted one"),
        ("centred", {"deltas": "regression"}, "recipe has deltas regression, wanted none or"),
        ("centred", {"settings": {"n_fft": 1000}}, "recipe has n_fft 1000, wanted a power of two"),
        ("centred", {"settings": {"n_fft": 8, "pad_mode": "edge"}}, "recipe has pad_mode edge"),
    ],
)
def test_a_recipe_that_has_no_graph_is_refused(waveform, changes, message):
    with pytest.raises(InputError, match=f"fused: {message}"):
        fused.check(dataclasses.replace(spec_of(waveform, "mfcc39"), **changes))
