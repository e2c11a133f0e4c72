"""Answers under other labels: outputs of one label are added, those of none take no part."""

import numpy as np

from pipeline.scoring.merging import merged

LABELS = {"calm": "neutral", "neutral": "neutral", "sad": "sad"}


def test_each_row_sums_to_one_and_keeps_its_proportions():
    found = merged(np.array([[0.1, 0.2, 0.3, 0.4], [0, 0, 1, 0]]),
                   ["boredom", "calm", "neutral", "sad"], LABELS, ["neutral", "sad"])  # fmt: skip
    np.testing.assert_allclose(found, [[5 / 9, 4 / 9], [1, 0]])


def test_what_is_sure_of_no_class_knows_nothing():
    found = merged(np.array([[1.0, 0.0, 0.0]]), ["boredom", "calm", "sad"], LABELS,
                   ["neutral", "sad"])  # fmt: skip
    np.testing.assert_array_equal(found, [[0.5, 0.5]])
