"""p values and intervals for several estimates at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from holdfast.errors import CallError
from holdfast.stats.mmrm.mvt import equicoordinate
from holdfast.stats.mmrm.results import Adjusted, Estimates, t_quantile

Array = NDArray[np.float64]


def adjusted(found: Estimates, method: str) -> Adjusted:
    """Adjust the p values of `found`; "dunnett" and "tukey" also widen the intervals (eq:mmrm-mvt)."""
    if method in ("dunnett", "tukey"):
        return _single_step(found, method)
    if method not in _STEPS:
        raise CallError(f"method is {method!r}; it can be: {', '.join([*_STEPS, 'dunnett', 'tukey'])}")
    return Adjusted(method, found.table.assign(p_adjusted=_STEPS[method](found.p)))


def bonferroni(p: Array) -> Array:
    """Every p value times their number."""
    return np.minimum(p * len(p), 1.0)


def holm(p: Array) -> Array:
    """Step down from the smallest (eq:mmrm-holm; Holm 1979)."""
    order = np.argsort(p)
    stepped = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    return _back(np.minimum(stepped, 1.0), order)


def hochberg(p: Array) -> Array:
    """Step up from the largest; needs independence or positive dependence (eq:mmrm-hochberg; Hochberg 1988)."""
    order = np.argsort(p)[::-1]
    stepped = np.minimum.accumulate(np.arange(1, len(p) + 1) * p[order])
    return _back(np.minimum(stepped, 1.0), order)


def _back(values: Array, order: NDArray[np.int64]) -> Array:
    out = np.empty_like(values)
    out[order] = values
    return out


_STEPS: dict[str, Callable[[Array], Array]] = {"bonferroni": bonferroni, "holm": holm, "hochberg": hochberg}


def _single_step(found: Estimates, method: str) -> Adjusted:
    """Dunnett for comparisons with one control, Tukey for all pairs: one multivariate t with the rows' correlation.

    The rows decide which it is; the smallest df of the rows is used for all, as the distribution has only one.
    """
    corr = found.vcov / np.outer(found.se, found.se)
    df = float(found.df.min())
    p = np.array([1 - equicoordinate(abs(float(t)), corr, df) for t in found.t])
    alone, bonferroni_bound = (
        float(t_quantile(1 - (1 - found.level) / (2 * k), np.array([df]))[0]) for k in (1, len(found))
    )
    low, high = alone * 0.999, bonferroni_bound * 1.001  # the critical value lies between one estimate and Bonferroni
    critical = optimize.brentq(lambda c: equicoordinate(c, corr, df) - found.level, low, high, xtol=1e-7)
    table = found.table.assign(
        low=found.estimate - critical * found.se,
        high=found.estimate + critical * found.se,
        p_adjusted=np.clip(p, found.p, 1.0),
    )
    return Adjusted(method, table)
