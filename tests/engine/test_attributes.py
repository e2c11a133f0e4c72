"""Learning attributes with clusters, on made-up clips: from its own clips, and what it says."""

import re
from dataclasses import replace
from functools import partial

import keras
import numpy as np
import pytest

from pipeline.engine import attributes, clustering, loop
from pipeline.engine.attributes import AttributeTask
from pipeline.engine.task import FoldSeed
from tests.engine import made_up
from tests.engine.made_up import RATED, mean_level, on_disk, rated_clips

pytestmark = pytest.mark.backends
FOLDS = ["fold-01", "fold-02"]
DATA, WHOLE = rated_clips()
train = partial(made_up.train, training=RATED)


@pytest.fixture(scope="module")
def rated(tmp_path_factory):
    """Give a training on all clips with ratings."""
    return train(tmp_path_factory.mktemp("rated"), DATA)


def numbers(row):
    """All of a row but what the first epoch has not."""
    return {key: value for key, value in row.items() if value is not None}


def test_ratings_are_learnt(rated):
    for name in FOLDS:
        losses = rated.column(name, "attribute_loss")
        assert len(losses) == 8
        assert losses[-1] < 0.6 * losses[0]
    model = keras.saving.load_model(rated.folder / "fold-01.keras")
    test = DATA.folds[0].test
    answers = keras.ops.convert_to_numpy(model(DATA.x[test]))
    for i in range(2):
        assert np.corrcoef(answers[:, i], DATA.truth[test, i])[0, 1] > 0.7


def test_scales_are_those_of_all_frames_of_training(rated):
    """Of those too that no chunk holds: after the last, and between two."""
    model = keras.saving.load_model(rated.folder / "fold-01.keras")
    train = DATA.folds[0].train
    frames = np.concatenate([WHOLE[row] for row in train])
    assert max(len(WHOLE[row]) for row in train) > 6 * 4  # of gaps there are some
    for layer, values in {"scaled": frames, "ratings": DATA.truth[train]}.items():
        found = model.get_layer(layer)
        np.testing.assert_allclose(found.mean.numpy(), values.mean(axis=0), rtol=1e-5)
        np.testing.assert_allclose(found.std.numpy(), values.std(axis=0), rtol=1e-5)


def test_a_feature_without_sums_is_refused(tmp_path):
    found = train(tmp_path, replace(DATA, sums=None))
    assert "the feature was made without sums of its frames; run dvc repro" in found.said


def test_a_fold_is_the_same_alone_and_beside_others(tmp_path, rated):
    alone = train(tmp_path, replace(DATA, folds=DATA.folds[1:]))
    assert alone.models == {"fold-02": rated.models["fold-02"]}
    assert alone.folds["fold-02"] == rated.folds["fold-02"]


def test_a_training_broken_off_goes_on_as_if_it_were_not(tmp_path, rated, monkeypatch):
    epoch, begun = AttributeTask.epoch, []

    def broken(task, *given):
        begun.append(1)
        if len(begun) > 7:
            raise KeyboardInterrupt
        return epoch(task, *given)

    monkeypatch.setattr(AttributeTask, "epoch", broken)
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, DATA)
    monkeypatch.undo()
    resumed = train(tmp_path, DATA)
    assert (resumed.models, resumed.folds) == (rated.models, rated.folds)


def test_features_on_disk_are_as_good(tmp_path, rated):
    found = train(tmp_path / "run", replace(DATA, x=on_disk(tmp_path / "x.zarr", DATA.x)))
    histories = (one.folds["fold-01"]["history"] for one in (found, rated))
    for row, wanted in zip(*histories, strict=True):
        assert numbers(row) == pytest.approx(numbers(wanted), rel=1e-4, abs=1e-5)


