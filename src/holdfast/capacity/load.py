"""The external load of an exercise test as a function of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdfast.capacity.breaths import BreathTable, FloatArray, SecondTable, to_seconds
from holdfast.errors import CallError, DataError


@dataclass(frozen=True, slots=True)
class Stage:
    """One stretch of a load profile: the load is `load + slope * (t - start)` for `start <= t < end`.

    `load` is in W (cycling) or m/s or km/h (running, as the cart gives it); `slope` is per second; `kind` is
    "rest before", "warm-up", "load", "rest" or "rest after"; `number` counts load stages from 1 and is 0 otherwise.
    """

    start: float
    end: float
    load: float
    slope: float = 0.0
    kind: str = "load"
    number: int = 0

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class LoadProfile:
    """Stages that follow each other without a gap."""

    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        if not self.stages:
            raise CallError("a load profile needs at least one stage")

    @classmethod
    def ramp(cls, *, baseline_seconds: float, baseline: float, per_minute: float, until: float) -> LoadProfile:
        """A ramp test: `baseline` load for `baseline_seconds`, then `per_minute` more each minute `until` a second."""
        if not (until > baseline_seconds >= 0 and per_minute > 0 and baseline >= 0):
            raise CallError("a ramp rises from a baseline and ends after it")
        first = Stage(0.0, baseline_seconds, baseline, kind="warm-up")
        rise = Stage(baseline_seconds, until, baseline, per_minute / 60, number=1)
        return cls((first, rise) if baseline_seconds > 0 else (rise,))

    @classmethod
    def steps(
        cls, *, stage_seconds: float, first: float, increment: float, until: float, rest_before: float = 0.0
    ) -> LoadProfile:
        """A step test: after `rest_before` seconds at no load, stages of `stage_seconds` `until` the person stopped."""
        if not (stage_seconds > 0 and until > rest_before >= 0 and first >= 0 and increment > 0):
            raise CallError("a step test has stages of positive length that rise")
        stages = [Stage(0.0, rest_before, 0.0, kind="rest before")] if rest_before > 0 else []
        count = int(np.ceil((until - rest_before) / stage_seconds))
        for i in range(count):
            start = rest_before + i * stage_seconds
            stages.append(Stage(start, min(start + stage_seconds, until), first + i * increment, number=i + 1))
        return cls(tuple(stages))

    @property
    def end(self) -> float:
        """Second at which the last loaded stage ends; the end of exercise."""
        loaded = [stage.end for stage in self.stages if stage.number > 0]
        return max(loaded) if loaded else self.stages[-1].end

    def at(self, seconds: ArrayLike) -> FloatArray:
        """Load at each second, shape kept; NaN outside the profile."""
        t = np.asarray(seconds, dtype=np.float64)
        starts = np.array([stage.start for stage in self.stages])
        which = np.searchsorted(starts, t, side="right") - 1
        index = which.clip(0)
        load = np.array([stage.load for stage in self.stages])[index]
        slope = np.array([stage.slope for stage in self.stages])[index]
        inside = (which >= 0) & (t <= self.stages[-1].end)
        return np.where(inside, load + slope * (t - starts[index]), np.nan)


def guess_profile(table: BreathTable) -> LoadProfile:
    """The step profile that the cart's load channel suggests, rounded to whole 10 s (rules of the R package spiro).

    Changes of less than 5 W or 0.05 m/s are noise, loads held for three breaths or fewer are passing changes, and a
    stage has its median load. A guess is for display and step means; peak power and dosing need the declared profile.
    """
    seconds, load = _load_channel(table)
    step = 5.0 if np.nanmax(load) > 30 else 0.05
    # The package multiplies by 20 rather than dividing by 0.05, which decides ties.
    rounded = np.round(load / 5) * 5 if step == 5.0 else np.round(load * 20) / 20
    starts = np.concatenate([[0], np.flatnonzero(np.diff(rounded) != 0) + 1])
    if table.breath_by_breath:
        starts = _without_passing(starts, rounded)
    at = np.append(seconds[starts], seconds[-1])
    lengths = np.round(np.diff(at) / 10) * 10
    return _label(_middle_loads(load, starts), lengths)


def _middle_loads(load: FloatArray, starts: NDArray[np.int64]) -> FloatArray:
    ends = np.append(starts[1:], load.size)
    return np.array([np.median(load[a:b]) for a, b in zip(starts, ends, strict=True)])


def _load_channel(table: BreathTable) -> tuple[FloatArray, FloatArray]:
    for name in ("speed", "power"):
        values = table.channel(name)
        if np.isfinite(values).any():
            return table.seconds, np.nan_to_num(values, nan=0.0)
    raise DataError(
        "the cart wrote no load, so there is no profile to guess",
        ways_out=("declare the load profile of the protocol: LoadProfile.ramp(...) or LoadProfile.steps(...)",),
    )


def _without_passing(starts: NDArray[np.int64], load: FloatArray) -> NDArray[np.int64]:
    breaths = np.diff(np.append(starts, load.size))
    # spiro counts the last stretch from its first to the last row, one less than the rows it holds.
    breaths[-1] -= 1
    kept = starts[breaths > 3]
    if kept.size == 0:
        return starts[:1]
    changes = np.concatenate([[0], np.flatnonzero(np.diff(load[kept]) != 0) + 1])
    return np.asarray(kept[changes])


def _label(loads: FloatArray, lengths: FloatArray) -> LoadProfile:
    kinds = ["rest" if load == 0 else "load" for load in loads]
    if kinds[0] == "rest":
        kinds[0] = "rest before"
    rises = np.diff(loads[loads != 0])
    if rises.size >= 3 and rises[0] != rises[1] and rises[1] == rises[2]:
        kinds[int(np.flatnonzero(loads != 0)[0])] = "warm-up"
    if loads.size > 1 and 0 < loads[-1] <= loads[-2] / 3:
        kinds[-1] = "rest after"
    stages: list[Stage] = []
    number, start = 0, 0.0
    for load, seconds, kind in zip(loads, lengths, kinds, strict=True):
        number += kind == "load"
        stages.append(
            Stage(start, start + float(seconds), float(load), kind=kind, number=number if kind == "load" else 0)
        )
        start += float(seconds)
    return LoadProfile(tuple(stages))


@dataclass(frozen=True, slots=True)
class StageMeans:
    """Means over the last seconds of one stage: `channels` holds what was measured (NaN where nothing was)."""

    stage: Stage
    seconds: int
    channels: dict[str, float]


def stage_means(table: BreathTable, profile: LoadProfile, *, last_seconds: int = 120) -> tuple[StageMeans, ...]:
    """Mean of every channel over the last `last_seconds` of each stage before and during load (eq:cpet-stage).

    Runs on the 1-s interpolation; a shorter stage is averaged whole. When no loaded stage is as long as
    `last_seconds`, the longest loaded stage sets the length, as spiro does.
    """
    loaded = [stage.seconds for stage in profile.stages if stage.number > 0]
    span = int(min(last_seconds, max(loaded))) if loaded else last_seconds
    grid = to_seconds(table)
    wanted = [stage for stage in profile.stages if stage.kind in ("rest before", "warm-up", "load")]
    return tuple(_means(grid, stage, span) for stage in wanted if stage.start < grid.seconds.size)


def _means(grid: SecondTable, stage: Stage, span: int) -> StageMeans:
    # Second k of the grid closes the interval (k-1, k], so a stage from 0 to 60 owns seconds 1 to 60.
    first, last = int(stage.start), min(int(stage.end), grid.seconds.size)
    rows = slice(max(first, last - span), last)
    channels = {name: _mean(values[rows]) for name, values in grid.channels.items()}
    return StageMeans(stage, last - first, channels)


def _mean(values: FloatArray) -> float:
    seen = values[np.isfinite(values)]
    return float(seen.mean()) if seen.size else float("nan")
