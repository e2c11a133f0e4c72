"""Reading Keras 2 weight files."""

import h5py
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.files import keras2_weights


def write(path, names=(b"input_1", b"dense_3")):
    """Write one layer with weights and one without."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = list(names)
        file.create_group("input_1").attrs["weight_names"] = np.array([], "S1")
        dense = file.create_group("dense_3")
        dense.attrs["weight_names"] = ["dense_3/kernel:0", "dense_3/bias:0"]  # text, not bytes
        dense["dense_3/kernel:0"] = np.arange(6.0, dtype=np.float32).reshape(2, 3)
        dense["dense_3/bias:0"] = np.ones(3, np.float32)


def test_layers_and_weights_by_name(tmp_path):
    write(tmp_path / "w.hdf5")
    found = keras2_weights.read_keras2(tmp_path / "w.hdf5")
    assert list(found) == ["dense_3"]
    assert list(found["dense_3"]) == ["kernel", "bias"]
    np.testing.assert_array_equal(found["dense_3"]["kernel"], [[0, 1, 2], [3, 4, 5]])


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match=r"w\.hdf5: no such file"):
        keras2_weights.read_keras2(tmp_path / "w.hdf5")


def test_not_hdf5(tmp_path):
    (tmp_path / "w.hdf5").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match=r"w\.hdf5: not Keras 2 weights, or damaged .*signature"):
        keras2_weights.read_keras2(tmp_path / "w.hdf5")


def test_hdf5_of_another_layout(tmp_path):
    with h5py.File(tmp_path / "w.hdf5", "w") as file:
        file["x"] = 1
    with pytest.raises(InputError, match=r"w\.hdf5: not Keras 2 weights, or damaged .*layer_names"):
        keras2_weights.read_keras2(tmp_path / "w.hdf5")


def test_missing_layer(tmp_path):
    write(tmp_path / "w.hdf5", names=[b"dense_3", b"dense_4"])
    with pytest.raises(InputError, match=r"not Keras 2 weights, or damaged .*dense_4"):
        keras2_weights.read_keras2(tmp_path / "w.hdf5")


def test_cut_short(tmp_path):
    write(tmp_path / "w.hdf5")
    whole = (tmp_path / "w.hdf5").read_bytes()
    (tmp_path / "w.hdf5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"w\.hdf5: not Keras 2 weights, or damaged .*truncated"):
        keras2_weights.read_keras2(tmp_path / "w.hdf5")
