"""Weights that DeepEmoCluster's authors published: PyTorch checkpoints, by role."""

import re
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.files import torch_checkpoint

CHANNELS = 128  # of the last convolution
# Layers of the authors' network by their role here. Those of a sequence count what has no weights.
ROLES = (
    {f"cnn_features.{3 * i - 3}": f"conv{i}" for i in range(1, 8)}
    | {f"cnn_features.{3 * i - 2}": f"bn{i}" for i in range(1, 8)}
    | {"temporal_net.0": "look1", "temporal_net.1": "look1_bn"}
    | {"temporal_net.3": "look2", "temporal_net.4": "look2_bn"}
    | {"temporal_net.self_attn.out_proj": "attend_out"}
    | {f"temporal_net.linear{i}": f"feed{i}" for i in (1, 2)}
    | {f"temporal_net.norm{i}": f"norm{i}" for i in (1, 2)}
    | {"cnn_out.0": "dense", "emo_regressor.0": "attributes", "top_layer_attri": "head"}
    | {"classifier.0": "points", "top_layer_class": "clusters"}
)


def read_published(path: Path) -> dict[str, np.ndarray]:
    """Read weights that the authors published.

    Parameters
    ----------
    path : Path
        File such as ``TempDeepEmoCluster_epoch30_batch64_10clusters_Act_Temp-CNN.pth.tar``.

    Returns
    -------
    dict of str to ndarray
        Arrays by role, for `set_weights`, the branch for clusters with them.

    Raises
    ------
    InputError
        If the file cannot be read, or holds another network.
    """
    return from_torch(torch_checkpoint.read_state(path), path)


def from_torch(state: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """Turn weights of the authors' network into those of this one.

    Parameters
    ----------
    state : dict of str to ndarray
        State, as `pipeline.files.torch_checkpoint.read_state` gives it.
    path : Path
        File named in errors.

    Returns
    -------
    dict of str to ndarray
        Arrays by role, for `set_weights`.

    Raises
    ------
    InputError
        If a name is unknown, or another network's.
    """
    weights = {}
    state = {name.replace(".module.", "."): array for name, array in state.items()}
    for name, array in state.items():
        layer, _, kind = name.rpartition(".")
        if kind == "num_batches_tracked" or name == "pos_enc.pe":  # counted or computed here
            continue
        if match := re.fullmatch(r"temporal_net\.(weight|bias)_(ih|hh)_l0(_reverse)?", name):
            part, of, reverse = match.groups()
            role = "backward" if reverse else "forward"
            if part == "bias":
                pair = [name.replace("_hh_", f"_{of}_") for of in ("ih", "hh")]
                pair = [state[bias] for bias in pair if bias in state]
                if of == "hh" and len(pair) == 2:
                    weights[f"{role}.bias"] = np.stack([_gates(bias) for bias in pair])
            else:
                kernel = "kernel" if of == "ih" else "recurrent_kernel"
                weights[f"{role}.{kernel}"] = _gates(array).T
        elif kind.startswith("in_proj_"):
            part = {"in_proj_weight": "kernel", "in_proj_bias": "bias"}.get(kind)
            for to, third in zip(("query", "key", "value"), np.split(array, 3), strict=True):
                weights[f"attend_{to}.{part}"] = third.T
        elif layer in ROLES and kind in ("weight", "bias", "running_mean", "running_var"):
            role = ROLES[layer]
            weights[f"{role}.{_part(role, kind)}"] = _turned(role, array)
        else:
            raise InputError(f"{path}: DeepEmoCluster has no {name}; wanted its checkpoint")
    return weights


def _part(role: str, kind: str) -> str:
    """Keras's name of a weight of a role."""
    if "bn" in role or "norm" in role:
        names = {"weight": "gamma", "bias": "beta"}
        names |= {"running_mean": "moving_mean", "running_var": "moving_variance"}
        return names[kind]
    return {"weight": "kernel"}.get(kind, kind)


def _turned(role: str, array: np.ndarray) -> np.ndarray:
    """A weight with its axes in Keras's order."""
    if role == "dense" and array.ndim == 2:  # of 128 channels by 8 places, the channels now last
        array = array.reshape(len(array), CHANNELS, -1).swapaxes(1, 2).reshape(len(array), -1)
    return np.transpose(array, (2, 3, 1, 0)) if array.ndim == 4 else array.T


def _gates(array: np.ndarray) -> np.ndarray:
    """Gates of a GRU from PyTorch's order to Keras's: reset, update, new to update, reset, new."""
    reset, update, new = np.split(array, 3)
    return np.concatenate([update, reset, new])
