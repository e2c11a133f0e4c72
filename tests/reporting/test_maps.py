"""Maps of vectors: near stays near, the same each time, one panel for each network."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import image

from pipeline.reporting import maps


def groups(count, dims=5):
    """Vectors in three groups far from each other."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, dims)) + 20 * np.eye(3, dims)[np.arange(count) % 3]


@pytest.mark.parametrize("count", (12, 60))
def test_neighbours_stay_neighbours(count):
    places = maps.positions(groups(count))
    apart = np.linalg.norm(places[:, None] - places, axis=-1) + np.diag(np.full(count, np.inf))
    assert (apart.argmin(axis=1) % 3 == np.arange(count) % 3).all()
    np.testing.assert_array_equal(maps.positions(groups(count)), places)


@pytest.mark.parametrize(
    "truth", (np.array(["angry", "happy", "sad"])[np.arange(24) % 3], np.linspace(1, 7, 24))
)
@pytest.mark.parametrize(("networks", "columns", "rows"), ((1, 1, 1), (4, 4, 1), (6, 4, 2)))
def test_each_network_has_a_panel(tmp_path, truth, networks, columns, rows):
    panels = pd.Series([f"fold {i % networks}" for i in range(24)])
    maps.draw(groups(24), pd.Series(truth, name="arousal"), panels, tmp_path / "map.png")
    height, width, _ = image.imread(tmp_path / "map.png").shape
    assert (width, height) == pytest.approx((480 * columns, 480 * rows + 90), abs=1)


def test_components_are_those_of_the_largest_variance_with_a_fixed_sign():
    vectors = np.random.default_rng(0).normal(size=(50, 4)) * [1, 9, 3, 1]
    found = maps.components(vectors)
    centred = vectors - vectors.mean(axis=0)
    for column, axis in enumerate((1, 2)):
        assert np.corrcoef(found[:, column], centred[:, axis])[0, 1] > 0.95  # and not below -0.95
    np.testing.assert_allclose(maps.components(vectors + 7), found, atol=1e-9)


def clips(count):
    return pd.DataFrame({"clip": [f"c{n}" for n in range(count)], "fold": 1, "seed": 0, "sex": "f"})


def test_a_table_of_places_is_of_so_many_clips_at_most():
    found = maps.table(clips(12), groups(12))
    assert list(found.columns) == maps.PLACES
    np.testing.assert_allclose(found[["pca_1", "pca_2"]], maps.components(groups(12)), atol=1e-3)
    assert list(maps.table(clips(3), groups(3)).columns) == maps.PLACES
    assert maps.table(clips(3), groups(3)).empty
    assert maps.table(clips(9), groups(9)[:, :1]).empty


def test_of_many_clips_some_are_taken_evenly(monkeypatch):
    monkeypatch.setattr(maps, "MOST", 11)
    found = maps.table(clips(101), groups(101))
    assert list(found["clip"]) == [f"c{n}" for n in range(0, 101, 10)]
