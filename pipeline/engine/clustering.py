"""Learning from clusters: what an epoch of DeepEmoCluster is made of, as functions of arrays.

Before every epoch the chunks of the training clips are clustered by k-means, and the
clusters become labels of the chunks. The layer that names them is made again, for the numbers of
the clusters mean nothing from one epoch to the next. Clips are drawn so that every cluster is met
about equally often. The losses of both branches are added; plain descent and Adam step one after
the other on the same gradients.

References
----------
W.-C. Lin and C. Busso, "Deep temporal clustering features for speech emotion recognition", Speech
Communication 157, 2024, 103027.
"""

from collections.abc import Sequence

import numpy as np
from keras import ops
from threadpoolctl import threadpool_limits

from pipeline.engine import objectives
from pipeline.engine.objectives import Optimiser
from pipeline.errors import InputError
from pipeline.models.training import AttributeTraining

DEVIATION = 0.01  # of the weights that name clusters, before training

# ---- clusters --------------------------------------------------------------------------------


def k_means(points: np.ndarray, clusters: int, *, seed: int) -> np.ndarray:
    """Cluster points: 20 rounds of Lloyd's algorithm from points drawn at random.

    Parameters
    ----------
    points : ndarray, shape (n, dimensions), float32
    clusters : int, ``2 <= clusters <= n``
        Number of clusters; where fewer points differ, some stay empty.
    seed : int
        Seed of the points drawn, ``0 <= seed < 2 ** 32``.

    Returns
    -------
    ndarray, shape (n,), int32
        Number of the cluster nearest to each point.

    Raises
    ------
    InputError
        If there are fewer points than clusters, or one is NaN.
    """
    from sklearn.cluster import KMeans  # slow to import

    if len(points) < clusters:
        raise InputError(
            f"clusters: {clusters} wanted, but there are only {len(points)} chunks to cluster; "
            "take fewer clusters or more clips"
        )
    if not np.isfinite(points).all():
        raise InputError("clusters: the points are NaN; lower the learning rate")
    found = KMeans(clusters, init="random", n_init=1, max_iter=20, tol=0, random_state=seed)
    with threadpool_limits(1, "openmp"):  # threads add up in any order
        return found.fit(points).labels_.astype(np.int32)


def sizes(assigned: np.ndarray, clusters: int) -> list[int]:
    """Chunks in each cluster.

    >>> sizes(np.array([[0, 0], [2, 0]]), 4)
    [3, 0, 1, 0]
    """
    return np.bincount(assigned.ravel(), minlength=clusters).tolist()


def agreement(assigned: np.ndarray, before: np.ndarray) -> float:
    """Normalised mutual information of two assignments of the same chunks.

    ``I(a, b) / mean(H(a), H(b))``: 1 if one only numbers the clusters of the other differently,
    0 if they are independent.

    Parameters
    ----------
    assigned, before : ndarray, shape (clips, chunks), int

    Returns
    -------
    float

    Examples
    --------
    >>> agreement(np.array([[0, 0, 1, 1]]), np.array([[5, 5, 3, 3]]))
    1.0
    """
    from sklearn.metrics import normalized_mutual_info_score  # slow to import

    return float(normalized_mutual_info_score(before.ravel(), assigned.ravel()))


# ---- draws -----------------------------------------------------------------------------------


def chances(assigned: np.ndarray) -> np.ndarray:
    """Chance of each clip to be drawn, so that its chunks' clusters are met equally often.

    A chunk counts ``1 / size`` of its cluster, a clip the sum of its chunks. Empty clusters count
    for nothing.

    Parameters
    ----------
    assigned : ndarray, shape (clips, chunks), int
        Clusters of the chunks.

    Returns
    -------
    ndarray, shape (clips,), float64
        Chances that sum to 1.

    Examples
    --------
    >>> chances(np.array([[0, 0], [0, 0], [3, 3]])).tolist()
    [0.25, 0.25, 0.5]
    """
    weights = (1 / np.bincount(assigned.ravel()).clip(1))[assigned].sum(axis=1)
    return weights / weights.sum()


