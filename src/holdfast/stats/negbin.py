"""Negative binomial regression of event counts with unequal follow-up."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, special

from holdfast.errors import DataError, NotConverged
from holdfast.stats.estimates import Estimate, check_level, number, table_of, wald
from holdfast.stats.frames import design
from holdfast.stats.linear import check_rank

Array = NDArray[np.float64]
FAR = 15.0  # a log rate ratio of 15 over a covariate's range is a coefficient on its way to infinity


@dataclass(frozen=True, slots=True)
class NegativeBinomialFit:
    """Log rate ratios beta (p,), covariance (p, p), `dispersion` alpha (variance mu + alpha mu^2), log-likelihood.

    `dispersion` 0 means that the counts vary no more than Poisson counts; the fit is then the Poisson one.
    """

    names: tuple[str, ...]
    beta: Array
    covariance: Array
    dispersion: float
    loglik: float
    n: int
    left_out: int
    level: float

    def estimate(self, name: str) -> Estimate:
        """The log rate ratio of one coefficient."""
        i = self.names.index(name)
        return wald(name, float(self.beta[i]), math.sqrt(float(self.covariance[i, i])), level=self.level)

    @property
    def table(self) -> pd.DataFrame:
        """Log rate ratios in the shared columns; `ratio`, `ratio_low`, `ratio_high` on the natural scale."""
        frame = table_of([self.estimate(name) for name in self.names], "coefficient")
        return frame.assign(
            ratio=np.exp(frame["estimate"]), ratio_low=np.exp(frame["low"]), ratio_high=np.exp(frame["high"])
        )

    def __str__(self) -> str:
        head = f"counts of {self.n} people, negative binomial with dispersion {number(self.dispersion)}"
        return "\n".join([head, *(f"  log rate ratio {self.estimate(name)}" for name in self.names[1:])])


def negative_binomial(formula: str, data: Any, *, exposure: str, level: float = 0.95) -> NegativeBinomialFit:
    """Fit counts ~ "arm + covariates" with log link and offset log(exposure) by maximum likelihood (eq:negbin).

    `exposure` is the time each person was observed. Raises `DataError` for counts that are not counts, no events, or
    exposure that is not positive; `NotConverged` when a rate runs to zero (an arm without events).
    """
    check_level(level)
    made = design(formula, data, keep=[exposure])
    y, X = made.y, made.X
    time = made.frame[exposure].to_numpy(float)
    if (y < 0).any() or (y != np.round(y)).any():
        raise DataError("counts of events must be whole numbers, zero or more")
    if y.sum() == 0:
        raise DataError("no event was recorded, so no rate can be compared")
    if not (time > 0).all():
        raise DataError(f"everyone needs some observed time in {exposure!r}")
    check_rank(X, made.names)
    offset = np.log(time)
    alpha = _dispersion(y, X, offset)
    beta = _regress(y, X, offset, alpha)
    mu = np.exp(X @ beta + offset)
    covariance = np.linalg.inv((X * (mu / (1 + alpha * mu))[:, None]).T @ X)
    loglik = _loglik(y, mu, alpha)
    return NegativeBinomialFit(made.names, beta, covariance, alpha, loglik, len(y), made.left_out, level)


def _loglik(y: Array, mu: Array, alpha: float) -> float:
    if alpha == 0:
        return float(np.sum(special.xlogy(y, mu) - mu - special.gammaln(y + 1)))
    r = 1 / alpha
    parts = special.gammaln(y + r) - special.gammaln(r) - special.gammaln(y + 1)
    parts += r * np.log(r / (r + mu)) + special.xlogy(y, mu / (r + mu))
    return float(parts.sum())  # eq:negbin


def _regress(y: Array, X: Array, offset: Array, alpha: float) -> Array:
    beta = np.linalg.lstsq(X, np.log(np.maximum(y, 0.5)) - offset, rcond=None)[0]
    spread = np.ptp(X, axis=0)
    for _ in range(100):
        if (np.abs(beta) * spread).max() > FAR:
            break
        mu = np.exp(np.clip(X @ beta + offset, -500, 500))
        score = X.T @ ((y - mu) / (1 + alpha * mu))
        if np.abs(score).max() < 1e-9 * max(1.0, float(y.sum())):
            return np.asarray(beta)
        beta = beta + np.linalg.solve((X * (mu / (1 + alpha * mu))[:, None]).T @ X + 1e-12 * np.eye(len(beta)), score)
    raise NotConverged(
        "the count model has no finite optimum (is there an arm or level without events?)",
        ways_out=["report events and person-time by arm", "leave out the covariate"],
    )


def _dispersion(y: Array, X: Array, offset: Array) -> float:
    """Maximum-likelihood alpha by profiling; 0 when the likelihood falls from the Poisson boundary."""

    def lost(log_alpha: float) -> float:
        alpha = math.exp(log_alpha)
        return -_loglik(y, np.exp(X @ _regress(y, X, offset, alpha) + offset), alpha)

    found = optimize.minimize_scalar(lost, bounds=(-12.0, 6.0), method="bounded", options={"xatol": 1e-10})
    poisson = -_loglik(y, np.exp(X @ _regress(y, X, offset, 0.0) + offset), 0.0)
    return math.exp(float(found.x)) if found.fun < poisson - 1e-8 else 0.0
