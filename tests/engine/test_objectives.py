"""Losses, targets and optimisers whose answers are known by arithmetic."""

import keras
import numpy as np
import pytest

from pipeline.engine import objectives
from pipeline.models import training
from pipeline.models.training import EmotionTraining

ADAM = {"learning_rate": 0.5, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8}


def test_adam_goes_its_learning_rate_in_the_first_step():
    adam = objectives.adam(**ADAM)
    weights = [np.array([1.0, -2.0], np.float32)]
    slots, moved = adam.update(adam.start(weights), [np.array([3.0, -1e-3], np.float32)], weights)
    np.testing.assert_allclose(np.asarray(moved[0]), [0.5, -1.5], rtol=1e-4)
    assert float(slots["steps"]) == 1
    assert weights[0].tolist() == [1, -2]


def test_adam_is_its_formula_for_some_steps():
    adam = objectives.adam(**ADAM | {"epsilon": 0.1})
    gradients = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    weights = [np.zeros(3, np.float32)]
    slots = adam.start(weights)
    w = m = v = np.zeros(3)
    for t, gradient in enumerate(gradients, start=1):
        slots, weights = adam.update(slots, [gradient], weights)
        m, v = 0.9 * m + 0.1 * gradient, 0.99 * v + 0.01 * gradient**2
        w = w - 0.5 * np.sqrt(1 - 0.99**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 0.1)
    np.testing.assert_allclose(np.asarray(weights[0]), w, rtol=1e-4)


def test_adamw_decays_each_weight_by_the_rate_and_else_is_adam():
    adam, adamw = objectives.adam(**ADAM), objectives.adamw(**ADAM, weight_decay=0.1)
    weights, gradients = [np.array([1.0, -2.0], np.float32)], [np.array([3.0, 0.0], np.float32)]
    _, wanted = adam.update(adam.start(weights), gradients, weights)
    _, found = adamw.update(adamw.start(weights), gradients, weights)
    decayed = 0.5 * 0.1 * weights[0]
    np.testing.assert_allclose(np.asarray(found[0]), wanted[0] - decayed, rtol=1e-6)


@pytest.mark.parametrize(("norm", "scale"), [(10.0, 1.0), (2.5, 0.5)])
def test_gradients_are_clipped_by_the_norm_of_all_together(norm, scale):
    taken = []
    free = objectives.Optimiser(dict, lambda _, gradients, __: taken.extend(gradients))
    gradients = [np.array([3.0], np.float32), np.array([[4.0], [0.0]], np.float32)]  # norm 5
    objectives.clipped(free, norm).update({}, gradients, [])
    for found, gradient in zip(taken, gradients, strict=True):
        np.testing.assert_allclose(np.asarray(found), scale * gradient, rtol=1e-6)


def test_a_cosine_goes_from_the_rate_towards_nothing():
    training = EmotionTraining(learning_rate=0.1, schedule="cosine", epochs=10)
    rates = [objectives.rate(training, epoch) for epoch in range(10)]
    assert rates[0] == 0.1
    assert rates[5] == pytest.approx(0.05)
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] < 0.003


def test_what_a_training_may_name_is_there():
    assert set(objectives.LOSSES) == set(training.LOSSES)
    assert set(objectives.OPTIMISERS) == set(training.OPTIMISERS)
    assert set(objectives.SCHEDULES) == set(training.SCHEDULES)
    for name in training.OPTIMISERS:
        made = objectives.optimiser(EmotionTraining(optimiser=name))
        assert float(made.start([])["steps"]) == 0


@pytest.mark.parametrize("smoothing", [0, 0.1])
def test_targets_are_distributions_that_keep_the_label(smoothing):
    y = np.array([2, 0, 1])
    targets = objectives.targets(y, 4, smoothing)
    np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(targets.argmax(axis=1), y)
    np.testing.assert_allclose(targets.min(), smoothing / 4)


def test_cross_entropy_of_a_certain_and_an_even_answer():
    logits = np.array([[50.0, 0, 0, 0], [7.0] * 4, [50, 0, 0, 0]], np.float32)
    targets = objectives.targets(np.array([0, 3, 1]), 4)
    losses = np.asarray(objectives.LOSSES["cross_entropy"](targets, logits))
    np.testing.assert_allclose(losses, [0, np.log(4), 50], atol=1e-6)  # sure and wrong: no bound


