"""Figures of what was answered: how far confidence can be trusted, and of whom it is right."""

from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pipeline.reporting import confidence
from pipeline.reporting.drawing import CLASSES, LIGHT, drawing
from pipeline.reporting.results import Result, Run
from pipeline.scoring import calibration
from pipeline.scoring.calibration import Bin
from pipeline.scoring.groups import Group

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

ROW = 15  # height of a group, of 360 the figure is wide
LETTERS = 22  # of a group's name
SHOWN = 40  # groups in a figure at most


def reliability(result: Result) -> "Markup":
    """Draw accuracy over confidence, a dot for each bin; its area is that of its predictions.

    Where there are temperatures, dashed: without them.

    Parameters
    ----------
    result : Result
        Result on emotions, with predictions.
    """
    given = confidence.of(result)
    found = calibration.bins(given.right, given.now)
    before = calibration.bins(given.right, given.before) if given.fitted else []
    sizes = np.array([one.clips for one in found])

    def draw(axes: "Axes") -> None:
        axes.plot([0, 100], [0, 100], color=LIGHT["muted"], linewidth=0.8)
        x = [100 * one.confidence for one in found]
        y = [100 * one.accuracy for one in found]
        axes.vlines(x, x, y, color=LIGHT["warn"], linewidth=1, alpha=0.6)
        axes.plot(x, y, color=LIGHT["accent"], linewidth=0.8)
        old = 100 * np.array([(one.confidence, one.accuracy) for one in before]).reshape(-1, 2)
        axes.plot(*old.T, ".--", color=LIGHT["ink"], linewidth=1, alpha=0.7)
        for place, value, size in zip(x, y, sizes / sizes.max(), strict=True):
            axes.plot(place, value, "o", color=LIGHT["accent"], markersize=3 + 9 * np.sqrt(size))
        axes.set(xlabel="confidence, percent", ylabel="right, percent")
        axes.set(xlim=(0, 103), ylim=(-3, 103), xticks=range(0, 101, 20), yticks=range(0, 101, 20))

    stated = _stated(found)
    words = f"Reliability of {result.name}, predictions at confidence: percent right. {stated}"
    if before:
        words += ". Without temperature: " + _stated(before)
    return drawing(draw, words, 260, left=46)


def _stated(found: list[Bin]) -> str:
    """Bins in words."""
    return "; ".join(
        f"{one.clips} at {100 * one.confidence:.0f}: {100 * one.accuracy:.0f}" for one in found
    )


def by_group(result: Result, found: list[Group]) -> "Markup":
    """Draw the first measure of each group as a bar, with its interval where it has one.

    Parameters
    ----------
    result : Result
    found : list of Group
        Groups of one kind; of more than 40 the lowest and the highest are drawn.
    """
    kind, measure = result.target, result.measures[0]
    drawn = extremes(found, measure.key)
    scores = [group.scores[measure.key] for group in drawn]
    whole, left = kind.SCALE * result.metrics[measure.key], min(kind.LIMITS[0], 0)
    lowest = min([0.0, *(kind.SCALE * score.value for score in scores)])
    places, names = np.arange(len(drawn)), [_short(group.value) for group in drawn]

    def draw(axes: "Axes") -> None:
        widths = [kind.SCALE * score.value for score in scores]
        axes.barh(places, widths, height=0.62, color=LIGHT["accent"], alpha=0.55, linewidth=0)
        for place, score in zip(places, scores, strict=True):
            if np.isfinite(score.low):
                ends = [kind.SCALE * score.low, kind.SCALE * score.high]
                axes.plot(ends, [place, place], color=LIGHT["ink"], linewidth=1.2)
        axes.axvline(whole, color=LIGHT["warn"], linewidth=1)
        axes.set_yticks(places, names, fontsize=9, parse_math=False)
        axes.tick_params("y", length=0)
        axes.set(xlim=(min(left, lowest), kind.LIMITS[1]), ylim=(len(drawn) - 0.4, -0.6))
        axes.set(xlabel=kind.AXIS)
        axes.spines["left"].set_visible(False)

    stated = ", ".join(
        f"{group.value} {kind.show(score.value)}"
        for group, score in zip(drawn, scores, strict=True)
    )
    words = f"{measure.name} of {result.name} by {found[0].kind}: {stated}"
    left_of_axis = 16 + 5.6 * max(map(len, names))
    return drawing(draw, words, 42 + ROW * len(drawn), left=left_of_axis)


