"""Weights that TIM-Net's authors published: Keras 2 files, by role."""

import re
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.files import keras2_weights


def read_published(path: Path) -> dict[str, np.ndarray]:
    """Read weights that the authors published, a Keras 2 HDF5 file for each fold.

    Its layers are numbered as they were made, over all models of one process,
    so only the order of the numbers shows what a layer is.

    Parameters
    ----------
    path : Path
        File such as ``10-fold_weights_best_1.hdf5``.

    Returns
    -------
    dict of str to ndarray
        Arrays by role, for `set_weights`. The outputs stand in the authors' order of classes; of
        RAVDESS: angry, calm, disgust, fear, happy, neutral, sad, surprise.

    Raises
    ------
    InputError
        If the file cannot be read, or holds another network.
    """
    made = _in_order_made(keras2_weights.read_keras2(path))
    blocks = max(1, round(len(made.get("batch_normalization", [])) / 4))
    # A block makes its forward half before its backward half.
    halves = [f"{way}.tab{j}" for j in range(blocks) for way in ("fwd", "bwd")]
    roles = {
        "batch_normalization": [f"{half}.bn{i}" for half in halves for i in (1, 2)],
        "conv1d": ["fwd.in", "bwd.in", *(f"{half}.conv{i}" for half in halves for i in (1, 2))],
        "dense": ["head"],
        "weight_layer": ["fuse"],
    }
    found = {kind: len(made[kind]) for kind in sorted(made)}
    wanted = {kind: len(roles[kind]) for kind in roles}
    if found != wanted:
        raise InputError(f"{path}: found layers {found}; TIM-Net of {blocks} blocks has {wanted}")
    return {
        f"{role}.{weight}": array
        for kind in roles
        for role, layer in zip(roles[kind], made[kind], strict=True)
        for weight, array in layer.items()
    }


def _in_order_made(found: dict[str, dict]) -> dict[str, list[dict]]:
    """Sort layers by the number that ends their name, each kind alone; no number is the first.

    The file's own order is by depth in the graph, which puts forward and backward in turns.
    """
    pattern = re.compile(r"(.+?)(?:_(\d+))?")
    named = [(*match.groups("0"), name) for name in found if (match := pattern.fullmatch(name))]
    kinds = {}
    for kind, _, name in sorted(named, key=lambda parts: int(parts[1])):
        kinds.setdefault(kind, []).append(found[name])
    return kinds
