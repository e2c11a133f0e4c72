"""Functionals of a clip, worked out by hand: their order, changes, segments."""

import numpy as np
import pytest

from pipeline.models import functionals
from pipeline.models.functionals import Functionals, Machine
from pipeline.settings import flat
from tests import specs

FRAMES = np.array([[0.0, 8.0], [4.0, 8.0], [5.0, 2.0]])  # two bins


@pytest.mark.parametrize(
    ("wanted", "values"),
    [
        (Functionals(functionals=("mean",)), [3, 6]),
        (Functionals(functionals=("deviation",)), [np.sqrt(14 / 3), np.sqrt(8)]),
        (Functionals(functionals=("deviation", "mean")), [3, 6, np.sqrt(14 / 3), np.sqrt(8)]),
        (Functionals((), (0.0, 25.0, 100.0)), [0, 2, 2, 5, 5, 8]),
        (Functionals(("mean",), (50.0,), deltas=True), [3, 6, 4, 8, 5 / 3, -2, 1, 0]),
    ],
    ids="mean deviation both percentiles changes".split(),
)
def test_each_functional_of_all_bins_then_the_next(wanted, values):
    found = functionals.of(FRAMES.astype(np.float32), wanted, 0)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, values)


def test_changes_do_not_reach_from_one_segment_to_the_next():
    clip = np.array([[[1.0], [2.0]], [[7.0], [9.0]]])  # two segments of two frames
    wanted = Functionals(functionals=("mean",), deltas=True)
    assert functionals.of(clip, wanted, 1).tolist() == [4.75, (1 + 0 + 2 + 0) / 4]


def test_bins_of_any_number_of_axes_are_laid_flat():
    clip = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(
        functionals.of(clip, Functionals(), 0),
        functionals.of(clip.reshape(2, 12), Functionals(), 0),
    )


def test_segments_and_chunks_stand_before_the_frames():
    assert functionals.leading(specs.spec(segment=2, segment_hop=1)) == 1
    assert functionals.leading(specs.spec(waveform={"length": "segments"})) == 1
    assert functionals.leading(specs.spec()) == 0


def test_a_machine_lends_the_settings_of_its_functionals():
    names = ["functionals", "percentiles", "deltas", "kernel", "c", "gamma"]
    assert list(flat(Machine())) == names
