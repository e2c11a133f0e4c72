"""Learning attributes with clusters, on made-up clips: from its own clips, and what it says."""

import numpy as np
import pytest

FOLDS = ["fold-01", "fold-02"]


def rows(lab, training, name="fold-01"):
    """History of a unit."""
    return lab[training]["units"][name]["history"]


def numbers(row):
    """All of a row but what the first epoch has not."""
    return {key: value for key, value in row.items() if value is not None}


def test_ratings_are_learnt(lab):
    for name in FOLDS:
        losses = [row["attribute_loss"] for row in rows(lab, "rated", name)]
        assert len(losses) == 8
        assert losses[-1] < 0.6 * losses[0]
    assert min(lab["rated answers"]) > 0.7


def test_a_fold_is_the_same_alone_and_beside_others(lab):
    assert lab["rated alone"]["files"] == {"fold-02": lab["rated"]["files"]["fold-02"]}
    assert lab["rated alone"]["units"]["fold-02"] == lab["rated"]["units"]["fold-02"]


def test_a_training_broken_off_goes_on_as_if_it_were_not(lab):
    assert lab["rated, broken off"] == lab["rated"]


def test_features_on_disk_are_as_good(lab):
    for row, wanted in zip(rows(lab, "rated, streamed"), rows(lab, "rated"), strict=True):
        assert numbers(row) == pytest.approx(numbers(wanted), rel=1e-4, abs=1e-5)


def test_scales_are_those_of_the_frames_of_training(lab):
    np.testing.assert_allclose(lab["rated scales"], 0, atol=1e-5)


def test_history(lab):
    history = rows(lab, "rated")
    sizes = [f"cluster_{i:02d}" for i in range(1, 6)]
    told = {"epoch", "loss", "cluster_loss", "attribute_loss", "nmi", *sizes}
    parts = [f"{part}_ccc_{a}" for part in ("validation", "test") for a in ("arousal", "valence")]
    assert {*history[0]} == told | {*parts}
    assert history[0]["nmi"] is None
    assert all(0 <= row["nmi"] <= 1 for row in history[1:])
    assert all(sum(row[size] for size in sizes) == 30 * 6 for row in history)
    for row in history:
        assert row["loss"] == pytest.approx(row["cluster_loss"] + row["attribute_loss"], rel=1e-5)
        assert row["cluster_loss"] > 1  # of a head that begins anew; ln 5 is chance


def test_the_best_epoch_on_validation_is_kept(lab):
    for name in FOLDS:
        scores = [
            row["validation_ccc_arousal"] + row["validation_ccc_valence"]
            for row in rows(lab, "rated", name)
        ]
        unit = lab["rated by validation"]["units"][name]
        assert unit["epoch"] == 1 + int(np.argmax(scores))
        assert unit["history"] == rows(lab, "rated", name)
    assert lab["rated by last"] == lab["rated"]


def test_clips_without_ratings_are_learnt_from_if_they_are_asked_for(lab):
    assert lab["rated, pool changed"]["files"] == lab["rated"]["files"]
    assert lab["rated pool"]["files"]["fold-01"] != lab["rated"]["files"]["fold-01"]
    changed = lab["rated, pool learnt and changed"]["files"]
    assert changed["fold-01"] != lab["rated pool"]["files"]["fold-01"]
    losses = [row["unlabeled_loss"] for row in rows(lab, "rated pool")]
    assert all(1 < loss < 2 for loss in losses)
    assert len(rows(lab, "rated pool too large")) == 8  # at most so many


def test_the_triplet_loss_is_added(lab):
    for row in rows(lab, "rated in order"):
        parts = [row[f"{name}_loss"] for name in ("cluster", "attribute", "triplet")]
        assert row["triplet_loss"] > 0
        assert row["loss"] == pytest.approx(sum(parts), rel=1e-5)


def test_what_cannot_be_learnt(lab):
    assert lab["rated alike"]["said"] == (
        "fold 1: all training clips are rated alike on arousal; nothing can be learnt of it"
    )
    assert (
        "balance, mask_frames, mask_bins: are of runs on emotions" in lab["rated balanced"]["said"]
    )
    said = lab["rated too fast"]["said"]
    assert "fold-01: the loss is no number in epoch" in said
    assert "fold-02: the loss is no number in epoch" in said


def test_backends_agree_at_first(labs):
    """Which chunk goes into which cluster, and which clip is drawn, hangs on the last digit."""
    first, other = (rows(labs[name], "rated")[0] for name in ("jax", "tensorflow"))
    assert numbers(first) == pytest.approx(numbers(other), rel=1e-4, abs=1e-5)
