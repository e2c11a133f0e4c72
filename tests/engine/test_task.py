"""What all tasks have: seeds of a training, blocks of clips, answers, and what is lost."""

import numpy as np
import pytest

from pipeline.engine import answers, task
from pipeline.engine.emotions import EmotionTask
from pipeline.engine.task import FoldSeed, Lost
from tests.engine.made_up import CLIPS, TRAINING, clips, dataset, on_disk, perceptron

STEP = task.STREAMED * TRAINING.batch


@pytest.fixture(scope="module")
def model():
    """Give an untrained network."""
    return perceptron(0)


@pytest.fixture(scope="module")
def resident(model, tmp_path_factory):
    """Give a task whose features are in memory."""
    return EmotionTask(model, dataset(), TRAINING, tmp_path_factory.mktemp("resident"))


@pytest.fixture(scope="module")
def streamed(model, tmp_path_factory):
    """Give a task whose features are on disk, three times those that are read at once."""
    folder, (x, _) = tmp_path_factory.mktemp("streamed"), clips()
    made = on_disk(folder / "x.zarr", np.concatenate([x] * 5)[: 2 * STEP + 1])
    return EmotionTask(model, dataset(made), TRAINING, folder)


def fold_seed(fold=1, seed=0):
    """Make the training of a fold under a seed."""
    return FoldSeed(dataset().folds[fold - 1], seed, f"fold-{fold:02d}")


def test_each_fold_and_seed_draws_its_own_weights():
    seeds = {fold_seed(fold, seed).weights_seed for fold in (1, 2, 3) for seed in (0, 1)}
    assert len(seeds) == 6
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert fold_seed(2, 1).weights_seed == fold_seed(2, 1).weights_seed


def test_a_loss_that_got_lost_is_told_with_its_step():
    assert Lost(np.nan, 2, 5).words(3) == "the loss is NaN in epoch 3, step 2 of 5"
    said = "the loss grows without bound, to 3e+08, in epoch 1, step 5 of 5"
    assert Lost(3.1e8, 5, 5).words(1) == said


def given(rows):
    """Targets of all clips, an order, and draws: what is stepped through."""
    targets = np.arange(3 * (2 * STEP + 1)).reshape(-1, 3).astype(np.float32)
    order = np.asarray(rows, np.int32)
    return targets, order, np.arange(len(order), dtype=np.float32)[:, None]


def test_features_in_memory_are_one_block(resident):
    targets, order, draws = given([5, 3, 1])
    ((x, of_clips, there, drawn),) = resident.blocks(TRAINING.batch, targets, order, draws)
    np.testing.assert_array_equal(x, clips()[0])
    np.testing.assert_array_equal(of_clips, targets)
    assert there is order and drawn is draws


def test_features_on_disk_come_in_blocks_of_one_shape(streamed):
    rows = np.random.default_rng(0).permutation(2 * STEP + 1)
    targets, order, draws = given(rows)
    blocks = list(streamed.blocks(TRAINING.batch, targets, order, draws))
    assert [len(there) for _, _, there, _ in blocks] == [STEP, STEP, 1]
    wanted = np.concatenate([clips()[0]] * 5)
    for number, (x, of_clips, there, drawn) in enumerate(blocks):
        assert len(x) == len(of_clips) == STEP
        here = rows[number * STEP :][: len(there)]
        np.testing.assert_array_equal(np.asarray(x)[there], wanted[here])
        np.testing.assert_array_equal(np.asarray(of_clips)[there], targets[here])
        np.testing.assert_array_equal(drawn, draws[number * STEP :][: len(there)])


def test_answers_are_those_of_the_network_for_any_rows(model, resident, streamed):
    rows = np.random.default_rng(0).permutation(CLIPS)
    state = resident.start(model, fold_seed())
    wanted = answers.predict(model, clips()[0][rows])
    for one in (resident, streamed):
        np.testing.assert_allclose(one.answers(state, rows), wanted, rtol=1e-5, atol=1e-6)


def test_the_step_at_which_a_loss_gets_lost_is_found(model, resident):
    """The clip of the fourth step has targets without bound; those before and after are sound."""
    state = resident.start(model, fold_seed())
    targets, order, draws = np.eye(3, dtype=np.float32)[clips()[1]], np.arange(CLIPS), None
    order, draws = order.astype(np.int32), np.zeros((CLIPS, 4), np.float32)
    lesson = targets, order, draws
    _, sums = resident.learn(resident.program, state, *lesson)
    assert resident.lost(resident.program, state, lesson, sums) is None
    targets = targets.copy()
    targets[3 * TRAINING.batch + 2] = np.inf
    lesson = targets, order, draws
    _, sums = resident.learn(resident.program, state, *lesson)
    found = resident.lost(resident.program, state, lesson, sums)
    assert (found.step, found.steps) == (4, 5)
    assert not np.isfinite(found.loss)
