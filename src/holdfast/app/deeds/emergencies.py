"""The deed that opens one person's arm in an emergency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.app import access
from holdfast.app.bounds import text
from holdfast.app.desk import Desk, Done
from holdfast.app.work import begin
from holdfast.core.facts import Randomised, Unblinded
from holdfast.core.issues import Severity
from holdfast.errors import CallError, OutOfOrder


@dataclass(frozen=True, slots=True)
class Opened(Done):
    """What the deed did, and the one person's arm. The arm is shown once and is in no record."""

    arm: str = ""


def unblind(desk: Desk, participant: str, *, reason: str, notified: Sequence[str]) -> Opened:
    """Open one person's arm in an emergency: why, and who was told, are kept before the arm is opened.

    Raises
    ------
    CallError
        When the reason is missing, or nobody was told.
    OutOfOrder
        When the person has no slot.
    """
    with begin(desk, "unblind", participant) as work:
        why = text(reason, "the reason", needed=True)
        told = tuple(text(name, "who was told", needed=True) for name in notified)
        if not told or isinstance(notified, str):
            raise CallError("Somebody must be told of an unblinding.", ways_out=["Name them in `notified`."])
        if work.ledger.last(Randomised, participant) is None:
            raise OutOfOrder(f"{participant} is not randomised, so there is nothing to open.")
        work.write(Unblinded(told), reason=why)
        arm = access.open_in_emergency(desk, work.tx, participant, why)
        work.note(
            "unblinded", "the arm was opened; it goes into the report.", f"Told: {', '.join(told)}.", Severity.NOTE
        )
    done = work.done()
    return Opened(done.records, done.issues, arm)
