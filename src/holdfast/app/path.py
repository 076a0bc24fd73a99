"""The path of a participant through a study, as one transition table.

Two rules for this file. Everything about what may follow what lives in `TABLE`; no deed has rules of order of its
own. A state is never stored: it follows from the facts of the ledger, in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from holdfast.core import facts as f
from holdfast.core.ledger import Ledger


class State(StrEnum):
    """Where a person stands."""

    UNKNOWN = "unknown"
    SCREENED = "screened, not eligible"
    ELIGIBLE = "eligible"
    CONSENTED = "consented"
    ENROLLED = "enrolled"
    BASELINE = "baseline complete"
    RANDOMISED = "randomised"
    IN_PROGRAMME = "in programme"
    FOLLOW_UP = "in follow-up"
    COMPLETED = "completed"
    LEFT = "left before randomisation"
    LOST = "lost to follow-up"
    NO_TRAINING = "withdrawn from training"
    NO_FOLLOW_UP = "withdrawn from follow-up"
    NO_CONSENT = "consent withdrawn"


class Event(StrEnum):
    """What can happen to a person, as far as order matters."""

    FOUND_ELIGIBLE = "found eligible"
    FOUND_NOT_ELIGIBLE = "found not eligible"
    CLEARED = "cleared"
    CONSENTED = "consented"
    ENROLLED = "enrolled"
    DESCRIBED = "described"
    BASELINE_DONE = "baseline completed"
    RANDOMISED = "randomised"
    SCHEDULED = "visit scheduled"
    MEASURED = "measured"
    DECIDED = "decided"
    TRAINED = "trained"
    DOSED = "dose modified"
    PROGRAMME_DONE = "programme completed"
    STUDY_DONE = "study completed"
    NOTED = "event noted"
    STOPPED_TRAINING = "stopped training"
    STOPPED_FOLLOW_UP = "stopped follow-up"
    WITHDREW_CONSENT = "withdrew consent"
    LOST = "lost"


S, E = State, Event

_BEFORE = (S.CONSENTED, S.ENROLLED, S.BASELINE)
_ACTIVE = (S.RANDOMISED, S.IN_PROGRAMME, S.FOLLOW_UP, S.NO_TRAINING)


def _stay(*states: State) -> dict[State, State]:
    return {state: state for state in states}


def _go(to: State, *states: State) -> dict[State, State]:
    return dict.fromkeys(states, to)


TABLE: Mapping[Event, Mapping[State, State]] = {
    E.FOUND_ELIGIBLE: _go(S.ELIGIBLE, S.UNKNOWN, S.SCREENED),
    E.FOUND_NOT_ELIGIBLE: _go(S.SCREENED, S.UNKNOWN, S.SCREENED),
    E.CLEARED: _stay(S.SCREENED, S.ELIGIBLE, *_BEFORE, *_ACTIVE),
    # consent again, to a new version of the form, changes nothing on the path
    E.CONSENTED: {S.ELIGIBLE: S.CONSENTED} | _stay(*_BEFORE, *_ACTIVE),
    E.ENROLLED: _go(S.ENROLLED, S.CONSENTED),
    E.DESCRIBED: _stay(S.CONSENTED, S.ENROLLED),
    E.BASELINE_DONE: _go(S.BASELINE, S.ENROLLED),
    E.RANDOMISED: _go(S.RANDOMISED, S.BASELINE),
    E.SCHEDULED: _stay(*_BEFORE, *_ACTIVE),
    # somebody who was lost and answers is not lost any more; late papers may be typed in after completion
    E.MEASURED: _stay(*_BEFORE, *_ACTIVE, S.COMPLETED) | {S.LOST: S.FOLLOW_UP},
    E.DECIDED: _stay(S.SCREENED, S.ELIGIBLE, *_BEFORE, *_ACTIVE, S.COMPLETED, S.LOST),
    E.TRAINED: _go(S.IN_PROGRAMME, S.RANDOMISED, S.IN_PROGRAMME),
    E.DOSED: _stay(S.RANDOMISED, S.IN_PROGRAMME),
    E.PROGRAMME_DONE: _go(S.FOLLOW_UP, S.IN_PROGRAMME),
    E.STUDY_DONE: _go(S.COMPLETED, *_ACTIVE),
    E.NOTED: _stay(*_BEFORE, *_ACTIVE, S.COMPLETED, S.LOST, S.NO_FOLLOW_UP),
    E.STOPPED_TRAINING: _go(S.NO_TRAINING, S.RANDOMISED, S.IN_PROGRAMME),
    E.STOPPED_FOLLOW_UP: _go(S.NO_FOLLOW_UP, *_ACTIVE),
    E.WITHDREW_CONSENT: _go(S.NO_CONSENT, *_BEFORE, *_ACTIVE, S.NO_FOLLOW_UP, S.LOST),
    E.LOST: _go(S.LEFT, S.SCREENED, S.ELIGIBLE, *_BEFORE) | _go(S.LOST, *_ACTIVE),
}
"""What may happen in which state, and where it leads. What has no place here is refused."""

IMPORTED: Mapping[Event, Mapping[State, State]] = {
    E.ENROLLED: _go(S.ENROLLED, S.UNKNOWN),
    E.DESCRIBED: _stay(*_ACTIVE),
    E.RANDOMISED: _go(S.RANDOMISED, S.UNKNOWN, S.ENROLLED),
    E.MEASURED: _stay(S.NO_FOLLOW_UP),
    E.PROGRAMME_DONE: _go(S.FOLLOW_UP, S.RANDOMISED),
}
"""Further steps for people whose trial was run elsewhere and imported: their file begins later on the path."""


def event_of(fact: f.Fact) -> Event | None:
    """What the fact means for the path; None where it means nothing (a correction, a query, a look)."""
    match fact:
        case f.Screened():
            return E.FOUND_NOT_ELIGIBLE if fact.failed else E.FOUND_ELIGIBLE
        case f.Withdrawn():
            return _WITHDRAWN[fact.scope]
        case f.Completed():
            return _COMPLETED[fact.part]
        case _:
            return _PLAIN.get(type(fact))


_WITHDRAWN = {"training": E.STOPPED_TRAINING, "follow-up": E.STOPPED_FOLLOW_UP, "consent": E.WITHDREW_CONSENT}
_COMPLETED = {"baseline": E.BASELINE_DONE, "programme": E.PROGRAMME_DONE, "study": E.STUDY_DONE}
_PLAIN: Mapping[type[f.Fact], Event] = {
    f.Cleared: E.CLEARED,
    f.Consented: E.CONSENTED,
    f.Enrolled: E.ENROLLED,
    f.Described: E.DESCRIBED,
    f.Randomised: E.RANDOMISED,
    f.Scheduled: E.SCHEDULED,
    f.Answered: E.MEASURED,
    f.Tested: E.MEASURED,
    f.Decided: E.DECIDED,
    f.SessionDone: E.TRAINED,
    f.DoseModified: E.DOSED,
    f.Lost: E.LOST,
    f.AdverseEvent: E.NOTED,
    f.Deviation: E.NOTED,
    f.IntercurrentEvent: E.NOTED,
    f.ConcomitantTreatment: E.NOTED,
}


def step(state: State, event: Event) -> State | None:
    """Where this event leads from this state; None when the path does not allow it."""
    return TABLE[event].get(state)


def walk(facts: Iterable[f.Fact]) -> State:
    """The state after these facts in order, imported steps included. A fact without a step changes nothing."""
    state = State.UNKNOWN
    for fact in facts:
        event = event_of(fact)
        if event is not None:
            state = TABLE[event].get(state) or IMPORTED.get(event, {}).get(state) or state
    return state


def state_of(ledger: Ledger, participant: str) -> State:
    """Where this person stands, from the ledger alone."""
    return walk(entry.fact for entry in ledger.of(participant))


def allowed_from(state: State) -> tuple[Event, ...]:
    """What may happen next in this state."""
    return tuple(event for event, steps in TABLE.items() if state in steps)
