"""What a person can do, as dosing needs it: one measured or decided value, dated, with where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeGuard

from holdfast.core.facts import Decided, Tested, Value
from holdfast.core.ledger import Entry
from holdfast.errors import Refused
from holdfast.study.programme import NeededTest, Reference

TEST_OF: Mapping[str, str] = {
    "W at VO2max": "cpet",
    "W peak": "cpet",
    "HR max": "cpet",
    "HR reserve": "cpet",
    "VT1": "cpet",
    "VT2": "cpet",
    "1RM": "1rm",
    "MVC": "mvc",
}
"""Which test gives each reference."""

VALUE_OF: Mapping[Reference, str] = {"W at VO2max": "watts_at_vo2max", "W peak": "watts_peak", "HR max": "hr_max"}
"""The name under which a cardiopulmonary test keeps each reference."""

POSSIBLE: Mapping[str, tuple[float, float]] = {"W": (20, 800), "bpm": (80, 240), "kg": (0.5, 600), "Nm": (1, 1500)}
"""What a capacity of a person can be, by unit, from the frailest to the strongest; outside it is a slip of the pen."""

RESTING = (25, 130)
"""What a resting heart rate can be, in bpm."""


@dataclass(frozen=True, slots=True)
class Capacity:
    """One value that a percentage can be of.

    Attributes
    ----------
    reference : what it is ("W at VO2max", "1RM", ...).
    value : in `unit`; for "HR reserve" the maximum heart rate, with `rest` beside it.
    unit : "W", "bpm", "kg" or "Nm".
    on : the day of the test, or of the decision that set it.
    exercise : whose 1RM or MVC; empty otherwise.
    rest : resting heart rate in bpm, for "HR reserve".
    source : where it came from, as a reader would look it up ("record 12: cpet on 2026-03-02").
    """

    reference: Reference
    value: float
    unit: str
    on: date
    exercise: str = ""
    rest: float | None = None
    source: str = ""

    def at(self, percent: float) -> float:
        """This percentage of the capacity, in its unit; of heart-rate reserve counted from rest (Karvonen)."""
        if self.reference == "HR reserve" and self.rest is not None:
            return self.rest + percent / 100 * (self.value - self.rest)  # eq:heart-rate-reserve
        return percent / 100 * self.value


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything known about one person's capacity, and until when a test counts on a given day."""

    capacities: tuple[Capacity, ...]
    needs: tuple[NeededTest, ...]
    on: date
    not_before: date | None = None
    assume_valid: bool = False

    def find(self, reference: Reference, exercise: str = "") -> Capacity:
        """The newest valid capacity for this reference.

        Raises
        ------
        Refused
            When the test is missing, too old on this day, or older than the restart that asked for a retest;
            says which test and what to do.
        """
        named = f"{reference} of {exercise}" if exercise else reference
        test = TEST_OF.get(reference, reference)
        mine = [c for c in self.capacities if c.reference == reference and c.exercise in ("", exercise)]
        mine = [c for c in mine if c.on <= self.on]
        if not mine:
            raise Refused(
                f"There is no {named} on or before {self.on}, so no load can be prescribed.",
                ways_out=[_way_to(reference, test, exercise)],
            )
        newest = max(reversed(mine), key=lambda capacity: capacity.on)  # of one day, the one recorded last
        _can_be_meant(newest, named)
        if not self.assume_valid:
            self._still_counts(newest, test, named)
        return newest

    def has(self, reference: Reference, exercise: str) -> bool:
        """Is there any such capacity by this day, valid or not?"""
        return any(
            c.reference == reference and c.exercise in ("", exercise) and c.on <= self.on for c in self.capacities
        )

    def since(self, exercise: str) -> date | None:
        """The day of the newest training 1RM of an exercise; raises of its load count from there."""
        days = [c.on for c in self.capacities if c.reference == "1RM" and c.exercise == exercise and c.on <= self.on]
        return max(days, default=None)

    def _still_counts(self, capacity: Capacity, test: str, named: str) -> None:
        need = next((need for need in self.needs if need.test == test), None)
        if need is not None and self.on - capacity.on > timedelta(days=need.valid_days):
            age = (self.on - capacity.on).days
            raise Refused(
                f"The {named} of {capacity.on} is {age} days old on {self.on}; it counts for {need.valid_days} days.",
                ways_out=[f"Repeat the {test} test and record it."],
            )
        if self.not_before is not None and test == "cpet" and capacity.on < self.not_before:
            raise Refused(
                f"The progression reached its cap on {self.not_before} and asks for a retest; "
                f"the newest {named} is of {capacity.on}.",
                ways_out=[f"Repeat the {test} test and record it."],
            )


