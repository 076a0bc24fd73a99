"""Whether the gain held: the gap between arms over time, and the share of each arm's gain that was kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from holdfast.analysis.context import Context, difference_words
from holdfast.analysis.models.mmrm import estimate_of
from holdfast.analysis.outcomes import better
from holdfast.analysis.results import Found, Row, Table, row_of
from holdfast.core.issues import Issue, Severity
from holdfast.stats.durability import compare_time_above, non_inferiority, time_above
from holdfast.stats.estimates import Estimate
from holdfast.stats.fieller import Ratio, fieller
from holdfast.stats.mmrm import MmrmFit, mmrm
from holdfast.stats.retention import Retention, retention
from holdfast.study.analyses import Durability
from holdfast.study.contrasts import Contrast
from holdfast.study.spans import days


def run(declared: Durability, context: Context) -> Found:
    """The gap between arms from the declared model; gains and the share kept per arm from the model of all visits."""
    first, early, late = declared.change
    after = context.long(declared, declared.outcome, [early, late])
    fit = mmrm(
        declared.formula,
        after,
        subject="participant",
        visit="visit",
        covariance=declared.covariance,
        df=declared.df,
        level=declared.level,
    )
    rows: list[Row] = []
    for contrast in context.contrasts(declared):
        rows += _gap_rows(fit, contrast, declared)
    kept = _retention(declared, context)
    rows += _arm_rows(kept, declared)
    above, issues = _time_above(declared, context)
    return Found(
        method=_words(declared, fit, kept),
        n=kept.n,
        rows=(*rows, *above),
        n_by_arm=context.n_by_arm(_with_first(declared, context)),
        tables=(_table(kept),),
        series={"visits": [early, late], "kept": _kept(kept, declared, context)},
        notes=(*(_say(ratio) for ratio in kept.kept), *_margins(kept, declared, context)),
        issues=(*issues, *_left_out(declared, first, kept)),
    )


def _gap_rows(fit: MmrmFit, contrast: Contrast, declared: Durability) -> list[Row]:
    """The gap at both visits, its change, and the share of it that was kept (eq:retention)."""
    _, early, late = declared.change
    words = difference_words(contrast)
    both = fit.contrast(words, at=[late, early])
    change = estimate_of(fit.contrast(words, change=(early, late)), contrast.words)
    rows = []
    for position, visit in ((1, early), (0, late)):
        rows.append(row_of(estimate_of(fit.contrast(words, at=visit), contrast.words), contrast.words, visit))
        assert both.estimate[position] == rows[-1].estimate  # the same question asked twice
    rows.append(row_of(change, contrast.words, f"{early} to {late}"))
    ratio = float(both.estimate[0] / both.estimate[1])
    df = float(fit.linear(both.L[0] - ratio * both.L[1]).df[0])  # of the combination that Fieller's theorem tests
    found = fieller(
        float(both.estimate[0]), float(both.estimate[1]), both.vcov, df=df, level=declared.level, name=contrast.words
    )
    return [*rows, _ratio_row(found, contrast.words, f"{late} / {early}", "retention of the gap")]


def _ratio_row(ratio: Ratio, words: str, at: str, what: str) -> Row:
    return Row(
        words, at, ratio.estimate, ratio.se, ratio.df, ratio.low, ratio.high, math.nan, ratio.level, what, "detail"
    )


def _all_visits(declared: Durability, context: Context) -> pd.DataFrame:
    table = context.long(declared, declared.outcome, list(declared.change))
    return table[table["arm"].notna()].reset_index(drop=True)


def _with_first(declared: Durability, context: Context) -> pd.DataFrame:
    """One row for each person with a value at the first visit: those whom the model of all visits is of."""
    table = _all_visits(declared, context)
    return table[(table["visit"] == declared.change[0]) & table["value"].notna()]


def _retention(declared: Durability, context: Context) -> Retention:
    table = _all_visits(declared, context)
    first = context.contrasts(declared)[0]
    return retention(
        table,
        arm="arm",
        change=declared.change,
        contrast=difference_words(first) if first.right else None,
        seed=context.seed(declared),
        df=declared.df,
        draws=declared.bootstraps,
        level=declared.level,
        progress=context.draws(declared),
    )


def _arm_rows(kept: Retention, declared: Durability) -> list[Row]:
    _, early, late = declared.change
    rows = []
    for k, arm in enumerate(kept.arms):
        for found, at, what in (
            (kept.early[k], early, "change since the first visit"),
            (kept.late[k], late, "change since the first visit"),
            (kept.after[k], f"{early} to {late}", "change after the programme"),
        ):
            rows.append(row_of(found, arm, at, what=what, role="detail"))
        rows.append(_ratio_row(kept.kept[k], arm, f"{late} / {early}", "retention"))
    difference = kept.difference
    at = f"{late} / {early}"
    return [*rows, row_of(difference, kept.contrast, at, what="difference of retention", role="detail")]


def _time_above(declared: Durability, context: Context) -> tuple[list[Row], list[Issue]]:
    """Share of the follow-up that each person spent improved by the MIC or more, compared between arms."""
    outcome = context.study.outcome(declared.outcome)
    if outcome.mic is None or outcome.mic.absolute is None:
        return [], []
    times = _days(declared, context)
    if not times[0] < times[1] < times[2]:
        said = "the planned days of the three visits do not ascend, so time above the MIC cannot be told."
        remedy = "Give the visits offsets, or the arms programmes with a length."
        return [], [Issue("no-time", declared.code, said, remedy, Severity.WARNING)]
    table = context.long(declared, declared.outcome, list(declared.change))
    wide = table.pivot(index="participant", columns="visit", values="value")[list(declared.change)]
    arm = table.drop_duplicates("participant").set_index("participant")["arm"].astype(object).reindex(wide.index)
    values = wide.to_numpy(float)
    sign = 1.0 if better(context.study, outcome) == "lower" else -1.0
    gains = sign * (values[:, [0]] - values)
    shares = time_above(np.array(times), gains, outcome.mic.absolute)
    rows = []
    for contrast in context.contrasts(declared):
        both = arm.isin([contrast.left, contrast.right]).to_numpy()
        first = (arm == contrast.left).to_numpy()[both]
        found = compare_time_above(shares[both], first, name=contrast.words, level=declared.level)
        at = f"{declared.change[0]} to {declared.change[2]}"
        rows.append(row_of(found, contrast.words, at, what="difference of time above the MIC (share)", role="detail"))
    left = int(np.isnan(shares).sum())
    said = f"{left} people without all three visits are not in the time above the MIC."
    issue = Issue("left-out", declared.code, said, "", Severity.NOTE)
    return rows, [issue] if left else []


def _days(declared: Durability, context: Context) -> list[float]:
    longest = max((7 * programme.weeks for programme in context.study.programmes.values()), default=0.0)
    planned = []
    for code in declared.change:
        visit = context.study.visit(code)
        planned.append(days(visit.offset) + (longest if visit.anchor == "programme end" else 0.0))
    return planned


def _kept(kept: Retention, declared: Durability, context: Context) -> list[dict[str, Any]]:
    sign = -1.0 if better(context.study, context.study.outcome(declared.outcome)) == "lower" else 1.0
    return [
        {
            "arm": arm,
            "first": _gain(kept.early[k], sign),
            "last": _gain(kept.late[k], sign),
            "said": _short(kept.kept[k]),
        }
        for k, arm in enumerate(kept.arms)
    ]


def _gain(found: Estimate, sign: float) -> list[float]:
    low, high = sorted((sign * found.low, sign * found.high))
    return [sign * found.estimate, low, high]


def _short(ratio: Ratio) -> str:
    percent = f"{100 * ratio.estimate:.0f}% kept"
    return f"{percent} ({100 * ratio.low:.0f} to {100 * ratio.high:.0f})" if ratio.bounded else f"{percent}, unbounded"


def _say(ratio: Ratio) -> str:
    arm = ratio.name.removesuffix(" kept")
    if ratio.bounded:
        level = f"{100 * ratio.level:g}%"
        limits = f"{level} interval {100 * ratio.low:.0f}% to {100 * ratio.high:.0f}%"
        return f"{arm} kept {100 * ratio.estimate:.0f}% of its gain ({limits})"
    return f"{arm}: the share kept cannot be bounded, because the first gain is not clearly different from zero"


def _margins(kept: Retention, declared: Durability, context: Context) -> list[str]:
    if declared.margin is None:
        return []
    side = better(context.study, context.study.outcome(declared.outcome))
    alpha = context.study.study.alpha / 2
    return [
        f"{arm}, {non_inferiority(kept.after[k], margin=declared.margin, better=side, alpha=alpha)}"
        for k, arm in enumerate(kept.arms)
    ]


def _table(kept: Retention) -> Table:
    rows: Sequence[tuple[str, float, float, float]] = [
        (arm, 100 * float(kept.check.limits[k, 0]), 100 * float(kept.check.limits[k, 1]), 100 * float(crossed))
        for k, (arm, crossed) in enumerate(zip(kept.arms, kept.check.crossed, strict=True))
    ]
    columns = ("arm", "low (%)", "high (%)", "resamples with the first gain reversed (%)")
    return Table("bootstrap", "Retention by bootstrap, a check", columns, tuple(rows), kept.check.note)


def _words(declared: Durability, fit: MmrmFit, kept: Retention) -> str:
    return (
        f"Gap between arms: mixed model {fit.design.formula} over {', '.join(fit.design.visits)}, "
        f"{declared.covariance} covariance, REML, {declared.df} degrees of freedom, {fit.n_subjects} people. Gains of "
        f"each arm and the share kept: mixed model of all three visits with one common mean at {declared.change[0]}, "
        f"{kept.n} people, ratios by Fieller's theorem with the joint covariance; "
        f"{kept.check.draws} bootstrap samples of people as a check."
    )


def _left_out(declared: Durability, first: str, kept: Retention) -> list[Issue]:
    if not kept.left_out:
        return []
    said = f"{kept.left_out} people without a value at {first} are left out."
    return [Issue("left-out", declared.code, said, "", Severity.NOTE)]
