"""What a fold learns: from its own clips and seed, whatever is beside it or came in between."""

import re
import shutil
import threading
from contextlib import contextmanager
from dataclasses import replace

import keras
import numpy as np
import pytest

from pipeline.engine import loop, task
from pipeline.engine.dataset import Dataset, Fold
from pipeline.engine.emotions import EmotionTask
from pipeline.scoring.targets import Emotions
from tests.engine.made_up import (
    CLIPS,
    LABELS,
    clips,
    dataset,
    on_disk,
    train,
    without_dropout,
)

pytestmark = [pytest.mark.backends, pytest.mark.slow]
FOLDS = ["fold-01", "fold-02", "fold-03"]
SELECTIONS = {"best_validation": "validation_accuracy", "leaky": "test_accuracy"}
stacked_too = pytest.mark.parametrize(
    "stacked",
    [
        pytest.param(False, id="threads"),
        pytest.param(
            True,
            id="stacked",
            marks=pytest.mark.skipif(
                keras.config.backend() != "jax", reason="folds are stacked on JAX alone"
            ),
        ),
    ],
)


@pytest.fixture(scope="module")
def all_folds(tmp_path_factory):
    """Give a training of three folds beside each other."""
    return train(tmp_path_factory.mktemp("all"))


# ---- folds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_fold_is_the_same_alone_and_beside_others(tmp_path, all_folds, number):
    name = FOLDS[number - 1]
    alone = train(tmp_path, dataset(folds=(dataset().folds[number - 1],)))
    assert alone.models == {name: all_folds.models[name]}
    assert alone.folds == {name: all_folds.folds[name]}


def test_folds_differ_and_learn(all_folds):
    assert len(set(all_folds.models.values())) == 3
    for name in FOLDS:
        losses = all_folds.column(name)
        assert len(losses) == 4
        assert losses[-1] < 0.7 * losses[0]
        assert all_folds.column(name, "epoch") == [1, 2, 3, 4]


def test_smoothing_that_compounds_changes_the_folds_after_the_first(tmp_path, all_folds):
    found = train(tmp_path, compound_smoothing=True)
    assert [found.models[name] == all_folds.models[name] for name in FOLDS] == [True, False, False]


@pytest.mark.skipif(keras.config.backend() != "jax", reason="folds are stacked on JAX alone")
def test_stacked_folds_are_those_of_threads(tmp_path, all_folds):
    """Measured: losses to 2e-7 with TIM-Net; the same bytes with this small network."""
    stacked, again = (train(tmp_path / name, stacked=True) for name in ("stacked", "again"))
    for name in FOLDS:
        pairs = zip(stacked.folds[name]["history"], all_folds.folds[name]["history"], strict=True)
        for row, wanted in pairs:
            assert row == pytest.approx(wanted, rel=1e-5)
    assert (again.models, again.folds) == (stacked.models, stacked.folds)


# ---- clips -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """Give a training of the first fold, with validation, and what it was trained on."""
    data = dataset(validation=8)
    data = replace(data, folds=data.folds[:1])
    return data, train(tmp_path_factory.mktemp("untouched"), data)


def changed(data, part):
    """Change a clip of a part of the first fold."""
    x = data.x.copy()
    x[getattr(data.folds[0], part)[3]] += 1
    return replace(data, x=x)


@pytest.mark.parametrize("part", ["test", "validation"])
def test_clips_held_out_leave_the_weights_alone(tmp_path, untouched, part):
    data, wanted = untouched
    found = train(tmp_path, changed(data, part))
    assert found.models == wanted.models
    for key in ("loss", "accuracy"):
        assert found.column("fold-01", key) == wanted.column("fold-01", key)
    if part == "validation":
        key = "validation_loss"
        assert found.column("fold-01", key) != wanted.column("fold-01", key)


def test_a_clip_trained_on_changes_the_weights(tmp_path, untouched):
    data, wanted = untouched
    assert train(tmp_path, changed(data, "train")).models != wanted.models


