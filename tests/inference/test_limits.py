"""Limits: from training clips alone, and what lies beyond them is said in words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.engine.dataset import Dataset, Fold
from pipeline.errors import InputError
from pipeline.inference import cards, limits, models
from pipeline.inference.limits import Limits
from pipeline.scoring.targets import Emotions
from tests import specs
from tests.inference import trained

DRAW = np.random.default_rng(0)
CLIPS = 40
HELD = {"seconds": 2.0, "level": -20.0, "noise": -40.0, "bandwidth": 8000.0}


def clips(**changed):
    """Rows of the index."""
    held = {name: [f"{value}"] * CLIPS for name, value in HELD.items()}
    return pd.DataFrame(held | {"clip": [f"c{n}" for n in range(CLIPS)]} | changed)


def data(rows, x=None):
    """Two folds that test 10 clips each."""
    each = np.arange(CLIPS)
    folds = (Fold(1, each[10:], each[:0], each[:10]),
             Fold(2, np.delete(each, range(10, 20)), each[:0], each[10:20]))  # fmt: skip
    x = DRAW.normal(size=(CLIPS, *trained.SHAPE)).astype(np.float32) if x is None else x
    whole = np.full(CLIPS, trained.SHAPE[0])
    truth = np.arange(CLIPS) % 3
    return Dataset(x, truth, Emotions(trained.LABELS), rows, folds, specs.spec(), whole, whole)


# ---- conditions ------------------------------------------------------------------------------


def test_bounds_are_those_of_the_clips_and_some_room():
    rows = clips(seconds=np.linspace(1, 4, CLIPS).astype(str),
                 level=np.linspace(-40, -20, CLIPS).astype(str))  # fmt: skip
    found = limits.bounds(rows, 48000)
    assert found["seconds"] == pytest.approx([1.015 / 1.25, 3.985 * 1.25], abs=0.001)
    assert found["level"] == pytest.approx([-39.9 - 6, -20.1 + 6])
    assert found["noise"] == [-46, -34]
    assert found["bandwidth"] == [6400, 10000]


def test_what_the_model_cannot_get_has_no_part():
    assert limits.bounds(clips(), 8000)["bandwidth"] == [3200, 5000]  # half the rate, and room
    known = Limits({"bandwidth": (3200.0, 5000.0)}, 8000)
    assert known.unlike(HELD | {"bandwidth": 24000.0}) == {}
    assert list(known.unlike(HELD | {"bandwidth": 2000.0})) == ["bandwidth"]


def test_an_index_without_conditions_gives_no_limits():
    assert list(limits.bounds(clips().drop(columns=["level", "noise"]), 8000)) == [
        "seconds", "bandwidth"]  # fmt: skip


def test_beyond_each_limit_is_said():
    known = Limits({kind: (value - 1, value + 1) for kind, value in HELD.items()}, 48000)
    assert known.unlike(HELD, 1.0) == {}
    other = {"seconds": 61.0, "level": -50.0, "noise": -3.0, "bandwidth": 3400.0}
    assert known.unlike(other, 2.14) == {
        "seconds": "61.0 s long, of training clips 1.0 to 3.0",
        "level": "level -50 dB, of training clips -21 to -19",
        "noise": "noise -3 dB of the level, of training clips -41 to -39",
        "bandwidth": "sound up to 3400 Hz, of training clips 7999 to 8001",
        "vector": "2.1 times as far off as training clips in the model's vector",
    }
    assert list(known.unlike(HELD, float("nan"))) == ["vector"]


# ---- vectors ---------------------------------------------------------------------------------


def test_distance_is_that_of_mahalanobis_and_grows_along_the_narrow_side():
    covariance = np.array([[4.0, 1.5], [1.5, 1.0]])
    vectors = DRAW.multivariate_normal([3, -1], covariance, 20000)
    found = limits.space(vectors)
    points = np.array([[3.0, -1.0], [5.0, -1.0], [3.0, 1.0]])
    difference = points - [3, -1]
    squares = np.einsum("ij,jk,ik->i", difference, np.linalg.inv(covariance), difference)
    np.testing.assert_allclose(found.distances(points), np.sqrt(squares / 2), atol=0.05)
    np.testing.assert_allclose(np.mean(found.distances(vectors) ** 2), 1, atol=0.05)
    assert found.ratios(vectors).max() < 1.5


def test_many_dimensions_keep_their_main_axes_and_one_spread_for_the_rest():
    spread = np.linspace(3, 0.5, 2 * limits.AXES)
    vectors = DRAW.normal(size=(400, len(spread))) * spread
    found = limits.space(vectors)
    assert found.axes.shape == (limits.AXES, len(spread))
    assert found.rest[1] == limits.AXES
    assert np.mean(found.distances(vectors) ** 2) == pytest.approx(1, abs=0.1)
    assert np.mean(found.ratios(3 * vectors)) > 1.5


def test_what_never_moved_in_training_is_unlike_if_it_moves():
    vectors = np.hstack([DRAW.normal(size=(100, 3)), np.zeros((100, 1))])
    found = limits.space(vectors)
    assert found.ratios(vectors).max() < 1
    assert found.ratios(np.array([[0, 0, 0, 0.1]])) > 1


# ---- a bundle --------------------------------------------------------------------------------


@pytest.fixture
def fitted(tmp_path):
    """Give ``fitted(rows)``: the card of a bundle whose limits come of such clips."""

    def make(held):
        folder = tmp_path / "own"
        card = cards.read(folder) if folder.exists() else trained.write(folder)
        facts = [{key: value for key, value in vars(one).items() if key != "limits"}
                 for one in card.folds]  # fmt: skip
        made = limits.fitted(card, held, facts, folder)
        folds = tuple(cards.FoldModel(**one) for one in made)
        cards.write(replace(card, folds=folds), folder)
        return cards.read(folder)

    return make


def test_test_clips_have_no_part_in_a_folds_limits(fitted):
    x = DRAW.normal(size=(CLIPS, *trained.SHAPE)).astype(np.float32)
    first = fitted(data(clips(), x))
    bytes_of = (first.folder / cards.LIMITS).read_bytes()
    longer = ["2.0"] * CLIPS
    longer[:10] = ["100.0"] * 10  # tested by fold 1, trained on in fold 2
    y = x.copy()
    y[:10] += 100
    second = fitted(data(clips(seconds=longer), y))
    assert first.folds[0].limits == second.folds[0].limits
    assert first.folds[1].limits["seconds"][1] == 2.5
    assert second.folds[1].limits["seconds"][1] == 125
    assert first.folds[1].limits["vector"] != second.folds[1].limits["vector"]
    third = fitted(data(clips(), x))
    assert (third.folder / cards.LIMITS).read_bytes() == bytes_of
    # asked together, what one of them was trained on is known
    assert limits.of(second, second.folds).bounds["seconds"] == (1.6, 125)


def test_clips_are_judged_by_the_model_that_held_them_out(fitted):
    x = DRAW.normal(size=(CLIPS, *trained.SHAPE)).astype(np.float32)
    x[:5] *= 40
    held = data(clips(level=["-70.0", *["-20.0"] * (CLIPS - 1)]), x)
    card = fitted(held)
    tested = held.folds[0].test
    vectors = models.asked(card)(card.folds[0], held.each(tested))[1]
    said = limits.judge(card)(card.folds[0], held.clips.iloc[tested], vectors)
    assert [*said[0]] == ["level", "vector"]
    assert [[*one] for one in said[1:5]] == [["vector"]] * 4
    assert sum(map(len, said[5:])) <= 1


def test_a_bundle_without_limits_judges_nothing(tmp_path):
    card = trained.write(tmp_path / "own")
    assert limits.judge(card) is None
    assert limits.of(card, card.folds) is None
    assert limits.spaces(card, card.folds) == {}


def test_limits_that_are_missing_or_damaged_are_named(fitted):
    card = fitted(data(clips()))
    path = card.folder / cards.LIMITS
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(InputError, match=r"limits\.npz: not as it was written, by its SHA-256"):
        limits.spaces(card, card.folds)
    path.unlink()
    with pytest.raises(InputError, match=r"limits\.npz: no such file, but card\.json names it"):
        limits.spaces(card, card.folds)


def test_limits_of_another_network_are_refused(fitted):
    card = fitted(data(clips()))
    with np.load(card.folder / cards.LIMITS) as held:
        arrays = dict(held)
    (space, _) = limits.spaces(card, card.folds).values()
    with pytest.raises(InputError, match=r"limits\.npz: of vectors of 4 values, and the network m"):
        space.ratios(np.zeros((1, 5)))
    for changed in (arrays["fold-01.keras/axes"][:, :3], arrays["fold-01.keras/axes"] * np.nan):
        np.savez(card.folder / cards.LIMITS, **arrays | {"fold-01.keras/axes": changed})
        cards.write(card, card.folder)
        with pytest.raises(InputError, match=r"limits\.npz: not limits of this bundle; run dvc re"):
            limits.spaces(cards.read(card.folder), card.folds)