def draw(rng: np.random.Generator, assigned: np.ndarray) -> np.ndarray:
    """Draw as many clips as there are, with replacement, by their `chances`.

    Parameters
    ----------
    rng : Generator
    assigned : ndarray, shape (clips, chunks), int
        Clusters of the chunks.

    Returns
    -------
    ndarray, shape (clips,), int
        Rows of ``assigned``; some more than once, some not at all.
    """
    return rng.choice(len(assigned), len(assigned), p=chances(assigned))


def draw_chunks(
    rng: np.random.Generator, assigned: np.ndarray, *, misplaced: bool = False
) -> np.ndarray:
    """Draw as many chunks as there are, equally many of each cluster that is not empty.

    Of each of ``m`` clusters ``n // m + 1`` are drawn, of ``n`` chunks, and more than once only
    where a cluster has fewer. Together they are shuffled, and the first ``n`` are taken.

    Parameters
    ----------
    rng : Generator
    assigned : ndarray, shape (clips, chunks), int
        Clusters of the chunks.
    misplaced : bool
        Whether the numbers drawn are taken for places in a list of the chunks that is sorted by
        their clusters, as in the code of the predecessor: then clusters are not met equally often.

    Returns
    -------
    ndarray, shape (clips * chunks,), int
        Places in ``assigned.ravel()``.

    Examples
    --------
    >>> drawn = draw_chunks(np.random.default_rng(0), np.array([[7, 7, 7], [7, 7, 9]]))
    >>> sorted(drawn.tolist())
    [1, 3, 4, 5, 5, 5]
    """
    clusters = assigned.ravel()
    groups = [np.flatnonzero(clusters == number) for number in np.unique(clusters)]
    most = len(clusters) // len(groups) + 1
    drawn = [rng.choice(group, most, replace=len(group) < most) for group in groups]
    places = rng.permutation(np.concatenate(drawn))[: len(clusters)]
    return np.argsort(clusters, kind="stable")[places] if misplaced else places


def draw_triples(rng: np.random.Generator, chunks: int, *, rounds: int = 10) -> np.ndarray:
    """Draw chunks that are near each other in time, and one that is not.

    The anchor is any chunk, the positive one that is 1 or 2 away, the negative one that is further.

    Parameters
    ----------
    rng : Generator
    chunks : int >= 6
        Chunks of a clip; of fewer, some have none far away.
    rounds : int
        Number of triples, each for all clips of a batch.

    Returns
    -------
    ndarray, shape (rounds, 3), int32
        Anchor, positive, negative.

    Raises
    ------
    InputError
        If ``chunks`` is out of bounds.
    """
    if chunks < 6:
        raise InputError(f"chunks: the triplet loss needs 6 of each clip, got {chunks}")
    triples = []
    for anchor in rng.integers(chunks, size=rounds):
        away = np.abs(np.arange(chunks) - anchor)
        near, far = np.flatnonzero((away > 0) & (away <= 2)), np.flatnonzero(away > 2)
        triples.append((anchor, rng.choice(near), rng.choice(far)))
    return np.array(triples, np.int32)


# ---- losses ----------------------------------------------------------------------------------


def cross_entropy(assigned, logits):
    """Mean cross-entropy of the chunks' clusters.

    Parameters
    ----------
    assigned : tensor, shape (clips, chunks), int
        Cluster of each chunk.
    logits : tensor, shape (clips, chunks, clusters)

    Returns
    -------
    tensor, shape ()
    """
    targets = ops.one_hot(assigned, logits.shape[-1])
    return ops.mean(objectives.cross_entropy(targets, logits))


def concordance(targets, outputs):
    """One minus the concordance of the chunks with their clips' attributes, the mean of all these.

    ``CCC = 2 cov / (var + var + (mean - mean)^2)`` over the chunks of all clips, the covariance
    over ``n`` and the variances over ``n - 1`` as in the authors' code: of perfect outputs it is
    about ``1 / n``. (`metrics.ccc`, by which models are judged, has population moments.)

    Parameters
    ----------
    targets : tensor, shape (clips, attributes) or (clips, chunks, attributes)
        Ratings of the clips, each for all its chunks; or of each chunk.
    outputs : tensor, shape (clips, chunks, attributes)

    Returns
    -------
    tensor, shape ()
    """
    n = ops.cast(ops.shape(outputs)[0] * ops.shape(outputs)[1], outputs.dtype)
    if len(targets.shape) == 2:
        targets = ops.broadcast_to(targets[:, None, :], ops.shape(outputs))
    t, y = (values - ops.mean(values, axis=(0, 1)) for values in (targets, outputs))
    gap = ops.mean(targets, axis=(0, 1)) - ops.mean(outputs, axis=(0, 1))
    spread = (ops.sum(t * t, axis=(0, 1)) + ops.sum(y * y, axis=(0, 1))) / (n - 1) + gap * gap
    ccc = 2 * ops.mean(t * y, axis=(0, 1)) / ops.maximum(spread, 1e-12)
    return ops.mean(1 - ccc)


