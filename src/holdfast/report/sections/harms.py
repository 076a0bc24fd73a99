"""Unwanted events, intercurrent events, other treatment and departures from the protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from holdfast.core.facts import AdverseEvent, ConcomitantTreatment, Deviation, Fact, IntercurrentEvent
from holdfast.core.ledger import Entry
from holdfast.report.model import Block, Grid, Line, Paragraph, Section
from holdfast.report.source import Source
from holdfast.report.words import plural


def section(source: Source) -> Section:
    """Adverse events by arm: people and events, the worst grade, what was related and serious."""
    events = _by_arm(source, AdverseEvent)
    if not any(events.values()):
        text = "No adverse events are on record. That nothing was recorded does not show that nothing happened."
        return Section("harms", "Harms", (Paragraph(text),), items=("27", "15", "cert:11"))
    lines = [
        _total("People with at least one event", source, events, lambda fact: True),
        _total("… related to the training (possible or more)", source, events, _related),
        _total("… serious", source, events, lambda fact: isinstance(fact, AdverseEvent) and fact.serious),
        Line(("By event: people (events)",), "group"),
    ]
    names = Counter(
        entry.fact.what for each in events.values() for entry in each if isinstance(entry.fact, AdverseEvent)
    )
    for what, _ in names.most_common():
        cells = [_people_events(events[arm], what) for arm in source.order]
        lines.append(Line((f"{what} (worst grade {_worst(events, what)})", *cells), "indent"))
    columns = ("", *(f"{arm} (n = {len(source.people_of(arm))})" for arm in source.order))
    note = "Grades are CTCAE 1 to 5. A person counts once per event name; a person may have several events."
    grid = Grid("harms", "Adverse events by arm", columns, tuple(lines), note)
    return Section("harms", "Harms", (grid,), items=("27", "15", "cert:11"))


def departures(source: Source) -> Section:
    """Intercurrent events, other treatment, deviations."""
    blocks: list[Block] = []
    names = {event.code: event.name or event.code for event in source.study.events}
    for kind, title, code, what in (
        (IntercurrentEvent, "Intercurrent events", "intercurrent", lambda fact: names.get(fact.event, fact.event)),
        (ConcomitantTreatment, "Other treatment during the study", "concomitant", lambda fact: fact.what),
        (Deviation, "Departures from the protocol", "deviations", _deviation),
    ):
        grid = _counted(source, kind, title, code, what)
        blocks.append(grid if grid else Paragraph(f"{title}: none on record."))
    items = ("22b", "24b", "tidier:10")
    return Section("departures", "Intercurrent events and departures", tuple(blocks), items=items)


def _deviation(fact: Deviation) -> str:
    return f"{fact.what}{' (major)' if fact.major else ''}"


def _by_arm(source: Source, kind: type[Fact]) -> dict[str, list[Entry]]:
    return {
        arm: [entry for code in source.people_of(arm) for entry in source.ledger.of(code, kind)] for arm in source.order
    }


def _related(fact: Fact) -> bool:
    return isinstance(fact, AdverseEvent) and fact.related in ("possible", "probable", "definite")


def _total(label: str, source: Source, events: dict[str, list[Entry]], keep: Callable[[Fact], bool]) -> Line:
    cells = []
    for arm in source.order:
        people = {entry.record.participant for entry in events[arm] if keep(entry.fact)}
        total = len(source.people_of(arm))
        cells.append(f"{len(people)} ({100 * len(people) / total:.0f}%)" if total else "0")
    return Line((label, *cells))


def _people_events(entries: list[Entry], what: str) -> str:
    mine = [entry for entry in entries if isinstance(entry.fact, AdverseEvent) and entry.fact.what == what]
    return f"{len({entry.record.participant for entry in mine})} ({len(mine)})"


def _worst(events: dict[str, list[Entry]], what: str) -> int:
    grades = [
        entry.fact.grade
        for each in events.values()
        for entry in each
        if isinstance(entry.fact, AdverseEvent) and entry.fact.what == what
    ]
    return max(grades)


def _counted(source: Source, kind: type[Fact], title: str, code: str, what: Callable[..., str]) -> Grid | None:
    found = _by_arm(source, kind)
    names = Counter(what(entry.fact) for each in found.values() for entry in each)
    if not names:
        return None
    lines = []
    for label, _ in names.most_common():
        cells = []
        for arm in source.order:
            mine = [entry for entry in found[arm] if what(entry.fact) == label]
            cells.append(f"{plural(len({e.record.participant for e in mine}), 'person', 'people')} ({len(mine)})")
        lines.append(Line((label, *cells)))
    columns = ("", *(f"{arm} (n = {len(source.people_of(arm))})" for arm in source.order))
    return Grid(code, title, columns, tuple(lines), "People, and in brackets how often.")
