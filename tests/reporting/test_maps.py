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
