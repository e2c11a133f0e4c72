"""HDF5 files of others: what leads elsewhere, or states what is not there, is refused."""

from io import BytesIO

import h5py
import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.files import hdf5


@pytest.fixture
def write(tmp_path):
    """Give ``write(make)``: a file made by a function of an open one."""

    def written(make):
        with h5py.File(tmp_path / "w.h5", "w") as file:
            file["layer/kernel"] = np.arange(6.0)
            make(file)
        return tmp_path / "w.h5"

    return written


def opened(path):
    with hdf5.opened(path, path, "weights") as file:
        return file["layer/kernel"][()]


def test_plain_and_packed_values_are_read(write):
    path = write(lambda file: file.create_dataset("z", data=np.zeros(10**5), compression="gzip"))
    np.testing.assert_array_equal(opened(path), np.arange(6.0))
    with hdf5.opened(BytesIO(path.read_bytes()), "w", "weights") as file:
        assert file["z"].shape == (10**5,)


def circle(file):
    file["layer/again"] = file["layer"]


def virtual(file):
    layout = h5py.VirtualLayout((6,), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "secret", (6,))
    file.create_virtual_dataset("v", layout)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda f: f.__setitem__("l", h5py.ExternalLink("/etc/passwd", "/")), "/l is a link"),
        (lambda f: f.__setitem__("layer/l", h5py.SoftLink("/layer")), "/layer/l is a link"),
        (lambda f: f.create_dataset("e", (9,), "u1", external="/etc/passwd"), "in another file"),
        (virtual, "its values lie in another file"),
        (circle, "too many objects, or links in circles"),
        (lambda f: f.create_dataset("s", (2**36,), "f4", chunks=(2**20,)), "states more values th"),
        (lambda f: f.create_dataset("s", (2**30, 2**30), "f4", chunks=(1, 9)), "states more val"),
    ],
    ids="external soft outside virtual circle large larger".split(),
)
def test_what_leads_elsewhere_or_states_too_much_is_refused(write, make, message):
    path = write(make)
    with pytest.raises(InputError, match=message) as error:
        opened(path)
    assert str(error.value).startswith(f"{path}: ") and str(error.value).isprintable()


@pytest.mark.parametrize("seed", range(3))
def test_damage_is_one_line(write, seed):
    path = write(lambda file: None)
    held, random = path.read_bytes(), np.random.default_rng(seed)
    for _ in range(60):
        damaged = bytearray(held)
        for at in random.integers(len(held), size=3):
            damaged[at] = random.integers(256)
        path.write_bytes(damaged[: random.integers(len(held) + 1)])
        try:
            opened(path)
        except InputError as error:
            assert str(error).isprintable()
