from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.reporting import pairs, wording
from pipeline.reporting.results import DASH, Run
from pipeline.scoring import evaluation
from pipeline.scoring.targets import Attributes, Emotions

LABELS = ("angry", "sad")
SHARED = {"leaks": {"speaker": {"clips": 40}}}
APART = {"leaks": {"speaker": {"clips": 0}}}


def run(name, right, *, speakers=8, facts=APART, seeds=("0",), clips=40):
    """Run on emotions: of ten clips in turn of each speaker ``right`` are recognised."""
    speaker = np.arange(clips) % speakers
    label = np.where(np.arange(clips) // speakers % 2, *LABELS)
    other = np.where(label == "sad", "angry", "sad")
    named = np.where(np.arange(clips) // speakers % 10 < right, label, other)
    rows = {"clip": [f"c{n}" for n in range(clips)], "speaker": [f"s{n}" for n in speaker]}
    rows |= {"fold": (speaker % 2 + 1).astype(str), "label": label, "predicted": named}
    rows |= {f"p_{name}": np.where(named == name, 0.8, 0.2) for name in LABELS}
    frame = pd.concat([pd.DataFrame(rows).assign(seed=seed) for seed in seeds])
    target = Emotions(LABELS)
    return Run(name, facts, target, evaluation.scores(target, frame), predictions=frame)


def test_every_two_runs_are_compared_by_each_measure():
    found = pairs.compared([run("a", 5), run("b", 3), run("c", 1)])
    named = [(pair.first.name, pair.second.name, pair.measure.name) for pair in found]
    assert named == [(*two, m) for two in ("ab", "ac", "bc") for m in ("UAR", "WAR")]
    assert all(pair.supported for pair in found)
    war = [pair.difference.p_value for pair in found if pair.measure.name == "WAR"]
    assert war == [2 / 2**8] * 3
    assert [pair.adjusted for pair in found[1::2]] == pytest.approx([3 * 2 / 2**8] * 3)


def test_order_of_the_rows_does_not_matter():
    first, second = run("a", 5), run("b", 3)
    turned = replace(second, predictions=second.predictions[::-1].reset_index(drop=True))
    one, other = (pairs.compared([first, two])[0].difference for two in (second, turned))
    assert one == other


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"fold": "1"}, "not tested on the same clips in the same folds"),
        ({"label": "sad"}, "their clips have different labels"),
    ],
)
def test_other_folds_or_labels_are_not_compared(change, reason):
    first, second = run("a", 5), run("b", 3)
    changed = replace(second, predictions=second.predictions.assign(**change))
    assert reason in pairs.alike(first, changed)
    assert pairs.compared([first, changed]) == []


def test_emotions_and_attributes_are_not_compared():
    first = run("a", 5)
    assert "different things" in pairs.alike(first, replace(first, target=Attributes(("arousal",))))


def test_few_speakers_have_a_difference_and_no_test():
    (uar, war) = pairs.compared([run("a", 5, speakers=4), run("b", 3, speakers=4)])
    assert uar.difference is None
    assert not uar.supported
    assert wording.pair_cells(war) == ["+20.0", *[DASH] * 4]


def test_mcnemar_is_for_folds_that_share_speakers():
    shared = pairs.compared([run("a", 5, facts=SHARED), run("b", 3, facts=SHARED)])
    assert shared[1].mcnemar == 2 / 2**16  # sixteen clips that the first alone names
    apart = pairs.compared([run("a", 5), run("b", 3)])
    assert np.isnan(apart[1].mcnemar)


def test_seeds_are_pooled():
    (_, war) = pairs.compared([run("a", 5, seeds=("0", "1")), run("b", 3, seeds=("0", "1"))])
    assert war.difference.value == pytest.approx(0.2 * 2)


def test_attributes_are_compared_by_ccc():
    generator = np.random.default_rng(0)
    truth = generator.normal(4, 1, 60)

    def rated(name, spread):
        rows = {"clip": [f"c{n}" for n in range(60)], "speaker": [f"s{n % 6}" for n in range(60)]}
        rows |= {"fold": "1", "seed": "0", "true_arousal": truth}
        rows |= {"predicted_arousal": truth + generator.normal(0, spread, 60)}
        frame, target = pd.DataFrame(rows), Attributes(("arousal",))
        return Run(name, APART, target, evaluation.scores(target, frame), predictions=frame)

    (pair,) = pairs.compared([rated("a", 0.1), rated("b", 2.0)])
    assert pair.supported
    cells = wording.pair_cells(pair)
    assert cells[0] == f"+{pair.gap:.3f}"
    assert cells[2] == "0.031"  # 2 of 64 exchanges
