"""Residuals of the outcomes seen: raw, Pearson, normalised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.stats.mmrm.rows import people, person_covariance

if TYPE_CHECKING:
    from holdfast.stats.mmrm.fit import MmrmFit

Array = NDArray[np.float64]


def residuals(fit: MmrmFit) -> pd.DataFrame:
    """One row for each outcome: subject, visit, fitted, raw, pearson, normalised.

    Pearson: raw over the standard deviation at the visit. Normalised: L^-1 raw with the person's covariance L L', so
    that they are independent with variance one where the model holds (eq:mmrm-normalised).
    """
    design = fit.design
    rows = fit.people.rows
    raw = fit.outcome[rows] - design.X[rows] @ fit.beta
    place = np.full(len(design.y), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    pearson, normalised = np.empty_like(raw), np.empty_like(raw)
    for one in people(design, rows):
        sigma = person_covariance(fit.structure, fit.optimum.point.theta, design, one)
        k = place[one]
        pearson[k] = raw[k] / np.sqrt(np.diagonal(sigma))
        normalised[k] = np.linalg.solve(np.linalg.cholesky(sigma), raw[k])
    return pd.DataFrame(
        {
            design.names["subject"]: [design.subjects[k] for k in design.subject[rows]],
            design.names["visit"]: pd.Categorical.from_codes(design.visit[rows], categories=list(design.visits)),
            "fitted": design.X[rows] @ fit.beta,
            "raw": raw,
            "pearson": pearson,
            "normalised": normalised,
        }
    )
