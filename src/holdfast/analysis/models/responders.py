"""Responders at the minimal important change."""

from __future__ import annotations

import math
import re

import pandas as pd

from holdfast.analysis.context import Context, difference_words
from holdfast.analysis.outcomes import better
from holdfast.analysis.results import Found, Row, Table, row_of
from holdfast.errors import CallError
from holdfast.stats.responders import Responders as Fit
from holdfast.stats.responders import responders
from holdfast.study.analyses import Responders
from holdfast.study.contrasts import Contrast
from holdfast.study.model import MIC, Outcome


def run(declared: Responders, context: Context) -> Found:
    """Count responders by the declared rule, and compare the arms by risk difference, risk ratio and NNT."""
    outcome = context.study.outcome(declared.outcome)
    table = context.long(declared, declared.outcome, [declared.at])
    table = table[table["arm"].notna()].reset_index(drop=True)
    fits = [(contrast, _fit(declared, context, outcome, table, contrast)) for contrast in context.contrasts(declared)]
    counts = fits[0][1].counts
    return Found(
        method=_words(declared, fits[0][1]),
        n=int(counts["n"].sum()),
        rows=tuple(row for contrast, fit in fits for row in _rows(fit, contrast, declared)),
        n_by_arm={str(r.arm): int(r.n) for r in counts.itertuples()},
        tables=(_table(counts, declared),),
        series={"thresholds": {key: value for key, value in _mic(declared, outcome).items() if value is not None}},
        notes=tuple(_say(fit) for _, fit in fits),
    )


def _fit(declared: Responders, context: Context, outcome: Outcome, table: pd.DataFrame, contrast: Contrast) -> Fit:
    return responders(
        table,
        mic=_mic(declared, outcome),
        arm="arm",
        at=declared.at,
        contrast=difference_words(contrast),
        rule=declared.rule,
        better=better(context.study, outcome),
        covariates=covariates_of(declared.formula),
        method=declared.interval,
        missing="no responder" if declared.missing == "non-responder" else "left out",
        level=declared.level,
    )


def _mic(declared: Responders, outcome: Outcome) -> dict[str, float | None]:
    """The declared thresholds; what is not declared comes from the outcome's own MIC."""
    own = outcome.mic or MIC()
    return {
        "absolute": own.absolute if declared.absolute is None else declared.absolute,
        "relative": own.relative if declared.relative is None else declared.relative,
    }


def covariates_of(formula: str) -> list[str]:
    """The covariates of a declared formula such as "~ baseline + sex"; interactions are not offered here."""
    right = formula.rsplit("~", maxsplit=1)[-1]
    names = [part.strip() for part in right.split("+")]
    names = [name for name in names if name not in ("", "arm", "1")]
    for name in names:
        if not re.fullmatch(r"[\w.]+|C\([\w.]+\)", name):
            raise CallError(f"{name!r} cannot be a covariate of responders: write names joined by +")
    return names


def _rows(fit: Fit, contrast: Contrast, declared: Responders) -> list[Row]:
    words, at = contrast.words, contrast.at or declared.at
    rows = [row_of(fit.reported, words, at, what="risk difference")]
    if fit.adjusted is not None:
        rows.append(row_of(fit.difference, words, at, what="risk difference, unadjusted", role="detail"))
    if fit.log_ratio is not None:
        r = fit.log_ratio
        ratio = Row(
            words,
            at,
            math.exp(r.estimate),
            math.nan,
            math.nan,
            math.exp(r.low),
            math.exp(r.high),
            r.p,
            r.level,
            "risk ratio",
            "detail",
        )
        rows.append(ratio)
    n = fit.needed
    # With `through_infinity` the set is everything outside (low, high): from harm over infinity to benefit.
    what = "number needed to treat" + (" (set runs through infinity)" if n.through_infinity else "")
    rows.append(Row(words, at, n.estimate, math.nan, math.nan, n.low, n.high, math.nan, n.level, what, "detail"))
    return rows


def _say(fit: Fit) -> str:
    """Counts and the risk difference in one sentence."""
    counted = ", ".join(f"{r.arm} {r.responders} of {r.n} ({100 * r.share:.0f}%)" for r in fit.counts.itertuples())
    found = fit.reported
    limits = f"{100 * found.level:g}% interval {100 * found.low:.1f} to {100 * found.high:.1f}"
    gap = f"{found.name} {100 * found.estimate:.1f} percentage points ({limits})"
    return f"Improved enough to matter: {counted}; {gap}; {fit.needed}"


_INTERVALS = {
    "newcombe": "Newcombe's",
    "miettinen-nurminen": "Miettinen and Nurminen's",
    "mee": "Mee's",
    "wald": "the simple (Wald)",
}


def _words(declared: Responders, fit: Fit) -> str:
    missing = "count as non-responders" if declared.missing == "non-responder" else "are left out and counted"
    how = (
        "risk difference by logistic g-computation with the variance of Ye et al. 2023"
        if fit.adjusted is not None
        else f"unadjusted risk difference with {_INTERVALS[declared.interval]} interval"
    )
    return f"Responders at {declared.at}: {fit.rule}; people without a value {missing}; {how}."


def _table(counts: pd.DataFrame, declared: Responders) -> Table:
    rows = tuple(
        (str(r.arm), int(r.responders), int(r.n), 100 * float(r.share) if r.n else math.nan, int(r.missing))
        for r in counts.itertuples()
    )
    columns = ("arm", "responders", "of", "per cent", "without a value")
    return Table("responders", f"Responders at {declared.at}", columns, rows)
