"""Stores: the same bytes for any writer and order, whole or not at all, few files."""

import hashlib
import math
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import zarr

from pipeline.errors import InputError
from pipeline.files import drafts, stores, tables

SHAPE = (70, 5, 3)  # three chunks, the last one short
SPEC = {"function": "made.up", "settings": {"bands": 3, "scale": None}}


def values():
    """Rows of which the first n % 6 values are valid, and zeros."""
    x = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    return np.where(np.arange(5)[:, None] < np.arange(70)[:, None, None] % 6, x, 0)


def sounds(numbers=range(70)):
    """Hashes of sounds, made up."""
    return np.array([list(hashlib.sha256(bytes([n])).digest()) for n in numbers], np.uint8)


def draft(path, shape=SHAPE, spec=SPEC, *, content=None, code="code", **settings):
    """Give a draft of a store."""
    content = sounds(range(shape[0])) if content is None else content
    settings |= {"clips_sha256": tables.sha256(["a", "b"]), "content": content, "code": code}
    return drafts.create(path, shape, spec, **settings)


def row_by_row(rows):
    """What a clip's row holds; clip n has the length n, and n % 6 valid ones."""
    return values()[rows], rows, rows % 6


def make(path, order=(0, 1, 2)):
    """Write a store chunk by chunk."""
    with draft(path) as store:
        blocks = store.pending()
        for i in order:
            store.fill(blocks[i], row_by_row)
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
    np.testing.assert_array_equal(store.valid[:], np.arange(70) % 6)
    np.testing.assert_array_equal(store.content[:], sounds())
    assert (store.x[:].dtype, store.length.dtype) == (np.float32, np.int32)
    np.testing.assert_array_equal(store.x[69], values()[69])
    assert store.spec == SPEC
    assert store.spec_sha256 == tables.sha256(SPEC)
    assert store.clips_sha256 == tables.sha256(["a", "b"])
    np.testing.assert_array_equal(store.x[np.array([3, 69, 3])], values()[[3, 69, 3]])
    np.testing.assert_array_equal(store.x[np.arange(30, 40)], values()[30:40])


def test_any_zarr_reader_can_open_it(tmp_path):
    group = zarr.open_group(make(tmp_path / "s.zarr"), mode="r")
    assert group.metadata.zarr_format == 3
    assert sorted(group.array_keys()) == ["content", "hash", "length", "valid", "x"]


def test_bytes_do_not_depend_on_the_order_of_writes(tmp_path):
    first = digests(make(tmp_path / "a.zarr"))
    assert first == digests(make(tmp_path / "b.zarr", order=(2, 0, 1)))
    assert first == digests(make(tmp_path / "a.zarr"))  # over the old one


def test_a_write_that_is_not_a_chunk_is_refused(tmp_path):
    for block in (slice(0, 20), slice(16, 48), slice(0, 64), slice(64, 96), slice(0, 32, 2)):
        with (
            pytest.raises(ValueError, match="is not one of the store's chunks"),
            draft(tmp_path / "s.zarr") as store,
        ):
            store.fill(block, row_by_row)


def names(folder):
    """Names in a folder, without what a draft's is made of."""
    return sorted(re.sub(r"[0-9a-f]{16}", "HASH", path.name) for path in folder.iterdir())


def test_a_failure_while_writing_leaves_the_old_store_and_the_draft(tmp_path):
    old = digests(make(tmp_path / "s.zarr"))
    with pytest.raises(ZeroDivisionError), draft(tmp_path / "s.zarr", spec={}) as store:
        store.fill(slice(0, 32), row_by_row)
        raise ZeroDivisionError
    assert digests(tmp_path / "s.zarr") == old
    assert names(tmp_path) == [".s.zarr.HASH.part", ".s.zarr.made", "s.zarr"]
    with draft(tmp_path / "s.zarr", spec={}) as store:
        assert store.pending() == [slice(32, 64), slice(64, 70)]
        for block in store.pending():
            store.fill(block, row_by_row)
    assert names(tmp_path) == [".s.zarr.made", "s.zarr"]


def test_until_the_end_the_old_store_is_there(tmp_path):
    old = digests(make(tmp_path / "s.zarr"))
    with draft(tmp_path / "s.zarr", (1, 2), {}) as store:
        assert digests(tmp_path / "s.zarr") == old
        assert ".s.zarr.HASH.part" in names(tmp_path)  # which .dvcignore knows
        store.fill(slice(0, 1), lambda rows: (np.ones((1, 2)), rows, rows + 2))
    assert stores.read(tmp_path / "s.zarr").x.shape == (1, 2)
    assert names(tmp_path) == [".s.zarr.made", "s.zarr"]


