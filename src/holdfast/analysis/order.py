"""The declared order of tests: fixed sequence, and families that are tested together (eq:hierarchy)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast.analysis.results import Analysed, Tested
from holdfast.stats.multiplicity import Family, hierarchy
from holdfast.study.model import Study, Together


@dataclass(frozen=True, slots=True)
class _Asked:
    """The first declared contrast of an analysis and its p value; NaN where it has none."""

    contrast: str
    p: float


def tested(study: Study, analyses: Sequence[Analysed]) -> tuple[Tested, ...]:
    """Each hypothesis of the declared order with its p value, adjusted p value and decision.

    A step opens only when every hypothesis of the steps before it was rejected at the study's alpha. Within a step
    the declared method (Holm, Hochberg, Bonferroni) shares alpha. An analysis that gave no p value closes the order.
    """
    by_code = {each.code: each for each in analyses}
    asked = {code: _asked(by_code.get(code)) for step in study.hierarchy for code in codes_of(step)}
    if not asked:
        return ()
    steps = [step if isinstance(step, str) else Family(step.analyses, step.method) for step in study.hierarchy]
    known = {code: 1.0 if math.isnan(one.p) else one.p for code, one in asked.items()}
    table = hierarchy(known, steps, alpha=study.study.alpha)
    return tuple(_told(dict(row), asked, study) for row in table.to_dict("records"))


def codes_of(step: str | Together) -> tuple[str, ...]:
    """The analyses of one step."""
    return (step,) if isinstance(step, str) else step.analyses


def _asked(analysed: Analysed | None) -> _Asked:
    rows = analysed.contrasts if analysed is not None else ()
    return _Asked(rows[0].contrast, rows[0].p) if rows else _Asked("", math.nan)


def _told(row: Mapping[str, object], asked: Mapping[str, _Asked], study: Study) -> Tested:
    code = str(row["name"])
    one = asked[code]
    number = int(str(row["step"]))
    step = study.hierarchy[number - 1]
    method = "" if isinstance(step, str) else step.method
    if not row["tested"]:
        decision = "not tested"
    elif math.isnan(one.p):
        decision = "no p value"
    else:
        decision = "significant" if row["rejected"] else "not significant"
    adjusted = math.nan if math.isnan(one.p) else float(str(row["adjusted"]))
    return Tested(number, code, one.contrast, one.p, adjusted, method, decision)
