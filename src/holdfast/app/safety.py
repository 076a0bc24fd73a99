"""To whom a serious adverse event is due, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.core.facts import AdverseEvent, Decided
from holdfast.core.ledger import Entry, Ledger
from holdfast.core.records import Record
from holdfast.study.model import Study

REPORTED = "adverse event reported"
"""What a `Decided` fact says when a serious event was reported; its value is the number of the event's record."""

SPONSOR_HOURS = 24.0
"""Until a serious event is told to the sponsor, when the study file says nothing (settings.serious_hours)."""

RELATED = ("possible", "probable", "definite")


@dataclass(frozen=True, slots=True)
class Duty:
    """One report that is due: about which record, to whom, until when."""

    seq: int
    participant: str
    whom: str
    due: datetime


def duties(study: Study, record: Record, fact: AdverseEvent | None = None) -> tuple[Duty, ...]:
    """What a serious event asks for: the sponsor at once; ethics and authority when related and not expected.

    The defaults (sponsor 24 hours; 7 days for death or a threat to life, grade 4 or 5; else 15 days, after ICH E2A)
    are from memory and unverified: the study file sets its own (settings.serious_hours, settings.suspected_days,
    settings.suspected_fatal_days).
    """
    event = fact or record.fact
    if not isinstance(event, AdverseEvent) or not event.serious:
        return ()
    at, settings = record.draft.at, study.settings
    hours = float(settings.get("serious_hours", SPONSOR_HOURS))
    found = [Duty(record.seq, record.participant, "sponsor", at + timedelta(hours=hours))]
    if event.related in RELATED and not event.expected:
        key, default = ("suspected_fatal_days", 7) if event.grade >= 4 else ("suspected_days", 15)
        due = at + timedelta(days=float(settings.get(key, default)))
        found.append(Duty(record.seq, record.participant, "ethics committee", due))
    return tuple(found)


def open_duties(study: Study, ledger: Ledger) -> list[Duty]:
    """Reports of serious events that nobody has made yet, the most urgent first."""
    made = {
        (e.fact.value, e.fact.basis)
        for e in ledger.all(Decided)
        if isinstance(e.fact, Decided) and e.fact.what == REPORTED
    }
    found = [duty for entry in ledger.all(AdverseEvent) for duty in _duties(study, entry)]
    return sorted((duty for duty in found if (duty.seq, duty.whom) not in made), key=lambda duty: duty.due)


def _duties(study: Study, entry: Entry) -> tuple[Duty, ...]:
    return duties(study, entry.record, entry.fact) if isinstance(entry.fact, AdverseEvent) else ()
