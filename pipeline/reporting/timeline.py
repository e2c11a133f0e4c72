"""Pictures of how the emotion of a long recording goes."""

from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.reporting.drawing import write_png
from pipeline.scoring.target import Target
from pipeline.scoring.targets import Emotions

if TYPE_CHECKING:
    import pandas as pd


@singledispatch
def draw(target: Target, table: "pd.DataFrame", picture: Path) -> None:
    """Draw what was predicted over time.

    Each output is a curve through the middles of the windows; of emotions, the probability of each
    is a row of a picture, the darker the higher.

    Parameters
    ----------
    target : Target
        What was predicted.
    table : DataFrame
        ``start, end`` in seconds and ``target.answers`` of each window, in order.
    picture : Path
        PNG file to write.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3), layout="constrained")
    axes = figure.add_subplot()
    for name in target.outputs:
        axes.plot(_middles(table), table[name], marker=".", label=name)
    axes.set_xlim(table.start.iloc[0], table.end.iloc[-1])
    axes.set_xlabel("seconds")
    axes.set_ylabel("rating")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper")
    write_png(figure, picture)


@draw.register(Emotions)
def _emotions(target: Emotions, table: "pd.DataFrame", picture: Path) -> None:
    from matplotlib.figure import Figure

    labels = target.labels
    middles = _middles(table)
    between = (middles[:-1] + middles[1:]) / 2
    edges = np.concatenate([table.start[:1], between, table.end[-1:]])  # (windows + 1,), seconds
    probabilities = table[[f"p_{label}" for label in labels]].to_numpy().T  # (labels, windows)
    figure = Figure(figsize=(10, 1 + 0.3 * len(labels)), layout="constrained")
    axes = figure.add_subplot()
    rows = np.arange(len(labels) + 1)
    colours = axes.pcolormesh(edges, rows, probabilities, cmap="Blues", vmin=0, vmax=1)
    axes.set_yticks(rows[:-1] + 0.5, labels)
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    figure.colorbar(colours, label="probability")
    write_png(figure, picture)


def _middles(table: "pd.DataFrame") -> np.ndarray:
    """Middle of each window, in seconds."""
    return ((table.start + table.end) / 2).to_numpy()