def test_focal_loss_weighs_a_sure_answer_less():
    answers = np.array([[0.9, 0.1, 0], [0.5, 0.25, 0.25], [1, 0, 0], [0, 1, 0]])
    logits = np.log(np.maximum(answers, 1e-30)).astype(np.float32)
    targets = objectives.targets(np.zeros(4, int), 3)
    losses = np.asarray(objectives.LOSSES["focal"](targets, logits))
    wanted = [0.1**2 * -np.log(0.9), 0.5**2 * np.log(2), 0, -np.log(1e-7)]
    np.testing.assert_allclose(losses, wanted, rtol=1e-5, atol=1e-7)


def test_margin_loss_asks_for_no_more_than_its_margins():
    answers = np.array([[0.95, 0.05, 0], [0.5, 0.3, 0.2], [0, 1, 0]])
    logits = np.log(np.maximum(answers, 1e-30)).astype(np.float32)
    targets = objectives.targets(np.zeros(3, int), 3)
    losses = np.asarray(objectives.LOSSES["margin"](targets, logits))
    wanted = [0, 0.4**2 + 0.5 * (0.2**2 + 0.1**2), 0.9**2 + 0.5 * 0.9**2]
    np.testing.assert_allclose(losses, wanted, rtol=1e-5, atol=1e-7)
    smoothed = np.full((1, 3), [0.8, 0.1, 0.1], np.float32)
    (loss,) = np.asarray(objectives.LOSSES["margin"](smoothed, logits[1:2]))
    terms = [
        0.8 * 0.4**2 + 0.1 * 0.4**2,
        0.1 * 0.6**2 + 0.45 * 0.2**2,
        0.1 * 0.7**2 + 0.45 * 0.1**2,
    ]
    np.testing.assert_allclose(loss, sum(terms), rtol=1e-5)


def test_smoothing_in_place_compounds_over_the_folds_that_train_on_a_clip():
    y, train = np.array([0, 1, 2]), [np.array([0, 1]), np.array([1, 2]), np.array([0, 1])]
    found = objectives.compounded(y, 3, 0.1, train)
    times = [[1, 1, 0], [1, 2, 1], [2, 3, 1]]
    for targets, counts in zip(found, times, strict=True):
        kept = 0.9 ** np.array(counts)[:, None]
        np.testing.assert_allclose(targets, kept * np.eye(3) + (1 - kept) / 3, rtol=1e-6)
        np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
    once = objectives.targets(y, 3, 0.1)
    np.testing.assert_array_equal(found[0][:2], once[:2])


def test_the_rate_is_constant_unless_a_schedule_is_named():
    constant = EmotionTraining(learning_rate=0.1)
    assert {objectives.rate(constant, epoch) for epoch in (0, 10, 1000)} == {0.1}


def test_light_sernets_schedule_has_twelve_steps():
    """Its last rate of 1e-4 is 1.653e-5 (specification, 3.4)."""
    decay = {"decay": 0.15, "decay_from": 50, "decay_every": 20}
    falling = EmotionTraining(learning_rate=1e-4, schedule="steps", **decay)
    rates = [objectives.rate(falling, epoch) for epoch in range(300)]
    changed = [e for e in range(1, 300) if rates[e] != rates[e - 1]]
    assert changed == list(range(60, 300, 20))
    assert rates[0] == 1e-4
    assert rates[-1] == pytest.approx(1.653e-5, rel=1e-3)


# ---- masks -----------------------------------------------------------------------------------


def test_masked_frames_and_bins_are_the_bins_means():
    x = np.random.default_rng(0).normal(size=(2, 10, 6)).astype(np.float32)
    draws = np.array([[0.99, 0.5, 0, 0], [0, 0, 0.6, 0.99]], np.float32)  # 4 frames; 2 bins
    found = keras.ops.convert_to_numpy(objectives.masked(x, draws, frames=4, bins=3))
    mean = x.mean(axis=1)
    np.testing.assert_allclose(found[0, 3:7], np.tile(mean[0], (4, 1)), rtol=1e-5)
    np.testing.assert_array_equal(found[0, [0, 1, 2, 7, 8, 9]], x[0, [0, 1, 2, 7, 8, 9]])
    np.testing.assert_allclose(found[1, :, 4:], np.tile(mean[1, 4:], (10, 1)), rtol=1e-5)
    np.testing.assert_array_equal(found[1, :, :4], x[1, :, :4])


def test_masks_of_segments_and_of_more_than_there_is():
    x = np.random.default_rng(0).normal(size=(1, 2, 5, 4, 3)).astype(np.float32)
    all_of_it = np.array([[0.999, 0, 0, 0]], np.float32)
    found = keras.ops.convert_to_numpy(objectives.masked(x, all_of_it, frames=99, bins=0))
    np.testing.assert_allclose(found, np.repeat(x.mean(axis=2, keepdims=True), 5, 2), rtol=1e-5)
