"""Training actually received, per person, as a number that analyses can use."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from holdfast.core.facts import SessionDone
from holdfast.core.ledger import Ledger
from holdfast.errors import CallError

Count = Callable[[tuple[SessionDone, ...]], float]


def _attended(sessions: tuple[SessionDone, ...]) -> float:
    return float(sum(session.attended for session in sessions))


def _load(sessions: tuple[SessionDone, ...]) -> float:
    """Sum of perceived exertion over attended sessions; a session without a rating adds nothing and is not guessed."""
    return float(sum(session.rpe or 0.0 for session in sessions if session.attended))


def _any(sessions: tuple[SessionDone, ...]) -> float:
    return float(any(session.attended for session in sessions))


EXPOSURES: Mapping[str, tuple[str, Count]] = {
    "sessions": ("sessions attended", _attended),
    "sessions attended": ("sessions attended", _attended),
    "began": ("attended at least one session", _any),
    "exertion": ("sum of perceived exertion over sessions", _load),
}
"""What an analysis may name as exposure: its words, and how it is counted."""


def exposure(ledger: Ledger, participants: tuple[str, ...], code: str) -> tuple[str, dict[str, float]]:
    """The exposure's words, and its value per person; somebody without a session received none.

    Raises `CallError` for an exposure that nobody defined, and when the ledger holds no session at all.
    """
    if code not in EXPOSURES:
        ways = ["use one of: " + ", ".join(EXPOSURES)]
        raise CallError(f"there is no exposure {code!r}", ways_out=ways)
    if not ledger.all(SessionDone):
        raise CallError("the ledger holds no training session, so nobody's dose is known")
    words, count = EXPOSURES[code]
    return words, {who: count(_sessions(ledger, who)) for who in participants}


def _sessions(ledger: Ledger, participant: str) -> tuple[SessionDone, ...]:
    entries = ledger.of(participant, SessionDone)
    return tuple(entry.fact for entry in entries if isinstance(entry.fact, SessionDone))
