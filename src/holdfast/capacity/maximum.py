"""Maximal values of a cardiopulmonary exercise test under one declared averaging rule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.capacity.averaging import Averaged, AveragingRule, average
from holdfast.capacity.breaths import BreathTable, to_seconds
from holdfast.capacity.load import LoadProfile
from holdfast.errors import CallError, DataError


@dataclass(frozen=True, slots=True)
class Maxima:
    """What a test reached, all under `rule`.

    Attributes
    ----------
    vo2 : VO2max (or peak), mL/min. vo2_per_kg : mL/min/kg of that day's body mass, NaN without a mass.
    vo2_at : second of the centre of the window that gave it.
    vco2 : mL/min. ve : L/min. rer : highest smoothed VCO2/VO2 in the last tenth of exercise.
    heart_rate : highest single value, bpm, NaN when not recorded.
    body_mass : kg. rule : the averaging rule. breaths : how many rows went in.
    """

    vo2: float
    vo2_per_kg: float
    vo2_at: float
    vco2: float
    ve: float
    rer: float
    heart_rate: float
    body_mass: float | None
    rule: AveragingRule
    breaths: int


def maxima(table: BreathTable, rule: AveragingRule, *, profile: LoadProfile | None = None) -> Maxima:
    """Maximal values of a test (eq:cpet-max, eq:cpet-rer).

    `profile` (declared or guessed) tells where exercise ended, for RER only: right after exercise RER rises above
    anything reached during it.
    """
    smooth = average(_gases(table), rule)
    vo2, at = smooth.peak("vo2")
    if not np.isfinite(vo2):
        raise DataError(f"the test is too short for the averaging rule {rule}: no window is wholly observed")
    mass = table.info.body_mass
    heart_rate = to_seconds(table).channel("heart_rate")
    return Maxima(
        vo2=vo2,
        vo2_per_kg=vo2 / mass if mass is not None else float("nan"),
        vo2_at=at,
        vco2=smooth.peak("vco2")[0],
        ve=smooth.peak("ve")[0],
        rer=_peak_rer(smooth, profile.end if profile is not None else None),
        heart_rate=float(np.nanmax(heart_rate)) if np.isfinite(heart_rate).any() else float("nan"),
        body_mass=mass,
        rule=rule,
        breaths=len(table),
    )


def _gases(table: BreathTable) -> BreathTable:
    keep = {name: table.channel(name) for name in ("vo2", "vco2", "ve")}
    return BreathTable(table.seconds, keep, table.info)


def _peak_rer(smooth: Averaged, end: float | None) -> float:
    inside = np.ones(smooth.seconds.size, dtype=bool) if end is None else smooth.seconds <= end
    if not inside.any():
        inside[:] = True
    late = inside & (smooth.seconds >= 0.9 * smooth.seconds[inside].max())
    if not np.isfinite(smooth.channels["vo2"][late]).any():
        late = inside
    with np.errstate(divide="ignore", invalid="ignore"):
        rer = smooth.channels["vco2"][late] / smooth.channels["vo2"][late]
    return float(np.nanmax(rer)) if np.isfinite(rer).any() else float("nan")


def peak_power_ramp(profile: LoadProfile, *, stopped_at: float) -> float:
    """Peak power of a ramp test in W: the load at the second the person stopped (eq:cpet-peak-ramp)."""
    watts = float(profile.at(stopped_at))
    if not np.isfinite(watts):
        raise CallError(f"second {stopped_at} lies outside the load profile")
    return watts


def peak_power_step(*, last_full_stage: float, increment: float, seconds_in_next: float, stage_seconds: float) -> float:
    """Peak power of a step test in W: the last full stage plus the share of the next one (eq:cpet-peak-step).

    `last_full_stage` and `increment` in W. Kuipers et al. 1985, Int J Sports Med 6:197.
    """
    if not (0 <= seconds_in_next <= stage_seconds and stage_seconds > 0 and increment > 0):
        raise CallError("the time in the unfinished stage lies between 0 and the length of a stage")
    return last_full_stage + increment * seconds_in_next / stage_seconds
