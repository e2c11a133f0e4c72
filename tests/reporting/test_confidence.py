"""Confidence with and without a temperature."""

import dataclasses

import numpy as np
import pytest

from pipeline.reporting import confidence, diagrams, model_card
from pipeline.reporting.results import read_run
from pipeline.scoring import calibration
from tests.made_runs import LABELS, write_run


@pytest.fixture
def run(tmp_path):
    """Give a run whose second fold was tempered by 2, which was surer before."""
    plain = read_run(write_run(tmp_path, "a", right=0.6, folds=2))
    columns = [f"p_{label}" for label in LABELS]
    given = np.full((len(plain.predictions), len(LABELS)), 0.05)
    place = [LABELS.index(name) for name in plain.predictions["predicted"]]
    given[np.arange(len(given)), place] = 0.65
    rows = plain.predictions.copy()
    rows[columns] = given
    fitted = [{"fold": 1, "seed": 0, "temperature": 1.0},
              {"fold": 2, "seed": 0, "temperature": 2.0}]  # fmt: skip
    facts = plain.facts | {"temperatures": fitted}
    return dataclasses.replace(plain, predictions=rows, facts=facts)


def test_before_a_temperature_the_answers_of_its_fold_were_surer(run):
    found = confidence.of(run)
    second = (run.predictions["fold"] == "2").to_numpy()
    assert found.now == pytest.approx(np.full(240, 0.65))
    assert found.before[~second] == pytest.approx(0.65)
    surer = 0.65**2 / (0.65**2 + 7 * 0.05**2)
    assert found.before[second] == pytest.approx(surer)
    assert found.right.mean() == pytest.approx(0.6)
    assert found.error_before == pytest.approx((0.05 + surer - 0.6) / 2)
    assert found.error_before > calibration.error(found.right, found.now)


def test_it_is_said_and_drawn_only_where_there_is_one(run):
    words = confidence.words(run)
    assert words.startswith("Probabilities are tempered by 1.00 to 2.00, fitted on the validation")
    assert words in model_card.card(run)
    assert "Without temperature: " in diagrams.reliability(run)
    without = dataclasses.replace(run, facts=run.facts | {"temperatures": []})
    assert confidence.words(without) == ""
    assert "Without temperature" not in diagrams.reliability(without)
