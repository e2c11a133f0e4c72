"""Bundles of made-up networks that predict attributes, and sound, for tests of what uses them."""

from dataclasses import replace

import numpy as np

from pipeline.commands import import_weights
from pipeline.files.spec import Spec
from pipeline.inference import cards
from pipeline.inference.cards import Card, FoldModel
from pipeline.scoring.targets import Attributes
from pipeline.settings import flat

SHAPE = (2, 10, 8)  # chunks, frames, bins


def spec():
    """Make a small form of the recipes that DeepEmoCluster has."""
    made = Spec.from_json(import_weights.SPEC)
    settings = {**made.settings, "n_mels": SHAPE[2]}
    return replace(made, settings=settings, chunks=SHAPE[0], segment=SHAPE[1])


def sound(samples, rate):
    """Draw a tone in noise, which grows louder and ends in digital silence."""
    time = np.arange(samples) / rate
    noise = np.random.default_rng(0).normal(0, 0.1, samples)
    signal = (np.sin(2 * np.pi * 440 * time) + noise) * np.linspace(0.01, 0.6, samples)
    signal[samples * 7 // 8 :] = 0
    return signal.astype(np.float32)


def write(bundle, *attributes, seed=0, scale=1.0):
    """Write a bundle of one model; ratings are around 4, ``scale`` their deviation."""
    from pipeline.files import bundles
    from pipeline.models.deep_emo_cluster import Settings, network

    settings = Settings(temporal="triplet")
    model = network.build(SHAPE, len(attributes), settings, seed)
    roles = network.role_names(model)
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
    cards.write(card(bundle, Attributes(attributes), settings=flat(settings)), bundle)
    return bundle


def card(bundle, target, **changed):
    """Make the card of a bundle of one model."""
    facts = {
        **{"folder": bundle, "run": bundle.name, "model": "deep_emo_cluster", "corpus": "rated"},
        **{"waveform": "whole-16k", "feature": "mel8", "protocol": "p", "certificate": "0"},
        **{"target": target, "input_shape": SHAPE, "spec": spec(), "settings": {}},
        **{"training": {"epochs": 1}, "selection": "last", "seeds": (0,), "weights": None},
        **{"files": {}, "backend": "jax", "device": "cpu", "versions": {}, "stacked": False},
        **{"parameters": 1, "provenance": None, "folds": (FoldModel(1, 0, "fold-01.keras", 1),)},
    }
    return Card(**facts | changed)
