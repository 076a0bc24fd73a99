"""Episodes of pain over time from repeated reports, by a declared definition."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pandas as pd

from holdfast.analysis.context import Context, difference_words
from holdfast.analysis.results import Found, Row, Table, row_of
from holdfast.analysis.weeks import weekly_reports
from holdfast.core.issues import Issue, Severity
from holdfast.errors import DataError, FitError
from holdfast.stats.cox import CoxFit, cox
from holdfast.stats.estimates import Estimate
from holdfast.stats.mcf import mean_cumulative_function
from holdfast.stats.negbin import negative_binomial
from holdfast.stats.recurrence import EpisodeRule, episode_table, unobserved
from holdfast.stats.survival import compare_restricted_means
from holdfast.study.analyses import Recurrence
from holdfast.study.contrasts import Contrast


def run(declared: Recurrence, context: Context) -> Found:
    """Rates of episodes (LWYY first, then PWP and counts), and the time to the first."""
    rule = EpisodeRule(
        pain=declared.threshold,
        free_below=declared.threshold,
        free_weeks=declared.free_weeks,
        weeks=declared.weeks,
        source=getattr(declared, "source", ""),
    )
    reports, origin = weekly_reports(context, declared.outcome, declared.set)
    episodes = episode_table(reports, rule, keep=("arm",))
    if episodes.empty:
        raise DataError("nobody reported pain in any week, so nothing can recur")
    episodes["arm"] = pd.Categorical(episodes["arm"].astype(object), categories=list(context.data.arms))
    silent = unobserved(reports)
    rows: list[Row] = []
    issues: list[Issue] = []
    for contrast in context.contrasts(declared):
        rows += _rows(episodes, contrast, declared, issues)
    curves = mean_cumulative_function(
        episodes, person="participant", start="start", stop="stop", event="event", by="arm", level=declared.level
    )
    return Found(
        method=_words(rule, origin),
        n=int(episodes["participant"].nunique()),
        rows=tuple(rows),
        n_by_arm=context.n_by_arm(episodes),
        tables=(_counts(episodes, context),),
        series={"mcf": _curves(curves, episodes, context), "time": f"weeks since {origin}"},
        notes=(f"{len(silent)} people without a single report are not in it",) if silent else (),
        issues=tuple(issues),
    )


def _rows(episodes: pd.DataFrame, contrast: Contrast, declared: Recurrence, issues: list[Issue]) -> list[Row]:
    """Every model on its own: one that cannot be fitted becomes an issue, and the others stay."""
    both = episodes[episodes["arm"].isin([contrast.left, contrast.right])].copy()
    both["first"] = (both["arm"] == contrast.left).astype(float)
    early, total = both[both["number"] == 1], _per_person(both)
    span: dict[str, Any] = {"start": "start", "stop": "stop", "event": "event", "level": declared.level}
    models: list[tuple[str, str, Callable[[], Estimate]]] = [
        ("ratio of rates (LWYY)", "contrast", lambda: _first(cox("first", both, person="participant", **span))),
        (
            "ratio of rates (PWP, total time)",
            "detail",
            lambda: _first(cox("first", both, person="participant", stratum="number", **span)),
        ),
        (
            "ratio of rates (negative binomial)",
            "detail",
            lambda: negative_binomial("episodes ~ first", total, exposure="weeks", level=declared.level).estimate(
                "first"
            ),
        ),
        ("hazard ratio of the first episode (Cox)", "detail", lambda: _first(cox("first", early, **span))),
    ]
    rows = []
    for what, role, fit in models:
        try:
            rows.append(_ratio(fit(), contrast, what, role))
        except (FitError, DataError) as error:
            ways = "; ".join(error.ways_out)
            issues.append(Issue("not-run", declared.code, f"{what}: {error.message}.", ways, Severity.WARNING))
    return [*rows, _weeks_free(early, contrast, declared)]


def _weeks_free(early: pd.DataFrame, contrast: Contrast, declared: Recurrence) -> Row:
    """Difference of restricted mean time to the first episode, up to the last week at risk that both arms reach."""
    tau = float(min(early.loc[early["first"] == side, "stop"].max() for side in (0.0, 1.0)))
    *_, gap = compare_restricted_means(
        early, time="stop", event="event", arm="arm", tau=tau, contrast=difference_words(contrast), level=declared.level
    )
    what = f"difference of weeks free of a first episode up to week {tau:g}"
    return row_of(gap, contrast.words, "", what=what, role="detail")


def _first(fit: CoxFit) -> Estimate:
    return fit.estimate("first")


def _ratio(found: Estimate, contrast: Contrast, what: str, role: str) -> Row:
    numbers = (math.exp(found.estimate), math.nan, math.nan, math.exp(found.low), math.exp(found.high))
    return Row(contrast.words, "", *numbers, found.p, found.level, what, role)


def _per_person(episodes: pd.DataFrame) -> pd.DataFrame:
    grouped = episodes.groupby("participant", sort=False)
    return pd.DataFrame(
        {
            "episodes": grouped["event"].sum().astype(float),
            "weeks": grouped["stop"].max(),
            "first": grouped["first"].first(),
        }
    ).reset_index()


def _counts(episodes: pd.DataFrame, context: Context) -> Table:
    rows = []
    for arm in context.data.arms:
        mine = episodes[episodes["arm"] == arm]
        weeks = float(mine.groupby("participant")["stop"].max().sum()) if len(mine) else 0.0
        people = int(mine["participant"].nunique())
        hit = int(mine.loc[mine["event"] == 1, "participant"].nunique())
        events = int(mine["event"].sum())
        rows.append((arm, people, hit, events, weeks, 52.18 * events / weeks if weeks else math.nan))
    columns = ("arm", "people", "with an episode", "episodes", "weeks observed", "episodes per person-year")
    return Table("episodes", "Episodes by arm", columns, tuple(rows))


def _curves(curves: pd.DataFrame, episodes: pd.DataFrame, context: Context) -> dict[str, dict[str, list[float]]]:
    """Steps of each arm from week 0 to its last reported week; an arm without episodes stays at zero."""
    found = {}
    for arm in context.data.arms:
        mine = episodes[episodes["arm"] == arm]
        if mine.empty:
            continue
        steps = curves[curves["arm"].astype(object) == arm]
        last = float(mine["stop"].max())
        found[arm] = {"time": [0.0, *map(float, steps["time"]), last]}
        for key, column in (("value", "estimate"), ("low", "low"), ("high", "high")):
            values = [0.0, *map(float, steps[column])]
            found[arm][key] = [*values, values[-1]]
    return found


def _words(rule: EpisodeRule, origin: str) -> str:
    return (
        f"Recurrent episodes: {rule}. Weeks are counted from {origin}. Ratio of rates by the Andersen-Gill model "
        "with standard errors clustered by person (Lin, Wei, Yang and Ying), beside it the Prentice-Williams-Peterson "
        "model, a negative binomial model of counts, and for the first episode Cox and restricted mean time."
    )
