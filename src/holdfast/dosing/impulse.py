"""Training impulse and load of a session from heart rate and from the person's own rating."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import CallError

FloatArray = NDArray[np.float64]

BANISTER = {"M": (0.64, 1.92), "F": (0.86, 1.67)}
"""k and b of Banister's weighting (Morton, Fitz-Clarke and Banister 1990), by sex."""
EDWARDS = (0.5, 0.6, 0.7, 0.8, 0.9)
"""Lower limits of the five zones, as fractions of maximum heart rate (Edwards 1993)."""
MET_ML = 3.5
"""Oxygen uptake of one MET, in mL/min/kg."""


@dataclass(frozen=True, slots=True)
class Impulse:
    """A training impulse in arbitrary units, and the minutes it rests on; `unseen` minutes had no heart rate."""

    value: float
    minutes: float
    unseen: float


def banister(heart_rate: FloatArray, *, rest: float, maximum: float, sex: Literal["F", "M"]) -> Impulse:
    """TRIMP after Banister, integrated over 1-second records (eq:trimp).

    The weighting is convex, so the mean heart rate of an interval session would underestimate it.

    Parameters
    ----------
    heart_rate : bpm, one value per second; NaN where not observed.
    rest, maximum : bpm.
    """
    if not 20 <= rest < maximum <= 250:
        raise CallError(f"Heart rate at rest ({rest:g}) must be below the maximum ({maximum:g}), both in bpm.")
    k, b = BANISTER[sex]
    seen = heart_rate[np.isfinite(heart_rate)]
    x = np.clip((seen - rest) / (maximum - rest), 0.0, None)
    value = float((x * k * np.exp(b * x)).sum() / 60)  # eq:trimp
    return Impulse(value, seen.size / 60, (heart_rate.size - seen.size) / 60)


def edwards(heart_rate: FloatArray, *, maximum: float) -> Impulse:
    """TRIMP after Edwards: minutes in five zones of maximum heart rate, weighted 1 to 5 (eq:edwards)."""
    seen = heart_rate[np.isfinite(heart_rate)]
    zones = np.searchsorted(np.array(EDWARDS) * maximum, seen, side="right")
    return Impulse(float(zones.sum() / 60), seen.size / 60, (heart_rate.size - seen.size) / 60)


def session_rpe(rpe: float, minutes: float) -> float:
    """Session load: rating of the whole session on the CR10 scale times minutes (Foster et al. 2001)."""
    if not 0 <= rpe <= 10:
        raise CallError(f"A CR10 rating runs from 0 to 10, not {rpe:g}.")
    return rpe * minutes


def met_hours(watts: FloatArray, *, body_mass: float) -> float:
    """MET hours of leg cycling from power, by the ACSM equation (eq:acsm-cycling).

    Parameters
    ----------
    watts : W, one value per second; NaN where not observed counts as nothing known, not as rest.
    body_mass : kg.

    Notes
    -----
    The equation is meant for steady state at 50 to 200 W; outside it is an extrapolation.
    """
    seen = watts[np.isfinite(watts)]
    return met_hours_of_work(float(seen.sum()) / 1000, float(seen.size), body_mass=body_mass)


def met_hours_of_work(kilojoules: float, seconds: float, *, body_mass: float) -> float:
    """MET hours of this much cycling work in this many seconds; the equation is linear, so the mean power is enough."""
    if not 20 <= body_mass <= 300:
        raise CallError(f"A body mass of {body_mass:g} kg is not plausible.")
    uptake_seconds = 7 * seconds + 10.8 * 1000 * kilojoules / body_mass  # eq:acsm-cycling
    return uptake_seconds / MET_ML / 3600
