"""The study's result beside published evidence: a random-effects meta-analysis of a table in the study folder."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np
from scipy import stats

from holdfast.analysis.context import Context
from holdfast.analysis.results import Found, Row, Table, row_of
from holdfast.errors import CallError, DataError
from holdfast.stats.meta import Meta, meta_analysis
from holdfast.study.analyses import Synthesis

COLUMNS = ("study", "estimate")


def run(declared: Synthesis, context: Context) -> Found:
    """Pool the table's studies, with the study's own result when an analysis is named for it."""
    studies = read(context.files, declared.table)
    own = _own(declared, context)
    every = [*studies, *([own] if own else [])]
    found = meta_analysis(
        np.array([estimate for _, estimate, _ in every]),
        np.array([se**2 for _, _, se in every]),
        names=[name for name, _, _ in every],
        level=declared.level,
    )
    rows = (
        row_of(found.pooled, "pooled effect", "", what=declared.measure),
        Row(
            "prediction interval for a new study",
            "",
            found.predict.estimate,
            math.nan,
            found.predict.df,
            found.predict.low,
            found.predict.high,
            math.nan,
            declared.level,
            declared.measure,
            "detail",
        ),
    )
    return Found(
        method=(
            f"Random-effects meta-analysis of {len(every)} results in {declared.table} ({declared.measure}): REML for "
            "the variance between studies, Hartung-Knapp interval with t(k - 1), prediction interval with k - 2 df."
        ),
        n=len(every),
        rows=rows,
        tables=(_heterogeneity(found),),
        series={
            "studies": [_bar(found, k, own=own is not None and k == len(every) - 1) for k in range(found.k)],
            "measure": declared.measure,
        },
        notes=(str(found),),
    )


def read(files: Any, name: str) -> list[tuple[str, float, float]]:
    """Studies of a CSV with the columns study, estimate, and se (or low and high of a 95 % interval)."""
    if name not in files:
        raise CallError(f"the study folder has no {name!r}", ways_out=["add a CSV with study, estimate, low, high"])
    rows = list(csv.DictReader(io.StringIO(files[name].removeprefix("\ufeff"))))
    if not rows or any(column not in rows[0] for column in COLUMNS):
        raise DataError(f"{name} needs the columns study, estimate, and se or low and high")
    return [(row["study"], *_effect(row, name, line)) for line, row in enumerate(rows, start=2)]


def _effect(row: dict[str, str], name: str, line: int) -> tuple[float, float]:
    try:
        estimate = float(row["estimate"])
        if row.get("se"):
            return estimate, float(row["se"])
        return estimate, (float(row["high"]) - float(row["low"])) / (2 * float(stats.norm.ppf(0.975)))
    except (KeyError, ValueError) as error:
        raise DataError(f"{name}, line {line}: {row.get('study', '?')!r} has no readable effect ({error})") from None


def _own(declared: Synthesis, context: Context) -> tuple[str, float, float] | None:
    """This study's own effect: the first contrast of the named analysis, standardised when the measure is."""
    if not declared.own:
        return None
    from holdfast.analysis.models.registry import runner

    named = next((each for each in context.study.analyses if each.code == declared.own), None)
    if named is None or isinstance(named, Synthesis):
        raise CallError(f"own = {declared.own!r} names no other analysis")
    row = runner(named)(named, context).rows[0]
    scale = _sd(named.outcome, context) if declared.measure.startswith("standardised") else 1.0
    return f"{context.study.study.code} (this study)", row.estimate / scale, row.se / scale


def _sd(outcome: str, context: Context) -> float:
    declared = context.study.outcome(outcome)
    values = context.data.long(outcome, [declared.visits[0]])["value"].dropna().to_numpy(float)
    if len(values) < 2:
        raise DataError(f"{outcome!r} has no spread at its first visit, so nothing can be standardised by it")
    return float(values.std(ddof=1))


def _bar(found: Meta, k: int, *, own: bool) -> dict[str, Any]:
    study = found.studies[k]
    return {
        "label": study.name,
        "estimate": study.estimate,
        "low": study.low,
        "high": study.high,
        "weight": float(found.weights[k]) / 100,
        "own": own,
    }


def _heterogeneity(found: Meta) -> Table:
    rows = (
        ("variance between studies (tau squared)", found.tau2),
        ("I squared (%)", found.i2),
        ("Q", found.q),
        ("p of Q", found.q_p),
    )
    return Table("heterogeneity", "How much the studies differ", ("measure", "value"), rows)
