"""Figures of the report: inline SVG in the colours and the font of the page around them.

They are 360 units wide, about a pixel each on a phone, so that text stays legible there.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.reporting import floors
from pipeline.reporting.drawing import LIGHT, drawing, spread
from pipeline.reporting.results import Run
from pipeline.reporting.tabular import CROSS
from pipeline.scoring.target import Measure, Target
from pipeline.scoring.targets import Attributes, Emotions

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes

POINTS = 600  # drawn of a scatter at most: a page is read on a phone too
EPOCHS = 60  # drawn of a stack at most
UNDERNEATH = ("length", "svm", "svr")  # floors that are drawn under the line of a measure
STEP, HEAD = 0.28, 0.54  # height of a measure in an overview, and of the name above and a gap


@dataclass(frozen=True)
class Line:
    """What is measured after each epoch.

    Attributes
    ----------
    column : str
        Column of the history.
    role : str
        Its colour.
    words : str
        Text of the key.
    dashed : bool
    """

    column: str
    role: str
    words: str
    dashed: bool = False

    @property
    def tested(self) -> bool:
        """Whether it is of the clips that are held out."""
        return self.column.startswith("test_")


@dataclass(frozen=True)
class Curves:
    """Lines of one figure.

    Attributes
    ----------
    title : str
    scale : float
        Factor from the history to what is drawn.
    lines : tuple of Line
    """

    title: str
    scale: float
    lines: tuple[Line, ...]


def _parts(column: str) -> tuple[Line, ...]:
    """One column as it is measured on each part of the clips."""
    return (
        Line(column, "accent", "training"),
        Line(f"validation_{column}", "ink", "validation"),
        Line(f"test_{column}", "warn", "test"),
    )


CURVES = {
    Emotions.KIND: (
        Curves("Loss", 1, _parts("loss")),
        Curves("Accuracy, percent", 100, _parts("accuracy")),
    ),
    Attributes.KIND: (
        Curves(
            "Losses",
            1,
            (
                Line("loss", "accent", "sum"),
                Line("attribute_loss", "warn", "attributes"),
                Line("cluster_loss", "ink", "clusters"),
                Line("triplet_loss", "muted", "triplets"),
                Line("unlabeled_loss", "ink", "unlabelled clips", dashed=True),
            ),
        ),
        *(Curves(measure.name, 1, _parts(measure.key)) for measure in Attributes.MEASURES),
        Curves("NMI", 1, (Line("nmi", "accent", "with the clusters of the epoch before"),)),
    ),
}


def overview(runs: list[Run]) -> "Markup":
    """Draw runs of one kind, a band each: every measure with its interval and its floors.

    What is below the highest floor is shaded, and a run that is there says below which.

    Parameters
    ----------
    runs : list of Run
        Runs to draw, one at least.
    """
    kind = type(runs[0].target)
    lows = [run.metrics[f"{m.key}_low"] for run in runs for m in run.measures]
    left, right = min(kind.LIMITS[0], kind.SCALE * min(lows)), kind.LIMITS[1]
    below = [floors.below_words(run) for run in runs]
    lines = [len(run.measures) + bool(words) for run, words in zip(runs, below, strict=True)]
    tops = np.cumsum([0, *(HEAD + STEP * number for number in lines)])

    def draw(axes: "Axes") -> None:
        for top, run, words in zip(tops, runs, below, strict=False):
            colour = LIGHT["warn" if run.objections else "accent"]
            axes.text(left, top - 0.3, run.name, weight="bold", parse_math=False)
            about = ", ".join(filter(None, [run.speakers, run.partial]))
            axes.text(right, top - 0.3, about, ha="right", color=LIGHT["muted"])
            for place, measure in enumerate(run.measures):
                y = top + STEP * place
                low, value, high = (
                    kind.SCALE * run.metrics[measure.key + end] for end in ("_low", "", "_high")
                )
                axes.plot([left, right], [y, y], color=LIGHT["rule"], linewidth=0.8)
                _draw_floors(axes, run, measure, left, y)
                axes.plot([low, high], [y, y], color=colour, linewidth=2.2)
                _mark(axes, measure, [value], [y], colour, 6.5)
            if words:
                y = top + STEP * len(run.measures) + 0.06
                axes.text(right, y, f"{CROSS} {words}", ha="right", color=LIGHT["warn"])
        axes.set(xlim=(left, right), ylim=(tops[-1] - 0.5, -0.62), yticks=[], xlabel=kind.AXIS)
        axes.spines["left"].set_visible(False)

    def stated(run: Run, below: str) -> str:
        words = (
            f"{m.name} {run.show(m)} {run.interval(m)}"
            + (f", {m.second_name} {kind.show(run.floor(m))}" if m.floor else "")
            for m in run.measures
        )
        of_floors = "; ".join(floors.floor_words(run))
        return f"{run.name}: {', '.join(words)}" + "".join(
            f", {text}" for text in (of_floors and f"floors {of_floors}", below) if text
        )

    words = f"{_names(kind, kind.MEASURES)} of every run. {'; '.join(map(stated, runs, below))}"
    return drawing(draw, words, 50 * tops[-1] + 36, left=8)


def _draw_floors(axes: "Axes", run: Run, measure: Measure, left: float, y: float) -> None:
    """Draw the floors of a measure on its line, over a band up to the highest of them."""
    scale = run.target.SCALE
    found = {name: scale * values[measure.key] for name, values in floors.of(run).items()}
    highest = max(found.values(), default=left)
    if highest > left:
        axes.plot([left, highest], [y, y], color=LIGHT["rule"], linewidth=7, solid_capstyle="butt")
    for name, value in {"": scale * run.floor(measure), **found}.items():
        if name in UNDERNEATH:
            fill = LIGHT["paper" if name == "length" else "ink"]
            style = {"color": LIGHT["ink"], "markersize": 5, "markerfacecolor": fill}
            axes.plot([value], [y + 0.11], "^", markeredgewidth=0.9, **style)
        else:  # what guessing earns
            axes.plot([value] * 2, [y - 0.09, y + 0.09], color=LIGHT["muted"], linewidth=1.6)


@cache
def by_fold(run: Run) -> "Markup":
    """Draw the measures of each fold over the pooled ones.

    Parameters
    ----------
    run : Run
    """
    scale = run.target.SCALE
    numbers = [number for number, _ in run.folds]
    values = scale * np.array([values for _, values in run.folds])  # (folds, measures)

    def draw(axes: "Axes") -> None:
        places = range(1, len(numbers) + 1)
        for measure, dashes in zip(run.measures, ((), (2, 3), (6, 3)), strict=False):
            level = scale * run.metrics[measure.key]
            axes.axhline(level, color=LIGHT["accent"], linewidth=0.8, dashes=dashes)
        axes.vlines(places, values.min(axis=1), values.max(axis=1), color=LIGHT["rule"])
        for measure, of_folds in zip(run.measures, values.T, strict=True):
            _mark(axes, measure, places, of_folds, LIGHT["accent"], 5.5)
        axes.margins(y=0.15)
        axes.set(xlabel="fold", xlim=(0.5, len(numbers) + 0.5))
        axes.locator_params("x", integer=True)

    stated = "; ".join(f"{n}: {', '.join(map(run.target.show, values))}" for n, values in run.folds)
    names = _names(type(run.target), run.measures)
    return drawing(draw, f"{names} of {run.name} by fold: {stated}", 150)


@cache
def curves(run: Run) -> list[tuple[Curves, "Markup"]]:
    """Draw what was measured after each epoch: thin lines for folds, a thick one for their mean.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of (Curves, Markup)
        Curves with the lines that were measured; none for imported weights.
    """
    measured = (
        Curves(c.title, c.scale, tuple(line for line in c.lines if line.column in run.measured))
        for c in CURVES[run.target.KIND]
    )
    return [(curve, _curve(run, curve)) for curve in measured if curve.lines]


def _curve(run: Run, curve: Curves) -> "Markup":
    """Draw one figure of lines."""
    by_epoch = {
        line: curve.scale
        * run.history.pivot(index="epoch", columns=["fold", "seed"], values=line.column)
        for line in curve.lines
    }  # (epochs, folds and seeds) each

    def draw(axes: "Axes") -> None:
        for line, values in by_epoch.items():
            style: dict[str, Any] = {
                "color": LIGHT[line.role],
                "linestyle": "--" if line.dashed else "-",
            }
            axes.plot(values.index, values, linewidth=0.5, alpha=0.35, **style)
            axes.plot(values.index, values.mean(axis=1), linewidth=1.8, **style)
        axes.set(xlabel="epoch")
        axes.locator_params("x", integer=True)

    stated = ", ".join(
        f"{line.words} {values.mean(axis=1).iloc[-1]:.3g}" for line, values in by_epoch.items()
    )
    return drawing(draw, f"{curve.title} of {run.name} by epoch; at the end: {stated}", 170)


def clusters(run: Run) -> "Markup | None":
    """Draw how the chunks were divided among clusters in each epoch, the largest cluster lowest.

    Their numbers mean nothing from one epoch to the next, so that they are put in order of size;
    the mean over folds is drawn.

    Parameters
    ----------
    run : Run

    Returns
    -------
    Markup or None
        None where nothing was clustered.
    """
    columns = [name for name in run.measured if re.fullmatch(r"cluster_\d+", name)]
    if not columns:
        return None
    sizes = -np.sort(-run.history[columns].to_numpy(), axis=1)  # (rows, clusters)
    percent = pd.DataFrame(100 * sizes / sizes.sum(axis=1, keepdims=True))
    mean = percent.groupby(run.history["epoch"]).mean()  # (epochs, clusters)
    mean = mean.iloc[spread(len(mean), EPOCHS)]
    edges = mean.cumsum(axis=1)

    def draw(axes: "Axes") -> None:
        axes.fill_between(mean.index, 0, 100, color=LIGHT["accent"], alpha=0.45, linewidth=0)
        axes.plot(edges.index, edges.iloc[:, :-1], color=LIGHT["paper"], linewidth=1)
        axes.set(xlabel="epoch", ylim=(0, 100))
        axes.margins(x=0)
        axes.locator_params("x", integer=True)

    first, last = (f"{mean.iloc[i, 0]:.0f} to {mean.iloc[i, -1]:.0f}" for i in (0, -1))
    words = f"Percent of the chunks in each of {len(columns)} clusters of {run.name} by epoch, "
    words += f"from the largest to the smallest: {first} at first, {last} at the end"
    return drawing(draw, words, 170)


@cache
def scatter(run: Run, measure: Measure) -> "Markup":
    """Draw predicted over true ratings, with the diagonal on which they agree.

    Parameters
    ----------
    run : Run
        Run on attributes.
    measure : Measure
        Measure of the attribute.
    """
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    columns = [f"true_{measure.published}", f"predicted_{measure.published}"]
    values = run.predictions[columns].to_numpy()  # (clips, 2)
    drawn = values[spread(len(values), POINTS)]
    margin = 0.03 * np.ptp(drawn)
    ends = drawn.min() - margin, drawn.max() + margin

    def draw(axes: "Axes") -> None:
        axes.plot(ends, ends, color=LIGHT["muted"], linewidth=0.8)
        # one path of round dots takes a third of the bytes that as many markers do
        dots = Path(np.repeat(drawn, 2, axis=0), [Path.MOVETO, Path.LINETO] * len(drawn))
        dots.should_simplify = False
        style = {"edgecolor": LIGHT["accent"], "facecolor": "none", "alpha": 0.5}
        axes.add_patch(PathPatch(dots, linewidth=3.5, capstyle="round", **style))
        axes.set(xlabel="rated", ylabel="predicted", xlim=ends, ylim=ends)

    words = f"Predicted over rated {measure.published} of {run.name}: CCC {run.show(measure)}"
    return drawing(draw, words, 300, left=46)


def _mark(axes: "Axes", measure: Measure, x, y, colour: str, size: float) -> None:
    """Draw values of a measure by its mark."""
    fill = LIGHT["paper"] if measure.mark == "ring" else colour
    shape = "D" if measure.mark == "diamond" else "o"
    axes.plot(x, y, shape, color=colour, markerfacecolor=fill, markersize=size)


def _names(kind: type[Target], measures: tuple[Measure, ...]) -> str:
    """Names of measures, with the unit."""
    return ", ".join(measure.name for measure in measures) + " in percent" * bool(kind.UNIT)
