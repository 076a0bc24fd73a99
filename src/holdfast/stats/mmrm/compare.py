"""Information criteria, likelihood-ratio tests."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from holdfast.errors import CallError
from holdfast.stats.estimates import number, p_text

if TYPE_CHECKING:
    from holdfast.stats.mmrm.fit import MmrmFit


def criteria(fit: MmrmFit) -> pd.DataFrame:
    """AIC, AICC, BIC in two conventions, one row each (eq:mmrm-aic).

    "mmrm": covariance parameters only, people with an outcome. "sas": under ML the coefficients count too, and BIC
    counts everybody in the data.
    """
    deviance, k, p = -2 * fit.loglik, fit.structure.size, len(fit.beta)
    reml = fit.request.method == "reml"
    counts = {"mmrm": (k, fit.n_subjects), "sas": (k if reml else k + p, len(np.unique(fit.design.subject)))}
    rows = []
    for convention, (parameters, people) in counts.items():
        n_star = fit.n_obs if convention == "sas" and not reml else fit.n_obs - p
        aicc = deviance + 2 * parameters * n_star / max(n_star - parameters - 1, 1)
        bic = deviance + math.log(people) * parameters
        rows.append((convention, parameters, people, deviance, deviance + 2 * parameters, aicc, bic))
    return pd.DataFrame(rows, columns=["convention", "parameters", "people", "deviance", "aic", "aicc", "bic"])


@dataclass(frozen=True, slots=True)
class LikelihoodRatio:
    """A likelihood-ratio test of a smaller model in a larger one: statistic, df, p."""

    statistic: float
    df: int
    p: float

    def __str__(self) -> str:
        return f"likelihood ratio {number(self.statistic)} on {self.df} df, {p_text(self.p)}"


def likelihood_ratio(smaller: MmrmFit, larger: MmrmFit) -> LikelihoodRatio:
    """Twice the difference in log-likelihood against chi-square (eq:mmrm-lrt).

    The caller answers for nesting. Raises `CallError` for different data, different methods, different mean models
    under REML, or no difference in parameters. A parameter on its boundary makes the p value conservative.
    """
    if smaller.request.method != larger.request.method:
        raise CallError("one fit is by REML, the other by ML: their likelihoods cannot be compared")
    same = smaller.n_obs == larger.n_obs and np.array_equal(
        np.sort(smaller.outcome[smaller.people.rows]), np.sort(larger.outcome[larger.people.rows])
    )
    if not same:
        raise CallError("the two fits have different data")
    if smaller.request.method == "reml" and smaller.names != larger.names:
        raise CallError("REML likelihoods of different mean models cannot be compared", ways_out=('method="ml"',))
    df = larger.structure.size + len(larger.beta) - smaller.structure.size - len(smaller.beta)
    if df <= 0:
        raise CallError("the second fit must have more parameters than the first")
    statistic = 2 * (larger.loglik - smaller.loglik)
    return LikelihoodRatio(statistic, df, float(special.chdtrc(df, max(statistic, 0.0))))
