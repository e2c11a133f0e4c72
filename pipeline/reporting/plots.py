"""Figures of runs as files, for ``dvc plots show`` and ``dvc plots diff``.

DVC's own templates draw one kind of table and load a script from elsewhere; these are the figures
of the page, as images that need nothing else.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.reporting import diagrams, drawing, figures
from pipeline.reporting.results import Run
from pipeline.scoring.targets import Attributes, Emotions

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write(runs: list[Run], folder: Path) -> None:
    """Write the figures of runs: of training, and of what was predicted on held-out clips.

    Parameters
    ----------
    runs : list of Run
    folder : Path
        A folder for each run is written there: ``loss.svg`` and others that were measured in
        training, ``folds.svg``, and ``confusion.svg`` of emotions or ``arousal.svg`` and others of
        attributes.
    """
    for run in runs:
        drawn: dict[str, Any] = {curve.title: markup for curve, markup in figures.curves(run)}
        drawn["folds"] = figures.by_fold(run)
        drawn |= ANSWERS[run.target.KIND](run)
        drawn |= {f"map {name}": markup for name, markup in diagrams.vector_maps(run)}
        place = folder / run.name
        place.mkdir(parents=True, exist_ok=True)
        for title, markup in drawn.items():
            name = re.sub(r"\W+", "-", title.lower()).strip("-")
            (place / f"{name}.svg").write_text(alone(str(markup)), encoding="utf-8", newline="\n")


def alone(svg: str) -> str:
    """Make a file of an inline figure: the light colours in place of the page's, and a background.

    >>> alone('<svg viewBox="0 0 2 1"><g fill="var(--ink)"/></svg>')[-25:]
    '<g fill="#1d1c1a"/></svg>'
    """
    classes = {role: light for role, (light, _) in drawing.CLASSES.items()}
    for role, colour in (drawing.LIGHT | classes).items():
        svg = svg.replace(f"var(--{role})", colour)
    width, height = re.findall(r"[\d.]+", svg)[2:4]
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    head = f'<svg {names} width="{width}" height="{height}" '
    paper = f'<rect width="100%" height="100%" fill="{drawing.LIGHT["paper"]}"/>'
    svg = svg.replace("var(--sans)", "sans-serif").replace("<svg ", head, 1)
    return svg.replace(">", f">{paper}", 1)


def confusion(run: Run) -> str:
    """Draw in how many of 100 clips of each emotion which emotion was predicted.

    Parameters
    ----------
    run : Run
        Run on emotions.
    """
    labels, counts = run.facts["labels"], np.array(run.confusion)
    percent = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def draw(axes: "Axes") -> None:
        from matplotlib.colors import LinearSegmentedColormap

        ends = [drawing.LIGHT["paper"], drawing.LIGHT["accent"]]
        colours = LinearSegmentedColormap.from_list("fraction", ends)
        axes.pcolormesh(percent, cmap=colours, vmin=0, vmax=100)
        for (true, guess), value in np.ndenumerate(percent):
            shown = drawing.LIGHT["paper" if value > 60 else "ink"]
            place = (guess + 0.5, true + 0.5)
            axes.text(*place, f"{value:.0f}", ha="center", va="center", color=shown, fontsize=8)
        ticks = np.arange(len(labels)) + 0.5
        axes.set_xticks(ticks, labels, fontsize=7)
        axes.set_yticks(ticks, labels, fontsize=7)
        axes.set(xlabel="predicted", xlim=(0, len(labels)), ylim=(len(labels), 0))

    return str(drawing.drawing(draw, f"Confusion of {run.name} in per cent", 260, left=60))


# What was predicted on held-out clips, by name of the figure.
ANSWERS = {
    Emotions.KIND: lambda run: {"confusion": confusion(run)},
    Attributes.KIND: lambda run: {m.published: figures.scatter(run, m) for m in run.measures},
}
