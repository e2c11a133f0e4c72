"""What a fold learns: from its own clips and seed, whatever is beside it or came in between."""

import numpy as np
import pytest

FOLDS = ["fold-01", "fold-02", "fold-03"]


def column(results, training, name, key="loss"):
    """One figure of each epoch of a unit."""
    return [row[key] for row in results[training]["units"][name]["history"]]


# ---- folds -----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_fold_is_the_same_alone_and_beside_others(lab, number):
    name, alone = FOLDS[number - 1], lab[f"alone {number}"]
    assert alone["files"] == {name: lab["all"]["files"][name]}
    assert alone["units"] == {name: lab["all"]["units"][name]}


def test_folds_differ_and_learn(lab):
    assert len(set(lab["all"]["files"].values())) == 3
    for name in FOLDS:
        losses = column(lab, "all", name)
        assert len(losses) == 4
        assert losses[-1] < 0.7 * losses[0]
        assert column(lab, "all", name, "epoch") == [1, 2, 3, 4]


def test_backends_agree(labs):
    """Without dropout, of which each has its own; measured: losses to 2e-7."""
    for name in FOLDS:
        ours = labs["jax"]["no dropout"]["units"][name]["history"]
        theirs = labs["tensorflow"]["no dropout"]["units"][name]["history"]
        for row, wanted in zip(ours, theirs, strict=True):
            assert row == pytest.approx(wanted, rel=1e-5)


def test_stacked_folds_are_those_of_threads(labs):
    """Measured: losses to 2e-7 with TIM-Net; the same bytes with this small network."""
    jax = labs["jax"]
    for name in FOLDS:
        pairs = zip(
            jax["stacked"]["units"][name]["history"],
            jax["all"]["units"][name]["history"],
            strict=True,
        )
        for row, wanted in pairs:
            assert row == pytest.approx(wanted, rel=1e-5)
    assert jax["stacked again"] == jax["stacked"]


# ---- clips -----------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["test", "validation"])
def test_clips_held_out_leave_the_weights_alone(lab, part):
    assert lab[f"{part} changed"]["files"] == lab["untouched"]["files"]
    for key in ("loss", "accuracy"):
        wanted = column(lab, "untouched", "fold-01", key)
        assert column(lab, f"{part} changed", "fold-01", key) == wanted


def test_a_clip_trained_on_changes_the_weights(lab):
    assert lab["train changed"]["files"] != lab["untouched"]["files"]


def test_validation_clips_are_measured(lab):
    changed = column(lab, "validation changed", "fold-01", "validation_loss")
    assert changed != column(lab, "untouched", "fold-01", "validation_loss")
    accuracies = column(lab, "untouched", "fold-01", "validation_accuracy")
    np.testing.assert_array_equal(np.array(accuracies) * 8 % 1, 0)  # of 8 clips
    assert "validation_loss" not in lab["all"]["units"]["fold-01"]["history"][0]


def test_features_read_while_training_give_the_same(lab):
    """Only the sum of the losses is taken in another order."""
    assert lab["streamed"]["files"] == lab["all"]["files"]
    for name in FOLDS:
        wanted = lab["all"]["units"][name]["history"]
        for row, told in zip(lab["streamed"]["units"][name]["history"], wanted, strict=True):
            assert row == pytest.approx(told, rel=1e-6)


# ---- seeds and selections --------------------------------------------------------------------


def test_a_seed_gives_the_same_alone_and_beside_others(lab):
    both, alone = lab["seeds 1, 2"], lab["seed 2"]
    assert list(both["units"]) == [f"{fold}-seed-{seed}" for seed in (1, 2) for fold in FOLDS]
    assert len(set(both["files"].values())) == 6
    for fold in FOLDS:
        assert both["files"][f"{fold}-seed-2"] == alone["files"][fold]
        assert both["units"][f"{fold}-seed-2"] == alone["units"][fold]
        assert alone["units"][fold]["seed"] == 2


