"""The fitted covariance of a person's visits with standard errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import CallError
from holdfast.stats.mmrm.rows import without_clusters
from holdfast.stats.mmrm.spatial import Spatial

if TYPE_CHECKING:
    from holdfast.stats.mmrm.fit import MmrmFit

Array = NDArray[np.float64]


def visit_covariance(fit: MmrmFit) -> pd.DataFrame:
    """Visits by visits, without any random intercept; with covariance groups one block under the other."""
    sigma = _sigma(fit)
    design = fit.design
    m = len(design.visits)
    blocks = {
        group: pd.DataFrame(sigma[g * m : (g + 1) * m, g * m : (g + 1) * m], list(design.visits), list(design.visits))
        for g, group in enumerate(design.groups)
    }
    return next(iter(blocks.values())) if len(blocks) == 1 else pd.concat(blocks)


def covariance_table(fit: MmrmFit) -> pd.DataFrame:
    """Each pair of visits: group, first, second, covariance, se, correlation, correlation_se (eq:mmrm-delta)."""
    structure, theta, _ = without_clusters(fit.structure, fit.optimum.point.theta)
    sigma, first = _sigma(fit), structure.first(theta)[:, 0]
    w, design = fit.theta_vcov[: len(theta), : len(theta)], fit.design
    m = len(design.visits)
    rows = []
    for g, group in enumerate(design.groups):
        for a in range(m):
            for b in range(a + 1):
                i, j = g * m + a, g * m + b
                sd = np.sqrt(sigma[i, i] * sigma[j, j])
                rho = sigma[i, j] / sd
                by_cov = first[:, i, j]
                by_rho = by_cov / sd - rho / 2 * (first[:, i, i] / sigma[i, i] + first[:, j, j] / sigma[j, j])
                rows.append(
                    (
                        group,
                        design.visits[a],
                        design.visits[b],
                        sigma[i, j],
                        float(np.sqrt(by_cov @ w @ by_cov)),
                        rho,
                        float(np.sqrt(max(by_rho @ w @ by_rho, 0.0))) if a != b else 0.0,
                    )
                )
    columns = ["group", "first", "second", "covariance", "se", "correlation", "correlation_se"]
    return pd.DataFrame(rows, columns=columns)


def _sigma(fit: MmrmFit) -> Array:
    if isinstance(fit.structure, Spatial):
        raise CallError("a spatial structure has no covariance of visits, only of times; see fit.theta")
    structure, theta, _ = without_clusters(fit.structure, fit.optimum.point.theta)
    return np.asarray(structure.sigma(theta)[0])
