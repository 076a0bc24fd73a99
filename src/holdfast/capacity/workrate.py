"""Which watts make a person take up this much oxygen?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from holdfast.capacity.breaths import BreathTable, FloatArray, to_seconds
from holdfast.capacity.load import LoadProfile
from holdfast.errors import CallError, DataError


@dataclass(frozen=True, slots=True)
class OxygenCost:
    """The line VO2 = intercept + slope * watts of one person on one day (eq:cpet-cost).

    Attributes
    ----------
    intercept : mL/min. slope : mL/min/W. n : points in the fit. residual_sd : mL/min.
    fitted_from, fitted_to : the watts that the fit has seen.
    mean_response_time : seconds by which VO2 was taken to lag the load; 0 reads the ramp as it stands.
    """

    intercept: float
    slope: float
    n: int
    residual_sd: float
    fitted_from: float
    fitted_to: float
    mean_response_time: float


@dataclass(frozen=True, slots=True)
class Workrate:
    """Watts for a target VO2 (mL/min), and whether the line had to be followed beyond what it has seen."""

    watts: float
    vo2: float
    extrapolated: bool
    cost: OxygenCost


def cost_from_ramp(
    table: BreathTable,
    profile: LoadProfile,
    *,
    mean_response_time: float,
    from_second: float,
    to_second: float,
) -> OxygenCost:
    """Fit the line to a ramp test between two seconds, with the load taken `mean_response_time` seconds earlier.

    VO2(t) = a + b W(t - MRT) (eq:cpet-cost-ramp). VO2 lags a ramp, so watts read straight off it demand more
    oxygen than intended (Behboodpour 2024); the protocol declares the MRT, 0 for "as it stands". Fit below the
    first threshold, where the line holds, by choosing `to_second`.
    """
    if not 0 <= mean_response_time <= 120:
        raise CallError(f"a mean response time of {mean_response_time} s cannot be meant; 0 to 120 s is possible")
    grid = to_seconds(table)
    watts = profile.at(grid.seconds - mean_response_time)
    vo2 = grid.channel("vo2")
    use = (grid.seconds >= from_second) & (grid.seconds <= to_second) & np.isfinite(watts) & np.isfinite(vo2)
    return _fit(watts[use], vo2[use], mean_response_time)


def cost_from_stages(watts: ArrayLike, vo2: ArrayLike) -> OxygenCost:
    """Fit the line to steady-state stage means: watts shape (k,), VO2 in mL/min shape (k,); NaN pairs are not used
    (eq:cpet-cost)."""
    w, v = np.asarray(watts, dtype=np.float64), np.asarray(vo2, dtype=np.float64)
    known = np.isfinite(w) & np.isfinite(v)
    return _fit(w[known], v[known], 0.0)


def _fit(watts: FloatArray, vo2: FloatArray, mrt: float) -> OxygenCost:
    if watts.size < 3 or np.ptp(watts) <= 0:
        raise DataError(
            f"the oxygen cost of watts needs at least three points at different loads; there are {watts.size}",
            ways_out=("widen the window of the ramp", "use a test with more stages"),
        )
    line = stats.linregress(watts, vo2)
    if not 5 <= line.slope <= 20:
        raise DataError(
            f"the oxygen cost comes out as {line.slope:.2f} mL/min/W; cycling costs 8 to 13, so this is no cycle test "
            "or its load profile is wrong",
            ways_out=("check the declared load profile", "check the units of VO2 and of the load"),
        )
    residual = vo2 - line.intercept - line.slope * watts
    sd = float(np.sqrt((residual**2).sum() / max(watts.size - 2, 1)))
    return OxygenCost(
        float(line.intercept), float(line.slope), int(watts.size), sd, float(watts.min()), float(watts.max()), mrt
    )


def watts_for(vo2: float, cost: OxygenCost) -> Workrate:
    """Watts at which the line gives `vo2` mL/min (eq:cpet-watts)."""
    watts = (vo2 - cost.intercept) / cost.slope
    if not watts > 0:
        raise DataError(
            f"{vo2:.0f} mL/min lies below the oxygen uptake of unloaded pedalling ({cost.intercept:.0f} mL/min)"
        )
    return Workrate(watts, vo2, not cost.fitted_from <= watts <= cost.fitted_to, cost)


def watts_at_fraction(fraction: float, vo2max: float, cost: OxygenCost) -> Workrate:
    """Watts at `fraction` (0.6 for 60 %) of VO2max in mL/min (eq:cpet-watts)."""
    if not 0.2 <= fraction <= 1.2:
        raise CallError(f"{fraction:.0%} of VO2max cannot be meant; write 60 % as 0.6")
    return watts_for(fraction * vo2max, cost)


def acsm_vo2(watts: float, body_mass: float) -> float:
    """Oxygen uptake of leg cycling in mL/min/kg after ACSM, VO2 = 7 + 10.8 W/kg, for 50 to 200 W (eq:acsm-cycling).

    A group mean with about 7 % error, for MET-hours and for people without a test; refused outside its domain.
    """
    if not 50 <= watts <= 200:
        raise CallError(f"the ACSM equation holds from 50 to 200 W, not at {watts:.0f} W")
    if not 20 <= body_mass <= 350:
        raise CallError(f"a body mass of {body_mass} kg cannot be meant")
    return 7.0 + 10.8 * watts / body_mass
