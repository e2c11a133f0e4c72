"""Models of a bundle: each loads what it needs, and a clip shorter than its input is filled up."""

import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

from pipeline.engine import machines
from pipeline.errors import InputError
from pipeline.features import framing
from pipeline.inference import models
from pipeline.scoring.targets import Attributes
from tests import rated
from tests.engine import test_machines
from tests.inference import trained


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    """Give the card of a bundle of two folds."""
    return trained.write(tmp_path_factory.mktemp("models") / "own")


def test_clips_are_filled_up_and_answered_by_the_fold_s_model(card):
    clips = [np.random.default_rng(n).normal(size=(n, 5)).astype(np.float32) for n in (6, 3, 1)]
    ask, whole = models.asked(card), framing.rectangle(clips, trained.SHAPE)
    found = {one.fold: ask(one, clips)[0] for one in (*card.folds, card.folds[0])}
    for one in card.folds:
        wanted = keras.ops.convert_to_numpy(trained.build(one.fold)(whole, training=False))
        np.testing.assert_allclose(found[one.fold], wanted, atol=1e-6)
    assert np.abs(found[1] - found[2]).max() > 1e-3


def test_a_classical_model_takes_clips_as_they_are(tmp_path):
    machine = test_machines.linear()
    machines.write(machine, tmp_path / "fold-01.npz")
    card = rated.card(tmp_path, Attributes(("arousal",)), backend=machines.LIBRARY)
    one = replace(card.folds[0], file="fold-01.npz")
    clips = [np.full((frames, 1), frames, np.float32) for frames in (1, 7)]
    np.testing.assert_array_equal(models.asked(card)(one, clips)[0], machine.of_clips(clips))


def test_a_file_that_was_not_pulled_is_named(card, tmp_path):
    bundle = shutil.copytree(card.folder, tmp_path / "part")
    (bundle / "fold-02.keras").unlink()
    part = replace(card, folder=bundle)
    load = models.models(part)
    load(part.folds[0])
    message = r"fold-02\.keras: no such file, but card\.json names it; run dvc pull or dvc repro$"
    with pytest.raises(InputError, match=message):
        load(part.folds[1])
    with pytest.raises(InputError, match=message):
        models.models(replace(part, folds=part.folds[1:]))


def test_a_model_without_code_here_is_named_with_its_bundle(card):
    with pytest.raises(InputError, match=r"own: no model 'tim_met'; did you mean tim_net\?$"):
        models.models(replace(card, model="tim_met"))
