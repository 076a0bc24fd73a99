"""What if those who are missing fared otherwise: imputation under stated assumptions, and the tipping point."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from holdfast.analysis.context import Context, difference_words
from holdfast.analysis.models.responders import covariates_of
from holdfast.analysis.results import Cell, Found, Row, Table, row_of
from holdfast.core.facts import Lost, Withdrawn
from holdfast.errors import CallError
from holdfast.stats.imputation import ConditionalMean, conditional_mean
from holdfast.stats.multiple_imputation import MultipleImputation, multiple_imputation
from holdfast.stats.repeated import Gaps
from holdfast.stats.tipping import contour, delta_table, tipping_point
from holdfast.study.analyses import MissingData
from holdfast.study.contrasts import Contrast

STRATEGIES = {"MAR": "MAR", "J2R": "JR", "CR": "CR", "CIR": "CIR", "LMCF": "LMCF"}
SAID = {
    "MAR": "missing at random",
    "J2R": "jump to reference",
    "CR": "copy reference",
    "CIR": "copy increments in reference",
    "LMCF": "last mean carried forward",
}
GRID = 31


def run(declared: MissingData, context: Context) -> Found:
    """Every declared assumption by every declared method; shifts of the missing of one arm, and where they tip."""
    table = _table(declared, context)
    rows: list[Row] = []
    notes: list[str] = []
    tables: list[Table] = [_dropout(declared, context, table)]
    contours: list[dict[str, Any]] = []
    for contrast in context.contrasts(declared):
        shifts: list[tuple[Cell, ...]] = []
        for assumption in declared.assumptions:
            for method, fit in _fits(declared, context, table, contrast, assumption):
                what = f"difference in means, {assumption}, {method}"
                rows.append(row_of(fit.at(declared.at), contrast.words, declared.at, what=what))
                if isinstance(fit, ConditionalMean) and declared.delta_arm:
                    notes.append(f"Under {assumption}: {_tip(fit, declared, context)}")
                    shifts += _shifts(fit, declared, assumption)
                    if not contours:
                        contours.append(_contour(fit, declared, context, contrast, assumption))
        if shifts:
            tables.append(_shift_table(shifts, declared, contrast))
    if len(declared.methods) > 1:
        notes.append(
            "The two methods differ in their standard errors where reference-based assumptions are made: the jackknife "
            "gives the sampling variance of the estimate, Rubin's rules keep the information as it was under MAR"
        )
    people = table.drop_duplicates("participant")
    return Found(
        method=_words(declared),
        n=len(people),
        rows=tuple(rows),
        n_by_arm=context.n_by_arm(table),
        tables=tuple(tables),
        series={"contours": contours},
        notes=tuple(notes),
    )


def _table(declared: MissingData, context: Context) -> pd.DataFrame:
    """Every visit after the first for everybody whose arm and baseline are known."""
    table = context.long(declared, declared.outcome)
    outcome = context.study.outcome(declared.outcome)
    visits = list(table["visit"].cat.categories)
    if declared.at not in visits:
        raise CallError(f"{declared.at!r} is no visit of {outcome.code!r} after its first")
    upto = visits[: visits.index(declared.at) + 1]
    table = table[table["visit"].isin(upto) & table["arm"].notna()].copy()
    table["visit"] = pd.Categorical(table["visit"].astype(object), categories=upto, ordered=True)
    known = table[covariates_of(declared.formula)].notna().all(axis=1)
    return table[known].reset_index(drop=True)


def _fits(
    declared: MissingData, context: Context, table: pd.DataFrame, contrast: Contrast, assumption: str
) -> Iterator[tuple[str, ConditionalMean | MultipleImputation]]:
    gaps: Gaps = "after dropout" if declared.intermittent == "MAR" else "all"
    options: dict[str, Any] = {
        "arm": "arm",
        "strategy": STRATEGIES[assumption],
        "reference": _reference(declared, context) or None,
        "contrast": difference_words(contrast),
        "covariates": covariates_of(declared.formula),
        "gaps": gaps,
        "level": declared.level,
    }
    for method in declared.methods:
        if method == "conditional mean":
            yield "jackknife", conditional_mean(table, **options)
        else:
            seed = context.seed(declared)
            yield (
                "Rubin",
                multiple_imputation(
                    table, seed=seed, imputations=declared.imputations, progress=context.draws(declared), **options
                ),
            )


def _reference(declared: MissingData, context: Context) -> str:
    """The reference arm; masked arms have masked names."""
    return context.label(declared.reference) if declared.reference else ""


def _tip(fit: ConditionalMean, declared: MissingData, context: Context) -> str:
    arm = context.label(declared.delta_arm)
    try:
        return str(tipping_point(fit, arm=arm, at=declared.at, alpha=context.study.study.alpha))
    except CallError as error:
        return error.message


def _tipping_shift(fit: ConditionalMean, declared: MissingData, context: Context) -> float:
    """Size of the shift that tips the result; 0 where none does."""
    try:
        found = tipping_point(fit, arm=context.label(declared.delta_arm), at=declared.at, alpha=_alpha(context))
    except CallError:
        return 0.0
    return 0.0 if math.isnan(found.delta) else abs(found.delta)


def _alpha(context: Context) -> float:
    return context.study.study.alpha


def _shifts(fit: ConditionalMean, declared: MissingData, assumption: str) -> list[tuple[Cell, ...]]:
    if not declared.deltas:
        return []
    found = delta_table(fit, arm=_delta_arm(fit, declared), deltas=declared.deltas, at=declared.at)
    return [(assumption, float(r.delta), r.estimate, r.se, r.low, r.high, r.p) for r in found.itertuples()]


def _shift_table(rows: list[tuple[Cell, ...]], declared: MissingData, contrast: Contrast) -> Table:
    columns = ("assumption", "shift", "estimate", "se", "low", "high", "p")
    title = f"{contrast.words} at {declared.at} when the missing values of {declared.delta_arm} are shifted"
    return Table("shifts", title, columns, tuple(rows))


def _delta_arm(fit: ConditionalMean, declared: MissingData) -> str:
    if declared.delta_arm in fit.slopes:
        return declared.delta_arm
    raise CallError("shifts of one arm need arms that are known; these are masked")


def _contour(
    fit: ConditionalMean, declared: MissingData, context: Context, contrast: Contrast, assumption: str
) -> dict[str, Any]:
    """p over shifts of both arms: twice as far as the declared shifts, and far enough to see where they tip."""
    reach = 2 * max([abs(delta) for delta in declared.deltas] + [0.0]) or float(np.nanstd(fit.data.Y))
    reach = max(reach, 1.25 * _tipping_shift(fit, declared, context))
    shifts = np.linspace(-reach, reach, GRID)
    deltas = {contrast.left: shifts.tolist(), contrast.right: shifts.tolist()}
    found = contour(fit, deltas=deltas, at=declared.at)
    p = found["p"].to_numpy(float).reshape(GRID, GRID).T  # rows: the second arm's shifts
    return {
        "assumption": assumption,
        "contrast": contrast.words,
        "first": contrast.left,
        "second": contrast.right,
        "first_shifts": shifts.tolist(),
        "second_shifts": shifts.tolist(),
        "p": p.tolist(),
        "said": _tip(fit, declared, context),
    }


def _dropout(declared: MissingData, context: Context, table: pd.DataFrame) -> Table:
    """Who is missing at the visit: how many, why, and how they were when last seen beside those who stayed."""
    at = table[table["visit"] == declared.at].set_index("participant")
    rows = []
    for arm in context.data.arms:
        mine = at[at["arm"] == arm]
        gone = mine.index[mine["value"].isna()]
        last = [_last(table, who) for who in gone]
        stayed = [_last(table, who, before=declared.at) for who in mine.index.difference(gone)]
        reasons = "; ".join(sorted({_reason(context, who) for who in gone} - {""})) or "no reason on record"
        rows.append((arm, len(mine), len(gone), _mean(last), _mean(stayed), reasons if len(gone) else ""))
    columns = ("arm", "people", "missing", "last seen, mean (missing)", "last seen before, mean (others)", "reasons")
    return Table("dropout", f"Who is missing at {declared.at}", columns, tuple(rows))


def _last(table: pd.DataFrame, who: str, before: str = "") -> float:
    """The person's last value (before a visit, when one is named), the baseline where there is none."""
    mine = table[table["participant"] == who]
    if before:
        mine = mine[mine["visit"] != before]
    seen = mine["value"].dropna()
    if len(seen):
        return float(seen.iloc[-1])
    return float(mine["baseline"].iloc[0]) if len(mine) else math.nan


def _mean(values: list[float]) -> float:
    seen = [value for value in values if not math.isnan(value)]
    return sum(seen) / len(seen) if seen else math.nan


def _reason(context: Context, who: str) -> str:
    for entry in context.ledger.of(who):
        fact = entry.fact
        if isinstance(fact, Lost) or (isinstance(fact, Withdrawn) and fact.scope != "training"):
            return fact.why or "no reason given"
    return ""


def _words(declared: MissingData) -> str:
    methods = {
        "conditional mean": "conditional-mean imputation from an unstructured normal model, variance by the jackknife",
        "bayes": f"Bayesian multiple imputation ({declared.imputations} data sets, Rubin's rules)",
    }
    gaps = "as missing at random" if declared.intermittent == "MAR" else "as assumed for dropout"
    said = ", ".join(f"{code} ({SAID[code]})" for code in declared.assumptions)
    reference = f"; reference arm {declared.reference}" if declared.reference else ""
    return (
        f"Imputation of {declared.outcome} up to {declared.at} under {said}{reference}; "
        f"{' and '.join(methods[method] for method in declared.methods)}; then analysis of covariance, "
        f"{declared.formula}. Gaps between observed visits are treated {gaps} when values are shifted."
    )
