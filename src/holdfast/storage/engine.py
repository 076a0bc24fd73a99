"""Connections: a path or URL to an engine that keeps what it acknowledged, with errors in plain words."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url

from holdfast.errors import CallError, HoldfastError, StorageError, StoreBusy

WAIT_SECONDS = 30
"""How long a writer waits for another one before it gives up with `StoreBusy`."""

_WRITES = "holdfast_writes"


def address(url_or_path: str | os.PathLike[str]) -> URL:
    """A path or URL as an SQLAlchemy URL: a bare path is an SQLite file, `postgresql://` uses psycopg 3."""
    text = os.fspath(url_or_path)
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).expanduser().absolute()))
    try:
        url = make_url(text)
    except sa.exc.ArgumentError:
        raise CallError("This is neither a path nor a database URL.") from None
    if url.drivername in {"postgres", "postgresql"}:
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise CallError(
            f"holdfast keeps records in SQLite or PostgreSQL, not in {url.get_backend_name()}.",
            ways_out=["A file path, or postgresql://user@host/database."],
        )
    return url


def sqlite_path(url: URL) -> Path | None:
    """The file of an SQLite URL; None for PostgreSQL."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def spoken(url: URL) -> str:
    """The address as it may be shown: without a password."""
    path = sqlite_path(url)
    return str(path) if path else url.render_as_string(hide_password=True)


def engine_for(url: URL) -> Engine:
    """An engine for this address; nothing is opened yet."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url)
    try:
        # Parameters stay out of error texts and logs: they are what people told the study.
        return sa.create_engine(
            url, pool_size=8, max_overflow=64, pool_timeout=WAIT_SECONDS, pool_pre_ping=True, hide_parameters=True
        )
    except ModuleNotFoundError:
        raise CallError("PostgreSQL needs psycopg.", ways_out=["pip install 'holdfast[postgres]'"]) from None


def _sqlite_engine(url: URL) -> Engine:
    engine = sa.create_engine(
        url,
        pool_size=8,
        max_overflow=-1,
        hide_parameters=True,
        connect_args={"timeout": WAIT_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _sqlite_pragmas)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_pragmas(raw: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: BEGIN IMMEDIATE below is what makes a deed alone.
    raw.isolation_level = None
    cursor = raw.cursor()
    for pragma in (
        "foreign_keys = ON",
        # FULL and not NORMAL: in WAL mode NORMAL may lose the newest acknowledged deeds in a power cut.
        "synchronous = FULL",
        "recursive_triggers = ON",
        "trusted_schema = OFF",
        f"busy_timeout = {WAIT_SECONDS * 1000}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _overwrite_deleted(raw: Any, _record: object) -> None:
    cursor = raw.cursor()
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    if connection.get_execution_options().get(_WRITES, False):
        _begin_alone(connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_alone(connection: Connection) -> None:
    """BEGIN IMMEDIATE, waiting for other processes by asking often.

    SQLite's own waiting asks only every 100 ms, so a process could starve beside others that write without a pause.
    """
    until = time.monotonic() + WAIT_SECONDS
    connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except sa.exc.OperationalError as error:
                if "locked" not in str(error.orig) or time.monotonic() > until:
                    raise
            time.sleep(random.uniform(0.0005, 0.004))
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {WAIT_SECONDS * 1000}")


class Connections:
    """Hands out transactions of one engine; inside this process writers queue instead of polling the file."""

    def __init__(self, url: URL, *, secure_delete: bool = False) -> None:
        self.url = url
        self.engine = engine_for(url)
        if secure_delete and self.sqlite:
            event.listen(self.engine, "connect", _overwrite_deleted)
        self._turn = threading.Lock()
        self._writer: int | None = None

    @property
    def sqlite(self) -> bool:
        """Is this an SQLite file?"""
        return self.engine.dialect.name == "sqlite"

    def make_wal(self) -> None:
        """Write-ahead logging, so that readers and a backup never wait for a writer; a property of an SQLite file."""
        with spoken_errors(self.url), self.engine.connect() as connection:
            cursor = connection.connection.cursor()
            cursor.execute("PRAGMA journal_mode = WAL")
            cursor.close()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one consistent state and is undone at the end."""
        with spoken_errors(self.url), self.engine.connect() as connection:
            if not self.sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed on leaving and undone on an exception; only one at a time per file."""
        if self._writer == threading.get_ident():
            raise CallError("A deed began inside a deed; one deed is one transaction.")
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise StoreBusy("Another deed of this process held the store too long.", ways_out=["Try again."])
        try:
            self._writer = threading.get_ident()
            with spoken_errors(self.url), self.engine.connect() as plain:
                connection = plain.execution_options(**{_WRITES: True})
                with connection.begin():
                    if not self.sqlite:
                        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
                        connection.exec_driver_sql("SET LOCAL synchronous_commit = on")
                    yield connection
        finally:
            self._writer = None
            self._turn.release()

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()


@contextmanager
def spoken_errors(url: URL) -> Iterator[None]:
    """Turn a database's error into a `StorageError` that says what happened and that nothing half was kept."""
    try:
        yield
    except HoldfastError:
        raise
    except sa.exc.SQLAlchemyError as error:
        raise _translated(error, url) from error


_CAUSES: tuple[tuple[tuple[str, ...], type[StorageError], str, str], ...] = (
    (
        ("holdfast: slots are taken",),
        StorageError,
        "The slot is refused: it is taken, or one would be skipped.",
        "",
    ),
    (
        ("holdfast: records are", "holdfast: slots are append"),
        StorageError,
        "Records never change.",
        "",
    ),
    (
        ("holdfast: a record must follow",),
        StorageError,
        "The database refused a record that does not follow from the newest one.",
        "Open the store again, so that it reads the newest record, and repeat the deed.",
    ),
    (
        ("database is locked", "lock timeout", "LockNotAvailable", "database table is locked"),
        StoreBusy,
        "Another writer held the store too long; nothing of this deed was kept.",
        "Try again.",
    ),
    (
        ("disk is full", "disk I/O error", "No space left", "DiskFull", "could not extend file", "File too large"),
        StorageError,
        "The disk would not take it (full, over a quota, or failing); nothing of this deed was kept.",
        "Make room and repeat the deed; what was acknowledged before is safe.",
    ),
    (
        ("readonly database", "read-only transaction", "permission denied", "attempt to write a readonly"),
        StorageError,
        "The store can be read but not written here; nothing of this deed was kept.",
        "Give this account write permission to the file and its folder.",
    ),
    (
        ("unable to open database file",),
        StorageError,
        "The database file cannot be opened.",
        "Look at its permissions.",
    ),
    (
        ("malformed", "not a database"),
        StorageError,
        "The database file is damaged.",
        "Restore the last verified backup: holdfast restore.",
    ),
)


def _translated(error: sa.exc.SQLAlchemyError, url: URL) -> StorageError:
    cause = getattr(error, "orig", None)
    text = f"{type(cause).__name__}: {cause}" if cause is not None else str(error)
    for signs, kind, what, way in _CAUSES:
        if any(sign in text for sign in signs):
            return kind(f"{spoken(url)}: {what}", ways_out=[way] if way else [])
    if getattr(error, "connection_invalidated", False) or "connection" in text.lower():
        return StorageError(
            f"{spoken(url)}: the connection to the database failed ({_first_line(text)}).",
            ways_out=["Look whether the deed was kept before you repeat it."],
        )
    return StorageError(f"{spoken(url)}: {_first_line(text)}")


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else "unknown error"
