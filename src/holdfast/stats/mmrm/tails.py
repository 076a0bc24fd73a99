"""Tails and quantiles of the t and F distributions, their limits at infinite df included."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Array = NDArray[np.float64]


def t_tail(t: Array, df: Array) -> Array:
    """Upper tail of Student's t; the normal where df is infinite."""
    finite = np.isfinite(df)
    return np.asarray(np.where(finite, special.stdtr(np.where(finite, df, 1.0), -t), special.ndtr(-t)))


def t_quantile(q: float, df: Array) -> Array:
    """Quantile of Student's t; the normal where df is infinite."""
    finite = np.isfinite(df)
    return np.asarray(np.where(finite, special.stdtrit(np.where(finite, df, 1.0), q), special.ndtri(q)))


def f_tail(F: float, num: float, den: float) -> float:
    """Upper tail of F; chi-square where the denominator df is infinite."""
    if not np.isfinite(den):
        return float(special.chdtrc(num, num * F))
    return float(special.fdtrc(num, den, F))
