"""The store: one study's records in SQLite or PostgreSQL, one transaction per deed."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from holdfast.core.facts import Randomised
from holdfast.core.ledger import EMPTY, Ledger, extend
from holdfast.core.records import Draft, Record, canonical, plain, prepared, seal
from holdfast.errors import CallError, ChainBroken, OutOfOrder, Refused, StorageError
from holdfast.storage import rows
from holdfast.storage.engine import Connections, spoken, sqlite_path
from holdfast.storage.files import Files
from holdfast.storage.tables import records, sealed, slots, studies

LARGEST_BODY = 1_000_000
"""Bytes that one record may hold; raw files are kept beside the database, not in it."""

MANY = 20_000
"""From how many records at once they are taken out of the garbage collector's rounds."""


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
        return _sealed(self._connection, self._study, known)

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


class SqlStore:
    """The records of one study; what `app.ports.Store` describes. Safe to share between threads."""

    def __init__(
        self, connections: Connections, study: str, files: Files | None, arms: Callable[[], Arms] | None = None
    ) -> None:
        self._connections = connections
        self._files = files
        self._arms = arms
        self._opened_arms: Arms | None = None
        self._cached = EMPTY
        self._cache_turn = threading.RLock()
        self._current = threading.local()
        self.study = study

    @property
    def where(self) -> str:
        """The address, without a password."""
        return spoken(self._connections.url)

    @property
    def path(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return sqlite_path(self._connections.url)

    @property
    def connections(self) -> Connections:
        """The open connections, for the other modules of this room."""
        return self._connections

    @property
    def has_files(self) -> bool:
        """Is there a folder for raw files?"""
        return self._files is not None

    @property
    def files(self) -> Files:
        """Raw files (recordings, cart exports) by their digest.

        Raises
        ------
        CallError
            When the store is a PostgreSQL URL and no folder was named for files.
        """
        if self._files is None:
            raise CallError("Raw files need a folder beside a PostgreSQL store.", ways_out=["open_store(..., files=)"])
        return self._files

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """Begin; commit on leaving, undo everything on an exception. One writer per study at a time."""
        if not self._cached.seq:
            # The first reading of a long ledger takes a second or two; nobody should wait for that.
            self.ledger()
        with self._connections.writing() as connection:
            self._lock(connection)
            door = self._open_arms if self._arms is not None else None
            open_one = SqlTransaction(connection, self.study, self._caught_up(connection), door)
            self._current.deed = open_one
            try:
                yield open_one
                after = open_one.finished()
            finally:
                self._current.deed = None
        # Only now is it committed, and only now may others see it.
        self._remember(after)

    def records(self, after: int = 0) -> Iterator[Record]:
        """Records with a number greater than `after`, in order; read in batches, so no transaction stays open."""
        while True:
            with self._connections.reading() as connection:
                batch = rows.rows_after(connection, self.study, after)
            if not batch:
                return
            for row in batch:
                yield rows.record_of(row)
            after = batch[-1][0]

    def ledger(self) -> Ledger:
        """The state as of the newest committed record."""
        with self._cache_turn, self._connections.reading() as connection:
            ledger = self._caught_up(connection)
            self._remember(ledger)
        return ledger

    @contextmanager
    def joined(self) -> Iterator[SqlTransaction]:
        """The transaction that this thread has open, or a new one: for what is called beside a deed."""
        deed: SqlTransaction | None = getattr(self._current, "deed", None)
        if deed is not None:
            yield deed
        else:
            with self.transaction() as fresh:
                yield fresh

    def sealed(self, known: str = "") -> tuple[str, str] | None:
        """As `SqlTransaction.sealed`, in this thread's transaction if it has one open."""
        deed: SqlTransaction | None = getattr(self._current, "deed", None)
        if deed is not None:
            return deed.sealed(known)
        with self._connections.reading() as connection:
            return _sealed(connection, self.study, known)

    def close(self) -> None:
        """Close all connections; the store can be opened again."""
        self._connections.close()

    def __enter__(self) -> SqlStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_arms(self) -> Arms:
        """The opened allocation; opening costs a passphrase, so it is done once."""
        if self._opened_arms is None and self._arms is not None:
            self._opened_arms = self._arms()
        if self._opened_arms is None:
            raise CallError("This store was opened without the key of its allocation.")
        return self._opened_arms

    def _lock(self, connection: Connection) -> None:
        """On PostgreSQL, lock the study's row (SQLite's BEGIN IMMEDIATE has locked the file already)."""
        query = sa.select(studies.c.code).where(studies.c.code == self.study)
        if connection.scalar(query.with_for_update()) is None:
            raise StorageError(f"{self.where} holds no study {self.study!r} any more.")

    def _caught_up(self, connection: Connection) -> Ledger:
        """The cached ledger and what others have written since."""
        cached = self._cached
        with rows.undisturbed():
            new = [rows.record_of(row) for row in rows.all_rows_after(connection, self.study, cached.seq)]
            self._check_links(connection, cached, new)
            ledger = extend(cached, new)
            if len(new) >= MANY:
                # They stay as long as the program, so the collector need not walk them now and then for half a second.
                gc.freeze()
        return ledger

    def _check_links(self, connection: Connection, cached: Ledger, new: Sequence[Record]) -> None:
        if cached.seq:
            here = sa.select(records.c.hash).where(records.c.study == self.study, records.c.seq == cached.seq)
            if connection.scalar(here) != cached.head:
                raise ChainBroken(
                    f"{self.where}: record {cached.seq} is not the one this program has read before.",
                    ways_out=["holdfast verify names the first broken record."],
                )
        previous, expected = cached.head, cached.seq + 1
        for record in new:
            if record.previous != previous or record.seq != expected:
                raise ChainBroken(
                    f"{self.where}: record {record.seq} does not follow from the one before it.",
                    ways_out=["holdfast verify says more; holdfast restore brings back the last verified backup."],
                )
            previous, expected = record.hash, expected + 1

    def _remember(self, ledger: Ledger) -> None:
        with self._cache_turn:
            if ledger.seq > self._cached.seq:
                self._cached = ledger


def _sealed(connection: Connection, study: str, known: str) -> tuple[str, str] | None:
    digest = connection.scalar(sa.select(sealed.c.digest).where(sealed.c.study == study))
    if digest is None or digest == known:
        return None if digest is None else (str(digest), "")
    return str(digest), str(connection.scalar(sa.select(sealed.c.content).where(sealed.c.study == study)))