def test_validation_clips_are_measured_if_there_are_any(untouched, all_folds):
    accuracies = untouched[1].column("fold-01", "validation_accuracy")
    np.testing.assert_array_equal(np.array(accuracies) * 8 % 1, 0)  # of 8 clips
    assert "validation_loss" not in all_folds.folds["fold-01"]["history"][0]


def test_features_read_while_training_give_the_same(tmp_path, all_folds, monkeypatch):
    """Only the sum of the losses is taken in another order."""
    monkeypatch.setattr(task, "STREAMED", 2)  # two blocks and a smaller one per epoch
    found = train(tmp_path / "run", dataset(x=on_disk(tmp_path / "x.zarr", clips()[0])))
    assert found.models == all_folds.models
    for name in FOLDS:
        wanted = all_folds.folds[name]["history"]
        for row, told in zip(found.folds[name]["history"], wanted, strict=True):
            assert row == pytest.approx(told, rel=1e-6)


# ---- seeds and selections --------------------------------------------------------------------


def test_a_seed_gives_the_same_alone_and_beside_others(tmp_path):
    both = train(tmp_path / "both", seeds=(1, 2), epochs=2)
    alone = train(tmp_path / "alone", seeds=(2,), epochs=2)
    assert list(both.folds) == [f"{fold}-seed-{seed}" for seed in (1, 2) for fold in FOLDS]
    assert len(set(both.models.values())) == 6
    for fold in FOLDS:
        assert both.models[f"{fold}-seed-2"] == alone.models[fold]
        assert both.folds[f"{fold}-seed-2"] == alone.folds[fold]
        assert alone.folds[fold]["seed"] == 2


def test_the_last_epoch_is_taken_by_default(all_folds):
    assert {fold["epoch"] for fold in all_folds.folds.values()} == {4}


@pytest.mark.parametrize("selection", SELECTIONS)
def test_the_best_epoch_is_taken_and_its_weights(tmp_path, selection):
    data, taken = dataset(validation=8), []
    selected = train(tmp_path / "selected", data, selection=selection, epochs=8)
    for name, fold in selected.folds.items():
        scores = selected.column(name, SELECTIONS[selection])
        assert len(scores) == 8
        assert fold["epoch"] == 1 + int(np.argmax(scores))  # the earliest of equals
        alone = replace(data, folds=(data.folds[fold["fold"] - 1],))
        to_there = train(tmp_path / name, alone, epochs=fold["epoch"])
        assert to_there.models == {name: selected.models[name]}
        taken.append(fold["epoch"])
    assert min(taken) < 8


@stacked_too
def test_a_fold_ends_where_patience_does_and_keeps_its_best_epoch(tmp_path, stacked):
    data, given = dataset(validation=8), {"selection": "best_validation", "epochs": 12}
    full = train(tmp_path / "full", data, **given)
    short = train(tmp_path / "short", data, patience=2, stacked=stacked, **given)
    ended = []
    for name in FOLDS:
        scores = full.column(name, "validation_accuracy")
        best = [1 + int(np.argmax(scores[:n])) for n in range(1, 13)]
        lengths = [n for n in range(1, 13) if n - best[n - 1] >= 2] or [12]
        assert len(short.column(name)) == lengths[0]
        assert short.folds[name]["epoch"] == best[lengths[0] - 1]
        ended.append(lengths[0])
    assert min(ended) < 12


# ---- schedules -------------------------------------------------------------------------------


def test_the_learning_rate_follows_its_schedule(tmp_path):
    """From the third epoch on it is 1e-22 of itself: nothing is learnt any more."""
    # all clips in one batch, so that a loss tells of the weights alone
    whole = {"build": without_dropout, "batch": CLIPS, "epochs": 4}
    steps = {"schedule": "steps", "decay": 50.0, "decay_from": 2, "decay_every": 2}
    constant = train(tmp_path / "constant", **whole).column("fold-01")
    falling = train(tmp_path / "falling", **whole, **steps).column("fold-01")
    assert falling[:3] == constant[:3]  # the loss is that of the weights before a step
    assert falling[3] == pytest.approx(falling[2], rel=1e-6)
    assert constant[3] < 0.99 * constant[2]


