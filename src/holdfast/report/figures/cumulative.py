"""The cumulative distribution of change per arm: who improved by at least how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.report.figures.canvas import SOFT, axes, colours, figure, save, styled

DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (5, 1.5, 1.5, 1.5)))


@dataclass(frozen=True, slots=True)
class Cumulative:
    """Improvements per arm (positive is better), and the thresholds to mark, by their labels."""

    code: str
    label: str
    gains: Mapping[str, Sequence[float]]
    thresholds: Mapping[str, float]
    alt: str


@styled
def draw(curve: Cumulative) -> str:
    """Share of each arm that improved by at least x, over all x."""
    made = figure(2.9, 5.6)
    (panel,) = axes(made)
    colour = colours(list(curve.gains))
    every = [value for gains in curve.gains.values() for value in gains]
    low, high = min(every), max(every)
    pad = 0.05 * (high - low or 1.0)
    for k, (arm, gains) in enumerate(curve.gains.items()):
        ordered = sorted(gains)
        n = len(ordered)
        x = [low - pad, *ordered, high + pad]
        y = [100.0, *(100 * (n - i) / n for i in range(n)), 0.0]
        panel.step(x, y, where="pre", color=colour[arm], linestyle=DASHES[k % 4], label=f"{arm} (n = {n})")
    for label, value in curve.thresholds.items():
        panel.axvline(value, color=SOFT, linewidth=0.8, linestyle=(0, (3, 2)))
        panel.annotate(
            f" {label}",
            (value, 100),
            xytext=(1, 0),
            textcoords="offset points",
            va="top",
            color=SOFT,
            fontsize=7,
        )
    panel.set_xlim(low - pad, high + pad)
    panel.set_ylim(0, 102)
    panel.set_xlabel(curve.label)
    panel.set_ylabel("people who improved at least so much (%)")
    panel.grid(color="#e3e6ea", linewidth=0.6)
    panel.legend(loc="lower left")
    return save(made, curve.code, curve.alt)
