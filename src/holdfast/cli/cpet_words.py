"""A judged exercise test in words, for people first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from holdfast.cli.lined import columns, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from holdfast.app.desk import Done
    from holdfast.capacity.analyse import CpetResult
    from holdfast.capacity.averaging import AveragingRule
    from holdfast.capacity.breaths import BreathTable
    from holdfast.capacity.effort import Criterion
    from holdfast.capacity.load import LoadProfile
    from holdfast.capacity.thresholds import Candidates
    from holdfast.core.facts import Value
    from holdfast.core.issues import Issue


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One test judged: its breaths, its load, what the protocol gives, candidates, and what a record would keep."""

    table: BreathTable
    profile: LoadProfile | None
    result: CpetResult
    candidates: Candidates
    values: Mapping[str, Value]
    issues: tuple[Issue, ...]


def in_words(judged: Judged, rule: AveragingRule, done: Done | None) -> list[str]:
    """Maxima, every criterion, candidates, what a paper must report, problems, and what was kept."""
    top, result = judged.result.top, judged.result
    return [
        f"{top.breaths} rows over {number(float(judged.table.seconds[-1]) / 60, 1)} min, averaged by {rule}",
        "",
        f"VO2max          {number(top.vo2)} mL/min" + _per_kg(judged),
        f"VCO2, VE        {number(top.vco2)} mL/min, {number(top.ve, 1)} L/min",
        f"RER             {number(top.rer, 2) or 'not measured'}",
        f"Heart rate      {number(top.heart_rate)} bpm" if number(top.heart_rate) else "Heart rate      not measured",
        *_watts(judged),
        "",
        "Maximal effort: every criterion, none of them a verdict about the test by itself",
        *columns(
            [
                ("criterion", "value", "verdict"),
                *((f"{one.text} ({one.source})", _value(one), str(one.verdict)) for one in result.criteria),
            ],
            "  ",
        ),
        "",
        f"Threshold candidates ({judged.candidates.rule}); none is used before a person decided (holdfast decide)",
        *columns(
            [
                ("method", "VO2 mL/min", "at min"),
                *(
                    (f"{one.threshold} {one.method}", number(one.vo2) or "none", number(one.seconds / 60, 1))
                    for one in judged.candidates.found
                ),
            ],
            "  ",
        ),
        "",
        "For the paper",
        *(f"  {one.item}: {one.text or 'NOT DECLARED'}" for one in result.items),
        *_issues(judged),
        *_kept(done),
    ]


def _value(one: Criterion) -> str:
    return f"{number(one.value, 2)} {one.unit}".strip() if number(one.value) else ""


def _per_kg(judged: Judged) -> str:
    top = judged.result.top
    if top.body_mass is None:
        return " (no body mass)"
    return f" = {number(top.vo2_per_kg, 1)} mL/min/kg at {top.body_mass:g} kg ({judged.table.info.body_mass_from})"


def _watts(judged: Judged) -> list[str]:
    peak, full = judged.values.get("watts_peak"), judged.values.get("watts_at_vo2max")
    if not isinstance(peak, float) or not isinstance(full, float):
        return ["Watts           not known: declare the load with --ramp or --steps"]
    told = f"{judged.values['full_load']}, mean response time {judged.values['mean_response_time']:g} s"
    return [f"Peak power      {number(peak)} W", f"W at VO2max     {number(full)} W ({told})"]


def _issues(judged: Judged) -> list[str]:
    from holdfast.core.issues import Severity

    loud = [str(issue) for issue in judged.issues if issue.severity is not Severity.NOTE]
    quiet = len(judged.issues) - len(loud)
    return ["", *loud, *([f"{quiet} notes (--json lists them)"] if quiet else [])] if judged.issues else []


def _kept(done: Done | None) -> list[str]:
    if done is None:
        return []
    return ["", f"Kept: cpet of {done.record.participant} is record {done.record.seq}.", *map(str, done.issues)]


def as_json(judged: Judged, rule: AveragingRule, done: Done | None) -> str:
    """The same for machines."""
    import json
    import math
    from dataclasses import asdict

    def plain(value: object) -> object:
        return None if isinstance(value, float) and math.isnan(value) else value

    document = {
        "averaging": str(rule),
        "values": judged.values,
        "effort": [{k: plain(v) for k, v in asdict(one).items()} for one in judged.result.criteria],
        "threshold_candidates": [
            {"threshold": one.threshold, "method": one.method, "vo2": plain(one.vo2), "seconds": plain(one.seconds)}
            for one in judged.candidates.found
        ],
        "reporting_items": {one.item: one.text for one in judged.result.items},
        "issues": [asdict(issue) for issue in judged.issues],
        "kept": None if done is None else done.record.seq,
    }
    return json.dumps(document, indent=2, ensure_ascii=False, default=str)
