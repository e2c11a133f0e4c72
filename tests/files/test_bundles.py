"""Model bundles: the same bytes for the same models, whole or not at all."""

import json
import re
import zipfile
from importlib import metadata

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.files import bundles


@pytest.fixture(scope="module")
def model():
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(4)(inputs)
    return keras.Model(inputs, keras.layers.Dense(2)(hidden))


def test_a_model_is_saved_in_the_same_bytes_each_time_and_loads_again(model, tmp_path):
    import keras

    first, second = tmp_path / "a.keras", tmp_path / "b.keras"
    bundles.write_model(model.save, first)
    bundles.write_model(model.save, second)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.keras", "b.keras"]
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(keras.models.load_model(first)(x), model(x))


def test_layers_one_after_another_are_a_network_too(tmp_path):
    import keras

    dense = keras.layers.Dense
    nested = keras.Sequential([dense(4), keras.layers.Dropout(0.5)])
    bundles.write_model(
        keras.Sequential([keras.Input((3,)), nested, dense(2)]).save, tmp_path / "a.keras"
    )
    bundles.check_model(tmp_path / "a.keras")


def test_no_time_of_day_is_left_in_a_model(model, tmp_path):
    bundles.write_model(model.save, tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as file:
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        said = json.loads(file.read("metadata.json"))
    assert said == {"keras_version": metadata.version("keras")}


def test_no_address_in_memory_is_left_in_a_model(model, tmp_path):
    bundles.write_model(model.save, tmp_path / "a.keras")
    with zipfile.ZipFile(tmp_path / "a.keras") as file:
        shared = re.findall(rb'"shared_object_id": (\d+)', file.read("config.json"))
    assert set(shared) == {b"1"}  # the layers' default type
    config = b'[{"shared_object_id": 1402}, {"shared_object_id": 99}, {"shared_object_id": 1402}]'
    numbered = [part["shared_object_id"] for part in json.loads(bundles.renumbered(config))]
    assert numbered == [1, 2, 1]


def test_a_failure_leaves_the_old_bundle_as_it_was(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "card.json").write_text("{}")
    with pytest.raises(ZeroDivisionError), bundles.resume(folder, "same") as temporary:
        (temporary / "fold-01.keras").write_bytes(b"half")
        raise ZeroDivisionError
    assert [path.name for path in folder.rglob("*")] == ["card.json"]
    assert (folder / "card.json").read_text() == "{}"


def test_a_new_bundle_takes_the_place_of_the_old_one(tmp_path):
    folder = tmp_path / "run"
    for left in (folder, tmp_path / ".run.part"):
        left.mkdir()
        (left / "fold-11.keras").write_bytes(b"stale")
    with bundles.resume(folder, "same") as temporary:
        (temporary / "card.json").write_text('{"new": true}')
        assert not (folder / "card.json").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["run", "card.json"]
    assert (folder / "card.json").read_text() == '{"new": true}'


def test_files_are_named_by_fold_and_by_seed_where_there_are_several():
    names = [bundles.fold_name(fold, 7, (7,)) for fold in (1, 10, 123)]
    assert names == ["fold-01", "fold-10", "fold-123"]
    assert bundles.fold_name(3, 7, (7, 8)) == "fold-03-seed-7"


def interrupted(folder, fingerprint, name):
    """Write one file of a bundle, then fail; return what was there at the start."""
    with pytest.raises(ZeroDivisionError), bundles.resume(folder, fingerprint) as temporary:
        found = {path.name for path in temporary.iterdir()} - {"fingerprint", "lock"}
        (temporary / name).write_text(fingerprint)
        raise ZeroDivisionError
    return found


def test_what_an_interrupted_training_left_is_taken_up(tmp_path):
    folder = tmp_path / "run"
    assert interrupted(folder, "one", "fold-01.keras") == set()
    assert interrupted(folder, "one", "fold-02.keras") == {"fold-01.keras"}
    assert not folder.exists()
    with bundles.resume(folder, "one") as temporary:
        (temporary / "card.json").write_text("{}")
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["card.json", "fold-01.keras", "fold-02.keras"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_what_was_left_under_other_settings_or_code_is_thrown_away(tmp_path):
    folder = tmp_path / "run"
    interrupted(folder, "one", "fold-01.keras")
    assert interrupted(folder, "two", "fold-02.keras") == set()
    (tmp_path / ".run.part" / "fingerprint").unlink()  # of unknown making
    assert interrupted(folder, "two", "fold-02.keras") == set()


def test_while_one_process_writes_another_is_refused(tmp_path):
    folder = tmp_path / "run"
    for fingerprint in ("one", "two"):
        with bundles.resume(folder, "one") as temporary:
            (temporary / "fold-01.keras").write_text("one")
            message = r"\.run\.part: process \d+ of \S+ is writing there; wait until it has ended"
            with pytest.raises(InputError, match=message), bundles.resume(folder, fingerprint):
                pass
        assert [path.name for path in folder.rglob("*")] == ["fold-01.keras"]


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_versions_are_those_installed(backend):
    found = bundles.versions(backend)
    assert {"keras", "numpy", "librosa", "ser-pipeline", "soxr"} <= set(found)
    assert any(name.startswith(backend) for name in found)
    for name, version in found.items():
        assert metadata.version(name) == version
