"""The figures people look at before they believe a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from scipy import special

from holdfast.stats.mmrm.covariance import visit_covariance
from holdfast.stats.mmrm.residuals import residuals

if TYPE_CHECKING:
    from holdfast.stats.mmrm.fit import MmrmFit

INK, SOFT = "#1f2937", "#9ca3af"
COLOURS = ("#0f5c8c", "#c2571a", "#3f7d4f", "#7a4b94", "#a8872b")


def residuals_by_visit(fit: MmrmFit) -> Figure:
    """Normalised residuals at each visit as boxes over the points."""
    table = residuals(fit)
    visits = list(fit.design.visits)
    groups = [table.normalised[table[fit.design.names["visit"]] == visit].to_numpy() for visit in visits]
    figure, axes = _panel()
    axes.axhline(0, color=SOFT, lw=1)
    for k, values in enumerate(groups):
        spread = np.linspace(-0.18, 0.18, len(values)) if len(values) > 1 else np.zeros(len(values))
        axes.plot(k + spread, values, "o", ms=3, color=COLOURS[0], alpha=0.35, mew=0)
    boxes = axes.boxplot(groups, positions=range(len(visits)), widths=0.5, showfliers=False)
    for part in (*boxes["boxes"], *boxes["whiskers"], *boxes["caps"], *boxes["medians"]):
        part.set_color(INK)
    axes.set_xticks(range(len(visits)), visits)
    axes.set(xlabel=fit.design.names["visit"], ylabel="normalised residual", title="Residuals by visit")
    return figure


def quantiles(fit: MmrmFit) -> Figure:
    """Normalised residuals against normal quantiles."""
    values = np.sort(residuals(fit).normalised)
    expected = special.ndtri((np.arange(len(values)) + 0.5) / len(values))
    figure, axes = _panel()
    reach = [min(expected[0], values[0]), max(expected[-1], values[-1])]
    axes.plot(reach, reach, color=SOFT, lw=1)
    axes.plot(expected, values, "o", ms=3.5, color=COLOURS[0], mew=0)
    axes.set(xlabel="normal quantile", ylabel="normalised residual", title="Normal quantiles of the residuals")
    return figure


def trajectories(fit: MmrmFit, by: str) -> Figure:
    """Model means of each level of `by` over the visits with their confidence intervals."""
    visit = fit.design.names["visit"]
    table = fit.means([by, visit], weights="equal").table
    figure, axes = _panel()
    levels = fit.design.terms.factors[by]
    for k, level in enumerate(levels):
        part = table[table[by] == level]
        at = np.arange(len(part)) + 0.06 * (k - (len(levels) - 1) / 2)
        colour = COLOURS[k % len(COLOURS)]
        axes.errorbar(
            at,
            part.estimate,
            yerr=[part.estimate - part.low, part.high - part.estimate],
            color=colour,
            marker="o",
            ms=5,
            capsize=3,
            label=level,
        )
    axes.set_xticks(range(len(fit.design.visits)), fit.design.visits)
    axes.set(xlabel=visit, ylabel=f"mean {fit.design.terms.parsed.response}", title="Model means with 95% intervals")
    axes.legend(title=by, frameon=False)
    return figure


def correlations(fit: MmrmFit) -> Figure:
    """Heat map of the fitted correlations between visits."""
    sigma = visit_covariance(fit).to_numpy()[-len(fit.design.visits) :]
    sd = np.sqrt(np.diagonal(sigma))
    rho = sigma / np.outer(sd, sd)
    figure, axes = _panel()
    image = axes.imshow(rho, vmin=-1, vmax=1, cmap="RdBu_r")
    for a, row in enumerate(rho):
        for b, value in enumerate(row):
            axes.text(b, a, f"{value:.2f}", ha="center", va="center", color="white" if abs(value) > 0.6 else INK)
    axes.set_xticks(range(len(rho)), fit.design.visits)
    axes.set_yticks(range(len(rho)), fit.design.visits)
    axes.spines[:].set_visible(False)
    axes.set(title="Correlation between visits")
    figure.colorbar(image, ax=axes, shrink=0.8)
    return figure


def _panel() -> tuple[Figure, Any]:
    figure = Figure(figsize=(5.2, 3.9), dpi=150, layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
