"""Connections that keep what they acknowledged, with one writer at a time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine

from holdfast.errors import CallError, StoreBusy
from holdfast.storage.faults import spoken_errors

WAIT_SECONDS = 30
"""How long a writer waits for another one before it gives up with `StoreBusy`."""

_WRITES = "holdfast_writes"


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
