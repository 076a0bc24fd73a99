"""Isometric strength: peak torque, how well it repeats, how fast it rises."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from holdfast.capacity.breaths import FloatArray
from holdfast.errors import CallError, DataError, Refused

RTD_WINDOWS = (0.050, 0.100, 0.200, 0.250)  # seconds from onset, Maffiuletti et al. 2016
SLOWEST_RTD_SAMPLING = 1000.0  # Hz


@dataclass(frozen=True, slots=True)
class IsometricResult:
    """Peak torque over trials, in Nm after gravity correction: best, mean, SD over trials, and their CV in %."""

    best: float
    mean: float
    sd: float
    cv: float
    trials: tuple[float, ...]


def gravity_corrected(torque: ArrayLike, limb_torque: float, *, against_gravity: bool) -> FloatArray:
    """Muscle torque in Nm from measured torque (shape kept): the resting limb's torque is added when the muscle
    works against gravity and subtracted when gravity helps it (eq:torque-gravity)."""
    return np.asarray(torque, dtype=np.float64) + (limb_torque if against_gravity else -limb_torque)


def peak_torque(
    trials: Sequence[ArrayLike], *, limb_torque: float = 0.0, against_gravity: bool = True
) -> IsometricResult:
    """Best and mean peak torque of several trials and their coefficient of variation (eq:torque-cv).

    Each trial is a trace in Nm or a single peak; NaN samples are not observed.
    """
    peaks = []
    for i, trial in enumerate(trials, start=1):
        values = gravity_corrected(
            np.atleast_1d(np.asarray(trial, dtype=np.float64)), limb_torque, against_gravity=against_gravity
        )
        if not np.isfinite(values).any():
            raise DataError(f"trial {i} holds no torque")
        peaks.append(float(np.nanmax(values)))
    if not peaks:
        raise CallError("peak torque needs at least one trial")
    if max(peaks) > 2000 or min(peaks) <= 0:
        raise DataError(
            f"peak torques of {min(peaks):.0f} to {max(peaks):.0f} Nm cannot be human trunk or limb torques"
        )
    mean = float(np.mean(peaks))
    sd = float(np.std(peaks, ddof=1)) if len(peaks) > 1 else math.nan
    return IsometricResult(max(peaks), mean, sd, 100 * sd / mean, tuple(peaks))


@dataclass(frozen=True, slots=True)
class Repeatability:
    """What a change must exceed to be more than noise, in the unit of the measure.

    sem : standard error of measurement, square root of the within-person mean square over repeated sessions.
    sdc : smallest detectable change in one person, 1.96 x sqrt(2) x SEM. icc : ICC(2,1), absolute agreement.
    """

    sem: float
    sdc: float
    icc: float
    people: int
    sessions: int


def smallest_detectable_change(sem: float) -> float:
    """Smallest change in one person that is beyond 95 % of measurement noise (eq:torque-sdc)."""
    if not (math.isfinite(sem) and sem >= 0):
        raise CallError(f"a standard error of measurement of {sem} cannot be meant")
    return 1.96 * math.sqrt(2) * sem


def repeatability(values: ArrayLike) -> Repeatability:
    """Test-retest analysis of values with shape (people, sessions), complete (eq:torque-sem, eq:torque-icc).

    Two-way analysis of variance; the SEM holds the sessions' systematic difference too (absolute agreement).
    """
    y = np.asarray(values, dtype=np.float64)
    if y.ndim != 2 or y.shape[0] < 3 or y.shape[1] < 2 or not np.isfinite(y).all():
        raise CallError("repeatability needs at least three people with at least two complete sessions each")
    n, k = y.shape
    grand = y.mean()
    between = k * float(((y.mean(axis=1) - grand) ** 2).sum()) / (n - 1)
    session = n * float(((y.mean(axis=0) - grand) ** 2).sum()) / (k - 1)
    total = float(((y - grand) ** 2).sum())
    error = (total - between * (n - 1) - session * (k - 1)) / ((n - 1) * (k - 1))
    variance_session = max((session - error) / n, 0.0)
    sem = math.sqrt(error + variance_session)
    icc = (between - error) / (between + (k - 1) * error + k * (session - error) / n)
    return Repeatability(sem, smallest_detectable_change(sem), icc, n, k)


def rate_of_torque_development(
    torque: ArrayLike, *, hertz: float, onset_threshold: float, windows: Sequence[float] = RTD_WINDOWS
) -> tuple[float, Mapping[float, float]]:
    """Onset in seconds, and mean slope in Nm/s from onset over each window (eq:torque-rtd).

    Onset is the last sample at or below baseline + `onset_threshold` Nm before the rise to the peak; baseline is the
    mean of the first 0.2 s. A plot must confirm it. Refused below 1,000 Hz, where the first 50 ms hold too few
    samples; a trace that starts during the rise is refused too.
    """
    y = np.asarray(torque, dtype=np.float64)
    if not hertz >= SLOWEST_RTD_SAMPLING:
        raise Refused(
            f"rate of torque development needs at least {SLOWEST_RTD_SAMPLING:.0f} samples a second, not {hertz:g}",
            ways_out=("report peak torque only", "record with a faster device"),
        )
    if y.ndim != 1 or not np.isfinite(y).all() or y.size < hertz * (0.2 + max(windows)):
        raise DataError("the torque trace is too short or has gaps")
    baseline = float(y[: int(0.2 * hertz)].mean())
    top = int(np.argmax(y))
    low = np.flatnonzero(y[:top] <= baseline + onset_threshold)
    if low.size == 0 or low[-1] < 0.2 * hertz:
        raise DataError("the trace begins during the contraction, so its onset cannot be seen")
    onset = int(low[-1])
    return onset / hertz, {window: _slope(y, onset, round(window * hertz), hertz) for window in windows}


def _slope(y: FloatArray, onset: int, samples: int, hertz: float) -> float:
    end = onset + samples
    return float((y[end] - y[onset]) / (samples / hertz)) if end < y.size else math.nan
