"""Clusters, draws, losses and steps against arithmetic, and against the authors' code."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from pipeline.engine import clustering
from pipeline.errors import InputError
from pipeline.models.training import AttributeTraining

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "deepemocluster"
TRAINING = AttributeTraining(
    learning_rate=1e-2, epsilon=1e-8, descent_rate=1e-3, clusters_rate=0.05
)
authors = pytest.mark.skipif(not GOLDEN.is_dir(), reason="the authors' arrays are not here")


def golden(name):
    """Load one archive of golden arrays."""
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return dict(arrays)


def number(tensor):
    """Value of a scalar tensor."""
    return float(keras.ops.convert_to_numpy(tensor))


def heaps(clusters, each, *, seed=0):
    """Draw points in heaps far from each other."""
    rng = np.random.default_rng(seed)
    centres = 100 * np.eye(clusters, 8)
    return (np.repeat(centres, each, axis=0) + rng.normal(size=(clusters * each, 8))).astype("f4")


# ---- clusters --------------------------------------------------------------------------------


def test_k_means_finds_heaps():
    found = clustering.k_means(heaps(2, 30), 2, seed=0)
    assert len(set(found[:30])) == len(set(found[30:])) == len(set(found)) - 1 == 1


def test_k_means_is_decided_by_the_seed():
    points = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
    first, again, other = (clustering.k_means(points, 10, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_points_that_are_all_the_same_leave_clusters_empty():
    found = clustering.k_means(np.zeros((22, 8), np.float32), 3, seed=0).reshape(2, 11)
    assert sorted(clustering.sizes(found, 3)) == [0, 0, 22]
    np.testing.assert_allclose(clustering.chances(found), 0.5)


def test_more_clusters_than_chunks():
    with pytest.raises(InputError, match="clusters: 30 wanted, but there are only 22 chunks"):
        clustering.k_means(np.zeros((22, 8), np.float32), 30, seed=0)


def test_points_that_are_no_numbers():
    with pytest.raises(InputError, match="the points are NaN; lower the learning rate"):
        clustering.k_means(np.full((22, 8), np.nan, np.float32), 2, seed=0)


@authors
@pytest.mark.corpus
def test_k_means_is_as_tight_as_the_authors():
    held = golden("clustering")
    points, inertias = held["km/x"], []
    for seed in range(5):
        found = clustering.k_means(points, 10, seed=seed)
        heaps = [points[found == k] for k in range(10)]
        inertias.append(sum(((heap - heap.mean(axis=0)) ** 2).sum() for heap in heaps))
    print(f"inertia {min(inertias):.0f} to {max(inertias):.0f}, theirs {held['km/final_inertia']}")
    assert min(inertias) < 1.02 * held["km/final_inertia"]


def test_agreement_of_other_clusters():
    half, across = np.array([[0, 0, 1, 1]]), np.array([[0, 1, 0, 1]])
    assert clustering.agreement(half, across) == pytest.approx(0)
    assert clustering.agreement(half, np.array([[0, 0, 1, 2]])) == pytest.approx(0.8)


# ---- draws -----------------------------------------------------------------------------------


def test_clusters_are_met_equally_often():
    assigned = np.repeat([0] * 180 + [1] * 19 + [2], 11).reshape(200, 11)
    drawn = assigned[clustering.draw(np.random.default_rng(0), assigned)]
    met = np.array(clustering.sizes(drawn, 3)) / drawn.size
    np.testing.assert_allclose(met, 1 / 3, atol=0.1)


def test_as_many_chunks_are_drawn_of_each_cluster():
    """Of 220 chunks in clusters of 200, 19 and 1, 74 are drawn of each, and cut to 220."""
    clusters = np.random.default_rng(1).permutation([0] * 200 + [3] * 19 + [7])
    drawn = clustering.draw_chunks(np.random.default_rng(0), clusters.reshape(20, 11))
    assert drawn.shape == (220,)
    counts = np.bincount(clusters[drawn])[[0, 3, 7]]
    assert counts.sum() == 220 and (counts <= 74).all() and (counts >= 72).all()
    large = drawn[clusters[drawn] == 0]
    assert len(set(large.tolist())) == len(large)  # none twice, for there are enough
    assert (np.diff(clusters[drawn]) != 0).sum() > 100  # shuffled
    again = clustering.draw_chunks(np.random.default_rng(0), clusters.reshape(20, 11))
    np.testing.assert_array_equal(drawn, again)


def test_misplaced_draws_are_places_in_a_list_sorted_by_cluster():
    """The predecessor's fault: its numbers of chunks index the lists of the clusters, joined."""
    clusters = np.random.default_rng(1).integers(0, 4, (6, 11))
    drawn, misplaced = (
        clustering.draw_chunks(np.random.default_rng(0), clusters, misplaced=fault)
        for fault in (False, True)
    )
    joined = [chunk for k in range(4) for chunk in range(66) if clusters.ravel()[chunk] == k]
    assert misplaced.tolist() == [joined[number] for number in drawn]


