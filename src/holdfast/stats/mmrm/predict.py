"""Predictions with and without a person's own outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.mmrm.rows import people, person_covariance
from holdfast.stats.mmrm.tails import t_quantile

if TYPE_CHECKING:
    from holdfast.stats.mmrm.design import MmrmDesign
    from holdfast.stats.mmrm.fit import MmrmFit

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

GIVEN = ("covariates", "outcomes")
INTERVALS = ("confidence", "prediction")


def predict(fit: MmrmFit, design: MmrmDesign, *, given: str, interval: str, level: float) -> pd.DataFrame:
    """One row for each row of `design`: subject, visit, estimate, se, df, low, high.

    given="covariates": the mean (eq:mmrm-marginal-prediction). given="outcomes": the mean given the outcomes that the
    person has at other visits; an outcome that was seen is returned as it is, with se 0 (eq:mmrm-conditional).
    interval="confidence" is for the mean, "prediction" for one new outcome. The df are those of the mean, as in SAS.
    """
    if given not in GIVEN:
        raise CallError(f"given is {given!r}; it can be: {', '.join(GIVEN)}")
    if interval not in INTERVALS:
        raise CallError(f"interval is {interval!r}; it can be: {', '.join(INTERVALS)}")
    n = len(design.y)
    estimate, L, spread = design.X @ fit.beta, design.X.copy(), np.zeros(n)
    for rows in people(design, np.arange(n)):
        sigma = person_covariance(fit.structure, fit.optimum.point.theta, design, rows)
        if given == "outcomes":
            _condition(fit, design, rows, sigma, (estimate, L, spread))
        else:
            spread[rows] = np.diagonal(sigma)
    variance = np.einsum("ni,ij,nj->n", L, fit.vcov, L) + (spread if interval == "prediction" else 0.0)
    df = fit.inference.dfs(design.X)
    se = np.sqrt(np.maximum(variance, 0.0))
    half = t_quantile(0.5 + level / 2, df) * se
    return pd.DataFrame(
        {
            design.names["subject"]: [design.subjects[k] for k in design.subject],
            design.names["visit"]: [design.visits[k] for k in design.visit],
            "estimate": estimate,
            "se": se,
            "df": df,
            "low": estimate - half,
            "high": estimate + half,
        }
    )


def _condition(fit: MmrmFit, design: MmrmDesign, rows: Ints, sigma: Array, out: tuple[Array, Array, Array]) -> None:
    """Fill estimate, rows of weights and residual variance of one person given the outcomes seen."""
    estimate, L, spread = out
    seen = ~np.isnan(design.y[rows])
    known, asked = rows[seen], rows[~seen]
    estimate[known], L[known] = design.y[known], 0.0
    if not len(asked):
        return
    gain = np.linalg.solve(sigma[np.ix_(seen, seen)], sigma[np.ix_(seen, ~seen)]).T
    estimate[asked] = design.X[asked] @ fit.beta + gain @ (design.y[known] - design.X[known] @ fit.beta)
    L[asked] = design.X[asked] - gain @ design.X[known]
    left = sigma[np.ix_(~seen, ~seen)] - gain @ sigma[np.ix_(seen, ~seen)]
    spread[asked] = np.diagonal(left)
