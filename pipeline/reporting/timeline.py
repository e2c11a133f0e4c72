"""Pictures of how the emotion of a long recording goes."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.files import tables

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw(table: "pd.DataFrame", labels: list[str], picture: Path) -> None:
    """Draw the probability of each emotion over time, the darker the higher.

    Parameters
    ----------
    table : DataFrame
        ``start, end`` in seconds and ``p_<label>...`` of each window, in order.
    labels : list of str
    picture : Path
        PNG file to write.
    """
    from matplotlib.figure import Figure

    middles = _middles(table)
    between = (middles[:-1] + middles[1:]) / 2
    edges = np.concatenate([table.start[:1], between, table.end[-1:]])  # (windows + 1,), seconds
    shares = table[[f"p_{label}" for label in labels]].to_numpy().T  # (labels, windows)
    figure = Figure(figsize=(10, 1 + 0.3 * len(labels)), layout="constrained")
    axes = figure.add_subplot()
    rows = np.arange(len(labels) + 1)
    colours = axes.pcolormesh(edges, rows, shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_yticks(rows[:-1] + 0.5, labels)
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    figure.colorbar(colours, label="probability")
    _write(figure, picture)


def draw_attributes(table: "pd.DataFrame", attributes: list[str], picture: Path) -> None:
    """Draw each attribute over time as a curve through the middles of the windows.

    Parameters
    ----------
    table : DataFrame
        ``start, end`` in seconds and a column per attribute, of each window, in order.
    attributes : list of str
    picture : Path
        PNG file to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3), layout="constrained")
    axes = figure.add_subplot()
    for attribute in attributes:
        axes.plot(_middles(table), table[attribute], marker=".", label=attribute)
    axes.set_xlim(table.start.iloc[0], table.end.iloc[-1])
    axes.set_xlabel("seconds")
    axes.set_ylabel("rating")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    _write(figure, picture)


def _middles(table: "pd.DataFrame") -> np.ndarray:
    """Middle of each window, in seconds."""
    return ((table.start + table.end) / 2).to_numpy()


def _write(figure: "Figure", picture: Path) -> None:
    """Write a figure without the name of what drew it."""
    with tables.replacing(picture) as aside:
        figure.savefig(aside, format="png", dpi=150, metadata={"Software": None})
