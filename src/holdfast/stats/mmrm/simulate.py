"""Outcomes drawn from a fitted model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.mmrm.rows import people, person_covariance, without_clusters

if TYPE_CHECKING:
    from holdfast.stats.mmrm.fit import MmrmFit

Array = NDArray[np.float64]


def simulate(fit: MmrmFit, n: int, rng: np.random.Generator, *, coefficients: str) -> Array:
    """Simulated outcomes (n, rows of the design), also where the outcome was missing.

    coefficients="fixed" uses the estimates; "drawn" draws the coefficients anew for each data set from the normal
    distribution with their covariance. The covariance parameters stay at their estimates.
    """
    design = fit.design
    p = len(fit.beta)
    beta = np.broadcast_to(fit.beta, (n, p))
    if coefficients == "drawn":
        beta = fit.beta + rng.standard_normal((n, p)) @ np.linalg.cholesky(fit.vcov).T
    out = np.asarray(beta @ design.X.T)
    noise = rng.standard_normal(out.shape)
    base, theta, shared = without_clusters(fit.structure, fit.optimum.point.theta)
    if shared < 0:
        raise CallError("the intercept's variance is below zero; there is no intercept to draw")
    if shared:
        out += np.sqrt(shared) * rng.standard_normal((n, len(design.clusters)))[:, design.cluster]
    for rows in people(design, np.arange(len(design.y))):
        sigma = person_covariance(base, theta, design, rows)
        out[:, rows] += noise[:, rows] @ np.linalg.cholesky(sigma).T
    return out
