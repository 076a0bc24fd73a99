"""Degrees of freedom of linear functions of the coefficients, and F tests of several at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class FTest(NamedTuple):
    """An F statistic with its degrees of freedom, already scaled where the method scales it."""

    F: float
    num_df: float
    den_df: float


def satterthwaite(U: Array, B: Array, w: Array) -> Array:
    """Degrees of freedom of rows U = L C (k, p): 2 v^2 / var(v) (eq:mmrm-satterthwaite).

    B (r, p, p) is minus the derivative of Phi in the basis of C, `w` (r, r) the covariance of theta.
    """
    slope = np.einsum("ki,hij,kj->kh", U, B, U, optimize=len(U) > 4)
    variance = (U * U).sum(1)
    spread = np.einsum("kh,hj,kj->k", slope, w, slope)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, 2 * variance**2 / spread, np.inf)


def fai_cornelius(t_squared: Array, nu: Array) -> FTest:
    """F test from q independent t statistics with df nu (q,) (eq:mmrm-fai-cornelius; Fai & Cornelius 1996)."""
    q = len(nu)
    F = float(t_squared.mean())
    if np.ptp(nu) <= 1e-8 * max(1.0, float(nu.max())):
        return FTest(F, q, float(nu.mean()))
    if (nu <= 2).any():
        return FTest(F, q, 2.0)
    E = float((nu / (nu - 2)).sum())
    return FTest(F, q, 2 * E / (E - q))


def kenward_roger_f(L: Array, beta: Array, adjusted: Array, U: Array, B: Array, w: Array) -> FTest:
    """Scaled F test of L beta = 0 (eq:mmrm-kr-f; Kenward & Roger 1997, section 3).

    L (q, p) of full row rank, U = L C; `adjusted` (p, p) the adjusted covariance of beta.
    """
    q = len(L)
    F = float(L @ beta @ np.linalg.solve(L @ adjusted @ L.T, L @ beta)) / q
    # Theta in the basis of C is a projection Q Q' with orthonormal Q.
    Q, _ = np.linalg.qr(U.T)
    inner = np.einsum("ia,hij,jb->hab", Q, B, Q, optimize=True)
    trace = np.trace(inner, axis1=1, axis2=2)
    A1 = float(trace @ w @ trace)
    A2 = float(np.einsum("hj,hab,jba->", w, inner, inner, optimize=True))
    scale, m = kr_scale(q, A1, A2)
    return FTest(scale * F, q, m)


def kr_scale(q: int, A1: float, A2: float) -> tuple[float, float]:
    """Scale lambda and denominator df m of the Kenward-Roger F (eq:mmrm-kr-df)."""
    if A2 <= 0:
        return 1.0, np.inf
    b = (A1 + 6 * A2) / (2 * q)
    g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
    d = 3 * q + 2 * (1 - g)
    c1, c2, c3 = g / d, (q - g) / d, (q + 2 - g) / d
    e_star = 1 / (1 - A2 / q)
    v_star = 2 / q * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
    rho = v_star / (2 * e_star**2)
    m = 4 + (q + 2) / (q * rho - 1)
    return m / (e_star * (m - 2)), m


def between_within(X: Array, subject: NDArray[np.int64]) -> Array:
    """Degrees of freedom of each column of X (p,), by whether it varies within people (eq:mmrm-bw).

    An intercept is counted between people but, as in SAS and R mmrm, tested within.
    """
    first = np.full(int(subject.max()) + 1, -1, dtype=np.int64)
    first[subject[::-1]] = np.arange(len(subject))[::-1]
    within = (X[first[subject]] != X).any(0)
    people = len(np.unique(subject))
    between_df = people - float((~within).sum())
    within_df = len(X) - people - float(within.sum())
    intercept = (X == 1).all(0)
    return np.where(within | intercept, within_df, between_df)
