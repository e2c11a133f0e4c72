"""Floors: what needs no network, on the clips and folds of a run; and two probes of its feature.

Of emotions the floors are ``majority`` (the commonest emotion of training), ``length`` (a
support-vector machine on the length of a clip alone) and ``svm`` (one on functionals of the run's
feature); of attributes ``mean`` (of training), ``length`` and ``svr``. They are the models `svm`
and `svr` as their defaults have them.

The probes: ``shuffled``, the last floor with its training labels shuffled, which must fall to
chance; and ``speaker``, how well the same functionals name the speaker of a clip, by a linear
discriminant that is trained on one half of each speaker's clips and tested on the other.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from pipeline.engine import classical
from pipeline.engine.dataset import Dataset, Fold
from pipeline.files import stores, tables
from pipeline.models import svm, svr

MOST = 10_000  # clips that a floor is trained on, drawn where there are more
MOST_SHUFFLED = 2_000
SHUFFLES = 5


def of(data: Dataset) -> dict[str, Any]:
    """Compute floors and probes.

    Parameters
    ----------
    data : Dataset
        Clips and folds of a run.

    Returns
    -------
    dict, ready for JSON
        * ``floors``: by name, measures of all test clips pooled;
        * ``clips``: the most that a floor was trained on in any fold;
        * ``shuffled``: ``draws``, and by measure the mean over them and the ``_std`` (ddof 1);
        * ``speaker``: ``accuracy`` (mean recall of the speakers), ``chance``, ``speakers`` and
          ``clips``; or None where fewer than two speakers are known with four clips each.
    """
    emotions = data.truth.ndim == 1
    name, model = ("svm", svm) if emotions else ("svr", svr)
    settings, training = model.Settings(), model.TRAINING
    if not emotions:
        training = replace(training, attributes=data.target.outputs)
    taken = classical.table(data, settings.functionals)
    lengths = np.log(np.maximum(data.samples, 1))[:, None]

    def machine(fold: Fold, given: np.ndarray, truth: np.ndarray) -> np.ndarray:
        known = replace(data, truth=truth)
        fitted, _ = classical.fit(name, settings, training, known, fold, given)
        return fitted.answer(given[fold.test])

    def shuffled(fold: Fold, draw: int) -> np.ndarray:
        fold = replace(fold, train=_some(data, fold, MOST_SHUFFLED))
        draws, truth = np.random.default_rng([draw, fold.number]), data.truth.copy()
        truth[fold.train] = draws.permutation(truth[fold.train])
        return machine(fold, taken, truth)

    folds = [replace(fold, train=_some(data, fold, MOST)) for fold in data.folds]
    truth = data.truth
    found = {
        "majority" if emotions else "mean": [_same(data, fold) for fold in folds],
        "length": [machine(fold, lengths, truth) for fold in folds],
        name: [machine(fold, taken, truth) for fold in folds],
    }
    draws = [
        _pooled(data, [shuffled(fold, draw) for fold in data.folds]) for draw in range(SHUFFLES)
    ]
    return {
        "floors": {floor: _pooled(data, answers) for floor, answers in found.items()},
        "clips": max(len(fold.train) for fold in folds),
        "shuffled": {"draws": SHUFFLES} | _over(draws),
        "speaker": _speaker(data, taken),
    }


def key(data: Dataset, store: stores.Store, code: str) -> str:
    """Hash of all that decides the floors of a run: runs on the same clips and folds share them.

    Parameters
    ----------
    data : Dataset
    store : Store
        Feature store of the data.
    code : str
        Hash of the code that computes.
    """
    parts = [
        [fold.number, *(part.tolist() for part in (fold.train, fold.validation, fold.test))]
        for fold in data.folds
    ]
    rows = store.hash.tobytes().hex()
    truth = np.ascontiguousarray(data.truth).tobytes().hex()
    speakers = data.clips["speaker"].tolist()
    outputs = list(data.target.outputs)
    return tables.sha256([store.spec_sha256, rows, truth, outputs, speakers, parts, code])


def _pooled(data: Dataset, answers: list[np.ndarray]) -> dict[str, float]:
    """Measures over the test clips of all folds, answered fold by fold."""
    truth = np.concatenate([data.truth[fold.test] for fold in data.folds])
    return data.target.summary(truth, np.concatenate(answers))


def _same(data: Dataset, fold: Fold) -> np.ndarray:
    """The commonest emotion of training, the first of equals, or the mean, for each test clip."""
    truth = data.truth[fold.train]
    if truth.ndim == 1:
        counts = np.bincount(truth, minlength=len(data.target.outputs))
        answer = np.eye(len(counts))[counts.argmax()]
    else:
        answer = truth.mean(axis=0, dtype=float)
    return np.tile(answer, (len(fold.test), 1))


def _some(data: Dataset, fold: Fold, most: int) -> np.ndarray:
    """Training clips of a fold, or so many of them, drawn; one of each emotion at least."""
    rows = fold.train
    if len(rows) <= most:
        return rows
    drawn = np.random.default_rng([0, fold.number]).permutation(rows)
    if data.truth.ndim == 1:
        _, first = np.unique(data.truth[drawn], return_index=True)
        drawn = np.concatenate([drawn[first], np.delete(drawn, first)])
    return np.sort(drawn[:most])


def _over(draws: list[dict[str, float]]) -> dict[str, float]:
    """Mean of each measure over draws, and its deviation."""
    values = {name: [draw[name] for draw in draws] for name in draws[0]}
    means = {name: float(np.mean(found)) for name, found in values.items()}
    return means | {f"{name}_std": float(np.std(found, ddof=1)) for name, found in values.items()}


def _speaker(data: Dataset, taken: np.ndarray) -> dict[str, Any] | None:
    """How well functionals name the speaker of a clip."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis  # slow to import
    from sklearn.preprocessing import StandardScaler

    clips = len(data.clips)
    parts = [part for fold in data.folds for part in (fold.train, fold.validation, fold.test)]
    rows = np.unique(np.concatenate(parts))
    rows = rows[rows < clips]  # no copies
    if len(rows) > MOST:
        rows = np.sort(np.random.default_rng(0).permutation(rows)[:MOST])
    speakers = data.clips["speaker"].to_numpy()
    names, number, counts = np.unique(speakers[rows], return_inverse=True, return_counts=True)
    good = (counts[number] >= 4) & (names[number] != "")
    rows, kept = rows[good], np.unique(number[good], return_inverse=True)[1]
    many = len(set(kept))
    if many < 2:
        return None
    order = np.random.default_rng(0).permutation(len(rows))
    half = np.empty(len(rows), int)
    for speaker in range(many):
        own = order[kept[order] == speaker]
        half[own] = np.arange(len(own)) % 2
    said = np.empty(len(rows), int)
    with threadpool_limits(1, "blas"):
        for one in (0, 1):
            train, test = half != one, half == one
            scaler = StandardScaler().fit(taken[rows[train]])
            machine = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
            machine.fit(scaler.transform(taken[rows[train]]), kept[train])
            said[test] = machine.predict(scaler.transform(taken[rows[test]]))
    recall = np.mean([(said == kept)[kept == speaker].mean() for speaker in range(many)])
    counts = {"speakers": many, "clips": len(rows)}
    return counts | {"accuracy": float(recall), "chance": 1 / many}