def test_a_store_with_chunks_that_nobody_wrote_is_refused(tmp_path):
    old = digests(make(tmp_path / "s.zarr"))
    message = r"2 chunks are not here, for workers wrote elsewhere; engine"
    with pytest.raises(InputError, match=message), draft(tmp_path / "s.zarr", spec={}) as store:
        store.fill(slice(32, 64), row_by_row)
    assert digests(tmp_path / "s.zarr") == old


def test_a_draft_out_of_sight_is_not_begun_elsewhere(tmp_path):
    with pytest.raises(InputError), draft(tmp_path / "s.zarr") as store:
        pass
    shutil.rmtree(store.done.parent)
    with pytest.raises(InputError, match=r"\.part/done: a worker does not see this folder; engine"):
        store.fill(slice(0, 32), row_by_row)
    assert names(tmp_path) == []


def killed(path, **settings):
    """Leave a draft of which two chunks of three are written."""
    with pytest.raises(KeyboardInterrupt), draft(path, **settings) as store:
        for block in (slice(0, 32), slice(64, 70)):
            store.fill(block, lambda rows: (np.full((len(rows), 5, 3), 9.0), rows, 5 + 0 * rows))
        raise KeyboardInterrupt


def test_a_killed_draft_goes_on(tmp_path):
    killed(tmp_path / "s.zarr")
    with draft(tmp_path / "s.zarr") as store:
        assert store.pending() == [slice(32, 64)]
        store.fill(slice(32, 64), row_by_row)
    store = stores.read(tmp_path / "s.zarr")
    assert (store.x[:32] == 9).all() and (store.x[64:] == 9).all()
    np.testing.assert_array_equal(store.x[32:64], values()[32:64])
    np.testing.assert_array_equal(store.valid[:34], [*[5] * 32, 32 % 6, 33 % 6])
    assert names(tmp_path) == [".s.zarr.made", "s.zarr"]


@pytest.mark.parametrize(
    "changed",
    [
        {"code": "other"},
        {"spec": {"other": 1}},
        {"content": sounds(range(1, 71))},
        {"shuffle": False},
    ],
    ids=["code", "spec", "sound", "layout"],
)
def test_a_killed_draft_of_something_else_is_not_mixed_in(tmp_path, changed):
    killed(tmp_path / "s.zarr", **changed)
    assert digests(make(tmp_path / "s.zarr")) == digests(make(tmp_path / "other.zarr"))
    assert not list(tmp_path.glob("*.part"))


def test_a_writer_that_outlives_its_draft_does_not_spoil_the_next_one(tmp_path):
    with pytest.raises(KeyboardInterrupt), draft(tmp_path / "s.zarr", spec={}) as first:
        raise KeyboardInterrupt
    with draft(tmp_path / "s.zarr") as second:
        with pytest.raises(InputError):
            first.fill(slice(0, 32), lambda rows: (np.full((32, 5, 3), 9.0), rows, rows))
        for block in second.pending():
            second.fill(block, row_by_row)
    assert digests(tmp_path / "s.zarr") == digests(make(tmp_path / "other.zarr"))


@pytest.mark.parametrize(
    "litter", ["store/x/c/9/0", "store/zarr.json", "store/x/c/0/0/0.1f.partial"]
)
def test_what_a_killed_draft_left_half_written_is_not_mixed_in(tmp_path, litter):
    with pytest.raises(InputError), draft(tmp_path / "s.zarr") as store:
        pass
    folder = store.done.parent
    if not litter.endswith("partial"):  # the draft itself was being written, else a chunk
        shutil.rmtree(folder)
    (folder / litter).parent.mkdir(parents=True, exist_ok=True)
    (folder / litter).write_bytes(b"stale")
    with draft(tmp_path / "s.zarr") as store:
        for block in store.pending():
            store.fill(block, row_by_row)
    assert digests(tmp_path / "s.zarr") == digests(make(tmp_path / "other.zarr"))


def test_a_chunk_that_is_written_is_left_as_it_is(tmp_path):
    with draft(tmp_path / "s.zarr") as store:
        for block in store.pending() * 2:
            store.fill(block, row_by_row if block in store.pending() else None)
    assert digests(tmp_path / "s.zarr") == digests(make(tmp_path / "other.zarr"))