def test_history(rated):
    history = rated.folds["fold-01"]["history"]
    sizes = [f"cluster_{i:02d}" for i in range(1, 6)]
    stated = {"epoch", "loss", "cluster_loss", "attribute_loss", "nmi", *sizes}
    parts = [f"{part}_ccc_{a}" for part in ("validation", "test") for a in ("arousal", "valence")]
    assert {*history[0]} == stated | {*parts}
    assert history[0]["nmi"] is None
    assert all(0 <= row["nmi"] <= 1 for row in history[1:])
    assert all(sum(row[size] for size in sizes) == 30 * 6 for row in history)
    for row in history:
        assert row["loss"] == pytest.approx(row["cluster_loss"] + row["attribute_loss"], rel=1e-5)
        assert row["cluster_loss"] > 1  # of a head that begins again; ln 5 is chance


def test_the_best_epoch_on_validation_is_kept(tmp_path, rated):
    selected = train(tmp_path, DATA, selection="best_validation")
    for name in FOLDS:
        parts = (rated.column(name, f"validation_ccc_{a}") for a in ("arousal", "valence"))
        assert selected.folds[name]["epoch"] == 1 + int(np.argmax(np.sum([*parts], axis=0)))
        assert selected.folds[name]["history"] == rated.folds[name]["history"]


def test_the_epoch_of_the_lowest_loss_of_chunks_is_kept(tmp_path, rated):
    given = {"selection": "best_validation", "select_by": "chunk_loss", "batch": 4}
    selected = train(tmp_path, DATA, **given)
    for name, fold in zip(FOLDS, DATA.folds, strict=True):
        losses = selected.column(name, "validation_chunk_loss")
        epoch = selected.folds[name]["epoch"]
        assert epoch == 1 + int(np.argmin(losses))
        rows = np.random.default_rng(0).permutation(fold.validation)  # 6 clips, batches of 4
        model = keras.saving.load_model(tmp_path / f"{name}.keras")
        chunks = keras.Model(model.input, model.get_layer("head").output).predict_on_batch(
            DATA.x[rows]
        )
        scales = model.get_layer("ratings")
        ratings = (DATA.truth[rows] - scales.mean.numpy()) / scales.std.numpy()
        found = []
        for some in (slice(0, 4), slice(4, 6)):
            t, y = np.repeat(ratings[some], 6, axis=0), chunks[some].reshape(-1, 2)
            between = ((t - t.mean(0)) * (y - y.mean(0))).mean(0)
            spread = t.var(0, ddof=1) + y.var(0, ddof=1) + (t.mean(0) - y.mean(0)) ** 2
            found.append((1 - 2 * between / spread).mean())
        assert losses[epoch - 1] == pytest.approx(np.mean(found), rel=1e-4)


def test_clips_without_ratings_are_learnt_from_if_they_are_asked_for(tmp_path, rated):
    x = DATA.x.copy()
    x[48:] += 1
    changed = replace(DATA, x=x)
    assert train(tmp_path / "left alone", changed).models == rated.models
    hidden = train(tmp_path / "unlabelled", DATA, unlabeled=8)
    assert hidden.models["fold-01"] != rated.models["fold-01"]
    other = train(tmp_path / "changed", changed, unlabeled=8)
    assert other.models["fold-01"] != hidden.models["fold-01"]
    assert all(1 < loss < 2 for loss in hidden.column("fold-01", "unlabeled_loss"))


def test_a_pool_is_at_most_the_clips_there_are(tmp_path):
    pools = (train(tmp_path / str(n), DATA, unlabeled=n, epochs=1) for n in (12, 100))
    whole, more = (pool.models for pool in pools)
    assert whole == more


def test_the_triplet_loss_is_added(tmp_path):
    ordered = train(tmp_path, DATA, build=partial(mean_level, name="ordered"), epochs=2)
    for row in ordered.folds["fold-01"]["history"]:
        parts = [row[f"{name}_loss"] for name in ("cluster", "attribute", "triplet")]
        assert row["triplet_loss"] > 0
        assert row["loss"] == pytest.approx(sum(parts), rel=1e-5)


