"""What a device recorded during one session: samples in time, laps, events.

A sample that a sensor did not deliver is NaN ("not observed"); it is never zero and never filled in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdfast.errors import CallError, DataError

FloatArray = NDArray[np.float64]

#: Channels that every reader uses by these names, and their units.
CHANNEL_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "power": "W",
        "heart_rate": "bpm",
        "cadence": "rpm",
        "speed": "m/s",
        "distance": "m",
        "altitude": "m",
        "temperature": "degC",
        "calories": "kcal",
    }
)


LONGEST = 7 * 86_400  # seconds that a recording may span before a one-second grid is refused


@dataclass(frozen=True, slots=True)
class Lap:
    """One lap as the device cut it.

    Attributes
    ----------
    start, end : elapsed seconds from the start of the recording.
    workout_step : 0-based index of the planned step that the device was playing, when it says so.
    summaries : the device's own summary values, by name and in the channel's unit ("mean_power",
        "max_heart_rate"); for display only, since they differ from the records they summarise.
    """

    start: float
    end: float
    workout_step: int | None = None
    summaries: Mapping[str, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Duration in seconds, pauses included."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Event:
    """Something the device noted at an elapsed second: `kind` ("timer", "workout_step", ...), `action`
    ("start", "stop", "marker", ...), and its number where it has one (the index of a workout step)."""

    seconds: float
    kind: str
    action: str
    value: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch without samples: the elapsed seconds of the last sample before and of the first one after."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Samples of one session, read-only.

    Attributes
    ----------
    start : moment of second 0 (aware, UTC), or None where the file does not say.
    seconds : shape (n,), elapsed seconds of each sample, finite and never falling.
    channels : name -> shape (n,) values; NaN where the sensor delivered nothing.
    units : name -> unit, one for each channel.
    laps, events : as the device noted them, in time order.
    source : which kind of file it came from ("fit", "tcx", "csv").
    device : maker and model as the file says, or None. Serial numbers are not kept.
    """

    start: datetime | None
    seconds: FloatArray
    channels: Mapping[str, FloatArray]
    units: Mapping[str, str]
    laps: tuple[Lap, ...] = ()
    events: tuple[Event, ...] = ()
    source: str = ""
    device: str | None = None

    def __post_init__(self) -> None:
        seconds = _frozen(self.seconds)
        if seconds.ndim != 1 or not np.isfinite(seconds).all():
            raise CallError("the seconds of a recording are one row of finite numbers")
        if (np.diff(seconds) < 0).any():
            raise CallError("the seconds of a recording never fall; sort the samples first")
        if self.start is not None and self.start.tzinfo is None:
            raise CallError("the start of a recording needs a time zone")
        if set(self.channels) != set(self.units):
            odd = ", ".join(sorted(set(self.channels) ^ set(self.units)))
            raise CallError(f"each channel of a recording has one unit; look at {odd}")
        channels = {name: _frozen(values) for name, values in self.channels.items()}
        for name, values in channels.items():
            if values.shape != seconds.shape:
                raise CallError(f"channel {name!r} has {values.shape} values for {seconds.size} samples")
        object.__setattr__(self, "seconds", seconds)
        object.__setattr__(self, "channels", MappingProxyType(channels))
        object.__setattr__(self, "units", MappingProxyType(dict(self.units)))

    def __reduce__(self) -> tuple[Any, ...]:
        plain = (dict(self.channels), dict(self.units))
        return Recording, (self.start, self.seconds, *plain, self.laps, self.events, self.source, self.device)

    def __len__(self) -> int:
        return int(self.seconds.size)

    @property
    def duration(self) -> float:
        """Elapsed seconds from second 0 to the last sample or lap end; 0 for an empty recording."""
        last = float(self.seconds[-1]) if len(self) else 0.0
        return max([last, *(lap.end for lap in self.laps)])

    def channel(self, name: str) -> FloatArray:
        """Values of one channel, shape (n,); all NaN when the device did not record it."""
        found = self.channels.get(name)
        return np.full(len(self), np.nan) if found is None else found

    def observed(self, name: str) -> float:
        """Share (0..1) of samples in which this channel was observed; 0 when it was not recorded at all."""
        return float(np.mean(np.isfinite(self.channel(name)))) if len(self) else 0.0

    def between(self, start: float, end: float) -> Recording:
        """The samples with `start <= seconds < end`, on the same clock, with the laps and events inside."""
        keep = (self.seconds >= start) & (self.seconds < end)
        return Recording(
            start=self.start,
            seconds=self.seconds[keep],
            channels={name: values[keep] for name, values in self.channels.items()},
            units=self.units,
            laps=tuple(lap for lap in self.laps if start <= lap.start and lap.end <= end),
            events=tuple(event for event in self.events if start <= event.seconds < end),
            source=self.source,
            device=self.device,
        )

    def at_1hz(self, *, bridge: float = 0.0) -> Recording:
        """One sample per whole second from 0 to the last sample.

        A second takes the mean of the samples within half a second of it and is NaN where there is none, so
        that the mean over seconds weighs time and not samples. `bridge` declares how many seconds apart two
        neighbouring observations may be for the seconds between them to be interpolated linearly, as devices
        that write a sample only when something changes need it; 0 (the default) fills nothing in.
        """
        if len(self) == 0:
            return self
        if float(np.ptp(self.seconds)) > LONGEST:
            raise DataError(f"the samples span {np.ptp(self.seconds) / 86_400:.0f} days, which is no session")
        # A sample is floored onto the grid after adding a half, so 0.5 belongs to second 1.
        slot = np.floor(self.seconds + 0.5).astype(np.int64)
        first = min(0, int(slot[0]))
        grid = np.arange(first, int(slot[-1]) + 1, dtype=np.float64)
        channels = {
            name: _bridge(grid, _mean_by_slot(slot - first, values, grid.size), bridge)
            for name, values in self.channels.items()
        }
        return Recording(self.start, grid, channels, self.units, self.laps, self.events, self.source, self.device)

    def gaps(self, threshold: float = 5.0, *, channel: str | None = None) -> tuple[Gap, ...]:
        """Stretches of more than `threshold` seconds without a sample (or without a value of `channel`)."""
        at = self.seconds if channel is None else self.seconds[np.isfinite(self.channel(channel))]
        if channel is not None and len(self):
            # The recording's own ends bound a sensor that came late or died early.
            at = np.concatenate([self.seconds[:1], at, self.seconds[-1:]])
        wide = np.flatnonzero(np.diff(at) > threshold)
        return tuple(Gap(float(at[i]), float(at[i + 1])) for i in wide)


def _frozen(values: ArrayLike) -> FloatArray:
    out = np.array(values, dtype=np.float64)
    out.flags.writeable = False
    return out


def _mean_by_slot(slot: NDArray[np.int64], values: FloatArray, n: int) -> FloatArray:
    seen = np.isfinite(values)
    count = np.bincount(slot[seen], minlength=n)
    total = np.bincount(slot[seen], weights=values[seen], minlength=n)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _bridge(grid: FloatArray, values: FloatArray, bridge: float) -> FloatArray:
    if bridge <= 0:
        return values
    known = np.flatnonzero(np.isfinite(values))
    if known.size < 2:
        return values
    after = np.searchsorted(known, np.arange(grid.size), side="left").clip(1, known.size - 1)
    width = grid[known[after]] - grid[known[after - 1]]
    inside = (np.arange(grid.size) > known[0]) & (np.arange(grid.size) < known[-1])
    fill = inside & ~np.isfinite(values) & (width <= bridge)
    out = values.copy()
    out[fill] = np.interp(grid[fill], grid[known], values[known])
    return out
