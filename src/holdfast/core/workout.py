"""A workout that a cycle ergometer can play: steps in absolute units.

Nothing here is relative to a threshold or a maximum. A prescription has already turned percentages into
watts, beats and revolutions per minute before it becomes a workout; a device format that is relative (ZWO,
MRC) is given its reference watts by its encoder.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from holdfast.errors import CallError


class StepKind(StrEnum):
    """What a step is for."""

    WARMUP = "warmup"
    WORK = "work"
    REST = "rest"
    COOLDOWN = "cooldown"
    STEADY = "steady"


@dataclass(frozen=True, slots=True)
class Band:
    """A closed target range `low <= x <= high` in the unit of its quantity; a point has low == high."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise CallError(f"a band needs finite limits, not {self.low} to {self.high}")
        if not 0 <= self.low <= self.high:
            raise CallError(f"a band runs from low to high and is not negative; got {self.low} to {self.high}")

    @classmethod
    def at(cls, value: float) -> Band:
        """A point target."""
        return cls(value, value)

    @classmethod
    def around(cls, value: float, fraction: float) -> Band:
        """`value` plus and minus `fraction` of it (0.05 is 5 %)."""
        return cls(value * (1 - fraction), value * (1 + fraction))

    @property
    def middle(self) -> float:
        """Halfway between the limits: what a machine is set to when it takes one number."""
        return (self.low + self.high) / 2

    def holds(self, value: float) -> bool:
        """Is `value` inside? A missing value (NaN) is not."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a workout.

    Attributes
    ----------
    name : what the screen shows ("bout 3").
    seconds : exact duration in seconds, or None for "until the person presses the lap button" (read from a
        device file only; encoders of fixed-time formats refuse it).
    watts : target power in W, or None for a step without a power target.
    cadence : target revolutions per minute, or None.
    heart_rate : target beats per minute, or None.
    kind : warmup, work, rest, cooldown or steady.
    """

    name: str
    seconds: float | None
    watts: Band | None = None
    cadence: Band | None = None
    heart_rate: Band | None = None
    kind: StepKind = StepKind.STEADY

    def __post_init__(self) -> None:
        if self.seconds is not None and not (math.isfinite(self.seconds) and self.seconds > 0):
            raise CallError(f"step {self.name!r} needs a positive duration in seconds, not {self.seconds}")


@dataclass(frozen=True, slots=True)
class Workout:
    """A named sequence of steps, played in order. Repeats are written out."""

    name: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        if not self.steps:
            raise CallError(f"workout {self.name!r} has no steps")

    @property
    def seconds(self) -> float | None:
        """Total duration in seconds; None when a step is open-ended."""
        total = 0.0
        for step in self.steps:
            if step.seconds is None:
                return None
            total += step.seconds
        return total

    def timed(self) -> Iterator[tuple[float, float, Step]]:
        """Each step with its start and end in seconds from the start; refuses open-ended steps."""
        start = 0.0
        for step in self.steps:
            if step.seconds is None:
                raise CallError(
                    f"step {step.name!r} of {self.name!r} has no fixed duration, so what follows has no start"
                )
            yield start, start + step.seconds, step
            start += step.seconds
