"""One look for all figures that matplotlib draws."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal, TypeVar

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from holdfast.report.figures.svg import tidy

logging.getLogger("matplotlib").setLevel(logging.ERROR)  # its font cache speaks up on a fresh machine

WIDTH = 6.7
"""Inches: the text width of the page."""

INK, SOFT, RULE, PALE = "#1b1f24", "#57606a", "#c9ced6", "#eef0f3"
COLOURS = ("#0b5fa5", "#c8501e", "#1b8a6b", "#8a4f9e", "#7a6a00")
"""After Okabe and Ito, darkened a little so that lines and numbers hold on paper."""
MARKERS = ("o", "s", "^", "D", "v")
ACCENT = "#0b5fa5"

STYLE: Any = {
    "svg.hashsalt": "holdfast",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 7.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "lines.linewidth": 1.4,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "figure.dpi": 72,
}


Data = TypeVar("Data")


def styled(draw: Callable[[Data], str]) -> Callable[[Data], str]:
    """Draw in the house style, whatever matplotlib was told elsewhere."""

    @wraps(draw)
    def in_style(data: Data) -> str:
        with matplotlib.rc_context(STYLE):
            return draw(data)

    return in_style


def figure(height: float, width: float = WIDTH, *, layout: Literal["constrained"] | None = "constrained") -> Figure:
    """An empty figure of this size in inches; `layout` None leaves placing axes to the caller. Use inside `styled`."""
    made = Figure(figsize=(width, height), layout=layout)
    FigureCanvasSVG(made)
    return made


def axes(made: Figure, rows: int = 1, columns: int = 1, **options: Any) -> list[Any]:
    """Axes of a figure as a flat list."""
    return list(made.subplots(rows, columns, squeeze=False, **options).flat)


def save(made: Figure, code: str, title: str) -> str:
    """The figure as one SVG element: the same numbers give the same bytes."""
    out = io.StringIO()
    made.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return tidy(out.getvalue(), code, title)


def colours(arms: Sequence[str]) -> dict[str, str]:
    """A colour per arm, in the order of the report."""
    return {arm: COLOURS[i % len(COLOURS)] for i, arm in enumerate(arms)}


def markers(arms: Sequence[str]) -> dict[str, str]:
    """A marker per arm, so that no figure rests on colour alone."""
    return {arm: MARKERS[i % len(MARKERS)] for i, arm in enumerate(arms)}
