"""Which visits are due, overdue, missing or done, person by person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from holdfast.app import access
from holdfast.app.desk import Desk
from holdfast.app.path import State, state_of
from holdfast.app.timing import appointments, window_of
from holdfast.app.work import local_day
from holdfast.core.facts import Answered, Enrolled, Tested
from holdfast.core.ledger import Ledger
from holdfast.study.model import Study
from holdfast.study.schedule import Window

Status = Literal["not yet", "due", "overdue", "missing", "partly done", "done"]

GONE = (State.NO_FOLLOW_UP, State.NO_CONSENT, State.LEFT)
"""Nobody in these states is invited any more."""


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit of one person.

    `status`: "not yet" before the window, "due" in it, "overdue" after it while the study runs, "missing" when it
    will not happen any more; "partly done" while a form is absent, "done". `absent` lists the absent forms.
    """

    participant: str
    visit: str
    status: Status
    planned: date | None
    earliest: date | None
    latest: date | None
    appointment: date | None
    done_on: date | None
    timing: str
    absent: tuple[str, ...]


def visits(desk: Desk, *, today: date | None = None, participant: str = "") -> list[VisitRow]:
    """Every visit of everybody this role sees (or of one person), in the order of people and of the study's visits."""
    access.permit_view(desk, "visits")
    if participant:
        access.permit_person(desk, participant)
    ledger = desk.store.ledger()
    eyes = access.sight(desk, ledger)
    now = today or local_day(desk.clock.now(), desk.clock.zone())
    people = [participant] if participant else [c for c in ledger.participants if eyes.sees_person(c)]
    enrolled = [code for code in people if ledger.of(code, Enrolled)]
    return [_row(desk.study, ledger, code, visit.code, now) for code in enrolled for visit in desk.study.visits]


def _row(study: Study, ledger: Ledger, participant: str, visit: str, today: date) -> VisitRow:
    span = window_of(study, ledger, participant, visit)
    days = _days(ledger, participant, visit)
    absent = missing_forms(study, ledger, participant, visit)
    done_on = min(days) if days else None
    status = _status(state_of(ledger, participant), span, bool(days), absent, today)
    timing = span.timing(done_on) if span and done_on else ""
    return VisitRow(
        participant,
        visit,
        status,
        span.planned if span else None,
        span.earliest if span else None,
        span.latest if span else None,
        appointments(ledger, participant).get(visit),
        done_on,
        timing,
        absent,
    )


def _status(state: State, span: Window | None, begun: bool, absent: tuple[str, ...], today: date) -> Status:
    if begun:
        return "partly done" if absent else "done"
    if state in GONE or state is State.COMPLETED:
        return "missing"
    if span is None or today < span.earliest:
        return "not yet"
    return "due" if today <= span.latest else "overdue"


def _days(ledger: Ledger, participant: str, visit: str) -> list[date]:
    return [
        entry.fact.on or entry.record.draft.at.date()
        for entry in ledger.of(participant)
        if entry.record.visit == visit and isinstance(entry.fact, Answered | Tested)
    ]


def missing_forms(study: Study, ledger: Ledger, participant: str, visit: str) -> tuple[str, ...]:
    """Instruments that the study wants at this visit and that have no answers yet."""
    wanted = dict.fromkeys(outcome.instrument for outcome in study.outcomes if visit in outcome.visits)
    there = set()
    for entry in ledger.of(participant):
        if entry.record.visit != visit:
            continue
        if isinstance(entry.fact, Answered):
            there.add(entry.fact.instrument)
        elif isinstance(entry.fact, Tested):
            there.add(entry.fact.test)
    return tuple(code for code in wanted if code not in there)
