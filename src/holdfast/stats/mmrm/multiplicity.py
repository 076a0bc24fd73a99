"""p values and intervals for several estimates at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from holdfast.errors import CallError
from holdfast.stats.mmrm.mvt import equicoordinate
from holdfast.stats.mmrm.tails import t_quantile

Array = NDArray[np.float64]


SINGLE_STEP = ("dunnett", "tukey")


def stepwise(p: Array, method: str) -> Array:
    """p values (k,) adjusted by "bonferroni", "holm" or "hochberg"; raises `CallError` for another method."""
    if method not in _STEPS:
        raise CallError(f"method is {method!r}; it can be: {', '.join([*_STEPS, *SINGLE_STEP])}")
    return _STEPS[method](p)


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


def single_step(t: Array, corr: Array, df: float, level: float) -> tuple[Array, float]:
    """Adjusted p values (k,) and the critical value of t by one multivariate t (eq:mmrm-mvt).

    Dunnett for comparisons with one control, Tukey for all pairs: the correlation `corr` (k, k) of the estimates
    decides which it is. `df` is the smallest of theirs, as the distribution has only one.
    """
    p = np.array([1 - equicoordinate(abs(float(value)), corr, df) for value in t])
    # The critical value lies between that of one estimate and Bonferroni's.
    low, high = (float(t_quantile(1 - (1 - level) / (2 * k), np.array([df]))[0]) for k in (1, len(t)))
    root = optimize.brentq(lambda c: equicoordinate(c, corr, df) - level, low * 0.999, high * 1.001, xtol=1e-7)
    return p, float(root)
