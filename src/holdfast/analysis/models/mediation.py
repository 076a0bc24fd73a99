"""Why: how much of the effect goes through mediators measured before the outcome."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from holdfast.analysis.context import Context, difference_words
from holdfast.analysis.exposure import EXPOSURES, exposure
from holdfast.analysis.models.mediation_missing import with_everybody
from holdfast.analysis.outcomes import name
from holdfast.analysis.results import Found, Row, Table, row_of
from holdfast.errors import CallError
from holdfast.stats.estimates import Estimate, number, wald
from holdfast.stats.mediation import Mediation as One
from holdfast.stats.mediation import mediate_linear, verdict
from holdfast.stats.mediation_sensitivity import Sensitivity
from holdfast.stats.mediators import Mediators as Several
from holdfast.stats.mediators import mediate_several
from holdfast.study.analyses import Mediation
from holdfast.study.contrasts import Contrast


def run(declared: Mediation, context: Context) -> Found:
    """One mediator: natural effects; several: interventional indirect effects. Baselines of all are adjusted for."""
    _check_order(declared, context)
    table, covariates = _table(declared, context)
    rows: list[Row] = []
    notes: list[str] = []
    tables: list[Table] = []
    drawn: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    n = 0
    for contrast in context.contrasts(declared):
        if len(declared.mediators) == 1:
            one = _one(declared, context, table, covariates, contrast)
            n = one.n
            rows += [_row(found, contrast, declared) for found in one.effects]
            notes += [verdict(one.effects[0], _label(declared.mediators[0], context))]
            if one.sensitivity is not None:
                notes.append(str(one.sensitivity))
                curves.append(_curve(one.sensitivity, _label(declared.mediators[0], context)))
            drawn.append(_picture_of_one(one, declared, context, contrast))
            assumptions: Sequence[str] = one.assumptions
        else:
            several = _several(declared, context, table, covariates, contrast)
            n = several.n
            rows += [_row(_named(found, declared, context), contrast, declared) for found in several.effects]
            notes.append(_verdict_of_several(several, declared, context))
            tables.append(_together(several, declared, context))
            curves += _curves(declared, context, table, covariates, contrast)
            drawn.append(_picture_of_several(several, declared, context, contrast))
            assumptions = several.assumptions
        labels = [_label(code, context) for code in declared.mediators]
        more, told = with_everybody(declared, context, table, covariates, contrast, labels)
        rows += more
        notes += told
        notes += _determined(
            declared, context, table.dropna(subset=["value", *_columns(declared), *covariates]), contrast
        )
    tables.append(Table("assumptions", "What this rests on", ("assumption",), tuple((text,) for text in assumptions)))
    if curves:
        tables.append(_sensitivity(curves))
    complete = table.dropna(subset=["value", *_columns(declared), *covariates])
    return Found(
        method=_words(declared, context, n, len(table) - len(complete)),
        n=n,
        rows=tuple(rows),
        n_by_arm=context.n_by_arm(complete),
        tables=tuple(tables),
        series={"paths": drawn, "sensitivity": curves},
        notes=tuple(notes),
    )


NEARLY = 0.9
"""Share of a mediator's variance between two arms from which the arm is said to determine it; a choice of ours."""


def _determined(declared: Mediation, context: Context, complete: pd.DataFrame, contrast: Contrast) -> list[str]:
    """A note for each mediator that the arm nearly determines: its path and the direct effect are one in the data."""
    both = complete[complete["arm"].isin([contrast.left, contrast.right])]
    arm = (both["arm"] == contrast.left).to_numpy(float)
    notes = []
    for column, code in zip(_columns(declared), declared.mediators, strict=True):
        values = both[column].to_numpy(float)
        if np.ptp(values) == 0 or np.ptp(arm) == 0:
            continue
        share = float(np.corrcoef(arm, values)[0, 1] ** 2)
        if share > NEARLY:
            notes.append(
                f"The arm explains {100 * share:.0f}% of the variance of {_label(code, context)}, so what goes through "
                "it cannot be told apart from the direct effect in these data"
            )
    return notes


def _check_order(declared: Mediation, context: Context) -> None:
    """A mediator is measured before the outcome; the study file's check says so too, and here it is made sure."""
    order = [visit.code for visit in context.study.visits]
    if order.index(declared.mediators_at) >= order.index(declared.at):
        raise CallError(
            f"the mediators are measured at {declared.mediators_at}, not before the outcome at {declared.at}",
            ways_out=["name an earlier visit in mediators_at"],
        )


