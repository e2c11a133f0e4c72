"""Classical models: machines of scikit-learn on functionals, fitted at once, kept as arrays.

What is fitted becomes a `machines.Machine`. No Keras is loaded here.
"""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from pipeline import models
from pipeline.engine import machines
from pipeline.engine.dataset import Dataset, Fold
from pipeline.engine.machines import Machine
from pipeline.errors import InputError
from pipeline.files import bundles
from pipeline.models import functionals
from pipeline.models.functionals import Functionals
from pipeline.models.training import AttributeFit, EmotionFit
from pipeline.progress import counted

BLOCK = 256  # clips whose features are read at once


def table(data: Dataset, wanted: Functionals) -> np.ndarray:
    """Functionals of all clips of a run, and of their copies, (rows, dims), float64."""
    axes, rows = functionals.leading(data.spec), np.arange(len(data.truth))
    blocks = [rows[first : first + BLOCK] for first in range(0, len(rows), BLOCK)]
    return np.stack(
        [functionals.of(clip, wanted, axes) for block in blocks for clip in data.each(block)]
    )


# ---- fitting ---------------------------------------------------------------------------------


def uses(fold: Fold, training: EmotionFit | AttributeFit, searched: bool) -> dict[str, np.ndarray]:
    """Rows of the clips that the model of a fold rests on, besides its weights."""
    found = {"normalisation": _scaled_by(fold, training)}
    return found | ({"search": fold.train} if searched else {})


def train(
    name: str,
    settings: Any,
    training: EmotionFit | AttributeFit,
    data: Dataset,
    seeds: tuple[int, ...],
    folder: Path,
) -> list[dict]:
    """Fit a classical model on every fold.

    Nothing is drawn, so that all seeds give the same model.

    Parameters
    ----------
    name : str
        Folder of pipeline/models.
    settings : record
        Its settings.
    training : EmotionFit or AttributeFit
    data : Dataset
    seeds : tuple of int
        Seeds of the run.
    folder : Path
        Takes ``fold-01.npz ...``.

    Returns
    -------
    list of dict
        Per fold and seed: ``fold``, ``seed``, ``file``, ``epoch`` (None), and the ``history``: of
        values that were compared a row each, with what they scored; empty without a choice.

    Raises
    ------
    InputError
        If a choice is to be made and a fold has too few training speakers for it.
    """
    taken, fitted, made = table(data, settings.functionals), [], []
    for fold in counted(data.folds, len(data.folds), "train", "folds"):
        fitted.append((fold, *fit(name, settings, training, data, fold, taken)))
    for seed in seeds:
        for fold, machine, history in fitted:
            file = f"{bundles.fold_name(fold.number, seed, seeds)}.npz"
            machines.write(machine, folder / file)
            facts = {"fold": fold.number, "seed": seed, "file": file, "epoch": None}
            made.append(facts | {"history": [dict(row) for row in history]})
    return made


def fit(
    name: str,
    settings: Any,
    training: EmotionFit | AttributeFit,
    data: Dataset,
    fold: Fold,
    taken: np.ndarray,
) -> tuple[Machine, list[dict]]:
    """Fit a classical model on one fold.

    Parameters
    ----------
    name, settings, training, data
        Arguments of `train`.
    fold : Fold
    taken : ndarray, shape (rows, dims)
        Functionals of all clips, as `table` gives them.

    Returns
    -------
    machine : Machine
    history : list of dict
        As of `train`.
    """
    lists = {key: getattr(settings, key) for key in models.facts(name).searched}
    grid = [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]
    chosen, history = grid[0], []
    make = models.estimator(name)
    axes = functionals.leading(data.spec)

    def made(candidate: Mapping[str, float], train: np.ndarray, scaled_by: np.ndarray) -> Machine:
        balance = getattr(training, "balance", "none")
        estimators = [
            make(settings, candidate, balance, taken.shape[1]) for _ in training.attributes or "-"
        ]
        fitted = fitted_on(
            estimators, taken, data.truth, train, scaled_by, len(data.target.outputs)
        )
        return Machine(settings.functionals, axes, **fitted)

    with threadpool_limits(1, "blas"):
        if len(grid) > 1:
            history = _compared(grid, made, training, data, fold, taken)
            best = max(range(len(grid)), key=lambda i: history[i]["score"])
            chosen = grid[best]
            history = [row | {"chosen": int(i == best)} for i, row in enumerate(history)]
        return made(chosen, fold.train, _scaled_by(fold, training)), history