@pytest.mark.parametrize("moment", range(1, 6))
def test_killed_at_the_very_end_nothing_is_lost(tmp_path, monkeypatch, moment):
    """The note on what made it, then the old store moved away, ours in place, the rest gone."""
    remade(tmp_path / "s.zarr", range(70))
    calls, replace, rmtree = [], os.replace, shutil.rmtree

    def step(function):
        def stepped(*arguments, **settings):
            if str(arguments[-1]).endswith((".made", "old", ".s.zarr", "/s.zarr", ".part")):
                calls.append(arguments)
                if len(calls) == moment:
                    raise KeyboardInterrupt
            return function(*arguments, **settings)

        return stepped

    with pytest.raises(KeyboardInterrupt), draft(tmp_path / "s.zarr", spec={}) as store:
        for block in store.pending():
            store.fill(block, row_by_row)
        monkeypatch.setattr(os, "replace", step(replace))
        monkeypatch.setattr(shutil, "rmtree", step(rmtree))
    monkeypatch.undo()

    def computed(rows):
        raise AssertionError("computed again")

    with draft(tmp_path / "s.zarr", spec={}) as store:
        for block in store.pending():
            store.fill(block, computed)
    with draft(tmp_path / "other.zarr", spec={}) as store:
        for block in store.pending():
            store.fill(block, row_by_row)
    assert digests(tmp_path / "s.zarr") == digests(tmp_path / "other.zarr")
    assert not list(tmp_path.glob("*.part"))


# ---- rows of the store that is replaced ------------------------------------------------------


def remade(path, numbers, longest=5, *, summed=False, **changed):
    """Make a store of the sounds of these numbers; give the numbers that were computed."""
    computed = []

    def compute(rows):
        found = np.array(numbers)[rows]
        computed.extend(map(int, found))
        return wanted(found), found, found % 6, *([sums(found)] if summed else [])

    def sums(numbers):
        return np.array(numbers)[:, None, None] + np.linspace(0, 1, 9).reshape(3, 3)

    def wanted(numbers):
        valid = np.array(numbers)[:, None, None] % 6
        return np.broadcast_to(valid > np.arange(longest)[:, None], (len(numbers), longest, 3)) * (
            valid + np.float32(np.array(numbers)[:, None, None])
        )

    shape = (len(numbers), longest, 3)
    with draft(path, shape, content=sounds(numbers), **changed) as store:
        for block in store.pending():
            store.fill(block, compute)
    store = stores.read(path)
    np.testing.assert_array_equal(store.x[:], wanted(numbers))
    np.testing.assert_array_equal(store.length[:], numbers)
    np.testing.assert_array_equal(store.valid[:], np.array(numbers) % 6)
    assert (store.sums is not None) == summed
    if summed:
        np.testing.assert_array_equal(store.sums, sums(numbers), strict=True)
    return computed


@pytest.mark.parametrize(
    "numbers",
    [
        [*range(70), 100, 101],
        [100, *range(70)],
        [*range(20), 100, *range(20, 70)],
        [*range(40), *range(50, 70)],
        [*range(69, -1, -1)],
        [*range(64)],
        [*range(66)],
        [*range(32, 64), *range(32)],
        [0, 0, *range(1, 70)],
    ],
    ids="behind in-front between fewer backwards two-chunks cut swapped twice".split(),
)
def test_only_new_sounds_are_computed_and_the_bytes_are_those_of_a_new_store(tmp_path, numbers):
    remade(tmp_path / "s.zarr", range(70))
    new = sorted(set(numbers) - set(range(70)))
    assert sorted(remade(tmp_path / "s.zarr", numbers)) == new
    remade(tmp_path / "fresh.zarr", numbers)
    assert digests(tmp_path / "s.zarr") == digests(tmp_path / "fresh.zarr")


@pytest.mark.parametrize("numbers", [[*range(66)], [100, *range(70)]], ids=["cut", "in-front"])
def test_sums_go_with_their_rows(tmp_path, numbers):
    remade(tmp_path / "s.zarr", range(70), summed=True)
    new = sorted(set(numbers) - set(range(70)))
    assert sorted(remade(tmp_path / "s.zarr", numbers, summed=True)) == new
    remade(tmp_path / "fresh.zarr", numbers, summed=True)
    assert digests(tmp_path / "s.zarr") == digests(tmp_path / "fresh.zarr")


def test_a_store_whose_sums_are_gone_or_others_is_damaged(tmp_path):
    remade(tmp_path / "s.zarr", range(70), summed=True)
    remade(tmp_path / "other.zarr", range(1, 71), summed=True)
    shutil.rmtree(tmp_path / "s.zarr" / "sums")
    with pytest.raises(InputError, match="its checksum differs"):
        stores.read(tmp_path / "s.zarr")
    shutil.copytree(tmp_path / "other.zarr" / "sums", tmp_path / "s.zarr" / "sums")
    with pytest.raises(InputError, match="its checksum differs"):
        stores.read(tmp_path / "s.zarr")


