"""A person's training so far, as dosing reads it from the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from holdfast.core.facts import DoseModified, IntercurrentEvent, SessionDone
from holdfast.core.ledger import Entry

FLARE = "flare"
"""The code of the intercurrent event that pauses a programme."""


@dataclass(frozen=True, slots=True)
class StepDone:
    """What was done of one step. None means not observed, never zero.

    Units: seconds, W, rpm, bpm, kg; `reps` and `sets` are counts; `level` counts from 1.
    """

    block: str
    step: str = ""
    exercise: str = ""
    seconds: float | None = None
    watts: float | None = None
    rpm: float | None = None
    heart_rate: float | None = None
    kg: float | None = None
    reps: int | None = None
    hold_seconds: float | None = None
    level: int | None = None


@dataclass(frozen=True, slots=True)
class SessionLog:
    """One session of the log: attended or missed, what was done, and whether a flare came after it."""

    number: int
    attended: bool
    on: date | None = None
    steps: tuple[StepDone, ...] = ()
    flare_after: bool = False

    def sets_of(self, block: str, exercise: str) -> tuple[StepDone, ...]:
        """What was done of one exercise of one block."""
        return tuple(step for step in self.steps if step.block == block and step.exercise == exercise)


@dataclass(frozen=True, slots=True)
class History:
    """Sessions in order, and the dose modifications that people decided."""

    sessions: tuple[SessionLog, ...] = ()
    modifications: tuple[DoseModified, ...] = ()

    def before(self, number: int) -> History:
        """Only what happened before this session."""
        kept = tuple(session for session in self.sessions if session.number < number)
        return History(kept, self.modifications)


_STEP_FIELDS = StepDone.__dataclass_fields__


def history_of(entries: Iterable[Entry]) -> History:
    """The training history in a participant's entries; a session recorded twice keeps its newest record."""
    sessions: dict[int, SessionLog] = {}
    modifications: list[DoseModified] = []
    for entry in entries:
        fact = entry.fact
        if isinstance(fact, SessionDone):
            steps = tuple(_step(dict(one)) for one in fact.delivered)
            sessions[fact.number] = SessionLog(fact.number, fact.attended, fact.on, steps)
        elif isinstance(fact, DoseModified):
            modifications.append(fact)
        elif isinstance(fact, IntercurrentEvent) and fact.event == FLARE and sessions:
            last = sessions[max(sessions)]
            sessions[last.number] = SessionLog(last.number, last.attended, last.on, last.steps, flare_after=True)
    ordered = tuple(sessions[number] for number in sorted(sessions))
    return History(ordered, tuple(modifications))


def _step(plain: dict[str, object]) -> StepDone:
    known = {key: value for key, value in plain.items() if key in _STEP_FIELDS}
    return StepDone(**{"block": "", **known})  # type: ignore[arg-type]  # values come typed from the fact
