"""What was really delivered: sessions, by arm."""

from __future__ import annotations

from holdfast.core.facts import SessionDone
from holdfast.core.ledger import Entry
from holdfast.report.model import Grid, Line, Section
from holdfast.report.source import Source
from holdfast.report.words import mean_sd, quartiles, share


def section(source: Source) -> Section | None:
    """Sessions attended of those planned, and perceived exertion; None where no sessions are on record."""
    sessions = {
        arm: {code: source.ledger.of(code, SessionDone) for code in source.people_of(arm)} for arm in source.order
    }
    if not any(mine for each in sessions.values() for mine in each.values()):
        return None
    rows: list[tuple[str, list[str]]] = [
        ("Sessions planned per person", [_planned(source, arm) for arm in source.order]),
        ("Sessions attended, mean (SD)", [mean_sd(_attended(each)) for each in sessions.values()]),
        ("Sessions attended, median (quartiles)", [quartiles(_attended(each), 0) for each in sessions.values()]),
        ("People who attended at least 80%", [_enough(source, arm, sessions[arm]) for arm in source.order]),
        ("Perceived exertion of a session, mean (SD)", [mean_sd(_exertion(each)) for each in sessions.values()]),
    ]
    lines = tuple(Line((label, *cells)) for label, cells in rows)
    columns = ("", *(f"{arm} (n = {len(source.people_of(arm))})" for arm in source.order))
    note = "Everybody randomised; people who never came count with no session."
    grid = Grid("delivery", "Sessions delivered", columns, lines, note)
    return Section("delivery", "What was delivered", (grid,), items=("24a", "cert:5", "cert:16a", "tidier:11"))


def _planned(source: Source, arm: str) -> str:
    planned = _planned_sessions(source, arm)
    return str(planned) if planned else "–"


def _planned_sessions(source: Source, arm: str) -> int:
    declared = next((each for each in source.study.arms if each.code == arm), None)
    programme = source.study.programmes.get(declared.programme or "") if declared else None
    return programme.sessions if programme else 0


def _attended(people: dict[str, tuple[Entry, ...]]) -> list[float]:
    return [
        float(sum(isinstance(entry.fact, SessionDone) and entry.fact.attended for entry in mine))
        for mine in people.values()
    ]


def _enough(source: Source, arm: str, people: dict[str, tuple[Entry, ...]]) -> str:
    planned = _planned_sessions(source, arm)
    if not planned:
        return "–"
    return share(sum(count >= 0.8 * planned for count in _attended(people)), len(people))


def _exertion(people: dict[str, tuple[Entry, ...]]) -> list[float]:
    return [
        entry.fact.rpe
        for mine in people.values()
        for entry in mine
        if isinstance(entry.fact, SessionDone) and entry.fact.rpe is not None
    ]