@authors
@pytest.mark.corpus
def test_draws_of_the_authors_code():
    held = golden("clustering")
    assigned = held["smp/assign"].reshape(-1, 11)
    np.testing.assert_allclose(clustering.chances(assigned), held["smp/sentence_prob"], rtol=1e-12)
    drawn = clustering.draw(np.random.RandomState(5), assigned)
    theirs = held["smp/original_ids"].reshape(-1, 11)
    np.testing.assert_array_equal(theirs, theirs[:, :1] + np.arange(11))
    np.testing.assert_array_equal(np.sort(drawn), np.sort(theirs[:, 0] // 11))


@pytest.mark.parametrize("chunks", [6, 11])
def test_triples_are_near_and_far(chunks):
    rng = np.random.default_rng(0)
    triples = clustering.draw_triples(rng, chunks, rounds=500)
    near, far = np.abs(triples[:, 1:] - triples[:, :1]).T
    assert set(near) == {1, 2}
    assert far.min() == 3
    assert set(triples.ravel()) == set(range(chunks))


def test_triples_need_chunks():
    with pytest.raises(InputError, match="chunks: the triplet loss needs 6 of each clip, got 5"):
        clustering.draw_triples(np.random.default_rng(0), 5)


# ---- losses ----------------------------------------------------------------------------------


def test_cross_entropy_of_even_logits():
    loss = clustering.cross_entropy(np.zeros((2, 3), np.int32), np.zeros((2, 3, 10), np.float32))
    assert number(loss) == pytest.approx(np.log(10))


def test_perfect_outputs_have_a_concordance_short_of_one():
    targets = np.arange(4, dtype=np.float32)[:, None]
    outputs = np.repeat(targets, 11, axis=1)[..., None]
    assert number(clustering.concordance(targets, outputs)) == pytest.approx(1 / 44, abs=1e-6)


def test_concordance_of_chunks_that_each_have_a_rating():
    """``1 - 2 cov / (var + var + gap^2)`` of all of them, var over n - 1."""
    t, y = np.random.default_rng(0).normal(size=(2, 3, 4, 1)).astype(np.float32)
    spread = t.var(ddof=1) + y.var(ddof=1) + (t.mean() - y.mean()) ** 2
    wanted = 1 - 2 * np.mean((t - t.mean()) * (y - y.mean())) / spread
    assert number(clustering.concordance(t, y)) == pytest.approx(wanted, rel=1e-5)
    alike = np.repeat(t[:, :1], 4, axis=1)
    same = clustering.concordance(t[:, 0], y)
    assert number(clustering.concordance(alike, y)) == pytest.approx(number(same), rel=1e-6)


def test_concordance_of_constant_outputs():
    targets = np.arange(4, dtype=np.float32)[:, None]
    assert number(clustering.concordance(targets, np.ones((4, 11, 1), np.float32))) == 1


def test_concordance_of_several_attributes_is_the_mean():
    rng = np.random.default_rng(0)
    targets = rng.normal(size=(4, 2)).astype(np.float32)
    outputs = rng.normal(size=(4, 11, 2)).astype(np.float32)
    each = [clustering.concordance(targets[:, i : i + 1], outputs[..., i : i + 1]) for i in (0, 1)]
    both = number(clustering.concordance(targets, outputs))
    assert both == pytest.approx(np.mean([number(loss) for loss in each]))


def test_triplet_of_points_on_a_line():
    embedding = np.array([0.0, 0.5, 2.0, 9.0], np.float32).reshape(1, 4, 1)
    triples = np.array([[0, 1, 2], [0, 2, 3], [3, 0, 2]])
    wanted = [0.5 - 2 + 1, 2 - 9 + 1, 9 - 7 + 1]
    loss = number(clustering.triplet(embedding, triples))
    assert loss == pytest.approx(np.maximum(wanted, 0).mean(), abs=1e-5)


@authors
@pytest.mark.corpus
def test_losses_of_the_authors_code():
    held = golden("clustering")
    loss = clustering.concordance(held["met/t"][:, None], held["met/p"][:, None, None])
    assert number(loss) == pytest.approx(held["met/cc_loss"], rel=1e-5)
    rows = np.stack([held[f"tri/{part}"] for part in "apn"], axis=1)  # (rows, 3, channels)
    loss = clustering.triplet(rows, np.array([[0, 1, 2]]))
    assert number(loss) == pytest.approx(held["tri/loss"], rel=1e-5)
    held = golden("temp_triplet")
    embedding = held["ev/cnn_out"].reshape(2, 11, 256)
    loss = clustering.triplet(embedding, held["tri/idx_seed123"])
    assert number(loss) == pytest.approx(held["tri/loss_eval"], rel=1e-5)


@authors
@pytest.mark.corpus
@pytest.mark.parametrize("temporal", ["gru", "cnn", "trans", "triplet"])
def test_losses_of_the_authors_outputs(temporal):
    held = golden(f"temp_{temporal}")
    logits, outputs = held["tr/logits"].reshape(2, 11, 10), held["tr/attri"].reshape(2, 11, 1)
    targets = held["y_attr"].reshape(2, 11)
    assert (targets == targets[:, :1]).all()
    loss = clustering.cross_entropy(held["y_class"].reshape(2, 11), logits)
    assert number(loss) == pytest.approx(held["tr/loss_class"], rel=1e-5)
    loss = clustering.concordance(targets[:, :1], outputs)
    assert number(loss) == pytest.approx(held["tr/loss_attri"], rel=1e-5)


# ---- optimisers ------------------------------------------------------------------------------


def test_first_step_is_descent_and_one_of_adams_size():
    weights = [np.zeros(2, np.float32), np.zeros(2, np.float32)]
    gradients = [np.array([3.0, -1e-5], np.float32), np.array([1.0, 2.0], np.float32)]
    labelled, without = clustering.optimisers(TRAINING, [False, True])
    _, (body, head) = labelled.update(labelled.start(weights), gradients, weights)
    np.testing.assert_allclose(body, [-1e-3 * 3 - 1e-2, 1e-8 + 1e-2 / 1.001], rtol=1e-5)
    np.testing.assert_allclose(head, [-0.05, -0.1], rtol=1e-6)
    slots, (body, head) = without.update(without.start(weights), gradients, weights)
    np.testing.assert_allclose(body, [-3e-3, 1e-8], rtol=1e-6)
    np.testing.assert_allclose(head, [-0.05, -0.1], rtol=1e-6)
    assert slots["steps"] == 0


def test_steps_are_adams():
    rng = np.random.default_rng(0)
    labelled, _ = clustering.optimisers(replace(TRAINING, descent_rate=0.0), [False])
    weights = [rng.normal(size=5).astype(np.float32)]
    slots, m, v, wanted = labelled.start(weights), 0, 0, weights[0].astype(float)
    for t in range(1, 6):
        gradient = rng.normal(size=5).astype(np.float32)
        slots, weights = labelled.update(slots, [gradient], weights)
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient.astype(float) ** 2
        wanted = wanted - 1e-2 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(weights[0], wanted, rtol=1e-4)