def impossible(capacity: Capacity) -> str:
    """What is wrong with a capacity that no person can have; empty when nothing is."""
    low, high = POSSIBLE.get(capacity.unit, (0.0, float("inf")))
    if not low <= capacity.value <= high:
        return f"{capacity.value:g} {capacity.unit} cannot be meant; {low:g} to {high:g} {capacity.unit} is possible"
    rest = capacity.rest
    if rest is not None and not (RESTING[0] <= rest <= RESTING[1] and rest < capacity.value):
        return f"a heart rate of {rest:g} bpm at rest cannot be meant beside a maximum of {capacity.value:g} bpm"
    return ""


def _can_be_meant(capacity: Capacity, named: str) -> None:
    problem = impossible(capacity)
    if problem:
        raise Refused(
            f"The {named} of {capacity.on} ({capacity.source or 'no source'}): {problem}.",
            ways_out=["Correct that record with a reason, or record a new test or decision."],
        )


def _way_to(reference: str, test: str, exercise: str) -> str:
    if reference in ("VT1", "VT2"):
        return f"Read the threshold from the {test} and record the decision (what = 'threshold:{reference}')."
    if reference == "1RM":
        return f"Test or estimate it, then set the training 1RM (what = 'training-1rm:{exercise}')."
    return f"Do the {test} test and record it."


def capacities_of(entries: Iterable[Entry]) -> tuple[Capacity, ...]:
    """The capacities that a person's records give.

    Watts and heart rates come from a recorded cpet; a 1RM or a threshold only from a recorded decision, because
    neither may change by itself; torque from an mvc test, by exercise.
    """
    found: list[Capacity] = []
    for entry in entries:
        if isinstance(entry.fact, Tested):
            found += _from_test(entry, entry.fact)
        elif isinstance(entry.fact, Decided):
            found += _from_decision(entry, entry.fact)
    return tuple(found)


def _from_test(entry: Entry, fact: Tested) -> Sequence[Capacity]:
    on = fact.on or entry.record.draft.at.date()
    source = f"record {entry.record.seq}: {fact.test} on {on}"
    numbers = {name: float(value) for name, value in fact.values.items() if _is_number(value)}
    if fact.test == "mvc":
        return [Capacity("MVC", value, "Nm", on, exercise, source=source) for exercise, value in numbers.items()]
    if fact.test != "cpet":
        return []
    found = [
        Capacity(reference, numbers[name], "bpm" if name == "hr_max" else "W", on, source=source)
        for reference, name in VALUE_OF.items()
        if name in numbers
    ]
    if "hr_max" in numbers and "hr_rest" in numbers:
        rest = numbers["hr_rest"]
        found.append(Capacity("HR reserve", numbers["hr_max"], "bpm", on, rest=rest, source=source))
    return found


def _from_decision(entry: Entry, fact: Decided) -> Sequence[Capacity]:
    what, _, which = fact.what.partition(":")
    on = entry.record.draft.at.date()
    if not _is_number(fact.value):
        return []
    source = f"record {entry.record.seq}: decided by {entry.record.draft.actor} on {on}"
    source += f" from {fact.basis}" if fact.basis else ""
    if what == "training-1rm":
        return [Capacity("1RM", fact.value, "kg", on, which, source=source)]
    if what == "threshold" and which in ("VT1", "VT2"):
        return [Capacity("VT1" if which == "VT1" else "VT2", fact.value, "W", on, source=source)]
    return []


def _is_number(value: Value) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
