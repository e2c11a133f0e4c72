"""DamagedError stores: what is read is what was written, or the reader stops in one line."""

import json
import os
import re
import shutil
from pathlib import Path

import google_crc32c
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec

from pipeline.errors import DamagedError, InputError
from pipeline.files import chunks, drafts, stores, tables

SPEC = {"function": "made.up"}
CLIPS = 70  # three chunks
CHUNK = Path("x/c/1/0/0")


def values(number=0):
    return np.random.default_rng(number).normal(size=(CLIPS, 5, 3)).astype(np.float32)


def make(path, x=None, spec=SPEC):
    """Write a store of which all values are valid."""
    x = values() if x is None else x
    content = np.random.default_rng(1).integers(1, 255, (CLIPS, 32)).astype(np.uint8)
    facts = {"clips_sha256": "clips", "content": content, "code": ""}
    with drafts.create(path, x.shape, spec, **facts) as draft:
        for block in draft.pending():
            draft.fill(block, lambda rows: (x[rows], 100 + rows, np.full(len(rows), 5)))
    return path


@pytest.fixture
def store(tmp_path):
    return make(tmp_path / "s.zarr")


def read(path):
    """Read all of a store."""
    store = stores.read(path)
    return store.x[:]


def damage(path, kind):
    """Damage a file."""
    held = path.read_bytes()
    middle = len(held) // 2
    damaged = {
        "flipped": held[:middle] + bytes([held[middle] ^ 4]) + held[middle + 1 :],
        "cut": held[:-9],
        "longer": held + b"\0",
        "empty": b"",
    }
    path.unlink()  # its other name has the same bytes
    if kind in damaged:
        path.write_bytes(damaged[kind])
    elif kind == "a folder":
        path.mkdir()
    elif kind == "endless":
        path.symlink_to("/dev/zero")


KINDS = [*"flipped cut longer empty gone endless".split(), "a folder"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["x/c/1/0/0", "valid/c/0", "hash/c/0/0", "content/c/0/0"])
def test_a_damaged_chunk_is_named_and_how_to_get_it_back(store, name, kind):
    damage(store / name, kind)
    message = rf"{re.escape(name)}: .*; remove \S+s\.zarr and run dvc checkout, and if"
    with pytest.raises(DamagedError, match=message) as error:
        read(store)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["zarr.json", "x/zarr.json", "length/zarr.json"])
def test_damaged_metadata_are_named(store, name, kind):
    if kind == "longer":
        pytest.skip("the same JSON")
    damage(store / name, kind)
    with pytest.raises(InputError, match=r"s\.zarr") as error:
        read(store)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("attributes", "spec", "function"), "made.down"),
        (("attributes", "clips_sha256"), "others"),
        (("attributes", "chunks"), [1, 2, 3]),
        (("attributes", "checksum"), "0"),
    ],
)
def test_other_attributes_are_noticed(store, place, value):
    held = json.loads((store / "zarr.json").read_text())
    inner = held
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (store / "zarr.json").write_text(json.dumps(held))
    with pytest.raises(
        DamagedError, match=r"zarr\.json: not as it was written \(its checksum differs"
    ):
        stores.read(store)


def test_other_chunks_are_read_beside_a_damaged_one(store):
    (store / CHUNK).unlink()
    held = stores.read(store)
    np.testing.assert_array_equal(held.x[:32], values()[:32])
    np.testing.assert_array_equal(held.x[np.array([69, 3])], values()[[69, 3]])
    with pytest.raises(DamagedError, match="x/c/1/0/0: is missing"):
        held.x[32]


@pytest.mark.parametrize("source", ["its neighbour", "an older store"])
def test_a_whole_chunk_in_the_place_of_another_is_noticed(store, tmp_path, source):
    older = values()
    older[40] += 1
    other = (
        store / "x/c/0/0/0" if source == "its neighbour" else make(tmp_path / "o", older) / CHUNK
    )
    (store / CHUNK).unlink()
    shutil.copyfile(other, store / CHUNK)
    with pytest.raises(
        DamagedError, match="x/c/1/0/0: another chunk than the one that was written"
    ):
        read(store)


def test_damage_reaches_other_processes_as_it_is(store):
    import pickle

    error = DamagedError(Path("a"), "is missing", Path("b"))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


# ---- stores of before ------------------------------------------------------------------------


