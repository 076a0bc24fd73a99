"""The nine panels in which exercise tests are read, from one cardiopulmonary exercise test."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.capacity.averaging import AveragingRule, average
from holdfast.capacity.breaths import BreathTable
from holdfast.capacity.load import LoadProfile
from holdfast.capacity.thresholds import Candidate, Threshold
from holdfast.report.figures.canvas import COLOURS, INK, RULE, SOFT, axes, figure, save
from holdfast.report.training.styling import in_house_style

FloatArray = NDArray[np.float64]
Series = Mapping[str, FloatArray]
THRESHOLD_COLOURS = {Threshold.VT1: COLOURS[2], Threshold.VT2: COLOURS[3]}


@in_house_style
def nine_panels(
    table: BreathTable,
    rule: AveragingRule,
    *,
    profile: LoadProfile | None = None,
    candidates: Sequence[Candidate] = (),
    code: str,
    title: str,
) -> str:
    """The figure as SVG: nine panels after Wasserman, under one averaging rule.

    Candidates of thresholds are thin lines over time, one per method and labelled as candidates; software decides
    nothing. Panels whose channels the cart did not measure stay empty and say so.
    """
    series = _series(table, rule, profile)
    made = figure(7.6)
    drawn = axes(made, 3, 3)
    for axis, (heading, draw, channels) in zip(drawn, _PANELS, strict=True):
        axis.set_title(heading, fontsize=7.5)
        axis.grid(color=RULE, lw=0.4)
        missing = [_NAMES.get(name, name) for name in channels if not np.isfinite(series[name]).any()]
        if missing:
            _say_missing(axis, missing)
            continue
        draw(axis, series)
        if draw in _OVER_TIME:
            _mark(axis, candidates)
    told = "; dotted: threshold candidates, green VT1, purple VT2" if candidates else ""
    made.suptitle(f"{title}: {rule}{told}", x=0.01, ha="left", fontsize=8.5, fontweight="bold")
    return save(made, code, title)


_NAMES = {"pet_o2": "end-tidal O2", "pet_co2": "end-tidal CO2", "heart_rate": "heart rate", "vt": "tidal volume"}


def _say_missing(axis: Any, names: Sequence[str]) -> None:
    words = "not measured:\n" + ", ".join(names)
    axis.text(0.5, 0.5, words, ha="center", va="center", color=SOFT, transform=axis.transAxes)
    axis.set_xticks([])
    axis.set_yticks([])


def _series(table: BreathTable, rule: AveragingRule, profile: LoadProfile | None) -> Series:
    smooth = average(table, rule)
    empty = np.full(smooth.seconds.size, np.nan)
    series = {name: smooth.channels.get(name, empty) for name in ("vo2", "vco2", "ve", "vt", "heart_rate")}
    series |= {name: smooth.channels.get(name, empty) for name in ("pet_o2", "pet_co2")}
    series["minutes"] = smooth.seconds / 60
    series["load"] = profile.at(smooth.seconds) if profile is not None else smooth.channels.get("power", empty)
    with np.errstate(divide="ignore", invalid="ignore"):
        series["rer"] = series["vco2"] / series["vo2"]
        series["pulse"] = series["vo2"] / series["heart_rate"]
        series["ve_vo2"] = 1000 * series["ve"] / series["vo2"]
        series["ve_vco2"] = 1000 * series["ve"] / series["vco2"]
    return series


def _mark(axis: Any, candidates: Sequence[Candidate]) -> None:
    for one in candidates:
        if np.isfinite(one.seconds):
            axis.axvline(one.seconds / 60, color=THRESHOLD_COLOURS[one.threshold], lw=0.6, ls=":", zorder=0)


# The panels ----


def _time(axis: Any, label: str) -> None:
    axis.set_xlabel("min")
    axis.set_ylabel(label)


def _ventilation(axis: Any, series: Series) -> None:
    axis.plot(series["minutes"], series["ve"], color=INK)
    _time(axis, "VE (L/min)")


def _heart(axis: Any, series: Series) -> None:
    axis.plot(series["minutes"], series["heart_rate"], color=COLOURS[1])
    _time(axis, "bpm")
    _second(axis, series["minutes"], series["pulse"], "O2 pulse (mL)")


def _gases(axis: Any, series: Series) -> None:
    axis.plot(series["minutes"], series["vo2"], color=COLOURS[0], label="VO2")
    axis.plot(series["minutes"], series["vco2"], color=COLOURS[1], label="VCO2")
    _time(axis, "mL/min")
    axis.legend(loc="upper left", fontsize=6)
    if np.isfinite(series["load"]).any():
        _second(axis, series["minutes"], series["load"], "load (W)")


def _ve_vco2(axis: Any, series: Series) -> None:
    axis.plot(series["vco2"], series["ve"], ".", color=INK, ms=1.6)
    axis.set_xlabel("VCO2 (mL/min)")
    axis.set_ylabel("VE (L/min)")


def _v_slope(axis: Any, series: Series) -> None:
    axis.plot(series["vo2"], series["vco2"], ".", color=INK, ms=1.6)
    low, high = np.nanmin(series["vo2"]), np.nanmax(series["vo2"])
    axis.plot([low, high], [low, high], color=SOFT, lw=0.6, ls="--")
    axis.set_xlabel("VO2 (mL/min)")
    axis.set_ylabel("VCO2 (mL/min)")


def _equivalents(axis: Any, series: Series) -> None:
    axis.plot(series["minutes"], series["ve_vo2"], color=COLOURS[0], label="VE/VO2")
    axis.plot(series["minutes"], series["ve_vco2"], color=COLOURS[1], label="VE/VCO2")
    _time(axis, "")
    axis.legend(loc="best", fontsize=6)


def _pattern(axis: Any, series: Series) -> None:
    axis.plot(series["ve"], series["vt"], ".", color=INK, ms=1.6)
    axis.set_xlabel("VE (L/min)")
    axis.set_ylabel("VT (L)")


def _exchange(axis: Any, series: Series) -> None:
    axis.plot(series["minutes"], series["rer"], color=INK)
    axis.axhline(1, color=SOFT, lw=0.6, ls="--")
    _time(axis, "VCO2/VO2")


def _end_tidal(axis: Any, series: Series) -> None:
    axis.plot(series["minutes"], series["pet_o2"], color=COLOURS[0], label="O2")
    axis.plot(series["minutes"], series["pet_co2"], color=COLOURS[1], label="CO2")
    _time(axis, "mmHg")
    axis.legend(loc="best", fontsize=6)


def _second(axis: Any, x: FloatArray, y: FloatArray, label: str) -> None:
    other = axis.twinx()
    other.plot(x, y, color=SOFT, lw=0.9)
    other.set_ylabel(label, color=SOFT)
    other.spines["right"].set_visible(True)
    other.set_ylim(bottom=0)


_PANELS: tuple[tuple[str, Callable[[Any, Series], None], tuple[str, ...]], ...] = (
    ("1 ventilation", _ventilation, ("ve",)),
    ("2 heart rate and O2 pulse", _heart, ("heart_rate",)),
    ("3 gas exchange and load", _gases, ("vo2", "vco2")),
    ("4 VE over VCO2", _ve_vco2, ("ve", "vco2")),
    ("5 V-slope", _v_slope, ("vo2", "vco2")),
    ("6 ventilatory equivalents", _equivalents, ("ve", "vo2", "vco2")),
    ("7 breathing pattern", _pattern, ("ve", "vt")),
    ("8 respiratory exchange ratio", _exchange, ("vo2", "vco2")),
    ("9 end-tidal pressures", _end_tidal, ("pet_o2", "pet_co2")),
)
_OVER_TIME = (_ventilation, _heart, _gases, _equivalents, _exchange, _end_tidal)