@pytest.mark.parametrize("fault", [False, True])
def test_chunks_of_any_clips_make_a_batch_where_they_are_drawn(fault):
    """Worked out in numpy: a step of 4 clips' chunks, 24, the 180 of training in 8 of these."""
    sampler = "chunks_misplaced" if fault else "chunks"
    still = {"learning_rate": 1e-30, "descent_rate": 0.0, "clusters_rate": 1e-30, "batch": 4}
    training, fold_seed = replace(RATED, sampler=sampler, **still), FoldSeed(DATA.folds[0], 0, "")
    task = AttributeTask(made_up.with_clusters, mean_level(1), DATA, training)
    state = task.start(mean_level(1), fold_seed)
    task.compile([fold_seed], state)
    after, (row,) = task.epoch(state, [fold_seed], 0)

    rows, assigned, rng = fold_seed.fold.train, after["assigned"], np.random.default_rng([0, 1, 0])
    rng.integers(2**31)  # of k-means
    fresh = [rng.normal(0, 0.01, (8, 5)), np.zeros(5)]  # what names clusters
    drawn = clustering.draw_chunks(rng, assigned, misplaced=fault)
    assert len(drawn) == 30 * 6
    outputs = task.answers(state, rows, of="attributes").reshape(-1, 2)[drawn]
    points = task.answers(state, rows, of="points").reshape(-1, 8)[drawn]
    ratings, clusters = DATA.truth[rows].astype(float), assigned.ravel()[drawn]
    ratings = np.repeat((ratings - ratings.mean(0)) / ratings.std(0), 6, axis=0)[drawn]
    powers = np.exp(points @ fresh[0] + fresh[1])
    chances = (powers / powers.sum(1, keepdims=True))[np.arange(180), clusters]
    assert row["cluster_loss"] == pytest.approx(-np.log(chances).mean(), rel=1e-4)
    total = 0
    for first in range(0, 180, 24):
        t, y = ratings[first : first + 24], outputs[first : first + 24]
        between = ((t - t.mean(0)) * (y - y.mean(0))).mean(0)
        spread = t.var(0, ddof=1) + y.var(0, ddof=1) + (t.mean(0) - y.mean(0)) ** 2
        total += len(t) * (1 - 2 * between / spread).mean()
    assert row["attribute_loss"] == pytest.approx(total / 180, rel=1e-4)


def test_ratings_are_learnt_from_chunks_in_memory_and_on_disk(tmp_path, monkeypatch):
    found = train(tmp_path / "memory", DATA, sampler="chunks")
    losses = found.column("fold-01", "attribute_loss")
    assert losses[-1] < 0.6 * losses[0]
    monkeypatch.setattr(attributes, "CLIPS", 7)
    disk = replace(DATA, x=on_disk(tmp_path / "x.zarr", DATA.x))
    other = train(tmp_path / "disk", disk, sampler="chunks")
    histories = (one.folds["fold-01"]["history"] for one in (other, found))
    for row, wanted in zip(*histories, strict=True):
        assert numbers(row) == pytest.approx(numbers(wanted), rel=1e-4, abs=1e-5)
    hidden = train(tmp_path / "unlabelled", DATA, sampler="chunks", unlabeled=8, epochs=2)
    assert all(1 < loss < 2 for loss in hidden.column("fold-01", "unlabeled_loss"))


def test_ratings_that_are_all_alike_cannot_be_learnt(tmp_path):
    alike = replace(DATA, truth=np.ones_like(DATA.truth))
    assert train(tmp_path, alike).said == (
        "fold 1: all training clips are rated alike on arousal; nothing can be trained on it"
    )


@pytest.mark.parametrize("rates", [{"learning_rate": 1e38}, {"descent_rate": 1e30}])
def test_a_training_that_gets_lost_is_told_with_epoch_and_step(tmp_path, rates):
    said = train(tmp_path, DATA, **rates).said
    for name in FOLDS:
        where = r"(in epoch \d, step \d of \d|after epoch \d); lower the learning rate"
        assert re.search(rf"{name}: the (loss|weights) .*{where}", said), said
