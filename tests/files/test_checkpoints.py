"""What an unfinished training leaves: written whole, read back, and where each fold stands."""

import json

import numpy as np

from pipeline.files import checkpoints
from pipeline.files.checkpoints import Plan, Standing

HISTORY = [{"epoch": epoch, "loss": 1 / epoch} for epoch in (1, 2, 3)]
FACTS = {
    "epoch": 3,
    "names": ["fold-02", "fold-03"],
    "records": [{"history": HISTORY}, {"history": []}],
}


def test_a_checkpoint_is_read_as_it_was_written(tmp_path):
    leaves = [np.arange(6, dtype=np.float32).reshape(2, 3), np.int32(7), np.array([True])]
    checkpoints.write(tmp_path / "fold-02.npz", leaves, FACTS)
    found, facts = checkpoints.read(tmp_path / "fold-02.npz")
    assert facts == FACTS
    for leaf, wanted in zip(found, leaves, strict=True):
        np.testing.assert_array_equal(leaf, wanted)
        assert leaf.dtype == wanted.dtype
    assert checkpoints.read(tmp_path / "fold-02.npz", leaves=False) == ([], FACTS)
    assert [path.name for path in tmp_path.iterdir()] == ["fold-02.npz"]


def test_a_damaged_file_is_none(tmp_path):
    path = tmp_path / "fold-01.npz"
    assert checkpoints.read(path) is None
    checkpoints.write(path, [np.zeros(1000)], FACTS)
    whole = path.read_bytes()
    for content in (b"", b"PK", whole[:-100], whole[:500]):
        path.write_bytes(content)
        assert checkpoints.read(path) is None
    np.savez(path, np.zeros(3))  # without facts
    assert checkpoints.read(path) is None


def test_standings_are_of_checkpoints_and_of_results(tmp_path):
    checkpoints.write(tmp_path / "fold-02.npz", [np.zeros(2)], FACTS)
    (tmp_path / "fold-01.json").write_text(json.dumps({"history": HISTORY[:2]}))
    (tmp_path / "fold-04.json").write_text('{"history": [')  # cut short: it is trained again
    (tmp_path / "fold-05.npz").write_bytes(b"PK")
    assert checkpoints.standings(tmp_path) == {
        "fold-01": Standing(2, True, HISTORY[1]),
        "fold-02": Standing(3, False, HISTORY[2]),
        "fold-03": Standing(3, False, {}),
    }


def test_a_plan_knows_what_was_done_of_its_own_before(tmp_path):
    checkpoints.write(tmp_path / "fold-02.npz", [], FACTS)
    checkpoints.begin(tmp_path, ["fold-02", "fold-04"], 10, ("loss",))
    checkpoints.begin(tmp_path, ["fold-01"], 10, ("loss",))
    second, first = checkpoints.plans(tmp_path)  # by name
    assert first == Plan(["fold-02", "fold-04"], 10, ["loss"], 3, first.begun)
    assert second == Plan(["fold-01"], 10, ["loss"], 0, second.begun)
    assert first.begun <= second.begun