def fitted_on(
    estimators: list[Any],
    taken: np.ndarray,
    truth: np.ndarray,
    train: np.ndarray,
    scaled_by: np.ndarray,
    outputs: int,
) -> dict[str, Any]:
    """Fit machines of scikit-learn on some clips: one of emotions, or one for each attribute.

    Parameters
    ----------
    estimators : list
        Unfitted machines, all of one kind.
    taken : ndarray, shape (rows, dims)
        Functionals of all clips.
    truth : ndarray, shape (rows,), int, or (rows, attributes)
        What is true of them.
    train, scaled_by : ndarray of int
        Rows that are trained on, and whose mean and deviation scale the functionals.
    outputs : int
        Number of emotions, or of attributes.

    Returns
    -------
    dict
        Attributes of `Machine` by name, but for the first two.

    Raises
    ------
    InputError
        If training clips are all of one emotion, or all rated alike.
    """
    mean, deviation = taken[scaled_by].mean(axis=0), taken[scaled_by].std(axis=0)
    # what is constant but for rounding is not blown up
    deviation = np.where(deviation > 1e-10 * np.abs(mean), deviation, 1.0)
    x = (taken[train] - mean) / deviation
    if truth.ndim == 1:
        classes = np.unique(truth[train])
        if len(classes) < 2:
            raise InputError("all training clips are of one emotion; nothing can be trained on it")
        (one,) = estimators
        parts, head = _of_emotions(one.fit(x, truth[train]), classes, outputs)
        centre, spread = np.zeros(parts[-1].shape), np.ones(parts[-1].shape)
    else:
        centre, spread = (
            truth[train].mean(axis=0, dtype=float),
            truth[train].std(axis=0, dtype=float),
        )
        if not spread.all():
            raise InputError("all training clips are rated alike; nothing can be trained on it")
        ratings = (truth[train] - centre) / spread
        fitted = [one.fit(x, of_one) for one, of_one in zip(estimators, ratings.T, strict=True)]
        parts, head = _of_attributes(fitted), "values"
    named = dict(zip(("vectors", "gamma", "weights", "intercept"), parts, strict=True))
    named |= {"mean": mean, "deviation": deviation, "centre": centre, "spread": spread}
    return named | {"head": head, "outputs": outputs}


def _scaled_by(fold: Fold, training: EmotionFit | AttributeFit) -> np.ndarray:
    """Rows whose mean and deviation scale the functionals of a fold."""
    if training.scaling == "training":
        return fold.train
    return np.concatenate([fold.train, fold.validation, fold.test])


def _compared(
    grid: list[dict[str, float]],
    made: Callable[..., Machine],
    training: EmotionFit | AttributeFit,
    data: Dataset,
    fold: Fold,
    taken: np.ndarray,
) -> list[dict]:
    """Score candidates on training speakers that are held out in turn: a row for each."""
    from sklearn.model_selection import GroupKFold  # slow to import

    clips, folds = len(data.clips), training.inner_folds
    speakers = data.clips["speaker"].to_numpy()[fold.train % clips]
    if "" in speakers:
        raise InputError("a choice by inner folds needs known speakers; list one value of each")
    if len(set(speakers)) < folds:
        raise InputError(
            f"inner_folds: fold {fold.number} trains on {len(set(speakers))} speakers; list one "
            "value of each setting, or lower it"
        )
    keys = [measure.key for measure in data.target.measures]
    keys = keys if training.attributes else keys[:1]  # UAR
    parts = list(GroupKFold(folds).split(fold.train, groups=speakers))
    rows = []
    for candidate in grid:
        found = []
        for inside, outside in parts:
            train = fold.train[inside]
            tested = fold.train[outside]
            tested = tested[tested < clips]  # copies are not tested
            machine = made(candidate, train, train)
            figures = data.target.summary(data.truth[tested], machine.answer(taken[tested]))
            found.append(np.mean([figures[key] for key in keys]))
        rows.append(candidate | {"score": float(np.mean(found))})
    return rows


