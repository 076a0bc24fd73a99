"""Mediation with everybody: people whose mediator or outcome is missing stay in, by maximum likelihood."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from holdfast.analysis.context import Context
from holdfast.analysis.results import Row, row_of
from holdfast.errors import FitError
from holdfast.stats.frames import design
from holdfast.stats.mediation_likelihood import LikelihoodMediation, mediate_likelihood
from holdfast.study.analyses import Mediation
from holdfast.study.contrasts import Contrast

MOST_DRAWS = 2000
"""Resamples of people; each refits the joint model of mediators and outcome."""


def with_everybody(
    declared: Mediation,
    context: Context,
    table: pd.DataFrame,
    covariates: Sequence[str],
    contrast: Contrast,
    labels: Sequence[str],
) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """The same effects with people who lack a mediator or the outcome, and a sentence on how they are used (eq:fiml).

    Nothing when nobody lacks any, or when the model has an arm-by-mediator interaction, which this estimator has not.
    """
    columns = [f"mediator_{k}" for k in range(1, len(labels) + 1)]
    if declared.interaction or not table[["value", *columns]].isna().any(axis=None):
        return (), ()
    try:
        found = _fit(declared, context, table, covariates, contrast, columns)
    except FitError as error:
        return (), (f"With everybody, people with missing values included, it could not be fitted: {error.message}",)
    rows = []
    for number, effect in enumerate(found.effects):
        name = f"through {labels[number]}" if number < len(labels) else effect.name
        rows.append(row_of(effect, contrast.words, declared.at, what=f"{name}, with everybody", role="detail"))
    note = (
        f"The rows 'with everybody' use {found.n} people, {found.complete} of them complete: maximum likelihood of "
        "mediators and outcome together, missing at random given arm, baselines and what was seen."
    )
    return tuple(rows), (note,)


def _fit(
    declared: Mediation,
    context: Context,
    table: pd.DataFrame,
    covariates: Sequence[str],
    contrast: Contrast,
    columns: Sequence[str],
) -> LikelihoodMediation:
    two = table[table["arm"].isin([contrast.left, contrast.right])].reset_index(drop=True)
    formula = "always ~ " + " + ".join(covariates)
    made = design(formula, two.assign(always=0.0), keep=["value", "arm", *columns])
    frame = made.frame
    return mediate_likelihood(
        (frame["arm"] == contrast.left).to_numpy(float),
        frame[list(columns)].to_numpy(float),
        frame["value"].to_numpy(float),
        np.asarray(made.X[:, 1:]),
        names=tuple(columns),
        outcome=declared.outcome,
        contrast=contrast.words,
        seed=context.seed(declared),
        draws=min(declared.bootstraps, MOST_DRAWS),
        level=declared.level,
        left_out=made.left_out,
    )
