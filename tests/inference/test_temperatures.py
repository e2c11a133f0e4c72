"""Temperatures: fitted on validation clips, where there are any, and on no others."""

import numpy as np
import pandas as pd
import pytest

from pipeline.engine.dataset import Dataset, Fold
from pipeline.inference import models, temperatures
from pipeline.scoring import calibration
from pipeline.scoring.targets import Attributes, Emotions
from tests import rated, specs

CLIPS, CLASSES = 60, 3
GENERATOR = np.random.default_rng(0)
GIVEN = GENERATOR.dirichlet(np.ones(CLASSES), CLIPS).astype(np.float32)
TRUTH = GENERATOR.integers(0, CLASSES, CLIPS)
EMOTIONS = Emotions(("angry", "happy", "sad"))
TRAINED = [{"fold": 1, "seed": 0, "file": "one", "epoch": 3},
           {"fold": 2, "seed": 0, "file": "two", "epoch": 4}]  # fmt: skip


def data(validation=20, target=EMOTIONS, speakers=10):
    """Two folds that test 20 clips each and validate on others, of so many speakers."""
    rows = np.arange(CLIPS)
    folds = (
        Fold(1, rows[40:], rows[20 : 20 + validation], rows[:20]),
        Fold(2, rows[:20], rows[40 : 40 + validation], rows[20:40]),
    )
    x, whole = rows[:, None].astype(np.float32), np.ones(CLIPS, int)
    clips = pd.DataFrame({"speaker": [f"s{row % speakers}" for row in rows]})
    return Dataset(x, TRUTH, target, clips, folds, specs.spec(), whole, whole)


@pytest.fixture
def fitted(monkeypatch, tmp_path):
    """Give ``fitted(data, **card)``: what is found where a model answers clip n with row n."""

    def asked(card):
        assert card.folder == tmp_path
        return lambda one, clips: (GIVEN[[int(clip[0]) for clip in clips]], None)

    monkeypatch.setattr(models, "asked", asked)

    def run(data, **changed):
        card = rated.card(tmp_path / "bundle", data.target, **{"folds": ()} | changed)
        return temperatures.fitted(card, data, TRAINED, tmp_path)

    return run


def test_each_fold_has_the_temperature_of_its_own_validation_clips(fitted):
    one, two = fitted(data())
    assert one["temperature"] == calibration.temperature(TRUTH[20:40], GIVEN[20:40])
    assert two["temperature"] == calibration.temperature(TRUTH[40:60], GIVEN[40:60])
    assert one["temperature"] != two["temperature"]
    assert one == TRAINED[0] | {"temperature": one["temperature"]}


def test_on_few_speakers_of_attributes_and_of_imported_weights_there_is_none(fitted):
    assert fitted(data(validation=0)) == TRAINED
    assert fitted(data(speakers=4)) == TRAINED
    assert fitted(data(target=Attributes(("valence",)))) == TRAINED
    assert fitted(data(), weights={"fold-1.hdf5": "0"}) == TRAINED
