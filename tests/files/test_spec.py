"""Specs: what a store states, read and given back, and nothing left out."""

import pytest

from pipeline.errors import InputError
from pipeline.files.spec import Spec, WaveformSpec
from tests import specs

WHOLE = specs.spec(waveform={"augment": {"noise": [10, 30]}, "copies": 2}, settings={"hop": 4})


def test_a_spec_goes_to_json_and_back():
    held = WHOLE.to_json()
    assert Spec.from_json(held) == WHOLE
    assert WaveformSpec.from_json(held["waveform"]) == WHOLE.waveform


def test_json_has_the_order_that_stores_have():
    held = WHOLE.to_json()
    assert list(held) == "waveform function settings deltas segment segment_hop chunks".split()
    keys = "mix sample_rate resampler length samples normalise pre_emphasis pcm16 copies augment"
    assert list(held["waveform"]) == keys.split()
    assert held["settings"] == {"hop": 4}


def test_a_spec_of_another_version_is_refused():
    held = WHOLE.to_json()
    held["folds"] = held.pop("chunks")
    with pytest.raises(InputError, match=r"another version .*only one of them knows chunks, folds"):
        Spec.from_json(held)
    del held["folds"], held["waveform"]["mix"]
    with pytest.raises(InputError, match=r"only one of them knows mix\)"):
        Spec.from_json(held | {"chunks": 0})
