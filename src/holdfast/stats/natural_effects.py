"""Natural effect models: direct and indirect log odds ratios by weighting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from holdfast.errors import DataError
from holdfast.stats.estimates import Estimate, check_level, table_of, wald
from holdfast.stats.frames import design
from holdfast.stats.linear import ols
from holdfast.stats.logistic import logistic
from holdfast.stats.mediation_binary import _choose

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class NaturalEffects:
    """Natural direct and indirect effect and their sum, as log odds ratios with sandwich standard errors."""

    outcome: str
    mediator: str
    contrast: str
    effects: tuple[Estimate, ...]
    largest_weight: float
    n: int
    left_out: int

    @property
    def table(self) -> pd.DataFrame:
        """Log odds ratios in the shared columns."""
        return table_of(self.effects, "effect")

    def __str__(self) -> str:
        head = f"{self.contrast} on the odds of {self.outcome} through {self.mediator} (n = {self.n}):"
        return "\n".join([head, *(f"  {row}" for row in self.effects)])


def natural_effects(
    formula: str,
    data: Any,
    *,
    mediator: str,
    arm: str,
    contrast: str | None = None,
    level: float = 0.95,
) -> NaturalEffects:
    """Natural effect model logit P{Y(t, M(s)) = 1 | X} = b0 + b1 t + b2 s + X'c, for "outcome ~ covariates".

    Everyone appears twice: as observed (s = t) and with the mediator of the other arm (s = 1 - t), weighted by the
    ratio of the mediator's normal densities (eq:nem-weights). b1 is the natural direct, b2 the natural indirect effect.
    The sandwich accounts for the estimated mediator model (eq:nem-sandwich).
    Source: Lange, Vansteelandt & Bekaert 2012; Steen et al. 2017.
    """
    check_level(level)
    outcome, _, covariates = (part.strip() for part in formula.partition("~"))
    made = design(f"{outcome} ~ {mediator} + {covariates or '1'}", data, factors=[arm])
    first, second, inside = _choose(made.frame[arm], contrast)
    T = (made.frame[arm][inside] == first).to_numpy(float)
    M, Y = made.frame[mediator][inside].to_numpy(float), made.y[inside]
    X = made.X[inside][:, [i for i, name in enumerate(made.names) if name not in ("Intercept", mediator)]]
    if not set(np.unique(Y)) <= {0.0, 1.0}:
        raise DataError(f"outcome {outcome!r} must be 0 or 1")
    beta, covariance, largest = _fit(T, M, Y, X)
    rows = [
        _combine("natural direct effect", [0, 1, 0], beta, covariance, level),
        _combine("natural indirect effect", [0, 0, 1], beta, covariance, level),
        _combine("total effect", [0, 1, 1], beta, covariance, level),
    ]
    return NaturalEffects(outcome, mediator, f"{first} - {second}", tuple(rows), largest, len(Y), made.left_out)


def _combine(name: str, row: Sequence[float], beta: Array, covariance: Array, level: float) -> Estimate:
    c = np.r_[row, np.zeros(len(beta) - 3)]
    return wald(name, float(c @ beta), float(np.sqrt(c @ covariance @ c)), level=level)


def _fit(T: Array, M: Array, Y: Array, X: Array) -> tuple[Array, Array, float]:
    one = np.ones(len(T))
    D, D_other = np.column_stack([one, T, X]), np.column_stack([one, 1 - T, X])
    model = ols(D, M)
    sigma2 = model.sigma2
    own, other = M - D @ model.beta, M - D_other @ model.beta
    weight = np.exp((own**2 - other**2) / (2 * sigma2))  # eq:nem-weights
    E = np.vstack([np.column_stack([one, T, T, X]), np.column_stack([one, T, 1 - T, X])])
    w = np.r_[one, weight]
    fit = logistic(E, np.r_[Y, Y], weights=w)
    residual = np.r_[Y, Y] - fit.fitted
    n = len(T)
    scores = (E * (w * residual)[:, None]).reshape(2, n, -1).sum(axis=0)
    hessian = (E * (w * special.expit(E @ fit.beta) * special.expit(-(E @ fit.beta)))[:, None]).T @ E
    # derivative of the outcome scores in the mediator coefficients, through the weights
    slope = (other[:, None] * D_other - own[:, None] * D) / sigma2
    slope_sigma2 = (other**2 - own**2) / (2 * sigma2**2)
    cross = (E[n:] * (weight * residual[n:])[:, None]).T @ np.column_stack([slope, slope_sigma2])
    influence_m = np.column_stack([(D * own[:, None]) @ model.bread, (own**2 - sigma2) / n])
    influence = (scores + influence_m @ cross.T) @ np.linalg.inv(hessian)  # eq:nem-sandwich
    return fit.beta, influence.T @ influence, float(weight.max())
