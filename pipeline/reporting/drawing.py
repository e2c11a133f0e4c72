"""Drawing with matplotlib: inline SVG in the colours and the font of the page around it."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.files import tables

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours by role. Figures are drawn in the light ones, which then become CSS variables, so that one
# drawing serves both schemes. Text on paper has a contrast of 4.5 or more in both.
LIGHT = {
    "paper": "#fcfbf8",
    "ink": "#1d1c1a",
    "muted": "#646058",
    "rule": "#dcd8ce",
    "accent": "#1b5e78",
    "warn": "#b03a12",
}
DARK = {
    "paper": "#161513",
    "ink": "#e9e6df",
    "muted": "#a6a197",
    "rule": "#3a3732",
    "accent": "#79bfd8",
    "warn": "#f2956d",
}

# Of classes, in their order; what they are drawn in differs from paper by a contrast of 3 or more.
CLASSES = {
    "class-0": ("#0072b2", "#5fb3e6"),
    "class-1": ("#d55e00", "#ff9a57"),
    "class-2": ("#007a5a", "#4cc9a0"),
    "class-3": ("#b5478f", "#e48fc6"),
    "class-4": ("#8a6d00", "#d9bd4a"),
    "class-5": ("#55514a", "#c0bdb5"),
    "class-6": ("#2e86c9", "#9ad0f0"),
    "class-7": ("#a03c3c", "#f08a8a"),
    "class-8": ("#6a51a3", "#b7a3e8"),
    "class-9": ("#1f8080", "#6fd3d3"),
}


def write_png(figure: "Figure", picture: Path) -> None:
    """Write a figure to a PNG file, without the name of what drew it."""
    with tables.replacing(picture) as temporary:
        figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})


def drawing(
    draw: Callable[["Axes"], None], words: str, height: float, *, left: float = 34
) -> "Markup":
    """Draw on axes 360 wide; return inline SVG whose colours and font are those of the page."""
    import matplotlib
    from markupsafe import Markup, escape
    from matplotlib.figure import Figure

    width, right, bottom, top = 360, 10, 34, 6
    with matplotlib.rc_context(), io.StringIO() as file:
        matplotlib.rcdefaults()  # a matplotlibrc of the reader's must not change the bytes
        matplotlib.rcParams.update(
            {
                "axes.edgecolor": LIGHT["rule"],
                "axes.labelcolor": LIGHT["muted"],
                "axes.labelsize": 10.5,
                "axes.spines.right": False,
                "axes.spines.top": False,
                "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib; CSS puts in its own
                "font.size": 10.5,
                "path.simplify_threshold": 0.5,
                "svg.fonttype": "none",
                "svg.hashsalt": words,  # clip paths of two figures keep apart
                "text.color": LIGHT["ink"],
                "xtick.color": LIGHT["rule"],
                "xtick.labelcolor": LIGHT["muted"],
                "ytick.color": LIGHT["rule"],
                "ytick.labelcolor": LIGHT["muted"],
            }
        )
        figure = Figure(figsize=(width / 72, height / 72))
        box = (
            left / width,
            bottom / height,
            1 - (left + right) / width,
            1 - (bottom + top) / height,
        )
        axes = figure.add_axes(box, facecolor="none")
        draw(axes)
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(file, format="svg", transparent=True, metadata=nothing)
        svg = file.getvalue()
    svg = svg[svg.index("</defs>") + len("</defs>") :]  # HTML needs no XML header, no name spaces
    svg = re.sub(r"<[^>]*>", restyle, svg)
    head = f'<svg viewBox="0 0 {width} {height:g}" role="img" aria-label="{escape(words)}">'
    return Markup(head + svg)


def restyle(tag: re.Match) -> str:
    """Rewrite one tag of matplotlib's SVG: page colours and font, 0.01 px, no ids of groups."""
    text = re.sub(r"(\.\d\d)\d+", r"\1", tag[0]).replace("'DejaVu Sans'", "var(--sans)")
    for role, colour in (LIGHT | {role: light for role, (light, _) in CLASSES.items()}).items():
        text = text.replace(colour, f"var(--{role})")
    return " ".join(re.sub(r'^<g id="[^"]*"', "<g", text).split())


def spread(number: int, most: int) -> np.ndarray:
    """Positions of at most so many of a number of things, evenly taken, first and last among them.

    >>> spread(9, 3).tolist(), spread(2, 3).tolist()
    ([0, 4, 8], [0, 1])
    """
    return np.linspace(0, number - 1, min(number, most)).astype(int)
