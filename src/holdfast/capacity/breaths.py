"""What a metabolic cart measured in one exercise test, breath by breath."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import CallError, DataError

FloatArray = NDArray[np.float64]

#: Every channel that a breath table can hold, with the one unit it is held in.
BREATH_UNITS: Mapping[str, str] = MappingProxyType(
    {
        "vo2": "mL/min",
        "vco2": "mL/min",
        "ve": "L/min",
        "vt": "L",
        "rr": "1/min",
        "heart_rate": "bpm",
        "power": "W",
        "speed": "m/s",
        "cadence": "rpm",
        "pet_o2": "mmHg",  # end-tidal
        "pet_co2": "mmHg",
        "pe_o2": "mmHg",  # mixed expired
        "pe_co2": "mmHg",
    }
)
LONGEST_TEST = 6 * 3600  # seconds; a bound on memory, far beyond any exercise test


@dataclass(frozen=True, slots=True)
class TestInfo:
    """What the cart said about the test; never a name, a birth date or a patient number.

    Attributes
    ----------
    body_mass : kg on the day of the test, or None when the file does not say.
    body_mass_from : "file", "derived from VO2 and VO2/kg", "supplied", or "" when there is none.
    height : cm. sex : "female", "male" or None. age : completed years, or None.
    cart : maker and model. software : name and version as the file says, or None.
    """

    __test__ = False  # not a test case, whatever its name

    body_mass: float | None = None
    body_mass_from: str = ""
    height: float | None = None
    sex: str | None = None
    age: float | None = None
    cart: str = ""
    software: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class BreathTable:
    """One row per breath (or per averaging interval of the cart), read-only.

    Attributes
    ----------
    seconds : shape (n,), elapsed seconds at the end of each breath, finite and never falling.
    channels : name (a key of `BREATH_UNITS`) -> shape (n,) values in that unit; NaN where not measured.
    info : what the cart said about the test, without identity.
    """

    seconds: FloatArray
    channels: Mapping[str, FloatArray]
    info: TestInfo = field(default_factory=TestInfo)

    def __post_init__(self) -> None:
        seconds = _frozen(self.seconds)
        if seconds.ndim != 1 or not np.isfinite(seconds).all() or (np.diff(seconds) < 0).any():
            raise CallError("the seconds of a breath table are one row of finite numbers that never fall")
        unknown = sorted(set(self.channels) - set(BREATH_UNITS))
        if unknown:
            known = ", ".join(BREATH_UNITS)
            raise CallError(f"unknown channel {', '.join(unknown)} in a breath table; there is {known}")
        channels = {name: _frozen(values) for name, values in self.channels.items()}
        for name, values in channels.items():
            if values.shape != seconds.shape:
                raise CallError(f"channel {name} has {values.size} values for {seconds.size} breaths")
        object.__setattr__(self, "seconds", seconds)
        object.__setattr__(self, "channels", MappingProxyType(channels))

    def __reduce__(self) -> tuple[Any, ...]:
        return BreathTable, (self.seconds, dict(self.channels), self.info)

    def __len__(self) -> int:
        return int(self.seconds.size)

    def channel(self, name: str) -> FloatArray:
        """Values of one channel, shape (n,); all NaN when the cart did not measure it."""
        if name not in BREATH_UNITS:
            raise CallError(f"unknown channel {name!r}; there is {', '.join(BREATH_UNITS)}")
        found = self.channels.get(name)
        return np.full(len(self), np.nan) if found is None else found

    @property
    def rer(self) -> FloatArray:
        """Respiratory exchange ratio VCO2/VO2 of each breath, shape (n,)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.channel("vco2") / self.channel("vo2")

    @property
    def breath_by_breath(self) -> bool:
        """Were single breaths written? (A mean distance of five seconds or more means the cart averaged.)"""
        return len(self) > 1 and float(np.mean(np.diff(self.seconds))) < 5.0

    def with_body_mass(self, kg: float) -> BreathTable:
        """The same test with that day's body mass, measured apart from the cart (kg)."""
        if not (math.isfinite(kg) and 20 <= kg <= 350):
            raise CallError(f"a body mass of {kg} kg cannot be meant")
        info = replace(self.info, body_mass=float(kg), body_mass_from="supplied")
        return BreathTable(self.seconds, self.channels, info)

    def without(self, dropped: NDArray[np.bool_]) -> BreathTable:
        """The table without the breaths marked in `dropped` (shape (n,)); the original stays as it is."""
        keep = ~np.asarray(dropped, dtype=bool)
        return BreathTable(
            self.seconds[keep], {name: values[keep] for name, values in self.channels.items()}, self.info
        )


@dataclass(frozen=True, slots=True, eq=False)
class SecondTable:
    """A test interpolated to whole seconds: `seconds` is 1, 2, ..., n and each channel has shape (n,)."""

    seconds: FloatArray
    channels: Mapping[str, FloatArray]

    def channel(self, name: str) -> FloatArray:
        """Values of one channel, shape (n,); all NaN when there is none."""
        found = self.channels.get(name)
        return np.full(self.seconds.size, np.nan) if found is None else found


def to_seconds(table: BreathTable) -> SecondTable:
    """Linear interpolation of every channel to whole seconds 1, 2, ..., round(last breath) (eq:cpet-1hz).

    Seconds before the first and after the last measured value of a channel are NaN; missing breaths in between are
    bridged linearly. Two breaths with the same (rounded) time are moved 0.1 s apart, as the spiro package does.
    """
    if len(table) == 0:
        return SecondTable(np.zeros(0), {})
    seconds = _apart(table.seconds)
    last = int(np.round(seconds.max()))
    if last > LONGEST_TEST:
        raise DataError(f"the test seems to last {last} s; no exercise test is longer than {LONGEST_TEST} s")
    grid = np.arange(1, last + 1, dtype=np.float64)
    return SecondTable(grid, {name: _interpolate(grid, seconds, values) for name, values in table.channels.items()})


def _apart(seconds: FloatArray) -> FloatArray:
    out = seconds.copy()
    for i in np.flatnonzero(np.diff(seconds) == 0):
        out[i] -= 0.1
        out[i + 1] += 0.1
    return out


def _interpolate(grid: FloatArray, seconds: FloatArray, values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    if known.sum() < 2:
        return np.full(grid.size, np.nan)
    order = np.argsort(seconds[known], kind="stable")
    x, y = seconds[known][order], values[known][order]
    return np.interp(grid, x, y, left=np.nan, right=np.nan)


def _frozen(values: Any) -> FloatArray:
    out = np.array(values, dtype=np.float64)
    out.flags.writeable = False
    return out
