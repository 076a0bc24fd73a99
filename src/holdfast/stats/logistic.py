"""Logistic regression by Newton's method, with separation found before it can mislead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from holdfast.errors import DataError, FitError, NotConverged
from holdfast.stats.linear import check_rank

Array = NDArray[np.float64]
GRADIENT = 1e-9  # of the log-likelihood per unit of weight: far below any standard error
WAYS_OUT = (
    "report the unadjusted difference (Newcombe's interval needs no model)",
    "leave out the covariate that separates, or merge its small levels",
)


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """beta (p,), fitted probabilities (n,), inverse information (p, p) and sandwich HC0 covariance (p, p)."""

    beta: Array
    fitted: Array
    covariance: Array
    robust: Array
    loglik: float


def logistic(
    X: Array, y: Array, *, names: Sequence[str] = (), weights: Array | None = None, check: bool = True
) -> LogisticFit:
    """Fit P(y = 1) = expit(X beta) by maximum likelihood (eq:logistic); y holds 0 and 1, or means in between.

    Raises `FitError` if a combination of columns separates responders from the others (no estimate exists; Albert &
    Anderson 1984), `DataError` if all y are equal.
    """
    if y.min() == y.max():
        who = "everyone" if y.max() == 1 else "nobody"
        raise DataError(f"{who} has the event, so a logistic model has nothing to explain", ways_out=WAYS_OUT[:1])
    check_rank(X, names)
    w = np.ones(len(y)) if weights is None else weights
    if check:
        _refuse_separation(X, y, names)
    beta = _newton(X, y, w)
    mu = special.expit(X @ beta)
    bread = np.linalg.inv((X * (w * mu * (1 - mu))[:, None]).T @ X)
    scores = X * (w * (y - mu))[:, None]
    loglik = float(np.sum(w * (special.xlogy(y, mu) + special.xlogy(1 - y, 1 - mu))))
    return LogisticFit(beta, mu, bread, bread @ (scores.T @ scores) @ bread, loglik)


def _newton(X: Array, y: Array, w: Array) -> Array:
    beta = np.zeros(X.shape[1])
    for _ in range(50):
        mu = special.expit(X @ beta)
        gradient = X.T @ (w * (y - mu))
        if np.abs(gradient).max() < GRADIENT * max(1.0, float(w.sum())):
            return beta
        beta = beta + np.linalg.solve((X * (w * mu * (1 - mu))[:, None]).T @ X, gradient)
    raise NotConverged("the logistic model did not converge in 50 Newton steps", ways_out=WAYS_OUT)


def _refuse_separation(X: Array, y: Array, names: Sequence[str]) -> None:
    """Raise `FitError` if some direction b has (2y - 1) x'b >= 0 for all and > 0 for one (eq:separation)."""
    scale = np.abs(X).max(axis=0)
    signed = (X / np.where(scale > 0, scale, 1.0)) * (2 * y - 1)[:, None]
    signed = signed[(y == 0) | (y == 1)]
    answer = optimize.linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(signed)), bounds=(-1, 1))
    if answer.status == 0 and -answer.fun > 1e-7:
        moving = np.flatnonzero(np.abs(answer.x) > 1e-7).tolist()
        which = ", ".join(str(names[i]) if len(names) > i else f"column {i}" for i in moving)
        raise FitError(
            f"the model separates those with the event from those without ({which}): no finite estimate exists",
            ways_out=WAYS_OUT,
        )
