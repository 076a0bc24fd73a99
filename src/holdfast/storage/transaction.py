"""One open transaction: what a deed reads and writes, all of it kept or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from holdfast.core.facts import Randomised
from holdfast.core.ledger import EMPTY, Ledger, extend
from holdfast.core.records import Draft, Record, canonical, plain, prepared, seal
from holdfast.errors import CallError, OutOfOrder, Refused
from holdfast.storage import rows
from holdfast.storage.tables import sealed, slots

LARGEST_BODY = 1_000_000
"""Bytes that one record may hold; raw files are kept beside the database, not in it."""


class Arms(Protocol):
    """The sealed allocation, opened: what `storage.sealed` gives and only `wiring` passes in."""

    def arm_of(self, stratum: str, slot: int, history: Sequence[Mapping[str, object]], participant: str) -> str:
        """The arm of one slot; `history` holds the factors of slots 1..slot of the stratum, in order."""
        ...


@dataclass(frozen=True, slots=True)
class _Taken:
    stratum: str
    slot: int
    participant: str


class SqlTransaction:
    """One open transaction on a study ledger; what `app.ports.Transaction` describes."""

    def __init__(self, connection: Connection, study: str, before: Ledger, arms: Callable[[], Arms] | None) -> None:
        self._connection = connection
        self._study = study
        self._ledger = before
        self._pending: list[Record] = []
        self._arms = arms
        self._factors_of: dict[str, tuple[Ledger, tuple[Mapping[str, object], ...]]] = {}
        self._taken: set[_Taken] = set()
        self._next = (before.seq + 1, before.head)

    def ledger(self) -> Ledger:
        """The state that this transaction sees, its own appended records included."""
        self._ledger = extend(self._ledger, self._pending)
        self._pending = []
        return self._ledger

    def append(self, *drafts: Draft) -> tuple[Record, ...]:
        """Number, chain and keep the drafts, in order.

        Raises
        ------
        CallError
            When a fact does not fit its type or is larger than `LARGEST_BODY`.
        """
        sealed = tuple(self._sealed(draft) for draft in drafts)
        for record in sealed:
            if isinstance(record.fact, Randomised):
                self._keep_slot(_Taken(record.fact.stratum, record.fact.slot, record.participant))
        rows.insert(self._connection, self._study, sealed)
        self._pending.extend(sealed)
        return sealed

    def _sealed(self, draft: Draft) -> Record:
        seq, previous = self._next
        record = seal(seq, prepared(draft), previous)
        size = len(canonical(plain(seq, record.draft, previous)))
        if size > LARGEST_BODY:
            raise CallError(
                f"A {draft.fact.kind} record of {size:,} bytes is too large; {LARGEST_BODY:,} are allowed.",
                ways_out=["Keep a raw file beside the database and its digest in the record."],
            )
        self._next = (seq + 1, record.hash)
        return record

    def take_slot(self, stratum: str, participant: str) -> int:
        """The next slot (1, 2, ...) of this stratum for this participant; unique in the database itself.

        Its `Randomised` fact must be appended in the same transaction, or nothing is kept.

        Raises
        ------
        OutOfOrder
            When the participant has a slot already.
        """
        if self._slot_of(participant) is not None:
            raise OutOfOrder(f"{participant} was randomised already; a slot is taken once.")
        top = sa.select(sa.func.coalesce(sa.func.max(slots.c.slot), 0))
        newest = self._connection.scalar(top.where(slots.c.study == self._study, slots.c.stratum == stratum))
        taken = _Taken(stratum, int(newest or 0) + 1, participant)
        self._keep_slot(taken)
        return taken.slot

    def _keep_slot(self, taken: _Taken) -> None:
        if taken in self._taken:
            return
        values = {"stratum": taken.stratum, "slot": taken.slot, "participant": taken.participant}
        self._connection.execute(sa.insert(slots).values(study=self._study, **values))
        self._taken.add(taken)

    def _slot_of(self, participant: str) -> tuple[str, int] | None:
        query = sa.select(slots.c.stratum, slots.c.slot)
        found = self._connection.execute(
            query.where(slots.c.study == self._study, slots.c.participant == participant)
        ).first()
        return None if found is None else (found[0], found[1])

    def arm_of(self, stratum: str, slot: int, before: Sequence[Mapping[str, object]] = ()) -> str:
        """Open one arm of the sealed allocation. Only `app.access` may call this.

        `before` holds the factors of slots 1..slot of the stratum in order (minimisation needs them); left
        empty, they are read from the `Randomised` facts as first written: a correction never moves an arm.

        Raises
        ------
        CallError
            When the store was opened without a key.
        OutOfOrder
            When nobody has taken the slot: there is no door to a future allocation.
        """
        if self._arms is None:
            raise CallError("This store was opened without the key of its allocation.", ways_out=["key_provider=..."])
        holder = self._connection.scalar(
            sa.select(slots.c.participant).where(
                slots.c.study == self._study, slots.c.stratum == stratum, slots.c.slot == slot
            )
        )
        if holder is None:
            raise OutOfOrder(f"Slot {slot} of stratum {stratum!r} is not taken; a future allocation stays sealed.")
        return self._arms().arm_of(stratum, slot, before or self._factors(stratum, slot), str(holder))

    def _factors(self, stratum: str, slot: int) -> tuple[Mapping[str, object], ...]:
        """The factors of slots 1..slot; read once per state of the ledger, for whole data sets are opened at once."""
        ledger = self.ledger()
        seen, found = self._factors_of.get(stratum, (EMPTY, ()))
        if seen is not ledger:
            facts = [entry.original for entry in ledger.all(Randomised)]
            by_slot = {f.slot: f.factors for f in facts if isinstance(f, Randomised) and f.stratum == stratum}
            found = tuple(by_slot.get(number, {}) for number in range(1, max(by_slot, default=0) + 1))
            self._factors_of[stratum] = (ledger, found)
        return found[:slot]

    def keep_sealed(self, digest: str, content: str) -> None:
        """Keep an encrypted allocation that was made elsewhere; there is one per study.

        Raises
        ------
        Refused
            When one is there.
        """
        if self.sealed() is not None:
            raise Refused("This study has an imported allocation already; it is never replaced.")
        self._connection.execute(sa.insert(sealed).values(study=self._study, digest=digest, content=content))

    def sealed(self, known: str = "") -> tuple[str, str] | None:
        """Digest and content of the encrypted allocation; the content is left out when its digest is `known`."""
        return sealed_of(self._connection, self._study, known)

    def finished(self) -> Ledger:
        """The ledger to keep, after the last check: every slot that was taken has its record.

        Raises
        ------
        CallError
            When a slot was taken and its `Randomised` fact was not appended.
        """
        ledger = self.ledger()
        for taken in self._taken:
            facts = (entry.original for entry in ledger.of(taken.participant, Randomised))
            if not any(isinstance(f, Randomised) and (f.stratum, f.slot) == (taken.stratum, taken.slot) for f in facts):
                raise CallError(f"{taken.participant} took a slot, but the deed did not record it; nothing was kept.")
        return ledger


def sealed_of(connection: Connection, study: str, known: str) -> tuple[str, str] | None:
    """Digest and content of a study's encrypted allocation; the content is left out when its digest is `known`."""
    digest = connection.scalar(sa.select(sealed.c.digest).where(sealed.c.study == study))
    if digest is None or digest == known:
        return None if digest is None else (str(digest), "")
    return str(digest), str(connection.scalar(sa.select(sealed.c.content).where(sealed.c.study == study)))
