"""Confidence set for a ratio of two estimates by Fieller's theorem."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from holdfast.errors import CallError
from holdfast.stats.estimates import Estimate, check_level, number

Array = NDArray[np.float64]
Kind = Literal["bounded", "outside", "everything"]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Ratio numerator / denominator with its Fieller set.

    `kind` is "bounded" (low to high), "outside" (everything except the open interval `gap`: the denominator is not
    clearly different from zero) or "everything" (the data exclude no ratio). For the last two low is -infinity and
    high infinity. `se` is the delta-method standard error, given for description only.
    """

    name: str
    estimate: float
    se: float
    df: float
    low: float
    high: float
    kind: Kind
    gap: tuple[float, float] | None
    level: float

    @property
    def bounded(self) -> bool:
        """Is the confidence set an ordinary interval?"""
        return self.kind == "bounded"

    @property
    def row(self) -> Estimate:
        """The ratio in the shared columns; t and p are not defined for a Fieller set."""
        nan = math.nan
        return Estimate(self.name, self.estimate, self.se, self.df, self.low, self.high, nan, nan, self.level)

    @property
    def table(self) -> pd.DataFrame:
        """One row in the shared columns and the kind of set."""
        return self.row.table.assign(kind=self.kind)

    def __str__(self) -> str:
        percent = f"{100 * self.level:g}%"
        if self.kind == "bounded":
            tail = f"{percent} CI {number(self.low)} to {number(self.high)}, Fieller"
        elif self.kind == "outside" and self.gap is not None:
            tail = (
                f"unbounded: the denominator is not clearly different from zero; the {percent} set is everything "
                f"outside {number(self.gap[0])} to {number(self.gap[1])}, Fieller"
            )
        else:
            tail = "unbounded: the denominator is not clearly different from zero; no ratio is excluded, Fieller"
        return f"{self.name}: {number(self.estimate)} ({tail})"


def fieller(
    numerator: float,
    denominator: float,
    covariance: Array,
    *,
    df: float = math.inf,
    level: float = 0.95,
    name: str = "ratio",
) -> Ratio:
    """Fieller set of numerator / denominator (eq:fieller).

    `covariance` is the 2 x 2 joint covariance (numerator first); `df` the degrees of freedom of its scale (infinite
    for the normal). Raises `CallError` for a covariance that is not one. Source: Fieller 1954.
    """
    V = np.asarray(covariance, dtype=float)
    if V.shape != (2, 2) or not np.isfinite(V).all() or V[0, 0] < 0 or V[1, 1] < 0:
        raise CallError("the joint covariance of numerator and denominator must be a 2 x 2 covariance matrix")
    q2 = float(stats.t.ppf(0.5 + check_level(level) / 2, df)) ** 2
    ratio = numerator / denominator if denominator != 0 else math.nan
    se = _delta_se(ratio, denominator, V)
    a = denominator**2 - q2 * V[1, 1]
    b = numerator * denominator - q2 * V[0, 1]
    c = numerator**2 - q2 * V[0, 0]
    root = b * b - a * c
    if a > 0:
        half = math.sqrt(max(root, 0.0))
        return Ratio(name, ratio, se, df, (b - half) / a, (b + half) / a, "bounded", None, level)
    if a < 0 and root > 0:
        ends = sorted(((b - math.sqrt(root)) / a, (b + math.sqrt(root)) / a))
        return Ratio(name, ratio, se, df, -math.inf, math.inf, "outside", (ends[0], ends[1]), level)
    return Ratio(name, ratio, se, df, -math.inf, math.inf, "everything", None, level)


def _delta_se(ratio: float, denominator: float, V: Array) -> float:
    if denominator == 0:
        return math.nan
    if denominator**2 <= 1e-12 * V[1, 1]:
        return math.inf
    variance = V[0, 0] - 2 * ratio * V[0, 1] + ratio**2 * V[1, 1]
    return math.sqrt(max(float(variance), 0.0)) / abs(denominator)


def ratio_of_means(
    numerator: Array,
    denominator: Array,
    *,
    df_at: float | None = None,
    level: float = 0.95,
    name: str = "ratio of means",
) -> Ratio:
    """Fieller set for the ratio of two independent groups' means without assuming equal variances.

    The df follow Satterthwaite for numerator - `df_at` x denominator, by default at the estimated ratio
    (eq:fieller-welch). Source: Tamhane & Logan 2004.
    """
    x, y = np.asarray(numerator, float), np.asarray(denominator, float)
    if len(x) < 2 or len(y) < 2:
        raise CallError("a ratio of means needs two or more values in each group")
    vx, vy = float(x.var(ddof=1)) / len(x), float(y.var(ddof=1)) / len(y)
    r2 = (float(x.mean()) / float(y.mean()) if df_at is None else df_at) ** 2
    df = (vx + r2 * vy) ** 2 / (vx**2 / (len(x) - 1) + (r2 * vy) ** 2 / (len(y) - 1))
    return fieller(float(x.mean()), float(y.mean()), np.diag([vx, vy]), df=df, level=level, name=name)


def difference_of_ratios(first: Ratio, second: Ratio, *, name: str, correlation: float = 0.0) -> Estimate:
    """Interval for first - second from their Fieller limits and the correlation of the two ratios (eq:mover).

    Unbounded as soon as one of the two is. Source: Zou & Donner 2008; Zou 2008 (square-and-add).
    """
    gap = first.estimate - second.estimate
    low, high = -math.inf, math.inf
    if first.bounded and second.bounded:
        low = gap - _add(first.estimate - first.low, second.high - second.estimate, correlation)
        high = gap + _add(first.high - first.estimate, second.estimate - second.low, correlation)
    se, nan = _add(first.se, second.se, correlation), math.nan
    return Estimate(name, gap, se, nan, low, high, nan, nan, first.level)


def _add(x: float, y: float, correlation: float) -> float:
    return math.sqrt(max(x * x + y * y - 2 * correlation * x * y, 0.0))