# ---- NaN -------------------------------------------------------------------------------------


@stacked_too
def test_a_fold_without_a_number_is_named_and_the_others_are_kept(tmp_path, stacked):
    data = dataset()
    x = data.x.copy()
    x[-1] = np.inf  # tested nowhere, trained on by the second fold alone
    infected, clean = data.folds[1], data.folds[2]
    clean = [replace(clean, number=number, train=clean.train[:-1]) for number in (1, 3)]
    infected = replace(infected, number=2, train=infected.train[1:])
    data = replace(data, x=x, folds=(clean[0], infected, clean[1]))

    def attempt():
        """Train; give what came of it, and when each model was written."""
        found = train(tmp_path / "run", data, stacked=stacked)
        return found, {path: path.stat().st_mtime_ns for path in found.folder.glob("*.keras")}

    (first, written), (again, written_again) = attempt(), attempt()
    said = r"fold-02: the loss is NaN in epoch 1, step [123] of 3; lower the learning rate"
    assert first.said == again.said and re.fullmatch(said, first.said)
    assert sorted(first.models) == ["fold-01", "fold-03"]
    assert first.models == again.models
    alone = train(tmp_path / "alone", replace(data, folds=(clean[0],)))
    assert first.models["fold-01"] == alone.models["fold-01"]
    if not stacked:  # or the fold has to be trained along
        assert written == written_again


def test_weights_that_are_no_numbers_after_the_last_step_are_not_kept(tmp_path):
    found = train(tmp_path, learning_rate=1e38, epochs=1, batch=CLIPS)
    assert found.said.count("the weights are NaN after epoch 1; lower the learning rate") == 3
    assert not found.models


# ---- interruptions ---------------------------------------------------------------------------

LONG = {"selection": "leaky", "epochs": 6}


