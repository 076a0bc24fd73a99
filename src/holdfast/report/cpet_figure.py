"""The nine panels of a cardiopulmonary exercise test, as people read them to judge effort and thresholds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from holdfast.capacity import (
    AveragingRule,
    BreathTable,
    Candidates,
    LoadProfile,
    Threshold,
    ThresholdDecision,
    average,
)
from holdfast.capacity.breaths import FloatArray
from holdfast.report.figures.canvas import COLOURS, RULE, SOFT, STYLE, axes, figure, save

BLUE, RED, GREEN = COLOURS[:3]
MOST_DOTS = 700  # per panel; more blur into each other and swell the file
VERTICAL = {Threshold.VT1: GREEN, Threshold.VT2: COLOURS[3]}


@dataclass(frozen=True, slots=True, eq=False)
class _Test:
    """Breaths and their averages by name; x axes are minutes or channels of the same averages."""

    minutes: FloatArray
    raw: dict[str, FloatArray]
    smooth_minutes: FloatArray
    smooth: dict[str, FloatArray]
    load: FloatArray | None
    load_unit: str


@dataclass(frozen=True, slots=True)
class _Marks:
    """Thresholds to draw: decisions as full lines, candidates as short strokes that nobody can take for a decision."""

    decisions: Sequence[ThresholdDecision]
    candidates: Candidates | None


def nine_panels(
    table: BreathTable,
    *,
    rule: AveragingRule,
    code: str,
    title: str,
    profile: LoadProfile | None = None,
    load_unit: str = "W",
    decisions: Sequence[ThresholdDecision] = (),
    candidates: Candidates | None = None,
    simulated: bool = False,
) -> str:
    """The figure as SVG: breaths as dots, averages under `rule` as lines, thresholds where people decided them.

    Candidates of software are short strokes at the foot of the panels, one per method. A panel whose channel was not
    measured says so. No name is drawn; `title` is the caller's.
    """
    test = _prepare(table, rule, profile, load_unit)
    marks = _Marks(decisions, candidates)
    with matplotlib.rc_context(STYLE):
        made = figure(7.4, 7.6)
        for axis, (heading, draw) in zip(axes(made, 3, 3), PANELS, strict=True):
            draw(axis, test, marks)
            axis.set_title(heading)
            axis.grid(color=RULE, lw=0.3)
        made.suptitle(f"{title}{' (simulated)' if simulated else ''}", fontsize=9, fontweight="bold", x=0.01, ha="left")
        made.supxlabel(_caption(rule, marks, len(table)), fontsize=6.5, color=SOFT, x=0.01, ha="left")
        return save(made, code, title)


def _caption(rule: AveragingRule, marks: _Marks, breaths: int) -> str:
    every = -(-breaths // MOST_DOTS)
    words = [f"Dots: {'breaths' if every == 1 else f'one breath in {every}'}. Lines: {rule}."]
    if marks.decisions:
        words.append("Dashed: thresholds as decided.")
    if marks.candidates is not None:
        words.append("Strokes at the foot: candidates of single methods, not decisions.")
    return " ".join(words)


def _prepare(table: BreathTable, rule: AveragingRule, profile: LoadProfile | None, load_unit: str) -> _Test:
    mean = average(table, rule)
    raw = {name: table.channel(name) for name in table.channels}
    smooth = dict(mean.channels)
    load, unit = None, ""
    if profile is not None:
        load, unit = profile.at(mean.seconds), load_unit
    elif "power" in smooth or "speed" in smooth:
        name, unit = ("speed", "m/s") if "speed" in smooth else ("power", "W")
        load = smooth[name]
    return _Test(table.seconds / 60, raw | _derived(raw), mean.seconds / 60, smooth | _derived(smooth), load, unit)


def _derived(channels: dict[str, FloatArray]) -> dict[str, FloatArray]:
    out: dict[str, FloatArray] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        if "vo2" in channels and "vco2" in channels:
            out["rer"] = channels["vco2"] / channels["vo2"]
        if "ve" in channels:
            for gas in ("vo2", "vco2"):
                if gas in channels:
                    out[f"ve/{gas}"] = 1000 * channels["ve"] / channels[gas]
        if "vo2" in channels and "heart_rate" in channels:
            out["pulse"] = channels["vo2"] / channels["heart_rate"]
    return out


def _against_time(axis: Any, test: _Test, name: str, colour: str, label: str) -> bool:
    if name not in test.smooth:
        return False
    _dots(axis, test.minutes, test.raw[name], colour)
    axis.plot(test.smooth_minutes, test.smooth[name], color=colour, lw=1.2, label=label)
    low, high = _sensible(test.smooth[name])
    axis.set_ylim(low, high)
    return True


def _dots(axis: Any, x: FloatArray, y: FloatArray, colour: str) -> None:
    """Breaths as one path of minute strokes with round ends: a tenth of the bytes of single markers."""
    every = -(-x.size // MOST_DOTS)
    seen = np.flatnonzero(np.isfinite(x) & np.isfinite(y))[::every]
    if seen.size == 0:
        return
    points = np.repeat(np.column_stack([x[seen], y[seen]]), 2, axis=0)
    # Renderers drop strokes without length, so each is a thousandth of the axis long.
    points[1::2, 0] += 0.001 * float(np.ptp(x[seen]))
    path = Path(points, np.tile([Path.MOVETO, Path.LINETO], seen.size))
    path.should_simplify = False
    strokes = PathPatch(path, fill=False, ec=colour, lw=1.3, capstyle="round", alpha=0.3)
    axis.add_patch(strokes)


def _sensible(values: FloatArray) -> tuple[float, float]:
    """Limits from the averages, so that one wild breath does not flatten the curve."""
    seen = values[np.isfinite(values)]
    if seen.size == 0:
        return 0.0, 1.0
    low, high = float(seen.min()), float(seen.max())
    margin = 0.12 * (high - low) or 1.0
    return low - margin, high + margin


def _nothing(axis: Any) -> None:
    axis.text(0.5, 0.5, "not measured", transform=axis.transAxes, ha="center", va="center", color=SOFT)
    axis.set_xticks([])
    axis.set_yticks([])


def _time_panel(axis: Any, test: _Test, marks: _Marks, lines: Sequence[tuple[str, str, str]], unit: str) -> None:
    drawn = [line for line in lines if _against_time(axis, test, *line)]
    if not drawn:
        _nothing(axis)
        return
    both = [_sensible(test.smooth[name]) for name, _, _ in drawn]
    axis.set_ylim(min(low for low, _ in both), max(high for _, high in both))
    if len(drawn) > 1:
        axis.legend(loc="best", fontsize=6.5, handlelength=1.2)
    axis.set_xlabel("min")
    axis.set_ylabel(unit)
    _threshold_times(axis, test, marks)


def _threshold_times(axis: Any, test: _Test, marks: _Marks) -> None:
    for decision in marks.decisions:
        minute = _minute_of(test, decision.vo2)
        if np.isfinite(minute):
            axis.axvline(minute, color=VERTICAL[decision.threshold], lw=0.9, ls="--")
    if marks.candidates is not None:
        for one in marks.candidates.found:
            if np.isfinite(one.seconds):
                axis.axvline(one.seconds / 60, ymax=0.06, color=VERTICAL[one.threshold], lw=0.9)


def _minute_of(test: _Test, vo2: float) -> float:
    """When averaged VO2 last rose through a value on its way to the peak."""
    values = test.smooth["vo2"]
    if not np.isfinite(values).any():
        return float("nan")
    peak = int(np.nanargmax(values))
    below = np.flatnonzero(values[: peak + 1] < vo2)
    return float(test.smooth_minutes[below[-1]]) if below.size else float("nan")


def _ventilation(axis: Any, test: _Test, marks: _Marks) -> None:
    _time_panel(axis, test, marks, [("ve", BLUE, "VE")], "VE (L/min)")


def _heart(axis: Any, test: _Test, marks: _Marks) -> None:
    _time_panel(axis, test, marks, [("heart_rate", RED, "heart rate")], "heart rate (bpm)")
    if "pulse" in test.smooth and np.isfinite(test.smooth["pulse"]).any():
        twin = axis.twinx()
        twin.plot(test.smooth_minutes, test.smooth["pulse"], color=BLUE, lw=1.0)
        twin.set_ylabel("O2 pulse (mL/beat)", color=BLUE)
        twin.spines["right"].set_visible(True)


def _uptake(axis: Any, test: _Test, marks: _Marks) -> None:
    _time_panel(axis, test, marks, [("vo2", BLUE, "VO2"), ("vco2", RED, "VCO2")], "mL/min")
    if test.load is not None and np.isfinite(test.load).any():
        twin = axis.twinx()
        twin.plot(test.smooth_minutes, test.load, color=SOFT, lw=0.9, ls=":")
        twin.set_ylabel(f"load ({test.load_unit})", color=SOFT)
        twin.set_ylim(0, None)
        twin.spines["right"].set_visible(True)


def _equivalents(axis: Any, test: _Test, marks: _Marks) -> None:
    _time_panel(axis, test, marks, [("ve/vo2", BLUE, "VE/VO2"), ("ve/vco2", RED, "VE/VCO2")], "ratio")


def _exchange(axis: Any, test: _Test, marks: _Marks) -> None:
    _time_panel(axis, test, marks, [("rer", BLUE, "RER")], "VCO2/VO2")
    if "rer" in test.smooth:
        axis.axhline(1.0, color=SOFT, lw=0.6)


def _end_tidal(axis: Any, test: _Test, marks: _Marks) -> None:
    lines = [("pet_o2", BLUE, "PETO2"), ("pet_co2", RED, "PETCO2")]
    _time_panel(axis, test, marks, lines, "mmHg")


def _cross(axis: Any, test: _Test, x: str, y: str, labels: tuple[str, str]) -> bool:
    if x not in test.smooth or y not in test.smooth:
        _nothing(axis)
        return False
    _dots(axis, test.raw[x], test.raw[y], BLUE)
    axis.plot(test.smooth[x], test.smooth[y], color=BLUE, lw=1.2)
    axis.set_xlim(*_sensible(test.smooth[x]))
    axis.set_ylim(*_sensible(test.smooth[y]))
    axis.set_xlabel(labels[0])
    axis.set_ylabel(labels[1])
    return True


def _v_slope(axis: Any, test: _Test, marks: _Marks) -> None:
    if not _cross(axis, test, "vo2", "vco2", ("VO2 (mL/min)", "VCO2 (mL/min)")):
        return
    edge = np.array(axis.get_xlim())
    axis.plot(edge, edge, color=SOFT, lw=0.6)
    for decision in marks.decisions:
        axis.axvline(decision.vo2, color=VERTICAL[decision.threshold], lw=0.9, ls="--")
        axis.text(decision.vo2, axis.get_ylim()[1], f"{decision.threshold} ", ha="right", va="top", fontsize=6.5)
    if marks.candidates is not None:
        for one in marks.candidates.found:
            if np.isfinite(one.vo2):
                axis.axvline(one.vo2, ymax=0.06, color=VERTICAL[one.threshold], lw=0.9)


def _efficiency(axis: Any, test: _Test, marks: _Marks) -> None:
    _cross(axis, test, "vco2", "ve", ("VCO2 (mL/min)", "VE (L/min)"))


def _pattern(axis: Any, test: _Test, marks: _Marks) -> None:
    _cross(axis, test, "ve", "vt", ("VE (L/min)", "VT (L)"))


PANELS: tuple[tuple[str, Callable[[Any, _Test, _Marks], None]], ...] = (
    ("1 Ventilation", _ventilation),
    ("2 Heart rate, O2 pulse", _heart),
    ("3 Gas exchange, load", _uptake),
    ("4 VE against VCO2", _efficiency),
    ("5 V-slope", _v_slope),
    ("6 Equivalents", _equivalents),
    ("7 Breathing pattern", _pattern),
    ("8 RER", _exchange),
    ("9 End-tidal pressures", _end_tidal),
)
