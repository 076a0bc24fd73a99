"""Constrained longitudinal data analysis: the arms share one mean at baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from holdfast.errors import CallError
from holdfast.stats.mmrm.design import mmrm_design
from holdfast.stats.mmrm.fit import MmrmFit, fit_design
from holdfast.stats.mmrm.request import request_of


def clda(
    outcome: str,
    data: Any,
    *,
    arm: str,
    subject: str,
    visit: str,
    baseline: str,
    covariance: str,
    df: str,
    covariates: Sequence[str] = (),
    method: str = "reml",
    group: str | None = None,
    weights: str | None = None,
    random: str | None = None,
    robust: str | None = None,
    visit_order: Sequence[str] | None = None,
    level: float = 0.95,
) -> MmrmFit:
    """Fit the cLDA model: baseline is an outcome whose mean randomisation makes the same in every arm (eq:mmrm-clda).

    `baseline` names the first visit; `covariates` are columns or terms added to the mean. Everything else as in `mmrm`;
    contrasts between arms "at" the baseline are zero by construction. Source: Liang & Zeger 2000; Liu et al. 2009.

    Raises `CallError` where `baseline` is not the first visit.
    """
    formula = " + ".join([f"{outcome} ~ {arm} * {visit}", *covariates])
    design = mmrm_design(
        formula,
        data,
        subject=subject,
        visit=visit,
        group=group,
        weights=weights,
        random=random,
        visit_order=visit_order,
    )
    if design.visits[0] != baseline:
        raise CallError(
            f"baseline {baseline!r} is not the first visit ({', '.join(design.visits)})",
            ways_out=("give visit_order with the baseline first",),
        )
    if visit not in design.terms.factors or arm not in design.terms.factors:
        raise CallError(
            f"cLDA needs {arm!r} and {visit!r} as factors, not numbers", ways_out=("make them categorical",)
        )
    term = design.terms.parsed.terms.index((arm,))
    drop = np.flatnonzero(design.terms.assign == term)
    stay = np.setdiff1d(np.arange(design.X.shape[1]), drop)
    constrained = replace(design, terms=design.terms.without_columns(drop), X=np.ascontiguousarray(design.X[:, stay]))
    return fit_design(constrained, request_of(covariance, df, method, robust, level))
