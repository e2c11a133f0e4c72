"""Stores: the same bytes whoever writes in whatever order, whole or not at all, few files."""

import hashlib
import math

import numpy as np
import pytest
import zarr

from pipeline.errors import InputError
from pipeline.files import stores

SHAPE = (70, 5, 3)  # three chunks, the last one short
SPEC = {"function": "made.up", "settings": {"bands": 3, "scale": None}}


def values():
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


def make(path, order=(0, 1, 2)):
    """Write a store chunk by chunk."""
    x, length = values(), np.arange(len(values()), dtype=np.int32)
    with stores.create(path, SHAPE, SPEC, stores.sha256(["a", "b"])) as store:
        blocks = store.blocks()
        for i in order:
            store.write(blocks[i], x[blocks[i]], length[blocks[i]])
    return path


def digests(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_was_written_is_read(tmp_path):
    store = stores.read(make(tmp_path / "s.zarr"))
    np.testing.assert_array_equal(store.x[:], values())
    np.testing.assert_array_equal(store.length[:], np.arange(70))
    assert (store.x.dtype, store.length.dtype) == (np.float32, np.int32)
    assert store.spec == SPEC
    assert store.spec_sha256 == stores.sha256(SPEC)
    assert store.clips_sha256 == stores.sha256(["a", "b"])
    assert store.blocks() == [slice(0, 32), slice(32, 64), slice(64, 70)]


def test_any_zarr_reader_can_open_it(tmp_path):
    group = zarr.open_group(make(tmp_path / "s.zarr"), mode="r")
    assert group.metadata.zarr_format == 3
    assert sorted(group.array_keys()) == ["length", "x"]


def test_bytes_do_not_depend_on_the_order_of_writes(tmp_path):
    first = digests(make(tmp_path / "a.zarr"))
    assert first == digests(make(tmp_path / "b.zarr", order=(2, 0, 1)))
    assert first == digests(make(tmp_path / "a.zarr"))  # over the old one


def test_a_write_that_is_not_a_chunk_is_refused(tmp_path):
    x = values()
    for block in (slice(0, 20), slice(16, 48), slice(0, 64), slice(64, 96), slice(0, 32, 2)):
        with (
            pytest.raises(ValueError, match="is not one of the store's chunks"),
            stores.create(tmp_path / "s.zarr", SHAPE, SPEC, "") as store,
        ):
            store.write(block, x[block], np.zeros(len(x[block])))


def test_a_failure_while_writing_leaves_the_old_store_and_nothing_else(tmp_path):
    old = digests(make(tmp_path / "s.zarr"))
    with (
        pytest.raises(ZeroDivisionError),
        stores.create(tmp_path / "s.zarr", SHAPE, {}, "") as store,
    ):
        store.write(slice(0, 32), np.zeros((32, 5, 3)), np.zeros(32))
        raise ZeroDivisionError
    assert digests(tmp_path / "s.zarr") == old
    assert [path.name for path in tmp_path.iterdir()] == ["s.zarr"]


def test_until_the_end_the_old_store_is_there(tmp_path):
    old = digests(make(tmp_path / "s.zarr"))
    with stores.create(tmp_path / "s.zarr", (1, 2), {}, ""):
        assert digests(tmp_path / "s.zarr") == old
        assert (tmp_path / ".s.zarr.part").is_dir()  # which .dvcignore knows
    assert stores.read(tmp_path / "s.zarr").x.shape == (1, 2)
    assert [path.name for path in tmp_path.iterdir()] == ["s.zarr"]


def test_what_a_killed_run_left_is_not_mixed_in(tmp_path):
    (tmp_path / ".s.zarr.part" / "x" / "c" / "9").mkdir(parents=True)
    (tmp_path / ".s.zarr.part" / "x" / "c" / "9" / "0").write_bytes(b"stale")
    assert digests(make(tmp_path / "s.zarr")) == digests(make(tmp_path / "other.zarr"))


@pytest.mark.parametrize(
    "shape",
    [(20_000, 110_000), (20_000, 55_125), (20_000, 215, 39), (20_000, 300, 128, 3), (20_000, 1)],
    ids=str,
)
def test_a_store_of_20_000_clips_stays_below_about_200_files(shape):
    rows = stores._chunk_clips(shape)
    files = math.ceil(shape[0] / rows) + 4  # and length, and three zarr.json
    assert files < 200
    assert rows >= 32
    assert 4 * rows * math.prod(shape[1:]) <= 64 * 2**20


def test_files_are_counted_right(tmp_path):
    assert len(digests(make(tmp_path / "s.zarr"))) == 3 + 4


def test_small_corpora_and_long_clips_have_chunks_of_their_own_size():
    assert stores._chunk_clips((7, 100)) == 7
    assert stores._chunk_clips((535, 110_000)) == 32
    assert stores._chunk_clips((20_000, 10**6)) == 32  # 128 MB, rather than thousands of files


@pytest.mark.parametrize("what", ["nothing", "file", "folder", "array", "other group", "no length"])
def test_what_is_no_store_is_refused(tmp_path, what):
    path = tmp_path / "s.zarr"
    if what == "file":
        path.write_text("x")
    elif what == "folder":
        path.mkdir()
    elif what == "array":
        zarr.save_array(path, np.zeros(3))
    elif what == "other group":
        zarr.create_group(path, attributes={"made": "elsewhere"}).create_array("x", data=np.ones(2))
    elif what == "no length":
        zarr.create_group(path).create_array("x", data=np.ones(2))
    with pytest.raises(InputError, match=r"s\.zarr: not a store of this pipeline; run dvc repro"):
        stores.read(path)


def test_the_hash_of_plain_data_is_that_of_its_canonical_json():
    text = '{"a":[1,2.5,null,"\u00e4"],"b":{"c":true}}'
    data = {"b": {"c": True}, "a": [1, 2.5, None, "\u00e4"]}
    assert stores.sha256(data) == hashlib.sha256(text.encode()).hexdigest()
    assert stores.sha256(["a", "b"]) != stores.sha256(["b", "a"])
