"""One estimate with its uncertainty, in the columns that every analysis shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from scipy import stats

from holdfast.errors import CallError

COLUMNS = ("estimate", "se", "df", "low", "high", "t", "p")


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate, its standard error, interval and p value.

    `df` is infinite where the reference is the normal distribution. A quantity that the method does not define
    (the standard error of an interval found by inversion, say) is NaN, never zero.
    """

    name: str
    estimate: float
    se: float
    df: float
    low: float
    high: float
    t: float
    p: float
    level: float = 0.95

    @property
    def table(self) -> pd.DataFrame:
        """One row: the name beside estimate, se, df, low, high, t, p."""
        return table_of([self])

    def __str__(self) -> str:
        return f"{self.name}: {say(self)}"


def check_level(level: float) -> float:
    """Give back `level` if it is a confidence level, else raise `CallError`."""
    if not 0 < level < 1:
        raise CallError(f"level is {level}; a confidence level lies between 0 and 1, such as 0.95")
    return level


def wald(
    name: str, estimate: float, se: float, *, df: float = math.inf, level: float = 0.95, null: float = 0.0
) -> Estimate:
    """Estimate with a t (or, for infinite df, normal) interval and two-sided p value against `null`."""
    check_level(level)
    half = float(stats.t.ppf(0.5 + level / 2, df)) * se
    if se > 0:
        t = (estimate - null) / se
        p = 2.0 * float(stats.t.sf(abs(t), df))
    else:
        t = p = math.nan
    return Estimate(name, float(estimate), float(se), float(df), estimate - half, estimate + half, t, p, level)


def interval_only(name: str, estimate: float, low: float, high: float, *, level: float = 0.95) -> Estimate:
    """Estimate whose interval was found without a standard error (inversion, percentiles)."""
    nan = math.nan
    return Estimate(name, float(estimate), nan, nan, float(low), float(high), nan, nan, check_level(level))


def table_of(rows: Sequence[Estimate], label: str = "name") -> pd.DataFrame:
    """Stack estimates under each other: `label` column first, then the shared columns."""
    frame = pd.DataFrame([[getattr(row, column) for column in COLUMNS] for row in rows], columns=list(COLUMNS))
    frame.insert(0, label, [row.name for row in rows])
    return frame


def say(row: Estimate, digits: int = 3) -> str:
    """The numbers of an estimate as part of a sentence."""
    percent = f"{100 * row.level:g}%"
    parts = [f"{percent} CI {number(row.low, digits)} to {number(row.high, digits)}"]
    if math.isfinite(row.se):
        parts.append(f"SE {number(row.se, digits)}")
    if math.isfinite(row.df):
        parts.append(f"df {row.df:.1f}".removesuffix(".0"))
    if math.isfinite(row.p):
        parts.append(p_text(row.p))
    return f"{number(row.estimate, digits)} ({', '.join(parts)})"


def number(value: float, digits: int = 3) -> str:
    """A number with enough decimals for `digits` significant figures, never in exponent form for usual sizes."""
    if math.isnan(value):
        return "not defined"
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    size = abs(value)
    if size < 1e-300:
        return "0"
    if size >= 10 ** (digits - 1):
        return f"{value:.{1 if size < 1000 else 0}f}"
    if size < 1e-6:
        return f"{value:.{digits - 1}e}"
    return f"{value:.{digits - 1 - math.floor(math.log10(size))}f}"


def p_text(p: float) -> str:
    """A p value as papers print it: two significant figures (more where they would read 0.05), or p < 0.0001."""
    if p < 0.0001:
        return "p < 0.0001"
    for digits in range(2, 7):
        text = f"{p:.{digits}g}"
        if text != "0.05":
            break
    return f"p = {text}"
