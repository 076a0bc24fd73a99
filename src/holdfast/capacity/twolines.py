"""Two straight lines through a cloud of points: where does the slope change?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from holdfast.capacity.breaths import FloatArray


@dataclass(frozen=True, slots=True)
class TwoLines:
    """A left and a right line, `y = intercept + slope * x` each, and the point where they meet.

    `p` is the F test of two lines against one (2 and n-4 degrees of freedom); `index` is the split among the sorted
    points.
    """

    x: float
    y: float
    left_intercept: float
    left_slope: float
    right_intercept: float
    right_slope: float
    p: float
    index: int

    @property
    def slope_change(self) -> float:
        """Right slope minus left slope."""
        return self.right_slope - self.left_slope


@dataclass(frozen=True, slots=True, eq=False)
class _Splits:
    """Every split of n sorted points: arrays of shape (m,) over splits, with sums of squares per side."""

    index: NDArray[np.int64]
    left: tuple[FloatArray, FloatArray]
    right: tuple[FloatArray, FloatArray]
    rss: FloatArray
    rss_one: float
    one: tuple[float, float]


def orr(x: FloatArray, y: FloatArray, *, alpha: float = 0.05) -> TwoLines | None:
    """The two lines with the least pooled sum of squares, over every split (Orr et al. 1982) (eq:vt-orr).

    x, y : shape (n,), sorted by x. None when two lines are no better than one, or meet outside the data.
    """
    splits = _splits(x, y)
    if splits is None:
        return None
    return _first_valid(x, y, splits, np.argsort(splits.rss, kind="stable"), alpha, min_change=0.0)


def v_slope(
    x: FloatArray, y: FloatArray, *, alpha: float = 0.05, min_change: float = 0.1, min_left: float = 0.6
) -> TwoLines | None:
    """Beaver, Wasserman & Whipp 1986: the split whose meeting point lies farthest from the single line, relative to
    the mean square error, with a left slope above 0.6 and a rise in slope of at least 0.1 (eq:vt-vslope)."""
    splits = _splits(x, y)
    if splits is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        at_x = (splits.right[0] - splits.left[0]) / (splits.left[1] - splits.right[1])
        at_y = splits.left[0] + splits.left[1] * at_x
        intercept, slope = splits.one
        distance = np.abs(slope * at_x - at_y + intercept) / np.sqrt(slope**2 + 1)
        ratio = distance / (splits.rss / (x.size - 4))
    ratio = np.where(splits.left[1] > min_left, ratio, -np.inf)
    order = np.argsort(-np.nan_to_num(ratio, nan=-np.inf), kind="stable")
    order = order[np.isfinite(ratio[order])]
    return _first_valid(x, y, splits, order, alpha, min_change=min_change)


def jones_molitoris(x: FloatArray, y: FloatArray, *, alpha: float = 0.05) -> TwoLines | None:
    """Jones & Molitoris 1984: the right line starts on the left one, at a knot that is a measured x; the knot with
    the least sum of squares (eq:vt-jm)."""
    n = x.size
    if n < 10:
        return None
    left_a, left_b, left_rss = _running_lines(x, y)
    best: tuple[float, int, float] | None = None
    for i in range(2, n - 2):
        knot = x[i + 1]
        rise = x[i + 1 :] - knot
        above = y[i + 1 :] - (left_a[i] + left_b[i] * knot)
        square = float(rise @ rise)
        if square <= 0 or not np.isfinite(left_b[i]):
            continue
        slope = float(rise @ above) / square
        rss = float(left_rss[i]) + float(((above - slope * rise) ** 2).sum())
        if best is None or rss < best[0]:
            best = (rss, i, slope)
    if best is None:
        return None
    rss, i, slope = best
    knot_x, knot_y = float(x[i + 1]), float(left_a[i] + left_b[i] * x[i + 1])
    p = _f_test(x, y, rss)
    if not (p < alpha and slope > left_b[i]):
        return None
    return TwoLines(knot_x, knot_y, float(left_a[i]), float(left_b[i]), knot_y - slope * knot_x, slope, p, i + 1)


def _splits(x: FloatArray, y: FloatArray) -> _Splits | None:
    n = x.size
    if n < 10:
        return None
    a1, b1, rss1 = _running_lines(x, y)
    a2, b2, rss2 = (values[::-1] for values in _running_lines(x[::-1], y[::-1]))
    # The split point belongs to both lines; each line needs at least three points.
    index = np.arange(2, n - 2)
    one = stats.linregress(x, y)
    rss_one = float(((y - one.intercept - one.slope * x) ** 2).sum())
    return _Splits(
        index,
        (a1[index], b1[index]),
        (a2[index], b2[index]),
        rss1[index] + rss2[index],
        rss_one,
        (float(one.intercept), float(one.slope)),
    )


def _running_lines(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Intercept, slope and residual sum of squares of the line through the first 1, 2, ..., n points."""
    # Centring first keeps the cumulative sums from losing digits.
    cx, cy = x.mean(), y.mean()
    u, v = x - cx, y - cy
    k = np.arange(1, x.size + 1, dtype=np.float64)
    su, sv = np.cumsum(u), np.cumsum(v)
    suu, suv, svv = np.cumsum(u * u) - su**2 / k, np.cumsum(u * v) - su * sv / k, np.cumsum(v * v) - sv**2 / k
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = suv / suu
        rss = np.maximum(svv - suv * slope, 0.0)
    intercept = cy + sv / k - slope * (cx + su / k)
    return intercept, slope, rss


def _f_test(x: FloatArray, y: FloatArray, rss_two: float) -> float:
    one = stats.linregress(x, y)
    rss_one = float(((y - one.intercept - one.slope * x) ** 2).sum())
    if rss_two <= 0:
        return 0.0
    f = (rss_one - rss_two) / (2 * rss_two / (x.size - 4))
    return float(stats.f.sf(f, 2, x.size - 4))


def _first_valid(
    x: FloatArray, y: FloatArray, splits: _Splits, order: NDArray[np.int64], alpha: float, *, min_change: float
) -> TwoLines | None:
    for k in order:
        (a1, b1), (a2, b2) = (splits.left[0][k], splits.left[1][k]), (splits.right[0][k], splits.right[1][k])
        if not (b2 - b1 >= min_change and b2 > b1 and b2 > 0):
            continue
        at = (a2 - a1) / (b1 - b2)
        if not x[0] <= at <= x[-1]:
            continue
        p = _f_test(x, y, float(splits.rss[k]))
        if p < alpha:
            meet = float(a1 + b1 * at)
            return TwoLines(float(at), meet, float(a1), float(b1), float(a2), float(b2), p, int(splits.index[k]))
    return None
