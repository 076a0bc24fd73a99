"""The store: one study's records in SQLite or PostgreSQL, one transaction per deed."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from holdfast.core.ledger import EMPTY, Ledger, extend
from holdfast.core.records import Record
from holdfast.errors import CallError, ChainBroken, StorageError
from holdfast.storage import rows
from holdfast.storage.addresses import spoken, sqlite_path
from holdfast.storage.engine import Connections
from holdfast.storage.files import Files
from holdfast.storage.tables import records, studies
from holdfast.storage.transaction import Arms, SqlTransaction, sealed_of

MANY = 20_000
"""From how many records at once they are taken out of the garbage collector's rounds."""


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
            return sealed_of(connection, self.study, known)

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
