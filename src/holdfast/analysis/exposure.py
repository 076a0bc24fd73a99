"""Training actually received, per person, as a number that analyses can use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from holdfast.core.facts import SessionDone, Value
from holdfast.core.ledger import Entry, Ledger
from holdfast.dosing.basis import capacities_of
from holdfast.errors import CallError, DataError

Count = Callable[[Sequence[Entry]], float]

HARD = 0.8
"""Share of the watts at VO2max from which work counts as hard; a design choice of ours between the two arms of the
reference trial (60 % and 100 %)."""


def _sessions(entries: Sequence[Entry]) -> Iterator[SessionDone]:
    for entry in entries:
        if isinstance(entry.fact, SessionDone) and entry.fact.attended:
            yield entry.fact


def _attended(entries: Sequence[Entry]) -> float:
    return float(sum(1 for _ in _sessions(entries)))


def _began(entries: Sequence[Entry]) -> float:
    return float(any(True for _ in _sessions(entries)))


def _exertion(entries: Sequence[Entry]) -> float:
    """Sum of perceived exertion over attended sessions; a session without a rating adds nothing and is not guessed."""
    return float(sum(session.rpe or 0.0 for session in _sessions(entries)))


def _kilojoules(entries: Sequence[Entry]) -> float:
    return sum(watts * seconds for watts, seconds in _work(entries)) / 1000


def _volume(entries: Sequence[Entry]) -> float:
    rows = (row for session in _sessions(entries) for row in session.delivered)
    return float(sum(_number(row.get("kg")) * _number(row.get("reps")) for row in rows))


def _hard_minutes(entries: Sequence[Entry]) -> float:
    """Minutes of cycling at or above 80 % of the watts at VO2max of the newest test before each session ended."""
    if not any(True for _ in _sessions(entries)):
        return 0.0
    tests = [one for one in capacities_of(entries) if one.reference == "W at VO2max"]
    if not tests:
        raise DataError("somebody trained without a recorded test of watts at VO2max, so hard minutes are not known")
    watts_at_max = max(tests, key=lambda one: one.on).value
    return sum(seconds for watts, seconds in _work(entries) if watts >= HARD * watts_at_max) / 60


def _work(entries: Sequence[Entry]) -> Iterator[tuple[float, float]]:
    """Watts and seconds of every timed step that was observed."""
    for session in _sessions(entries):
        for row in session.delivered:
            if row.get("watts") is not None and row.get("seconds") is not None:
                yield _number(row["watts"]), _number(row["seconds"])


def _number(value: Value) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


EXPOSURES: Mapping[str, tuple[str, Count]] = {
    "sessions": ("sessions attended", _attended),
    "began": ("attended at least one session", _began),
    "exertion": ("sum of perceived exertion over sessions", _exertion),
    "hard minutes": ("minutes of cycling at or above 80 % of the watts at VO2max", _hard_minutes),
    "kilojoules": ("cycling work delivered (kJ)", _kilojoules),
    "volume": ("volume load delivered (kg x repetitions)", _volume),
}
"""What an analysis may name as exposure: its words, and how it is counted. The codes are `study.analyses.EXPOSURES`."""


def exposure(ledger: Ledger, participants: tuple[str, ...], code: str) -> tuple[str, dict[str, float]]:
    """The exposure's words, and its value per person; somebody without a session received none.

    Raises `CallError` for an exposure that nobody defined, and when the ledger holds no session at all; `DataError`
    when what an exposure is relative to was never tested.
    """
    if code not in EXPOSURES:
        ways = ["use one of: " + ", ".join(EXPOSURES)]
        raise CallError(f"there is no exposure {code!r}", ways_out=ways)
    if not ledger.all(SessionDone):
        raise CallError("the ledger holds no training session, so nobody's dose is known")
    words, count = EXPOSURES[code]
    return words, {who: count(ledger.of(who)) for who in participants}