@pytest.mark.parametrize("changed", [{"code": "other"}, {"spec": {"other": 1}}], ids=str)
def test_what_other_code_or_settings_made_is_computed_anew(tmp_path, changed):
    remade(tmp_path / "s.zarr", range(70))
    assert len(remade(tmp_path / "s.zarr", range(70), **changed)) == 70
    assert remade(tmp_path / "s.zarr", range(70), **changed) == []


def test_a_longer_clip_leaves_the_others_as_they_are(tmp_path):
    remade(tmp_path / "s.zarr", range(70))
    assert remade(tmp_path / "s.zarr", [*range(70), 71], longest=6) == [71]
    remade(tmp_path / "fresh.zarr", [*range(70), 71], longest=6)
    assert digests(tmp_path / "s.zarr") == digests(tmp_path / "fresh.zarr")
    assert remade(tmp_path / "s.zarr", range(70)) == []  # and back


def test_a_store_that_was_not_made_here_is_not_drawn_upon(tmp_path):
    remade(tmp_path / "s.zarr", range(70))
    shutil.rmtree(tmp_path / ".s.zarr.made")  # as after a pull from a remote
    assert len(remade(tmp_path / "s.zarr", range(70))) == 70


def test_what_was_made_before_outlives_the_store_and_takes_no_space(tmp_path):
    """DVC deletes a store before the stage that makes it again."""
    remade(tmp_path / "s.zarr", range(70))
    chunk = Path("x", "c", "1", "0", "0")
    assert (tmp_path / "s.zarr" / chunk).samefile(tmp_path / ".s.zarr.made" / "store" / chunk)
    shutil.rmtree(tmp_path / "s.zarr")
    assert remade(tmp_path / "s.zarr", [*range(70), 71]) == [71]


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "another chunk"])
def test_rows_that_are_not_as_they_were_written_are_computed_anew(tmp_path, damage):
    remade(tmp_path / "s.zarr", range(70))
    fresh = digests(tmp_path / "s.zarr")
    chunk = tmp_path / ".s.zarr.made" / "store" / "x" / "c" / "1" / "0" / "0"
    if damage == "gone":
        chunk.unlink()
    elif damage == "another chunk":
        shutil.copyfile(chunk.parents[2] / "0" / "0" / "0", chunk)
    else:
        chunk.write_bytes(chunk.read_bytes()[: {"empty": 0, "cut": 100}[damage]])
    computed = remade(tmp_path / "s.zarr", range(70))
    assert computed and set(computed) <= set(range(32, 64))
    assert digests(tmp_path / "s.zarr") == fresh


@pytest.mark.parametrize("name", ["length", "valid", "hash", "content"])
def test_a_store_with_other_facts_is_not_drawn_upon(tmp_path, name):
    remade(tmp_path / "s.zarr", range(70))
    fresh = digests(tmp_path / "s.zarr")
    zarr.open_group(tmp_path / ".s.zarr.made" / "store", mode="r+")[name][6] = 1
    assert len(remade(tmp_path / "s.zarr", range(70))) == 70
    assert digests(tmp_path / "s.zarr") == fresh


# ---- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "shape",
    [(20_000, 110_000), (20_000, 55_125), (20_000, 215, 39), (20_000, 300, 128, 3), (20_000, 1)],
    ids=str,
)
def test_a_store_of_20_000_clips_stays_below_about_200_files(shape):
    rows = drafts.chunk_clips(shape)
    files = math.ceil(shape[0] / rows) + 10  # and four arrays, and six zarr.json
    assert files < 200
    assert rows >= 32
    assert 4 * rows * math.prod(shape[1:]) <= 64 * 2**20


def test_files_are_counted_right(tmp_path):
    assert len(digests(make(tmp_path / "s.zarr"))) == 3 + 4 + 6


def test_small_corpora_and_long_clips_have_chunks_of_their_own_size():
    assert drafts.chunk_clips((7, 100)) == 7
    assert drafts.chunk_clips((535, 110_000)) == 32
    assert drafts.chunk_clips((20_000, 10**6)) == 32  # 128 MB, rather than thousands of files


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
    assert tables.sha256(data) == hashlib.sha256(text.encode()).hexdigest()
    assert tables.sha256(["a", "b"]) != tables.sha256(["b", "a"])
