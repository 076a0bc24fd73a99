"""Criteria of maximal effort: each with its value and verdict, none hidden."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import ge, gt, le, lt

import numpy as np
from scipy import stats

from holdfast.capacity.averaging import Averaging, AveragingRule, average
from holdfast.capacity.breaths import BreathTable, to_seconds
from holdfast.capacity.maximum import Maxima


class Verdict(StrEnum):
    """Was a criterion met? "not judged" says that what it needs was not measured."""

    MET = "met"
    NOT_MET = "not met"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion of maximal effort.

    `value` and `limit` are in `unit`; `value` is NaN when not judged; `source` names who proposed the limit.
    """

    code: str
    text: str
    value: float
    limit: float
    unit: str
    verdict: Verdict
    source: str


@dataclass(frozen=True, slots=True)
class EffortFacts:
    """What the room knows beside the gases; None for not measured.

    age : completed years. sex : "female" or "male". mode : "cycle" or "treadmill". rpe : Borg 6 to 20.
    lactate : mmol/L after the test. fev1 : L, for the maximal voluntary ventilation 40 x FEV1.
    """

    age: float | None = None
    sex: str | None = None
    mode: str = "cycle"
    rpe: float | None = None
    lactate: float | None = None
    fev1: float | None = None


def effort_criteria(table: BreathTable, top: Maxima, facts: EffortFacts) -> tuple[Criterion, ...]:
    """Every criterion in use, in a fixed order (eq:effort-plateau, eq:effort-hr, eq:effort-mvv).

    RER, heart rate and lactate cut-offs reject true maxima and accept submaximal tests (Poole 2008; Edvardsen 2014),
    so the table is evidence for a reader and not a verdict about the test.
    """
    return tuple(_judge(code, value) for code, value in _values(table, top, facts).items())


#: code -> text, limit, unit, comparison with the limit, who proposed it.
_LIMITS: Mapping[str, tuple[str, float, str, str, str]] = {
    "plateau-slope": ("VO2 slope over the last 30 s below 50 mL/min per min", 50, "mL/min/min", "<", "Yoon 2007"),
    "plateau-rise": ("last 15 s less than 50 mL/min above the 15 s before", 50, "mL/min", "<", "Astorino"),
    "rer-1.05": ("RER above 1.05", 1.05, "", ">", "ERS review"),
    "rer-1.10": ("RER at least 1.10", 1.10, "", ">=", "common use"),
    "rer-1.15": ("RER at least 1.15", 1.15, "", ">=", "Edvardsen 2014"),
    "hr-predicted": ("heart rate above 100 % of predicted", 100, "%", ">", "ERS review"),
    "hr-220": ("heart rate at most 10 beats below 220 - age", 10, "bpm", "<=", "common use"),
    "ve-mvv": ("ventilation at least 85 % of 40 x FEV1", 85, "%", ">=", "ERS review"),
    "rpe-17": ("perceived exertion at least 17 (Borg 6-20)", 17, "", ">=", "common use"),
    "lactate-8": ("blood lactate at least 8 mmol/L", 8, "mmol/L", ">=", "Edvardsen 2014"),
}
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def _values(table: BreathTable, top: Maxima, facts: EffortFacts) -> dict[str, float]:
    mvv = 40 * _or_nan(facts.fev1)
    return {
        "plateau-slope": plateau_slope(table),
        "plateau-rise": plateau_rise(table),
        "rer-1.05": top.rer,
        "rer-1.10": top.rer,
        "rer-1.15": top.rer,
        "hr-predicted": 100 * top.heart_rate / predicted_heart_rate(facts),
        "hr-220": 220 - _or_nan(facts.age) - top.heart_rate,
        "ve-mvv": 100 * top.ve / mvv,
        "rpe-17": _or_nan(facts.rpe),
        "lactate-8": _or_nan(facts.lactate),
    }


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _judge(code: str, value: float) -> Criterion:
    text, limit, unit, sign, source = _LIMITS[code]
    if not np.isfinite(value):
        verdict = Verdict.NOT_JUDGED
    else:
        verdict = Verdict.MET if _COMPARE[sign](value, limit) else Verdict.NOT_MET
    return Criterion(code, text, float(value), float(limit), unit, verdict, source)


def predicted_heart_rate(facts: EffortFacts) -> float:
    """Predicted maximal heart rate in bpm: cycle 209 - 0.86 age (women), 207 - 0.78 age (men), treadmill
    211 - 0.64 age (eq:effort-hr); NaN when age or sex is not known."""
    if facts.age is None:
        return float("nan")
    if facts.mode == "treadmill":
        return 211 - 0.64 * facts.age
    return {"female": 209 - 0.86 * facts.age, "male": 207 - 0.78 * facts.age}.get(facts.sex or "", float("nan"))


def plateau_slope(table: BreathTable) -> float:
    """Slope of 15-breath-averaged VO2 against time over the last 30 s before its peak, mL/min per minute."""
    if not table.breath_by_breath:
        return float("nan")
    smooth = average(table, AveragingRule(Averaging.ROLLING_BREATHS, 15))
    end = smooth.peak("vo2")[1]
    late = (smooth.seconds > end - 30) & (smooth.seconds <= end) & np.isfinite(smooth.channels["vo2"])
    if late.sum() < 5:
        return float("nan")
    return float(stats.linregress(smooth.seconds[late] / 60, smooth.channels["vo2"][late]).slope)


def plateau_rise(table: BreathTable) -> float:
    """Mean VO2 of the 15 s that end with the highest 15-s mean minus that of the 15 s before, mL/min."""
    vo2 = to_seconds(table).channel("vo2")
    if np.isfinite(vo2).sum() < 60:
        return float("nan")
    means = np.lib.stride_tricks.sliding_window_view(vo2, 15).mean(axis=1)
    if not np.isfinite(means).any():
        return float("nan")
    best = int(np.nanargmax(means))
    return float(means[best] - means[best - 15]) if best >= 15 else float("nan")
