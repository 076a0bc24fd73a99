"""Ventilatory thresholds: candidates that software may find, and the decision that only people can take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from holdfast.capacity.averaging import AveragingRule, average
from holdfast.capacity.breaths import BreathTable, FloatArray
from holdfast.capacity.twolines import TwoLines, jones_molitoris, orr, v_slope
from holdfast.errors import CallError

DEFAULT_RULE = AveragingRule.parse("15 breaths rolling")


class Threshold(StrEnum):
    """The first (aerobic, gas exchange) and the second (respiratory compensation) ventilatory threshold."""

    VT1 = "VT1"
    VT2 = "VT2"


@dataclass(frozen=True, slots=True)
class Candidate:
    """What one method suggests. Never used for dosing: the methods disagree by hundreds of mL/min on one test.

    `vo2` mL/min and `seconds` are NaN, and `lines` None, when the method finds no threshold.
    """

    threshold: Threshold
    method: str
    vo2: float
    seconds: float
    lines: TwoLines | None


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Every method's suggestion for both thresholds, with the averaged data they were found in."""

    found: tuple[Candidate, ...]
    seconds: FloatArray
    vo2: FloatArray
    rule: AveragingRule

    def of(self, threshold: Threshold) -> tuple[Candidate, ...]:
        """The suggestions for one threshold, undetermined ones included."""
        return tuple(one for one in self.found if one.threshold is threshold)

    def spread(self, threshold: Threshold) -> float:
        """Highest minus lowest suggested VO2 in mL/min; NaN when fewer than two methods found one."""
        values = [one.vo2 for one in self.of(threshold) if np.isfinite(one.vo2)]
        return max(values) - min(values) if len(values) > 1 else float("nan")


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader's placement of a threshold, made without knowledge of the arm: VO2 in mL/min, None for
    "cannot be determined"."""

    reader: str
    vo2: float | None


@dataclass(frozen=True, slots=True)
class ThresholdDecision:
    """A threshold that people decided on; the only thing that dosing accepts.

    Attributes
    ----------
    threshold : VT1 or VT2. vo2 : mL/min. watts : W at the threshold, when decided. heart_rate : bpm, when decided.
    readings : what each reader said before the decision; two blinded readers are good practice.
    decided_by : who is answerable. decided_at : aware moment. reason : how the readings became one value.
    """

    threshold: Threshold
    vo2: float
    readings: tuple[Reading, ...]
    decided_by: str
    decided_at: datetime
    reason: str
    watts: float | None = None
    heart_rate: float | None = None

    def __post_init__(self) -> None:
        if not self.readings or not self.decided_by.strip() or not self.reason.strip():
            raise CallError("a threshold decision names its readings, who decided, and why")
        if self.decided_at.tzinfo is None:
            raise CallError("the moment of a threshold decision needs a time zone")
        if not 300 <= self.vo2 <= 8000:
            raise CallError(f"a threshold at {self.vo2} mL/min cannot be meant")


def require_decision(value: object, *, why: str) -> ThresholdDecision:
    """Give back a decision; refuse a candidate or nothing, saying what is missing."""
    if isinstance(value, ThresholdDecision):
        return value
    raise CallError(
        f"{why} needs a threshold that a person decided on; software's candidates are not used for dosing",
        ways_out=("show the candidates with the plot to two blinded readers and record a ThresholdDecision",),
    )


_Finder = Callable[[FloatArray, FloatArray], TwoLines | None]
#: method -> (threshold, x, y, finder); the classical pairs of axes.
METHODS: Mapping[str, tuple[Threshold, str, str, _Finder]] = MappingProxyType(
    {
        "V-slope": (Threshold.VT1, "vo2", "vco2", v_slope),
        "two lines VCO2/VO2 (Orr)": (Threshold.VT1, "vo2", "vco2", orr),
        "joined lines VCO2/VO2 (Jones-Molitoris)": (Threshold.VT1, "vo2", "vco2", jones_molitoris),
        "excess CO2": (Threshold.VT1, "vo2", "excess_co2", jones_molitoris),
        "VE/VO2": (Threshold.VT1, "vo2", "ve_vo2", jones_molitoris),
        "two lines VE/VCO2 (Orr)": (Threshold.VT2, "vco2", "ve", orr),
        "joined lines VE/VCO2 (Jones-Molitoris)": (Threshold.VT2, "vco2", "ve", jones_molitoris),
        "VE/VCO2 ratio": (Threshold.VT2, "vo2", "ve_vco2", jones_molitoris),
    }
)


def candidates(
    table: BreathTable,
    *,
    rule: AveragingRule = DEFAULT_RULE,
    exercise_from: float | None = None,
    exercise_until: float | None = None,
    drop_first: float = 60.0,
) -> Candidates:
    """Every method's candidates on averaged data of the incremental part (eq:vt-excess, eq:vt-vslope).

    `exercise_from` and `exercise_until` are the seconds between which the load rose; the first `drop_first` seconds
    of that are left out, as Beaver 1986 does. Show the result to people; see `ThresholdDecision`.
    """
    lower = -np.inf if exercise_from is None else exercise_from
    upper = np.inf if exercise_until is None else exercise_until
    smooth = average(table.without((table.seconds < lower) | (table.seconds > upper)), rule)
    series = dict(smooth.channels)
    for name in ("vo2", "vco2", "ve"):
        series.setdefault(name, np.full(smooth.seconds.size, np.nan))
    series |= derived(series["vo2"], series["vco2"], series["ve"])
    whole = np.isfinite(series["vo2"]) & np.isfinite(series["vco2"]) & np.isfinite(series["ve"])
    if whole.any():
        whole &= smooth.seconds >= smooth.seconds[whole][0] + drop_first
    series = {name: values[whole] for name, values in series.items()}
    seconds = smooth.seconds[whole]
    found = tuple(_candidate(method, seconds, series) for method in METHODS)
    return Candidates(found, seconds, series["vo2"], rule)


def derived(vo2: FloatArray, vco2: FloatArray, ve: FloatArray) -> dict[str, FloatArray]:
    """Excess CO2 (eq:vt-excess) and the ventilatory equivalents, shapes kept."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {"excess_co2": vco2**2 / vo2 - vco2, "ve_vo2": 1000 * ve / vo2, "ve_vco2": 1000 * ve / vco2}


def _candidate(method: str, seconds: FloatArray, series: Mapping[str, FloatArray]) -> Candidate:
    threshold, x_name, y_name, finder = METHODS[method]
    order = np.lexsort((seconds, series[x_name]))
    x, y = series[x_name][order], series[y_name][order]
    lines = finder(x, y)
    if lines is None:
        return Candidate(threshold, method, float("nan"), float("nan"), None)
    # The other quantities at the threshold are those of the nearest points in both axes, weighted by nearness.
    scale_x, scale_y = np.ptp(x), np.ptp(y)
    away = np.hypot((x - lines.x) / scale_x, (y - lines.y) / scale_y)
    near = np.argsort(away, kind="stable")[:5]
    weight = 1 / np.maximum(away[near], 1e-9)
    weight /= weight.sum()
    vo2 = lines.x if x_name == "vo2" else float(weight @ series["vo2"][order][near])
    return Candidate(threshold, method, vo2, float(weight @ seconds[order][near]), lines)
