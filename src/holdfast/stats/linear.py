"""Ordinary least squares on arrays with classical or heteroscedasticity-consistent covariance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from holdfast.errors import CallError, FitError, RankDeficient

Array = NDArray[np.float64]
Robust = Literal["HC0", "HC1", "HC2", "HC3"]
RANK_TOLERANCE = 1e-10  # of a column's length that must remain after projecting on the columns before it


@dataclass(frozen=True, slots=True)
class OlsFit:
    """Least-squares fit: beta (p,), covariance (p, p), residuals (n,), leverage (n,), sigma2, df = n - p."""

    beta: Array
    covariance: Array
    residuals: Array
    leverage: Array
    bread: Array
    sigma2: float
    df: int
    n: int


def ols(X: Array, y: Array, *, robust: Robust | None = None, names: Sequence[str] = ()) -> OlsFit:
    """Fit y (n,) on X (n, p) by least squares (eq:ols).

    `robust` is None for the classical covariance or HC0..HC3 (eq:hc). Raises `RankDeficient` if columns are
    linearly dependent, `FitError` if no residual degree of freedom is left or the robust covariance is not defined.
    """
    n, p = X.shape
    check_rank(X, names)
    if n <= p:
        raise FitError(
            f"{n} observations and {p} coefficients leave no degrees of freedom for an error",
            ways_out=["use fewer covariates", "merge small factor levels"],
        )
    Q, R = np.linalg.qr(X)
    beta = linalg.solve_triangular(R, Q.T @ y)
    inverse_r = linalg.solve_triangular(R, np.eye(p))
    bread = inverse_r @ inverse_r.T
    residuals = y - X @ beta
    leverage = np.einsum("ij,ij->i", Q, Q)
    sigma2 = float(residuals @ residuals) / (n - p)
    covariance = sigma2 * bread if robust is None else sandwich(X, bread, residuals, leverage, robust)
    return OlsFit(beta, covariance, residuals, leverage, bread, sigma2, n - p, n)


def sandwich(X: Array, bread: Array, residuals: Array, leverage: Array, kind: Robust) -> Array:
    """Heteroscedasticity-consistent covariance (p, p) of least-squares coefficients (MacKinnon & White 1985)."""
    n, p = X.shape
    room = 1.0 - leverage
    if kind in ("HC2", "HC3") and room.min() < 1e-10:
        where = ", ".join(map(str, np.flatnonzero(room < 1e-10)[:5]))
        raise FitError(
            f"{kind} is not defined: observation(s) at position {where} have leverage 1 "
            "(alone in a factor level, so they are fitted exactly)",
            ways_out=['ask for robust="HC1"', "merge the factor level with another", "leave out robust"],
        )
    powers = {"HC0": 0.0, "HC1": 0.0, "HC2": 1.0, "HC3": 2.0}
    if kind not in powers:
        raise CallError(f"robust is {kind!r}; it can be None, 'HC0', 'HC1', 'HC2' or 'HC3'")
    weight = residuals**2 / room ** powers[kind] if powers[kind] else residuals**2
    scores = X @ bread
    covariance: Array = (scores * weight[:, None]).T @ scores  # eq:hc
    return covariance * (n / (n - p)) if kind == "HC1" else covariance


def check_rank(X: Array, names: Sequence[str] = ()) -> None:
    """Raise `RankDeficient`, naming the columns that the others already determine."""
    length = np.linalg.norm(X, axis=0)
    unit = X / np.where(length > 0, length, 1.0)
    R = np.linalg.qr(unit, mode="r") if X.shape[0] >= X.shape[1] else np.zeros((X.shape[1], X.shape[1]))
    diagonal = np.abs(np.diag(R))
    if X.shape[0] < X.shape[1]:
        raise RankDeficient(
            f"{X.shape[0]} observations cannot identify {X.shape[1]} coefficients",
            ways_out=["use fewer covariates", "merge small factor levels"],
        )
    bad = np.flatnonzero(diagonal < RANK_TOLERANCE)
    if bad.size:
        label = ", ".join(str(names[i]) if len(names) > i else f"column {i}" for i in bad.tolist())
        raise RankDeficient(
            f"the design cannot identify: {label} (constant, or a combination of the other columns)",
            ways_out=["leave the term out", "merge factor levels that hold nobody in one arm"],
        )