def test_the_last_epoch_is_taken_by_default(lab):
    assert {unit["epoch"] for unit in lab["all"]["units"].values()} == {4}


@pytest.mark.parametrize(
    ("selection", "key"),
    [("best_validation", "validation_accuracy"), ("leaky", "test_accuracy")],
)
def test_the_best_epoch_is_taken_and_its_weights(lab, selection, key):
    taken = []
    for name, unit in lab[selection]["units"].items():
        scores = column(lab, selection, name, key)
        assert len(scores) == 8
        assert unit["epoch"] == 1 + int(np.argmax(scores))  # the earliest of equals
        to_there = lab[f"{selection} {name}"]["files"]
        assert to_there == {name: lab[selection]["files"][name]}
        taken.append(unit["epoch"])
    assert min(taken) < 8


# ---- no number -------------------------------------------------------------------------------


# ---- schedules -------------------------------------------------------------------------------


def test_the_learning_rate_follows_its_schedule(lab):
    """From the third epoch on it is 1e-22 of itself: nothing is learnt any more."""
    constant, falling = (column(lab, name, "fold-01") for name in ("constant rate", "falling rate"))
    assert falling[:3] == constant[:3]  # the loss is that of the weights before a step
    assert falling[3] == pytest.approx(falling[2], rel=1e-6)
    assert constant[3] < 0.99 * constant[2]


@pytest.mark.parametrize("kind", ["", "stacked "])
def test_a_fold_without_a_number_is_named_and_the_others_are_kept(labs, kind):
    for results in labs.values():
        if f"{kind}healthy" in results:
            first, again = results[f"{kind}healthy"], results[f"{kind}no number"]
            said = "fold-02: the loss is no number in epoch 1; lower the learning rate"
            assert first["said"] == again["said"] == said
            assert sorted(first["files"]) == ["fold-01", "fold-03"]
            assert first["files"] == again["files"]
            assert first["files"]["fold-01"] == results["healthy alone"]["files"]["fold-01"]
            assert again["kept"] or kind


def test_weights_that_are_no_numbers_after_the_last_step_are_not_kept(lab):
    said = lab["last step too large"]["said"]
    assert said.count("the loss is no number in epoch 1") == 3
    assert not lab["last step too large"]["files"]


# ---- interruptions ---------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "done"), [("", 8), ("stacked ", 3)])
@pytest.mark.parametrize("left", ["broken off", "damaged", "empty"])
def test_what_was_broken_off_goes_on_and_ends_as_if_undisturbed(labs, kind, done, left):
    for results in labs.values():
        if f"{kind}{left}" in results:
            wanted, found = results[f"{kind}undisturbed"], results[f"{kind}{left}"]
            assert found["files"] == wanted["files"]
            assert found["units"] == wanted["units"]
            saved = done if left == "broken off" else 0
            assert found["epochs"] == wanted["epochs"] - saved


def test_a_damaged_checkpoint_is_told(lab):
    assert "fold-01.npz: damaged; training begins anew there" in lab["stderr"]


# ---- what is learnt from ---------------------------------------------------------------------


def test_a_rare_class_counts_for_more_where_that_is_asked(lab):
    """The rare class alone is tested: without balance the network has learnt the others."""
    found = {
        balance: np.mean(column(lab, f"balance {balance}", "fold-01", "test_accuracy"))
        for balance in ("none", "weights", "resample")
    }
    assert found["weights"] > found["none"] + 0.1
    assert found["resample"] > found["none"] + 0.1


def test_masks_change_what_is_learnt_and_are_drawn_anew_from_the_seed(lab):
    assert lab["masked"]["files"] == lab["masked again"]["files"]
    assert not set(lab["masked"]["files"].values()) & set(lab["all"]["files"].values())
    for name in FOLDS:
        losses = column(lab, "masked", name)
        assert losses[-1] < 0.8 * losses[0]