def triplet(embedding, triples):
    """Mean of ``max(0, |a - p| - |a - n| + 1)`` over all clips and triples.

    Parameters
    ----------
    embedding : tensor, shape (clips, chunks, channels)
    triples : tensor, shape (rounds, 3), int
        Chunks ``a``, ``p``, ``n``, as `draw_triples` gives them.

    Returns
    -------
    tensor, shape ()
    """
    anchor, positive, negative = (ops.take(embedding, triples[:, i], axis=1) for i in range(3))

    def distance(other):  # 1e-6, as PyTorch has it, keeps the root's slope finite at 0
        return ops.sqrt(ops.sum(ops.square(anchor - other + 1e-6), axis=-1))

    return ops.mean(ops.maximum(distance(positive) - distance(negative) + 1, 0))


# ---- optimisers ------------------------------------------------------------------------------


def optimisers(training: AttributeTraining, apart: Sequence[bool]) -> tuple[Optimiser, Optimiser]:
    """Make the two ways to step, of the same slots.

    ``w -= descent_rate g``, then Adam on the same gradient, ``w -= rate M / (sqrt(V) + epsilon)``
    with ``M = m / (1 - beta_1^t)`` and ``V = v / (1 - beta_2^t)``; the layer that names clusters
    goes apart, ``w -= clusters_rate g``. On clips without labels Adam does not step.

    Parameters
    ----------
    training : AttributeTraining
    apart : sequence of bool
        Whether each weight is of the layer that names clusters.

    Returns
    -------
    Optimiser, Optimiser
        Programs for clips with labels, and for those without.

    References
    ----------
    Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, algorithm 1. (With the
    epsilon of `objectives.adam` the first steps are damped: the gradients are small here.)
    """
    beta_1, beta_2, epsilon = training.beta_1, training.beta_2, training.epsilon
    rates = [training.clusters_rate if far else training.descent_rate for far in apart]

    def body(values: list) -> list:
        return [value for value, far in zip(values, apart, strict=True) if not far]

    def start(weights: list[np.ndarray]) -> dict:
        zeros = [np.zeros_like(weight) for weight in body(weights)]
        rate = np.full((), training.learning_rate, np.float32)
        scalars = {"rate": rate, "steps": np.zeros((), np.float32)}
        return scalars | {"m": zeros, "v": [zero.copy() for zero in zeros]}

    def descend(slots: dict, gradients: list, weights: list) -> tuple[dict, list]:
        triples = zip(weights, rates, gradients, strict=True)
        return slots, [weight - rate * gradient for weight, rate, gradient in triples]

    def update(slots: dict, gradients: list, weights: list) -> tuple[dict, list]:
        _, weights = descend(slots, gradients, weights)
        steps, near = slots["steps"] + 1, body(gradients)
        pairs = list(zip(near, slots["m"], slots["v"], strict=True))
        m = [m + (gradient - m) * (1 - beta_1) for gradient, m, _ in pairs]
        v = [v + (gradient * gradient - v) * (1 - beta_2) for gradient, _, v in pairs]
        unbiased = 1 - ops.power(beta_1, steps), 1 - ops.power(beta_2, steps)
        moves = iter(
            slots["rate"] * (first / unbiased[0]) / (ops.sqrt(second / unbiased[1]) + epsilon)
            for first, second in zip(m, v, strict=True)
        )
        weights = [w if far else w - next(moves) for w, far in zip(weights, apart, strict=True)]
        return {"rate": slots["rate"], "steps": steps, "m": m, "v": v}, weights

    return Optimiser(start, update), Optimiser(start, descend)
