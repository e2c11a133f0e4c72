"""Models of others: what is damaged or made to harm is one line, and nothing of it is run."""

import io
import json
import zipfile
from dataclasses import replace

import h5py
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.files import bundles, tables
from pipeline.inference import cards, models
from pipeline.scoring.targets import Emotions
from tests import rated


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give a bundle of one small network."""
    import keras

    from pipeline import models as networks
    from pipeline.models.tim_net import Settings

    folder = tmp_path_factory.mktemp("whole") / "run"
    folder.mkdir()
    settings = Settings(blocks=1, filters=2)
    network = networks.network("tim_net").build((16, 4), 2, settings, 0)
    assert isinstance(network, keras.Model)
    bundles.write_model(network.save, folder / "fold-01.keras")
    card = rated.card(folder, Emotions(("angry", "sad")), model="tim_net", input_shape=(16, 4))
    cards.write(replace(card, backend="jax"), folder)
    return folder


@pytest.fixture
def forged(whole, tmp_path):
    """Give ``forged(config, weights, **form)``: ask a bundle whose parts some functions changed."""

    def ask(config=lambda held: held, weights=lambda held: held, extra=(), **form):
        with zipfile.ZipFile(whole / "fold-01.keras") as archive:
            held = {name: archive.read(name) for name in archive.namelist()}
        held["config.json"] = json.dumps(config(json.loads(held["config.json"]))).encode()
        held["model.weights.h5"] = weights(held["model.weights.h5"])
        folder = tmp_path / "run"
        folder.mkdir()
        with zipfile.ZipFile(folder / "fold-01.keras", "w", **form) as archive:
            for name, content in [*held.items(), *extra]:
                archive.writestr(name, content)
        cards.write(replace(cards.read(whole), folder=folder), folder)
        card = cards.read(folder)
        return models.asked(card)(card.folds[0], [np.zeros((16, 4), np.float32)])[0]

    return ask


def first_layer(layer):
    """Give a function that puts a layer into a network's configuration."""

    def changed(held):
        held["config"]["layers"][1] |= layer
        return held

    return changed


def linked(content):
    held = io.BytesIO(content)
    with h5py.File(held, "r+") as file:
        file["layers/stolen"] = h5py.ExternalLink("/etc/passwd", "/")
    return held.getvalue()


def absurd(content):
    held = io.BytesIO(content)
    with h5py.File(held, "r+") as file:
        file.create_dataset("layers/large", (2**36,), "f4", chunks=(2**20,))
    return held.getvalue()


def test_a_whole_bundle_answers(forged):
    assert forged().shape == (1, 2)


CODE = {"class_name": "__lambda__", "config": {"value": "aGFja2Vk"}}
HOSTILE = {
    "lambda": {"config": first_layer({"module": "keras.layers", "class_name": "Lambda"})},
    "code": {"config": first_layer({"config": {"function": CODE}})},
    "function": {"config": first_layer({"module": "os", "class_name": "system"})},
    "by name": {"config": first_layer({"module": "builtins", "class_name": "function"})},
    "another package": {"config": first_layer({"module": "subprocess", "class_name": "Popen"})},
    "no module": {"config": first_layer({"module": None, "class_name": "Dense"})},
    "no layers": {"config": lambda held: held | {"config": {}}},
    "no network": {"config": lambda held: []},
    "packed": {"compression": zipfile.ZIP_DEFLATED},
    "bomb": {"extra": [("assets/x", bytes(10**7))], "compression": zipfile.ZIP_DEFLATED},
    "beyond the folder": {"extra": [("../../escaped", b"x")]},
    "link": {"weights": linked},
    "absurd": {"weights": absurd},
    "cut": {"weights": lambda held: held[:-2000]},
    "of another network": {"config": first_layer({"config": {"units": 9}})},
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_model_that_is_made_to_harm_is_one_line(forged, kind):
    with pytest.raises(InputError, match=r"run/fold-01\.keras: ") as error:
        forged(**HOSTILE[kind])
    assert str(error.value).isprintable()


def test_a_damaged_model_is_named_by_the_card(whole, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    for path in whole.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    held = (folder / "fold-01.keras").read_bytes()
    (folder / "fold-01.keras").write_bytes(held[:-1] + bytes([held[-1] ^ 1]))
    card = cards.read(folder)
    with pytest.raises(InputError, match=r"fold-01\.keras: not as it was written, by its SHA-256"):
        models.models(card)


@pytest.mark.parametrize("kind", ["cut", "bytes", "nothing"])
def test_damage_that_no_card_names_is_one_line(whole, tmp_path, kind):
    """As of a bundle that was made before cards stated the content of files."""
    folder = tmp_path / "run"
    folder.mkdir()
    held = (whole / "fold-01.keras").read_bytes()
    middle = len(held) // 2
    damaged = {
        "cut": held[:middle],
        "bytes": held[:middle] + b"damaged" + held[middle + 7 :],
        "nothing": b"",
    }
    (folder / "fold-01.keras").write_bytes(damaged[kind])
    tables.write_json(cards.read(whole).to_json(), folder / "card.json")
    card = cards.read(folder)
    with pytest.raises(InputError, match=r"run/fold-01\.keras: ") as error:
        models.models(card)(card.folds[0])
    assert str(error.value).isprintable()


@pytest.mark.parametrize("file", ["../secret.keras", "/etc/passwd", "a/b.keras", "x.pkl", 3, ""])
def test_a_card_stays_in_its_bundle(whole, tmp_path, file):
    held = cards.read(whole).to_json()
    held["folds"] = [{"fold": 1, "seed": 0, "file": file, "epoch": 1}]
    tables.write_json(held, tmp_path / "card.json")
    with pytest.raises(InputError, match=r"card\.json: .* is no file of a bundle, as fold-01"):
        cards.read(tmp_path)
