"""Classical models: what scikit-learn says, kept as arrays; scaled, chosen and tested apart."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from pipeline import models
from pipeline.engine import classical, machines
from pipeline.engine.dataset import Dataset, Fold
from pipeline.errors import InputError
from pipeline.models import svm
from pipeline.models.functionals import Functionals
from pipeline.models.training import EmotionFit
from pipeline.scoring.targets import Attributes, Emotions
from tests import specs

CLIPS, FRAMES, BINS = 90, 12, 5
ALL = Functionals(percentiles=(0.0, 12.5, 50.0, 100.0), deltas=True)


def made_up(outputs=3, attributes=(), copies=0):
    """Make clips of nine speakers that tell a little, in one fold, some shorter than others."""
    draws = np.random.default_rng(0)
    y = np.arange(CLIPS) % outputs
    x = draws.normal(size=(CLIPS, FRAMES, BINS)) + 0.5 * draws.normal(size=(outputs, 1, BINS))[y]
    valid = draws.integers(3, FRAMES + 1, CLIPS)
    x[np.arange(FRAMES) >= valid[:, None]] = 0
    x, valid = (np.concatenate([part] * (copies + 1)) for part in (x, valid))
    speakers = [f"s{i // 10}" for i in range(CLIPS)]
    clips = pd.DataFrame({"clip": [f"c{i:02}" for i in range(CLIPS)], "speaker": speakers})
    rows = np.arange(CLIPS)
    fold = Fold(1, rows[:60], rows[:0], rows[60:])
    target = Attributes(attributes) if attributes else Emotions(tuple("abcdef"[:outputs]))
    truth = y
    if attributes:
        means = x.mean(axis=1)
        truth = np.stack([3 + means[:, i] + i for i in range(len(attributes))], axis=1)
        truth = truth.astype(np.float32)
    return Dataset(
        *(x.astype(np.float32), truth, target, clips, (fold,), specs.spec()), valid=valid
    )


def fit(name, data, *, settings=None, **training):
    """Fit the first fold; the machine, and what was compared."""
    facts = models.facts(name)
    settings = settings or facts.settings(functionals=ALL)
    taken = classical.table(data, settings.functionals)
    fitting = replace(facts.training, **training)
    return *classical.fit(name, settings, fitting, data, data.folds[0], taken), taken


def scaled(data, taken):
    """Functionals as scikit-learn scales them by the training clips."""
    return StandardScaler().fit(taken[data.folds[0].train]).transform(taken)


@pytest.mark.parametrize("outputs", [2, 3, 6])
@pytest.mark.parametrize("kernel", ["rbf", "linear"])
@pytest.mark.parametrize("balance", ["none", "weights"])
def test_an_svm_answers_as_scikit_learn_does(outputs, kernel, balance):
    data = made_up(outputs)
    settings = svm.Settings(functionals=ALL, kernel=kernel, c=(2.0,), gamma=(0.5,))
    machine, history, taken = fit("svm", data, settings=settings, balance=balance)
    x, train = scaled(data, taken), data.folds[0].train
    weight = "balanced" if balance == "weights" else None
    given = {"kernel": kernel, "C": 2.0, "gamma": 0.5 / x.shape[1], "class_weight": weight}
    wanted = SVC(**given, break_ties=True).fit(x[train], data.truth[train])
    scores = machine.votes(machine.sums(taken))
    if outputs == 2:
        np.testing.assert_allclose(-machine.sums(taken)[:, 0], wanted.decision_function(x))
    else:
        np.testing.assert_allclose(scores, wanted.decision_function(x), atol=1e-9)
    answers = machine.answer(taken)
    np.testing.assert_array_equal(answers.argmax(axis=1), wanted.predict(x))
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)
    assert history == []


@pytest.mark.parametrize("outputs", [2, 5])
def test_a_logistic_regression_answers_as_scikit_learn_does(outputs):
    data = made_up(outputs)
    machine, _, taken = fit("logistic_regression", data)
    x, train = scaled(data, taken), data.folds[0].train
    wanted = LogisticRegression(max_iter=10_000).fit(x[train], data.truth[train])
    np.testing.assert_allclose(machine.answer(taken), wanted.predict_proba(x), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "make"),
    [("ridge", lambda dims: Ridge()), ("svr", lambda dims: SVR(gamma=1 / dims, epsilon=0.1))],
)
def test_attributes_are_answered_as_by_scikit_learn_in_their_own_units(name, make):
    data = made_up(attributes=("arousal", "valence"))
    machine, _, taken = fit(name, data, attributes=("arousal", "valence"))
    x, train = scaled(data, taken), data.folds[0].train
    for place in range(2):
        ratings = data.truth[:, place].astype(float)
        mean, spread = ratings[train].mean(), ratings[train].std()
        wanted = make(x.shape[1]).fit(x[train], (ratings[train] - mean) / spread)
        found = machine.answer(taken)[:, place]
        np.testing.assert_allclose(found, mean + spread * wanted.predict(x), rtol=1e-5)


def test_functionals_leave_out_what_was_added_to_a_clip():
    data = made_up()
    taken = classical.table(data, ALL)
    row, own = 7, data.valid[7]
    frames = data.x[row, :own].astype(float)
    changes = np.diff(frames, axis=0, append=frames[-1:])
    wanted = [
        part
        for values in (frames, changes)
        for part in (
            *(values.mean(axis=0), values.std(axis=0)),
            *np.percentile(values, ALL.percentiles, axis=0),
        )
    ]
    np.testing.assert_allclose(taken[row], np.concatenate(wanted))
    assert own < FRAMES


def test_held_out_clips_leave_the_model_alone_unless_all_clips_scale_it():
    data = made_up()
    x = data.x.copy()
    x[data.folds[0].test] += 3
    other = replace(data, x=x)
    first, second = (fit("svm", one)[0] for one in (data, other))
    for name in machines.NAMES:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    first, second = (fit("svm", one, scaling="all")[0] for one in (data, other))
    assert not np.allclose(first.mean, second.mean)


def test_what_a_fold_rests_on():
    fold = made_up().folds[0]
    assert classical.uses(fold, EmotionFit(), False).keys() == {"normalisation"}
    uses = classical.uses(fold, EmotionFit(scaling="all"), True)
    assert uses["search"].tolist() == fold.train.tolist()
    assert set(uses["normalisation"]) == {*fold.train, *fold.test}


def test_values_are_chosen_on_training_speakers_that_are_held_out():
    data = made_up()
    settings = svm.Settings(c=(1e-6, 1.0), gamma=(0.5, 1.0))
    machine, history, _ = fit("svm", data, settings=settings)
    assert [(row["c"], row["gamma"]) for row in history] == [
        *((1e-6, 0.5), (1e-6, 1.0), (1.0, 0.5), (1.0, 1.0))
    ]
    scores = [row["score"] for row in history]
    best = int(np.argmax(scores))
    assert [row["chosen"] for row in history] == [int(i == best) for i in range(4)]
    assert scores[best] > 1 / 3
    chosen = svm.Settings(c=(history[best]["c"],), gamma=(history[best]["gamma"],))
    alone, _, _ = fit("svm", data, settings=chosen)
    np.testing.assert_array_equal(machine.weights, alone.weights)


@pytest.mark.parametrize(
    ("speakers", "message"),
    [
        (["a", "b"], "inner_folds: fold 1 trains on 2 speakers; list one value of each setting"),
        (["a", ""], "a choice by inner folds needs known speakers; list one value of each"),
    ],
)
def test_a_choice_needs_speakers(speakers, message):
    data = made_up()
    clips = data.clips.assign(speaker=[speakers[i % 2] for i in range(CLIPS)])
    with pytest.raises(InputError, match=message):
        fit("svm", replace(data, clips=clips), settings=svm.Settings(c=(1.0, 2.0)))


def test_nothing_is_fitted_on_one_emotion_or_to_equal_ratings():
    data = made_up()
    with pytest.raises(InputError, match="all training clips are of one emotion"):
        fit("svm", replace(data, truth=np.zeros(CLIPS, int)))
    rated = made_up(attributes=("arousal",))
    with pytest.raises(InputError, match="all training clips are rated alike"):
        fit("ridge", replace(rated, truth=np.ones((CLIPS, 1), np.float32)))
