"""What the deeds need of a store and a clock; `wiring` brings the real ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from holdfast.core.ledger import Ledger
from holdfast.core.records import Draft, Record


class Transaction(Protocol):
    """One open transaction that nobody else can write beside; all of it is kept, or nothing."""

    def ledger(self) -> Ledger:
        """The state that this transaction sees, its own appended records included."""
        ...

    def append(self, *drafts: Draft) -> tuple[Record, ...]:
        """Number, chain and keep the drafts, in order."""
        ...

    def take_slot(self, stratum: str, participant: str) -> int:
        """The next slot (1, 2, ...) of this stratum for this participant; unique in the database itself."""
        ...

    def arm_of(self, stratum: str, slot: int, before: Sequence[Mapping[str, object]] = ()) -> str:
        """Open one arm of the sealed allocation. Only `app.access` may call this."""
        ...


class Store(Protocol):
    """Keeps the records of one study."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Begin; commit on leaving, undo everything on an exception."""
        ...

    def records(self, after: int = 0) -> Iterator[Record]:
        """Records with a number greater than `after`, in order."""
        ...

    def ledger(self) -> Ledger:
        """The state as of the newest committed record."""
        ...

    def close(self) -> None:
        """Let go of what is open; the store can be used again."""
        ...


class Sealing(Protocol):
    """The sealed allocation of one study, as far as deeds need it."""

    def commitment(self) -> tuple[str, str]:
        """The public commitment to the sealed sequence, and the name of the person who holds its key."""
        ...

    def key(self) -> str:
        """The key that lets anyone recompute the sequence; given away once, at the reveal. Empty when imported."""
        ...

    def ahead(self, stratum: str, slot: int) -> str:
        """The arm of a slot that nobody has taken, for a sealed envelope. Only `app.access` may call this."""
        ...

    def keep(self, arms: Mapping[str, str]) -> None:
        """Seal the arms of an allocation that was made elsewhere, by participant; refused when one is there."""
        ...


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Now, in UTC."""
        ...

    def zone(self) -> str:
        """The IANA name of the local zone."""
        ...
