"""The declared mixed model for repeated measures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from holdfast.analysis.context import Context, difference_words
from holdfast.analysis.results import Found, Row, Table, row_of
from holdfast.core.issues import Issue, Severity
from holdfast.errors import CallError
from holdfast.stats.estimates import COLUMNS, Estimate
from holdfast.stats.mmrm import Estimates, MmrmFit, mmrm
from holdfast.study.analyses import Mmrm
from holdfast.study.contrasts import Contrast


def run(declared: Mmrm, context: Context) -> Found:
    """Fit the declared model to every outcome of the people of the set, and ask it the declared contrasts."""
    if declared.constrained_baseline:
        return _constrained(declared, context)
    table = context.long(declared, declared.outcome, declared.visits or None)
    fit = _fit(declared, declared.formula, table)
    rows = tuple(_row(ask(fit, contrast), contrast) for contrast in context.contrasts(declared))
    means = fit.means(_factors(declared.formula), weights="proportional")
    return Found(
        method=_words(declared, fit),
        n=fit.n_subjects,
        rows=rows,
        n_by_arm=context.n_by_arm(table.iloc[fit.design.rows[fit.design.observed]]),
        tables=(_means(declared, means.table), _covariance(fit)),
        series={"means": _records(means.table)},
        issues=_left_out(declared, fit),
    )


def _factors(formula: str) -> list[str]:
    """What adjusted means are told by: arms, and visits where the model tells visits apart."""
    names = set(re.findall(r"[A-Za-z_]\w*", formula))
    return [name for name in ("arm", "visit") if name in names]


def _fit(declared: Mmrm, formula: str, table: pd.DataFrame) -> MmrmFit:
    return mmrm(
        formula,
        table,
        subject="participant",
        visit="visit",
        covariance=declared.covariance,
        df=declared.df,
        method=declared.method,
        group="arm" if declared.by_arm else None,
        robust=declared.robust,
        level=declared.level,
    )


def ask(fit: MmrmFit, contrast: Contrast) -> Estimates:
    """One contrast in words as a question to the fit."""
    if contrast.change and not contrast.right:
        return fit.change(contrast.left, change=contrast.change)
    if contrast.change:
        return fit.contrast(difference_words(contrast), change=contrast.change)
    return fit.contrast(difference_words(contrast), at=contrast.at or None)


def _row(found: Estimates, contrast: Contrast) -> Row:
    at = contrast.at or (" to ".join(contrast.change) if contrast.change else "all visits")
    what = "change in mean" if contrast.change and not contrast.right else "difference in means"
    return row_of(estimate_of(found, contrast.words), contrast.words, at, what=what)


def estimate_of(found: Estimates, name: str) -> Estimate:
    """The only row of an answer in the shared columns."""
    (record,) = found.table[list(COLUMNS)].to_dict("records")
    return Estimate(name, **{key: float(value) for key, value in record.items()}, level=found.level)


def _constrained(declared: Mmrm, context: Context) -> Found:
    """Baseline as an outcome with one mean for all arms, since they were randomised (eq:clda)."""
    outcome = context.study.outcome(declared.outcome)
    first, *later = outcome.visits
    table = context.long(declared, declared.outcome, [first, *(declared.visits or later)])
    arms = context.data.arms
    visits = [visit for visit in table["visit"].cat.categories if visit != first]
    cells = [(arm, visit) for arm in arms[1:] for visit in visits]
    for k, (arm, visit) in enumerate(cells):
        table[f"effect_{k}"] = ((table["arm"] == arm) & (table["visit"] == visit)).astype(float)
    table = table[table["arm"].notna()].reset_index(drop=True)
    formula = "value ~ visit + " + " + ".join(f"effect_{k}" for k in range(len(cells)))
    fit = _fit(declared, formula, table)
    rows = []
    for contrast in context.contrasts(declared):
        rows.append(_row(fit.linear(_cell_row(fit, contrast, cells, visits)), contrast))
    return Found(
        method=_words(declared, fit)
        + f" The baseline is an outcome here, with one mean for all arms; the declared formula gives way to {formula}, "
        "where each effect is one arm at one visit.",
        n=fit.n_subjects,
        rows=tuple(rows),
        n_by_arm=context.n_by_arm(table.iloc[fit.design.rows[fit.design.observed]]),
        tables=(_covariance(fit),),
        issues=_left_out(declared, fit),
    )


def _cell_row(
    fit: MmrmFit, contrast: Contrast, cells: Sequence[tuple[str, str]], visits: Sequence[str]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    if not contrast.right:
        raise CallError(
            f"{contrast.words!r}: with a constrained baseline, ask for differences between arms",
            ways_out=["write a contrast such as 'HIT - MIT at FU'", "leave out constrained_baseline"],
        )
    row = np.zeros(len(fit.names))
    weights = {contrast.change[1]: 1.0, contrast.change[0]: -1.0} if contrast.change else {contrast.at: 1.0}
    for visit, weight in weights.items():
        for arm, sign in ((contrast.left, 1.0), (contrast.right, -1.0)):
            if (arm, visit) in cells:
                row[fit.names.index(f"effect_{cells.index((arm, visit))}")] += sign * weight
            elif visit not in visits and contrast.change is None:
                raise CallError(f"{contrast.words!r} names {visit!r}; after the baseline there are {', '.join(visits)}")
    return row


def _words(declared: Mmrm, fit: MmrmFit) -> str:
    robust = f", {declared.robust} robust covariance with people as clusters" if declared.robust else ""
    by_arm = ", one covariance matrix per arm" if declared.by_arm else ""
    return (
        f"Mixed model for repeated measures, {fit.design.formula}, over {', '.join(fit.design.visits)}; "
        f"{declared.covariance} covariance within people{by_arm}, {declared.method.upper()}, {declared.df} degrees of "
        f"freedom{robust}; {fit.n_obs} values of {fit.n_subjects} people. Missing values are not filled in: the model "
        "takes them as missing at random given what it contains."
    )


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    renamed = table.rename(columns={"visit": "at"})
    if "at" not in renamed:
        renamed["at"] = "all visits"
    records: list[dict[str, Any]] = renamed[["arm", "at", "estimate", "se", "low", "high"]].to_dict("records")
    return records


def _means(declared: Mmrm, table: pd.DataFrame) -> Table:
    rows = tuple((r["arm"], r["at"], r["estimate"], r["se"], r["low"], r["high"]) for r in _records(table))
    title = f"Adjusted means of {declared.outcome}"
    return Table("adjusted-means", title, ("arm", "visit", "mean", "se", "low", "high"), rows)


def _covariance(fit: MmrmFit) -> Table:
    rows = tuple((name, float(value)) for name, value in fit.theta.items())
    return Table("covariance", "Covariance parameters", ("parameter", "estimate"), rows)


def _left_out(declared: Mmrm, fit: MmrmFit) -> tuple[Issue, ...]:
    """What the fit notes, with rows of the table told as people at visits."""
    said = [_people_words(note, fit) for note in fit.notes]
    return tuple(Issue("left-out", declared.code, note, "", Severity.NOTE) for note in said)


def _people_words(note: str, fit: MmrmFit) -> str:
    rows = re.fullmatch(r"(\d+) rows have no value of '([^']+)'(; left out)?", note)
    if rows is None:
        return note
    if not rows[3]:  # the outcome itself
        missing = ~fit.design.observed
        counts = [(visit, int((missing & (fit.design.visit == k)).sum())) for k, visit in enumerate(fit.design.visits)]
        told = [f"{people(count)} no score at {visit}" for visit, count in counts if count]
        return "; ".join(told) + "."
    return f"At {rows[1]} visits of people {rows[2]!r} is not known; they are left out."


def people(count: int) -> str:
    """A count of people with its verb."""
    return f"{count} person has" if count == 1 else f"{count} people have"