def _columns(declared: Mediation) -> list[str]:
    return [f"mediator_{k}" for k in range(1, len(declared.mediators) + 1)]


def _table(declared: Mediation, context: Context) -> tuple[pd.DataFrame, list[str]]:
    """One row per person: outcome at its visit, mediators at theirs, all baselines, covariates."""
    table = context.long(declared, declared.outcome, [declared.at])
    table = table[table["arm"].notna()].reset_index(drop=True)
    covariates = ["baseline"]
    people = tuple(table["participant"])
    outcomes = {outcome.code: outcome for outcome in context.study.outcomes}
    for column, code in zip(_columns(declared), declared.mediators, strict=True):
        if code in outcomes:
            sheet = context.data.sheet
            table[column] = [sheet.get(code, who, declared.mediators_at) for who in people]
            table[f"{column}_baseline"] = [sheet.get(code, who, outcomes[code].visits[0]) for who in people]
            covariates.append(f"{column}_baseline")
        elif code in EXPOSURES:
            _, received = exposure(context.ledger, people, code)
            table[column] = [received[who] for who in people]
        else:
            known = ", ".join([*outcomes, *EXPOSURES])
            raise CallError(f"{code!r} is no outcome or exposure", ways_out=[f"use one of: {known}"])
    return table, [*covariates, *declared.covariates]


def _one(
    declared: Mediation, context: Context, table: pd.DataFrame, covariates: Sequence[str], contrast: Contrast
) -> One:
    return mediate_linear(
        "value ~ " + " + ".join(covariates),
        table,
        mediator="mediator_1",
        arm="arm",
        contrast=difference_words(contrast),
        interaction=declared.interaction,
        interval="bca",
        draws=declared.bootstraps,
        seed=context.seed(declared),
        level=declared.level,
        progress=context.draws(declared),
    )


def _several(
    declared: Mediation, context: Context, table: pd.DataFrame, covariates: Sequence[str], contrast: Contrast
) -> Several:
    if declared.interaction:
        raise CallError(
            "several mediators are analysed without arm-mediator interaction",
            ways_out=["declare one mediator with interaction = true", "leave interaction out"],
        )
    return mediate_several(
        "value ~ " + " + ".join(covariates),
        table,
        mediators=_columns(declared),
        arm="arm",
        seed=context.seed(declared),
        contrast=difference_words(contrast),
        draws=declared.bootstraps,
        level=declared.level,
    )


def _row(found: Estimate, contrast: Contrast, declared: Mediation) -> Row:
    role = "contrast" if found.name in ("indirect effect", "all mediators") else "detail"
    return row_of(found, contrast.words, declared.at, what=found.name, role=role)


def _named(found: Estimate, declared: Mediation, context: Context) -> Estimate:
    """The estimate with the mediator's own name in place of its column."""
    for column, code in zip(_columns(declared), declared.mediators, strict=True):
        if found.name == f"through {column}":
            label = f"through {_label(code, context)}"
            e = found
            return Estimate(label, e.estimate, e.se, e.df, e.low, e.high, e.t, e.p, e.level)
    return found


def _label(code: str, context: Context) -> str:
    for outcome in context.study.outcomes:
        if outcome.code == code:
            return name(outcome)
    return EXPOSURES[code][0]


RHO = np.round(np.arange(-0.9, 0.91, 0.05), 2)


def _curve(found: Sensitivity, label: str) -> dict[str, Any]:
    """The indirect effect over the unmeasured confounding it would take, for a figure."""
    table = found.at(RHO)
    columns = {name: [float(v) for v in table[name]] for name in ("rho", "estimate", "low", "high")}
    return {"label": label, **columns, "rho_zero": found.rho_zero}


def _curves(
    declared: Mediation, context: Context, table: pd.DataFrame, covariates: Sequence[str], contrast: Contrast
) -> list[dict[str, Any]]:
    """The same for each of several mediators alone, since the closed form is for one mediator."""
    found = []
    for column, code in zip(_columns(declared), declared.mediators, strict=True):
        one = mediate_linear(
            "value ~ " + " + ".join(covariates),
            table,
            mediator=column,
            arm="arm",
            contrast=difference_words(contrast),
            interval="delta",
            level=declared.level,
        )
        if one.sensitivity is not None:
            found.append(_curve(one.sensitivity, _label(code, context)))
    return found


