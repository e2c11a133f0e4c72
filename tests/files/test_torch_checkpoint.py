"""Reading PyTorch checkpoints, written here as PyTorch writes them but without it."""

import io
import os
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.files import torch_checkpoint

PUBLISHED = Path(__file__).parents[3] / "shared" / "weights" / "deepemocluster"
STATE = {
    "conv.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
    "bn.num_batches_tracked": np.array(7, np.int64),
}


class Stored:
    """Stands for a storage that lies outside the pickle."""

    def __init__(self, kind, key, values):
        self.kind, self.key, self.values = kind, key, values


@pytest.fixture
def torch(monkeypatch):
    """Give stand-ins for the names that a checkpoint calls torch's."""
    package, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for module, names in {
        package: ["FloatStorage", "LongStorage", "HalfStorage"],
        utils: ["_rebuild_tensor_v2", "_rebuild_parameter"],
    }.items():
        for name in names:

            def made(*arguments):
                raise AssertionError("called")

            made.__module__, made.__name__, made.__qualname__ = module.__name__, name, name
            setattr(module, name, made)
    monkeypatch.setitem(sys.modules, "torch", package)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return package, utils


@pytest.fixture
def write(torch, tmp_path):
    """Give ``write(state, newer=False, ...)``: a checkpoint of that state; gives its path."""
    package, utils = torch

    class Tensor:
        def __init__(self, stored, shape, strides, offset=0):
            self.arguments = (stored, offset, shape, strides, False, OrderedDict())

        def __reduce__(self):
            return utils._rebuild_tensor_v2, self.arguments

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if isinstance(value, Stored):
                return "storage", value.kind, value.key, "cuda:0", len(value.values), None

    def dump(value):
        file = io.BytesIO()
        Pickler(file, 2).dump(value)
        return file.getvalue()

    def make(state=STATE, *, newer=False, wrap=None, magic=torch_checkpoint.MAGIC, **layout):
        kinds = {"f": package.FloatStorage, "i": package.LongStorage, "e": package.HalfStorage}
        held, storages = OrderedDict(), []
        for number, (name, array) in enumerate(state.items()):
            kind = kinds["e" if array.dtype == np.float16 else array.dtype.kind]
            storages.append(Stored(kind, str(90 + number), array.ravel()))
            strides = tuple(step // array.itemsize for step in array.strides)
            held[name] = Tensor(
                storages[-1],
                layout.get("shape", array.shape),
                layout.get("strides", strides),
                layout.get("offset", 0),
            )
        held._metadata = OrderedDict(version=1)
        held = {"arch": "vgg16", "state_dict": held} if wrap is None else wrap(held)
        path = tmp_path / "weights.pth.tar"
        if newer:
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("weights/data.pkl", dump(held))
                for stored in storages:
                    archive.writestr(f"weights/data/{stored.key}", stored.values.tobytes())
            return path
        machine = {"protocol_version": 1001, "little_endian": True}
        pieces = [dump(value) for value in (magic, 1001, machine, held)]
        pieces.append(dump([stored.key for stored in storages]))
        for stored in storages:
            pieces += [len(stored.values).to_bytes(8, "little"), stored.values.tobytes()]
        path.write_bytes(b"".join(pieces))
        return path

    return make


@pytest.mark.parametrize("newer", [False, True], ids=["older", "newer"])
def test_tensors_by_name(write, newer):
    found = torch_checkpoint.read_state(write(newer=newer))
    assert list(found) == list(STATE)
    for name, array in STATE.items():
        assert found[name].dtype == array.dtype
        assert found[name].flags.writeable
        np.testing.assert_array_equal(found[name], array)


def test_tensor_that_looks_at_its_storage_in_another_way(write):
    path = write({"a": np.arange(6, dtype=np.float32)}, shape=(2, 2), strides=(1, 2), offset=1)
    np.testing.assert_array_equal(torch_checkpoint.read_state(path)["a"], [[1, 3], [2, 4]])


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match=r"w\.pth\.tar: no such file"):
        torch_checkpoint.read_state(tmp_path / "w.pth.tar")


class Command:
    """Pickled as a call of the shell."""

    def __init__(self, line):
        self.line = line

    def __reduce__(self):
        return os.system, (self.line,)


