"""Heart rate as a percentage of what one person's heart can do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from holdfast.dosing.basis import Capacity, impossible


@dataclass(frozen=True, slots=True)
class HeartRange:
    """A person's maximum heart rate and, where it was measured, the one at rest, in bpm."""

    maximum: float
    rest: float | None = None

    def of_maximum(self, bpm: float | None) -> float | None:
        """Per cent of the maximum; None for what was not observed."""
        return None if bpm is None else 100 * bpm / self.maximum

    def of_reserve(self, bpm: float | None) -> float | None:
        """Per cent of the reserve between rest and maximum; None without a heart rate at rest. eq:percent-reserve"""
        if bpm is None or self.rest is None:
            return None
        return 100 * (bpm - self.rest) / (self.maximum - self.rest)  # eq:percent-reserve


def heart_range(capacities: Iterable[Capacity], on: date | None = None) -> HeartRange | None:
    """The newest range on or before a day (any day when left out); None where no test gave a maximum."""
    known = [c for c in capacities if c.unit == "bpm" and (on is None or c.on <= on) and not impossible(c)]
    if not known:
        return None
    newest = max(reversed(known), key=lambda one: (one.on, one.rest is not None))
    return HeartRange(newest.value, newest.rest)
