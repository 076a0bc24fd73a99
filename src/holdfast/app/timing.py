"""When this person's visits are due, from the ledger."""

from __future__ import annotations

from datetime import date, timedelta

from holdfast.core.facts import Completed, Enrolled, Randomised, Scheduled, SessionDone
from holdfast.core.ledger import Ledger
from holdfast.study.model import Study
from holdfast.study.schedule import Window, planned_weeks, window


def anchors(study: Study, ledger: Ledger, participant: str) -> dict[str, date]:
    """The days that this person's visits are counted from, as far as they are known.

    Until the programme is completed its end is the planned one, and only where every arm trains equally long: a due
    date must not tell the arm.
    """
    found: dict[str, date] = {}
    for entry in ledger.of(participant):
        fact = entry.fact
        match fact:
            case Enrolled() if fact.on:
                found["enrolment"] = fact.on
            case Randomised() if fact.on:
                found["randomisation"] = fact.on
            case SessionDone() if fact.on:
                found.setdefault("programme start", fact.on)
            case Completed(part="programme") if fact.on:
                found["programme end"] = fact.on
    weeks = planned_weeks(study)
    start = found.get("programme start", found.get("randomisation"))
    if "programme end" not in found and weeks is not None and start is not None:
        found["programme end"] = start + timedelta(days=round(weeks * 7))
    return found


def appointments(ledger: Ledger, participant: str) -> dict[str, date]:
    """The day on which each visit is planned, after all moves."""
    planned: dict[str, date] = {}
    for entry in ledger.of(participant, Scheduled):
        if isinstance(entry.fact, Scheduled):
            planned[entry.record.visit] = entry.fact.on
    return planned


def window_of(study: Study, ledger: Ledger, participant: str, visit: str) -> Window | None:
    """This person's window for this visit; None while its anchor is not known."""
    moved = appointments(ledger, participant).get(visit)
    return window(study.visit(visit), anchors(study, ledger, participant), moved)