@pytest.mark.parametrize("newer", [False, True], ids=["older", "newer"])
def test_what_is_pickled_is_not_run(write, tmp_path, newer):
    trap = Command(f"touch {tmp_path / 'sprung'}")
    path = write(newer=newer, wrap=lambda held: {"state_dict": held, "arch": trap})
    with pytest.raises(InputError, match=r"weights\.pth\.tar: asks for posix\.system, which is no"):
        torch_checkpoint.read_state(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("collections", "namedtuple"),
        ("collections", "OrderedDict.fromkeys"),
        ("torch._utils", "_rebuild_parameter"),
        ("torch", "load"),
        ("pipeline.files.torch_checkpoint", "read_state"),
    ],
)
def test_no_name_but_those_of_tensors(tmp_path, module, name):
    text = b"".join(b"X" + len(w).to_bytes(4, "little") + w.encode() for w in (module, name))
    (tmp_path / "w.pth").write_bytes(b"\x80\x04" + text + b"\x93.")  # STACK_GLOBAL
    with pytest.raises(InputError, match=rf"w\.pth: asks for {module}\.{name}, "):
        torch_checkpoint.read_state(tmp_path / "w.pth")


def test_tensors_of_another_type(write):
    with pytest.raises(InputError, match=r"asks for torch\.HalfStorage, .* of float32 and int64"):
        torch_checkpoint.read_state(write({"a": np.zeros(2, np.float16)}))


@pytest.mark.parametrize(
    "layout",
    [
        {"shape": (7,), "strides": (1,)},
        {"shape": (2, 3), "strides": (3, 2)},
        {"shape": (10**9,), "strides": (0,)},
        {"shape": (1,), "strides": (1,), "offset": 6},
        {"shape": (1,), "strides": (1,), "offset": -1},
        {"shape": (2,), "strides": (-1,), "offset": 3},
        {"shape": (-2,), "strides": (1,)},
    ],
    ids=str,
)
def test_tensor_beyond_its_storage(write, layout):
    path = write({"a": np.arange(6, dtype=np.float32)}, **layout)
    with pytest.raises(InputError, match="a tensor larger than its storage"):
        torch_checkpoint.read_state(path)


@pytest.mark.parametrize(
    ("wrap", "reason"),
    [
        (lambda held: held, "state_dict"),
        (lambda held: [held], "list indices"),
        (lambda held: {"state_dict": {"lr": 0.1}, "best": held}, "a float among the tensors"),
    ],
)
def test_objects_of_another_form(write, wrap, reason):
    message = rf"not a PyTorch checkpoint with a state_dict .* or damaged \(.*{reason}"
    with pytest.raises(InputError, match=message):
        torch_checkpoint.read_state(write(wrap=wrap))


def test_another_pickle(write):
    with pytest.raises(InputError, match="another kind of pickle"):
        torch_checkpoint.read_state(write(magic=1))


def test_not_a_pickle_at_all(tmp_path):
    (tmp_path / "w.pth").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(InputError, match=r"w\.pth: not a PyTorch checkpoint .*; copy it again"):
        torch_checkpoint.read_state(tmp_path / "w.pth")


@pytest.mark.parametrize("newer", [False, True], ids=["older", "newer"])
def test_cut_short_anywhere(write, newer):
    path = write(newer=newer)
    whole = path.read_bytes()
    for size in range(0, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(InputError, match=r"weights\.pth\.tar: "):
            torch_checkpoint.read_state(path)


@pytest.mark.parametrize("newer", [False, True], ids=["older", "newer"])
def test_struck_bytes_are_values_or_errors(write, newer):
    path = write(newer=newer)
    whole = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for place in range(len(whole)):
        struck = whole.copy()
        struck[place] ^= int(rng.integers(1, 256))
        path.write_bytes(struck)
        try:
            torch_checkpoint.read_state(path)
        except InputError as error:
            assert str(error).startswith(f"{path}: ")


@pytest.mark.corpus
@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published weights are not here")
@pytest.mark.parametrize("path", sorted(PUBLISHED.glob("*.pth.tar")), ids=lambda path: path.name)
def test_published_checkpoints(path):
    state = torch_checkpoint.read_state(path)
    trained = sum(
        array.size
        for name, array in state.items()
        if array.dtype == np.float32 and "running" not in name
    )
    assert trained == (832_830 if "CNN" in path.name else 831_979)
    assert all(np.isfinite(array).all() for array in state.values())
    assert {array.dtype for array in state.values()} == {np.dtype("f4"), np.dtype("i8")}
