"""Stage train: published weights in the place of a training, and what is refused of them."""

import json

import numpy as np
import pytest

from tests.stages.training import FOLDS, inputs, read

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def refused(tmp_path_factory, trained):
    """Give what is said of runs that cannot be."""
    folder = tmp_path_factory.mktemp("refused")
    made = inputs(folder / "inputs")
    published(folder / "two", classes=3, count=2)
    published(folder / "fours", classes=4, count=3)
    published(folder / "three", classes=3, count=3)
    runs = {
        "two": {"weights": str(folder / "two")},
        "fours": {"weights": str(folder / "fours")},
        "three": {"weights": str(folder / "three")},
        "cnn": {"model": "dcnn_blstm", "settings": {"resize": 64}},
    }
    jobs = [
        {"inputs": made, "bundle": folder / f"b-{name}", "run": {"model": "tim_net"} | run}
        for name, run in runs.items()
    ]
    outcome = trained("jax", *jobs)
    return folder, {name: one["said"] for name, one in zip(runs, outcome, strict=True)}


def published(folder, classes, count):
    """Write weights as Keras 2 does, a file per fold; the heads differ."""
    import h5py

    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        with h5py.File(folder / f"best_{number + 1}.hdf5", "w") as file:
            names, shapes = [], {}
            for i in range(6):  # in, in, then two of each direction
                shape = (1, 8, 4) if i < 2 else (2, 4, 4)
                shapes[f"conv1d_{i}"] = {"kernel": shape, "bias": (4,)}
            for i in range(4):
                four = ("gamma", "beta", "moving_mean", "moving_variance")
                shapes[f"batch_normalization_{i}"] = dict.fromkeys(four, (4,))
            shapes["dense"] = {"kernel": (4, classes), "bias": (classes,)}
            shapes["weight_layer"] = {"kernel": (1, 1)}
            for name, weights in shapes.items():
                names.append(name)
                group = file.create_group(name)
                group.attrs["weight_names"] = [f"{name}/{w}:0".encode() for w in weights]
                for weight, shape in weights.items():
                    value = np.full(shape, number + 1.0) if name == "dense" else rng.random(shape)
                    group[f"{name}/{weight}:0"] = value.astype(np.float32)
            file.attrs["layer_names"] = [name.encode() for name in names]


def test_published_weights_take_the_place_of_training(refused):
    import keras

    from pipeline import models

    models.network("tim_net")  # registers its layers

    folder, said = refused
    assert said["three"] == ""
    bundle = folder / "b-three"
    card = json.loads((bundle / "card.json").read_text())
    assert card["training"] is None
    assert list(card["weights"]) == [f"best_{n}.hdf5" for n in (1, 2, 3)]
    assert [fold["epoch"] for fold in card["folds"]] == [None] * 3
    for number, name in enumerate(FOLDS, start=1):
        model = keras.models.load_model(bundle / f"{name}.keras")
        assert (model.get_layer("head").bias.numpy() == number).all()
    assert (bundle / "history.csv").read_text().startswith("fold,seed,epoch,loss")
    assert read(bundle / "history.csv") == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("two", "weights: {0}/two: found 2 .hdf5 files, the protocol has 3 folds"),
        ("fours", "{0}/fours/best_1.hdf5: weights: a head of 4 classes, the run has 3"),
        ("cnn", "dcnn_blstm takes (segments, frames, bins, 3); got shape (24, 8)"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(refused, name, message):
    folder, said = refused
    assert said[name].startswith(f"run tiny: {message.format(folder)}")
    assert len(said[name].splitlines()) == 1
    assert not (folder / f"b-{name}").exists()