def _sensitivity(curves: Sequence[dict[str, Any]]) -> Table:
    rows = tuple((curve["label"], float(curve["rho_zero"])) for curve in curves)
    columns = ("mediator", "rho at which the indirect effect is zero")
    note = (
        "rho is the correlation of the errors of mediator and outcome that something unmeasured would have to cause, "
        "each mediator taken alone; the smaller it is, the weaker the confounding that would explain the effect away."
    )
    return Table("sensitivity", "How much unmeasured confounding it would take", columns, rows, note)


def _together(several: Several, declared: Mediation, context: Context) -> Table:
    rows = []
    for k, code in enumerate(declared.mediators):
        effect = several.effects[k]
        low, high = (float(v) for v in several.simultaneous[k])
        rows.append((_label(code, context), effect.estimate, effect.low, effect.high, low, high))
    columns = ("mediator", "indirect effect", "low", "high", "low, all together", "high, all together")
    note = "The last two columns hold together for all mediators at the declared level."
    return Table("simultaneous", "Indirect effects one by one and together", columns, tuple(rows), note)


def _verdict_of_several(several: Several, declared: Mediation, context: Context) -> str:
    shown = [
        _label(code, context)
        for code, (low, high) in zip(declared.mediators, several.simultaneous, strict=True)
        if low > 0 or high < 0
    ]
    if shown:
        return f"With all intervals holding together, an effect goes through {', '.join(shown)}"
    return (
        "The data do not show which of these mediators, if any, carries the effect: with all intervals holding "
        f"together each may carry nothing; {several.reach}"
    )


def _picture_of_one(one: One, declared: Mediation, context: Context, contrast: Contrast) -> dict[str, Any]:
    indirect, direct, total = one.effects[:3]
    path = {
        "mediator": _label(declared.mediators[0], context),
        "a": _with_limits(one.a),
        "b": _with_limits(one.b),
        "indirect": _with_limits(indirect),
        "clear": bool(indirect.low > 0 or indirect.high < 0),
    }
    return _picture(context, declared, contrast, [path], direct, total)


def _picture_of_several(several: Several, declared: Mediation, context: Context, contrast: Contrast) -> dict[str, Any]:
    paths = []
    outcome = several.paths.to_outcome
    spread = np.sqrt(np.diag(several.paths.alpha_covariance))
    spread_b = np.sqrt(np.diag(outcome.covariance))[2:]
    for k, code in enumerate(declared.mediators):
        low, high = (float(v) for v in several.simultaneous[k])
        effect = several.effects[k]
        paths.append(
            {
                "mediator": _label(code, context),
                "a": _with_t_limits(several.paths.alpha[k], spread[k], several.paths.df, several.level),
                "b": _with_t_limits(several.paths.beta[k], spread_b[k], outcome.df, several.level),
                "indirect": f"{number(effect.estimate)} ({number(low)} to {number(high)})",
                "clear": bool(low > 0 or high < 0),
            }
        )
    direct, total = several.effects[-2:]
    return _picture(context, declared, contrast, paths, direct, total)


def _picture(
    context: Context,
    declared: Mediation,
    contrast: Contrast,
    paths: list[dict[str, Any]],
    direct: Estimate,
    total: Estimate,
) -> dict[str, Any]:
    outcome = context.study.outcome(declared.outcome)
    return {
        "arm": f"{contrast.left} v {contrast.right}",
        "outcome": f"{name(outcome)}, {declared.at}",
        "paths": paths,
        "direct": _with_limits(direct),
        "total": _with_limits(total),
    }


def _with_t_limits(value: float, se: float, df: float, level: float) -> str:
    return _with_limits(wald("", float(value), float(se), df=df, level=level))


def _with_limits(found: Estimate) -> str:
    if math.isnan(found.low):
        return number(found.estimate)
    return f"{number(found.estimate)} ({number(found.low)} to {number(found.high)})"


def _words(declared: Mediation, context: Context, n: int, left: int) -> str:
    labels = ", ".join(_label(code, context) for code in declared.mediators)
    how = (
        "natural direct and indirect effects in linear models"
        + (" with arm-mediator interaction" if declared.interaction else "")
        + f", BCa intervals from {declared.bootstraps} bootstrap samples of people"
        if len(declared.mediators) == 1
        else "interventional indirect effects of correlated mediators in linear models, intervals from "
        f"{declared.bootstraps} draws under a flat prior, one by one and simultaneous"
    )
    also = f" and {', '.join(declared.covariates)}" if declared.covariates else ""
    return (
        f"Mediation of {declared.outcome} at {declared.at} through {labels} at {declared.mediators_at}: {how}; "
        f"adjusted for the baselines of outcome and mediators{also}. {n} people with all values; "
        f"{left} without are left out."
    )
