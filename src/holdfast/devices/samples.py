"""A recording from samples as a device wrote them, put in order and made honest about what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np

from holdfast.core.issues import Issue, Severity
from holdfast.core.recording import Event, FloatArray, Lap, Recording

#: Beyond these a value is damage and not measurement.
POSSIBLE: Mapping[str, tuple[float, float]] = {
    "power": (0.0, 3000.0),
    "heart_rate": (20.0, 250.0),
    "cadence": (0.0, 300.0),
    "speed": (0.0, 60.0),
    "distance": (0.0, 1e7),
    "altitude": (-500.0, 9000.0),
    "temperature": (-60.0, 90.0),
    "calories": (0.0, 60_000.0),
}


def recording_from(
    seconds: FloatArray,
    channels: Mapping[str, FloatArray],
    units: Mapping[str, str],
    *,
    start: datetime | None,
    laps: tuple[Lap, ...] = (),
    events: tuple[Event, ...] = (),
    source: str,
    device: str | None = None,
    longest: float = 2 * 86_400,
) -> tuple[Recording, tuple[Issue, ...]]:
    """A recording and what was odd about its samples.

    Samples without a usable time are left out, falling time is put in order, heart rate 0 and impossible values
    become NaN; each is counted in an issue. Channels that hold nothing are left out.
    """
    issues: list[Issue] = []
    with np.errstate(invalid="ignore"):
        usable = np.isfinite(seconds) & (np.abs(seconds) <= longest)
    if not usable.all():
        what = f"{int((~usable).sum())} samples have no usable time and were left out."
        issues.append(Issue("samples-left-out", source, what, severity=Severity.WARNING))
    seconds = seconds[usable]
    kept = {name: _clean(name, values[usable], source, issues) for name, values in channels.items()}
    kept = {name: values for name, values in kept.items() if np.isfinite(values).any()}
    if seconds.size and (np.diff(seconds) < 0).any():
        what = f"time falls {int((np.diff(seconds) < 0).sum())} times; the samples were put in order of time."
        issues.append(Issue("time-falls", source, what, severity=Severity.WARNING))
        order = np.argsort(seconds, kind="stable")
        seconds, kept = seconds[order], {name: values[order] for name, values in kept.items()}
    if seconds.size == 0:
        issues.append(Issue("no-samples", source, "the file holds not one readable sample."))
    recording = Recording(start, seconds, kept, {name: units[name] for name in kept}, laps, events, source, device)
    return recording, (*issues, *_gap_issues(recording))


def earliest(moments: FloatArray, longest: float = 2 * 86_400) -> float:
    """The first moment that lies within `longest` seconds of the middle one; NaN when there is none.

    The middle anchors the clock, so that one damaged timestamp cannot move it.
    """
    known = np.sort(moments[np.isfinite(moments)])
    if known.size == 0:
        return float("nan")
    middle = known[known.size // 2]
    return float(known[np.searchsorted(known, middle - longest)])


def _clean(name: str, values: FloatArray, source: str, issues: list[Issue]) -> FloatArray:
    out = np.array(values, dtype=np.float64)
    if name == "heart_rate" and (out == 0).any():
        what = f"{int((out == 0).sum())} heart rates of 0 are a lost sensor and were treated as not observed."
        issues.append(Issue("heart-rate-zero", f"{source}, heart_rate", what, severity=Severity.WARNING))
        out[out == 0] = np.nan
    low, high = POSSIBLE.get(name, (-np.inf, np.inf))
    with np.errstate(invalid="ignore"):
        impossible = np.isfinite(out) & ((out < low) | (out > high))
    if impossible.any():
        what = f"{int(impossible.sum())} values lie outside {low:g} to {high:g} and were treated as not observed."
        issues.append(Issue("impossible-values", f"{source}, {name}", what, severity=Severity.WARNING))
        out[impossible] = np.nan
    return out


def _gap_issues(recording: Recording, threshold: float = 10.0) -> list[Issue]:
    gaps = recording.gaps(threshold)
    if not gaps:
        return []
    longest = max(gap.seconds for gap in gaps)
    what = f"{len(gaps)} stretches of more than {threshold:.0f} s hold no sample; the longest lasts {longest:.0f} s."
    return [Issue("gaps", recording.source, what, severity=Severity.NOTE)]