# ---- from scikit-learn to arrays -------------------------------------------------------------


def _of_emotions(one: Any, classes: np.ndarray, outputs: int) -> tuple[tuple, str]:
    """``vectors, gamma, weights, intercept`` of a fitted machine of emotions, and the head."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    if len(classes) < outputs:
        raise InputError("training clips lack an emotion; a classical model needs all of them")
    if isinstance(one, LogisticRegression):
        weights, intercept = one.coef_.T, one.intercept_  # (dims, outputs)
        if outputs == 2:  # scikit-learn keeps that of the second alone
            weights = np.concatenate([np.zeros_like(weights), weights], axis=1)
            intercept = np.concatenate([[0.0], intercept])
        return (np.empty((0, len(weights))), np.zeros(()), weights, intercept), "softmax"
    if not isinstance(one, SVC):
        raise InputError(f"estimator: {type(one).__name__} cannot be kept as arrays")
    weights = _pairwise(one)  # (support vectors, pairs)
    sign = -1 if outputs == 2 else 1  # of two, scikit-learn's sum is above 0 for the second
    if one.kernel == "linear":
        none = np.empty((0, one.support_vectors_.shape[1]))
        linear = one.support_vectors_.T @ weights
        return (none, np.zeros(()), sign * linear, sign * one.intercept_), "votes"
    return (
        one.support_vectors_,
        np.array(one.gamma),
        sign * weights,
        sign * one.intercept_,
    ), "votes"


def _pairwise(one: Any) -> np.ndarray:
    """Weights (support vectors, pairs) of an SVC, which keeps them by class and other class."""
    counts = one.n_support_
    owner = np.repeat(np.arange(len(counts)), counts)
    first, second = np.triu_indices(len(counts), 1)
    weights = np.zeros((len(owner), len(first)))
    for pair, (i, j) in enumerate(zip(first, second, strict=True)):
        weights[owner == i, pair] = one.dual_coef_[j - 1, owner == i]
        weights[owner == j, pair] = one.dual_coef_[i, owner == j]
    return weights


def _of_attributes(fitted: list[Any]) -> tuple:
    """``vectors, gamma, weights, intercept`` of fitted machines, one for each attribute."""
    from sklearn.linear_model import Ridge
    from sklearn.svm import SVR

    intercept = np.array([float(np.squeeze(one.intercept_)) for one in fitted])
    kinds = {type(one) for one in fitted}
    if not kinds <= {Ridge, SVR}:
        raise InputError(f"estimator: {kinds.pop().__name__} cannot be kept as arrays")
    if kinds == {Ridge} or fitted[0].kernel == "linear":
        weights = np.stack([np.ravel(one.coef_) for one in fitted], axis=1)
        return np.empty((0, len(weights))), np.zeros(()), weights, intercept
    gamma = np.array(fitted[0].gamma)
    vectors = np.concatenate([one.support_vectors_ for one in fitted])
    weights = np.zeros((len(vectors), len(fitted)))
    ends = np.cumsum([len(one.support_vectors_) for one in fitted])
    for place, (one, end) in enumerate(zip(fitted, ends, strict=True)):
        weights[end - len(one.support_vectors_) : end, place] = one.dual_coef_[0]
    return vectors, gamma, weights, intercept