@contextmanager
def epochs(most=1000):
    """Give a list that grows by one for each epoch; one more than ``most`` is broken off."""
    learn, begun, lock = EmotionTask.epoch, [], threading.Lock()

    def counted(task, *given):
        with lock:
            begun.append(1)
            if len(begun) > most:
                raise KeyboardInterrupt
        return learn(task, *given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EmotionTask, "epoch", counted)
        patch.setattr(loop, "CHECKPOINT_SECONDS", 0)
        yield begun


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Give ``undisturbed(stacked)``: a training of six epochs, and how many that made."""
    held = {}

    def make(stacked):
        if stacked not in held:
            with epochs() as begun:
                made = train(tmp_path_factory.mktemp("undisturbed"), stacked=stacked, **LONG)
            held[stacked] = made, len(begun)
        return held[stacked]

    return make


@pytest.fixture(scope="module")
def broken_off(tmp_path_factory):
    """Give ``broken_off(stacked)``: what a training left, and how many epochs of it were saved."""
    held = {}

    def make(stacked):
        if stacked not in held:
            folder, saved = tmp_path_factory.mktemp("broken"), 3 if stacked else 8
            with epochs(most=saved), pytest.raises(KeyboardInterrupt):
                train(folder, stacked=stacked, **LONG)
            held[stacked] = folder, saved
        return held[stacked]

    return make


@stacked_too
@pytest.mark.parametrize("left", ["whole", "damaged", "empty"])
def test_what_was_broken_off_goes_on_and_ends_as_if_undisturbed(
    tmp_path, undisturbed, broken_off, stacked, left, caplog
):
    (wanted, of_wanted), (folder, saved) = undisturbed(stacked), broken_off(stacked)
    shutil.copytree(folder, tmp_path / "run")
    if left != "whole":
        saved = 0
        for path in (tmp_path / "run" / loop.UNFINISHED).iterdir():
            path.write_bytes(path.read_bytes()[:-100] if left == "damaged" else b"")
    with epochs() as begun:
        found = train(tmp_path / "run", stacked=stacked, **LONG)
    assert (found.models, found.folds) == (wanted.models, wanted.folds)
    assert len(begun) == of_wanted - saved
    told = "fold-01.npz: damaged; training begins again there" in caplog.text
    assert told == (left != "whole")


def test_uar_stands_next_to_accuracy_and_each_can_choose_the_epoch(tmp_path):
    """Classes of 30, 4 and 4 clips in validation: accuracy and UAR differ."""
    x, y = clips()
    rows = np.concatenate([np.flatnonzero(y == label)[:n] for label, n in enumerate((16, 3, 2))])
    rest = np.setdiff1d(np.arange(CLIPS), rows)
    data = Dataset(x, y, Emotions(LABELS), None, (Fold(1, rest[::2], rows, rest[1::2]),), {})
    given = {"selection": "best_validation", "epochs": 8, "learning_rate": 1e-3}
    for key, pick in (("accuracy", np.argmax), ("loss", np.argmin), ("uar", np.argmax)):
        found = train(tmp_path / key, data, select_by=key, **given)
        scores = found.column("fold-01", f"validation_{key}")
        assert found.folds["fold-01"]["epoch"] == 1 + int(pick(scores))
    uars, accuracies = (found.column("fold-01", f"validation_{key}") for key in ("uar", "accuracy"))
    assert uars != accuracies
    assert all(0 <= value <= 1 for value in found.column("fold-01", "test_uar"))


def test_the_later_of_equal_epochs_is_kept_where_that_is_asked(tmp_path):
    data = dataset(validation=8)
    for equal, pick in (("earliest", min), ("latest", max)):
        found = train(tmp_path / equal, data, selection="best_validation", equal_epochs=equal)
        for name in FOLDS:
            scores = found.column(name, "validation_accuracy")
            best = [i for i, score in enumerate(scores, start=1) if score == max(scores)]
            assert found.folds[name]["epoch"] == pick(best)


# ---- trainings that get lost -----------------------------------------------------------------


@stacked_too
@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (1e38, r"the loss is NaN in epoch 1, step 2 of [34]"),
        (1e9, r"the loss grows without bound, to \de\+\d+, in epoch 1, step 2 of [34]"),
    ],
)
def test_a_loss_without_bound_stops_its_fold_with_epoch_and_step(tmp_path, stacked, rate, words):
    found = train(tmp_path, stacked=stacked, learning_rate=rate)
    messages = sorted(found.said.split("; lower the learning rate; "))  # stacked, by size
    assert len(messages) == 3
    assert not found.models
    for name, said in zip(FOLDS, messages, strict=True):
        assert re.fullmatch(f"{name}: {words}(; lower the learning rate)?", said), said


# ---- what is learnt from ---------------------------------------------------------------------


def test_a_rare_class_counts_for_more_where_that_is_asked(tmp_path):
    """Classes of 3, 24 and 24 clips: the rare one alone is tested, the others are learnt."""
    x, y = clips()
    everything = np.arange(CLIPS)
    rows = np.concatenate([everything[y == 0][:3], everything[y > 0]])
    fold = Fold(1, rows, rows[:0], everything[y == 0][3:])
    data = Dataset(x, y, Emotions(LABELS), None, (fold,), {})
    found = {}
    for balance in ("none", "weights", "resample"):
        trained = train(tmp_path / balance, data, balance=balance)
        found[balance] = np.mean(trained.column("fold-01", "test_accuracy"))
    assert found["weights"] > found["none"] + 0.1
    assert found["resample"] > found["none"] + 0.1


def test_masks_change_what_is_learnt_and_are_drawn_anew_from_the_seed(tmp_path, all_folds):
    masks = {"mask_frames": 8, "mask_bins": 3}
    masked, again = (train(tmp_path / name, **masks) for name in ("masked", "again"))
    assert masked.models == again.models
    assert not set(masked.models.values()) & set(all_folds.models.values())
    for name in FOLDS:
        losses = masked.column(name)
        assert losses[-1] < 0.8 * losses[0]
