"""Bundles of made-up networks that predict attributes, for tests of what uses them."""

import copy
import json

import numpy as np

from pipeline.commands import import_weights

SHAPE = (2, 10, 8)  # chunks, frames, bins


def spec():
    """Make a small form of the recipes that DeepEmoCluster has."""
    changed = copy.deepcopy(import_weights.SPEC)
    changed["settings"]["n_mels"] = SHAPE[2]
    return changed | {"chunks": SHAPE[0], "segment": SHAPE[1]}


def write(bundle, *attributes, seed=0, scale=1.0):
    """Write a bundle of one model; ratings are around 4, ``scale`` their deviation."""
    from pipeline.files import bundles
    from pipeline.models import deep_emo_cluster

    settings = {"temporal": "triplet"}
    model = deep_emo_cluster.build(SHAPE, len(attributes), **settings, seed=seed)
    roles = deep_emo_cluster.role_names(model)
    rng = np.random.default_rng(seed)
    for role, variable in roles.items():  # small weights would answer everything alike
        if role.endswith("kernel"):
            variable.assign(
                rng.normal(0, (2 / np.prod(variable.shape[:-1])) ** 0.5, variable.shape)
            )
    roles["scaled.std"].assign(np.full(SHAPE[2], 0.5))
    roles["ratings.mean"].assign(np.full(len(attributes), 4.0))
    roles["ratings.std"].assign(np.full(len(attributes), scale))
    bundle.mkdir(parents=True)
    bundles.write_model(model.save, bundle / "fold-01.keras")
    card = {
        **{"run": bundle.name, "model": "deep_emo_cluster", "corpus": "rated"},
        **{"waveform": "whole-16k", "feature": "mel8", "protocol": "p", "certificate": "0"},
        **{"attributes": list(attributes), "labels": [], "input_shape": list(SHAPE)},
        **{"spec": spec(), "settings": settings, "backend": "jax"},
        "folds": [{"fold": 1, "seed": 0, "file": "fold-01.keras", "epoch": 1}],
    }
    (bundle / "card.json").write_text(json.dumps(card))
    return bundle