def without_checksums(path):
    """Write a store as it was written before there were checksums."""
    held, old = stores.read(path), path.with_name("old.zarr")
    attributes = {"clips_sha256": "clips", "spec": SPEC, "spec_sha256": tables.sha256(SPEC)}
    group = zarr.create_group(old, zarr_format=3, attributes=attributes)
    arrays = {"x": held.x[:]} | {n: getattr(held, n) for n in ("content", *stores.FACTS)}
    for name, array in arrays.items():
        shape = (32, 5, 3) if name == "x" else array.shape
        codec = BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=4)
        group.create_array(name, data=array, chunks=shape, compressors=codec)
    return old


def test_a_store_without_checksums_is_read_with_a_line(store, caplog):
    old = without_checksums(store)
    np.testing.assert_array_equal(read(old), values())
    np.testing.assert_array_equal(read(old), values())
    (line,) = caplog.messages
    assert line == f"{old}: made before stores had checksums; rows are compared with their hashes"


def test_its_rows_are_compared_with_their_hashes(store):
    old = without_checksums(store)
    zarr.open_array(old / "x", mode="r+")[40, 2, 1] = 3.0
    held = stores.read(old)
    held.x[41:]
    for rows in (40, slice(None), np.array([1, 40])):
        with pytest.raises(DamagedError, match=r"x/c/1/0/0: not as it was written \(row 40\)"):
            held.x[rows]
    (old / CHUNK).unlink()
    with pytest.raises(DamagedError, match="x/c/1/0/0: is missing"):
        held.x[40]


# ---- made to harm ----------------------------------------------------------------------------


def stated(path, **changed):
    """Let the metadata of an array state something else."""
    held = json.loads((path / "zarr.json").read_text()) | changed
    (path / "zarr.json").write_text(json.dumps(held))


def grid(*chunk):
    return {"name": "regular", "configuration": {"chunk_shape": list(chunk)}}


@pytest.mark.parametrize(
    "changed",
    [
        {"shape": [2**36, 5, 3]},
        {"shape": [CLIPS, 2**36, 3], "chunk_grid": grid(32, 2**36, 3)},
        {"shape": [CLIPS, 5, 3], "chunk_grid": grid(2**40, 5, 3)},
        {"chunk_grid": grid(1, 1, 1)},
        {"shape": [10**400, 5, 3]},
        {"shape": [-1, 5, 3]},
        {"shape": []},
        {"shape": "70"},
        {"data_type": "float64"},
        {"codecs": [{"name": "bytes"}, {"name": "zstd"}]},
        {"chunk_grid": []},
    ],
    ids=str,
)
def test_no_memory_is_taken_for_what_no_file_holds(store, changed):
    old = without_checksums(store)  # nothing else notices
    stated(old / "x", **changed)
    with pytest.raises(DamagedError):
        read(old)


@pytest.mark.parametrize(
    ("at", "held"),
    [(0, 1), (2, 0), (3, 0), (4, 2**31 - 1), (8, 0), (8, 1), (12, 2**31), (16, 2**31 - 1)],
)
def test_a_chunk_that_lies_to_blosc_is_refused(store, at, held):
    """Its checksum is right; blosc would read beyond its end."""
    old = (store / "length/c/0").read_bytes()[:-4]
    size = 1 if at < 4 else 4
    content = old[:at] + held.to_bytes(size, "little") + old[at + size :]
    crc = google_crc32c.value(content).to_bytes(4, "little")
    (store / "length/c/0").unlink()
    (store / "length/c/0").write_bytes(content + crc)
    array = chunks.opened(store / "length")
    with pytest.raises(DamagedError, match="length/c/0: not as it was written"):
        array.read(np.arange(CLIPS))


@pytest.mark.parametrize(
    "content", ["[" * 100_000, "[1]", '{"a": ' + "9" * 5000 + "}", " " * 2**25]
)
def test_metadata_that_no_store_has_are_refused(store, content):
    for name in ("zarr.json", "x/zarr.json"):
        (store / name).write_text(content)
        with pytest.raises(InputError, match=r"s\.zarr") as error:
            stores.read(store)
        assert "\n" not in str(error.value)


def test_what_cannot_be_reached_is_no_damage(store):
    if os.geteuid() == 0:
        pytest.skip("root may read all")
    (store / "x/c/0/0/0").chmod(0)
    with pytest.raises(PermissionError):
        read(store)
