"""Outlier breaths: flagged and listed, never deleted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.capacity.breaths import BreathTable, FloatArray
from holdfast.core.issues import Issue, Severity
from holdfast.errors import CallError

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class OutlierRule:
    """A breath is an outlier when it lies more than `sd` standard deviations from the mean of its `neighbours`
    neighbouring breaths (half on each side, itself not counted) in any of `channels` (eq:cpet-outlier).

    Three and four SD are what published work uses most (Hesse, review of 1,078 articles).
    """

    sd: float = 4.0
    neighbours: int = 20
    channels: tuple[str, ...] = ("vo2",)

    def __post_init__(self) -> None:
        if not (self.sd > 0 and self.neighbours >= 6 and self.neighbours % 2 == 0 and self.channels):
            raise CallError("an outlier rule needs a positive SD, an even count of at least 6 neighbours, a channel")

    def __str__(self) -> str:
        return f"more than {self.sd:g} SD from {self.neighbours} neighbours in {', '.join(self.channels)}"


@dataclass(frozen=True, slots=True, eq=False)
class Outliers:
    """Which breaths were flagged: `flagged` shape (n,), the rule, and one issue per flagged breath and channel."""

    flagged: BoolArray
    rule: OutlierRule
    issues: tuple[Issue, ...]

    @property
    def count(self) -> int:
        """How many breaths were flagged."""
        return int(self.flagged.sum())


def flag_outliers(table: BreathTable, rule: OutlierRule | None = None) -> Outliers:
    """Flag outlier breaths. The table is not changed; `table.without(flags)` is the caller's explicit act."""
    rule = rule or OutlierRule()
    flagged = np.zeros(len(table), dtype=bool)
    issues: list[Issue] = []
    for name in rule.channels:
        z = local_z(table.channel(name), rule.neighbours)
        hit = np.abs(z) > rule.sd
        flagged |= hit
        issues += [_issue(table, name, int(i), float(z[i])) for i in np.flatnonzero(hit)]
    return Outliers(flagged, rule, tuple(issues))


def local_z(values: FloatArray, neighbours: int) -> FloatArray:
    """Distance of each value from its neighbours' mean in their SDs, shape (n,); NaN near the ends and where fewer
    than six neighbours were observed (eq:cpet-outlier)."""
    half = neighbours // 2
    out = np.full(values.size, np.nan)
    if values.size < neighbours + 1:
        return out
    windows = np.lib.stride_tricks.sliding_window_view(values, neighbours + 1)
    around = np.delete(windows, half, axis=1)
    known = np.isfinite(around)
    n = known.sum(axis=1)
    filled = np.where(known, around, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = filled.sum(axis=1) / n
        spread = np.where(known, around - mean[:, None], 0.0)
        sd = np.sqrt((spread**2).sum(axis=1) / (n - 1))
        z = (values[half : values.size - half] - mean) / sd
    out[half : values.size - half] = np.where((n >= 6) & np.isfinite(z), z, np.nan)
    return out


def _issue(table: BreathTable, name: str, i: int, z: float) -> Issue:
    what = f"{table.channel(name)[i]:.4g} at {table.seconds[i]:.1f} s lies {z:+.1f} SD from its neighbours."
    return Issue("outlier-breath", f"breath {i + 1}, column {name}", what, severity=Severity.NOTE)
