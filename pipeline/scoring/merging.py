"""Answers of a model under the labels of an ontology, of which several may be one."""

from collections.abc import Mapping, Sequence

import numpy as np


def merged(
    answers: np.ndarray, outputs: Sequence[str], label_of: Mapping[str, str], classes: Sequence[str]
) -> np.ndarray:
    """Probabilities of classes, of the probabilities of a model's outputs.

    Those of outputs that get one label are added; outputs without a class take no part, and what
    is left is divided by its sum: the answer is the model's among these classes. Where nothing is
    left all are equally probable.

    Parameters
    ----------
    answers : ndarray, shape (clips, outputs)
        Probabilities.
    outputs : sequence of str
        Labels of the model.
    label_of : mapping of str to str
        Label that an output gets; those that get none are not in it.
    classes : sequence of str
        Labels that are asked for, each the label of one output at least.

    Returns
    -------
    ndarray, shape (clips, classes), float64

    Examples
    --------
    >>> found = merged(np.array([[0.2, 0.2, 0.1, 0.5]]), ["calm", "neutral", "sad", "boredom"],
    ...                {"calm": "neutral", "neutral": "neutral", "sad": "sad"}, ["neutral", "sad"])
    >>> found.round(2)
    array([[0.8, 0.2]])
    """
    joins = np.array([[label_of.get(name) == label for label in classes] for name in outputs])
    found = answers.astype(float) @ joins
    sums = found.sum(axis=1, keepdims=True)
    even = np.full(len(classes), 1 / len(classes))
    return np.where(sums > 0, found / np.where(sums > 0, sums, 1), even)