def _short(name: str) -> str:
    """Start of a name that is too long to stand next to a bar."""
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 1]}\N{HORIZONTAL ELLIPSIS}"


def extremes(found: list[Group], key: str) -> list[Group]:
    """Give all groups of a few; of many the 20 lowest and the 20 highest, in that order."""
    if len(found) <= SHOWN:
        return found
    order = sorted(found, key=lambda group: group.scores[key].value)
    return order[: SHOWN // 2] + order[-SHOWN // 2 :]


@cache
def vector_maps(run: Run) -> list[tuple[str, "Markup"]]:
    """Draw where a network puts its held-out clips: by principal components, and by t-SNE.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of (str, Markup)
        Name of each way, and its map; none of runs whose maps were not kept.
    """
    if run.map.empty:
        return []
    rows = run.map.merge(run.predictions, on=["clip", "fold", "seed"], how="left")
    groups = _classes(rows, run) if "label" in rows else _fifths(rows, run)
    (fold,) = set(rows["fold"].astype(int))
    found = []
    for name, key in (("PCA", "pca"), ("t-SNE", "tsne")):
        words = f"Map of {len(rows)} held-out clips of fold {fold} of {run.name} by {name}"
        draw = partial(_cloud, rows[[f"{key}_1", f"{key}_2"]].to_numpy(float), groups)
        found.append((name, drawing(draw, words, 270, left=10)))
    return found


def _classes(rows: pd.DataFrame, run: Run) -> list[tuple[str, np.ndarray, dict]]:
    """Name, clips and style of each emotion."""
    colours = [light for light, _ in CLASSES.values()]
    return [
        (label, (rows["label"] == label).to_numpy(), {"edgecolor": colours[i % len(colours)]})
        for i, label in enumerate(run.target.outputs)
    ]


def _fifths(rows: pd.DataFrame, run: Run) -> list[tuple[str, np.ndarray, dict]]:
    """Name, clips and style of each fifth of the first attribute: the darker the higher."""
    values = rows[run.target.columns[0]].to_numpy(float)
    place = np.searchsorted(np.quantile(values, [0.2, 0.4, 0.6, 0.8]), values)
    style = {"edgecolor": LIGHT["accent"]}
    return [("", place == n, style | {"alpha": 0.2 + 0.2 * n}) for n in range(5)]


def _cloud(places: np.ndarray, groups: list[tuple[str, np.ndarray, dict]], axes: "Axes") -> None:
    """Draw dots, a path for each group, and the name of each in its middle."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    for _, own, style in groups:
        dots = np.repeat(places[own], 2, axis=0)
        path = Path(dots, [Path.MOVETO, Path.LINETO] * int(own.sum()))
        path.should_simplify = False
        axes.add_patch(PathPatch(path, linewidth=5, capstyle="round", facecolor="none", **style))
    for name, own, _ in groups:
        if name and own.any():
            middle = np.median(places[own], axis=0)
            axes.text(
                middle[0], middle[1], name, ha="center", va="center", fontsize=9, parse_math=False
            )
    low, high = places.min(axis=0), places.max(axis=0)
    room = 0.05 * np.maximum(high - low, 1e-9)
    axes.set(xlim=(low[0] - room[0], high[0] + room[0]))
    axes.set(ylim=(low[1] - room[1], high[1] + room[1]), xticks=[], yticks=[])
