"""What a session asks of one person, in absolute units, with the reason for each number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from holdfast.core.workout import Band

Kind = Literal["intervals", "continuous", "resistance", "core", "mobility", "warm-up", "cool-down", "free"]


@dataclass(frozen=True, slots=True)
class PrescribedStep:
    """One step: a bout, a rest, a set of an exercise, a hold.

    Units: seconds, W, rpm, bpm, kg, Nm. `why` says which rule and which test each number came from.
    """

    name: str
    work: bool
    seconds: float | None = None
    watts: Band | None = None
    cadence: Band | None = None
    heart_rate: Band | None = None
    rpe: float | None = None
    exercise: str = ""
    level: str = ""
    sets: int | None = None
    reps: int | None = None
    kg: float | None = None
    hold_seconds: float | None = None
    torque: float | None = None
    percent: float | None = None
    of: str = ""
    rest_seconds: float | None = None
    text: str = ""
    why: tuple[str, ...] = ()

    @property
    def target_watts(self) -> float | None:
        """The power a machine is set to, in W."""
        return None if self.watts is None else self.watts.middle


@dataclass(frozen=True, slots=True)
class PrescribedBlock:
    """A block of the session with its steps in order."""

    name: str
    kind: Kind
    mode: str
    steps: tuple[PrescribedStep, ...]
    why: tuple[str, ...] = ()
    verified: bool = True
    source: str = ""

    @property
    def seconds(self) -> float | None:
        """Planned duration where every step has one."""
        total = 0.0
        for step in self.steps:
            if step.seconds is None:
                return None
            total += step.seconds
        return total

    @property
    def kilojoules(self) -> float | None:
        """Planned mechanical work of steps with watts: sum of W x s / 1000. eq:work-kj"""
        done = [(s.watts.middle * s.seconds) for s in self.steps if s.watts is not None and s.seconds is not None]
        return sum(done) / 1000 if done else None


@dataclass(frozen=True, slots=True)
class Prescription:
    """One session for one person on one day."""

    participant: str
    session: int
    on: date
    programme: str
    blocks: tuple[PrescribedBlock, ...]
    notes: tuple[str, ...] = ()

    def block(self, name: str) -> PrescribedBlock:
        """The block of this name (KeyError where there is none)."""
        for block in self.blocks:
            if block.name == name:
                return block
        raise KeyError(name)
