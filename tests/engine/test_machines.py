"""Classical models as arrays: answers worked out by hand, and files that come back."""

import numpy as np
import pytest

from pipeline.engine import machines
from pipeline.engine.machines import Machine
from pipeline.errors import InputError
from pipeline.models import functionals
from pipeline.models.functionals import Functionals

MEAN = Functionals(functionals=("mean",))


def machine(head="values", outputs=1, *, wanted=MEAN, **arrays):
    """Make a machine of one functional that does nothing but what is given."""
    sums = {"votes": outputs * (outputs - 1) // 2}.get(head, outputs)
    plain = {"mean": [0.0], "deviation": [1.0], "vectors": np.empty((0, 1)), "gamma": 0.0}
    plain |= {"weights": np.eye(1, sums), "intercept": np.zeros(sums)}
    plain |= {"centre": np.zeros(sums), "spread": np.ones(sums)}
    made = {name: np.asarray(value, float) for name, value in (plain | arrays).items()}
    return Machine(wanted, 0, head, outputs, **made)


def linear():
    """Make a machine of ratings: 10 + 5 (3 (x - 1) / 2 + 1)."""
    given = {"mean": [1.0], "deviation": [2.0], "weights": [[3.0]], "intercept": [1.0]}
    return machine(**given, centre=[10.0], spread=[5.0])


def test_ratings_are_in_their_own_units():
    found = linear().answer(np.array([[5.0], [1.0]]))
    assert found.tolist() == [[45.0], [15.0]]
    assert found.dtype == np.float32


def test_of_emotions_the_softmax_of_the_sums_is_given():
    made = machine("softmax", 2, weights=[[0.0, np.log(3)]])
    np.testing.assert_allclose(made.answer(np.array([[1.0], [0.0]])), [[0.25, 0.75], [0.5, 0.5]])
    assert made.answer(np.array([[1e6]])).tolist() == [[0, 1]]  # no overflow


def test_a_kernel_weighs_by_the_distance_to_each_vector():
    made = machine(vectors=[[0.0], [3.0]], gamma=np.log(2), weights=[[2.0], [16.0]], intercept=[7])
    # distances 1 and 2: a half, and a half to the fourth power
    np.testing.assert_allclose(made.sums(np.array([[1.0]])), [[2 / 2 + 16 / 16 + 7]])


def test_pairs_vote_and_margins_part_ties():
    first, second = machines.pairs(3)
    assert first.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert second.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 1]]
    made = machine("votes", 3)
    # first over second, third over first, second over third: a vote for each
    scores = made.votes(np.array([[2.0, -1.0, 3.0]]))
    np.testing.assert_allclose(scores, [[1 + 1 / 6, 1 + 1 / 6, 1 - 2 / 9]])
    (won_by_one,) = made.votes(np.array([[2.0, 1.0, 0.0]]))  # of a sum of 0 the second wins
    np.testing.assert_allclose(won_by_one, [2 + 3 / 12, 0 - 2 / 9, 1 - 1 / 6])


def test_clips_of_any_length_are_answered_one_by_one():
    clips = [np.full((frames, 1), frames, np.float32) for frames in (3, 1, 8)]
    assert linear().of_clips(clips).tolist() == [[30.0], [15.0], [67.5]]


def test_a_machine_counts_its_numbers():
    assert linear().parameters == 2 + 1 + 2 + 2  # scales, gamma, weight and intercept, units
    assert machine("votes", 3, vectors=np.zeros((4, 1)), weights=np.zeros((4, 3))).parameters == (
        2 + 4 + 1 + 12 + 3 + 6
    )


# ---- files -----------------------------------------------------------------------------------


def test_a_model_is_written_without_pickle_and_read_as_it_was(tmp_path):
    wanted = Functionals(functionals=("deviation",), percentiles=(12.5,), deltas=True)
    made = machine("votes", 3, wanted=wanted, gamma=0.1)
    for name in ("a.npz", "b.npz"):
        machines.write(made, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with np.load(tmp_path / "a.npz", allow_pickle=False) as held:
        assert all(held[name].dtype != object for name in held.files)
    read = machines.read(tmp_path / "a.npz")
    assert (read.wanted, read.axes, read.head, read.outputs) == (wanted, 0, "votes", 3)
    for name in machines.NAMES:
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))


def test_a_file_that_is_no_model(tmp_path):
    path = tmp_path / "a.npz"
    with pytest.raises(InputError, match=r"a\.npz: no such file, but card\.json names it; run dvc"):
        machines.read(path)
    np.savez(path, facts="{}")
    lacking = path.read_bytes()
    for content in (b"PK\3\4", b"", b"angry", lacking):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"a\.npz: not a model of this pipeline; run dvc repr"):
            machines.read(path)


def test_functionals_of_a_machine_are_those_of_its_clips():
    wanted = Functionals(functionals=("deviation",))
    clip = np.array([[1.0], [3.0], [8.0]], np.float32)
    found = machine(wanted=wanted).of_clips([clip])
    np.testing.assert_allclose(found, [functionals.of(clip, wanted, 0)], rtol=1e-6)
