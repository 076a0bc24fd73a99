"""A database's errors in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.engine import URL

from holdfast.errors import HoldfastError, StorageError, StoreBusy
from holdfast.storage.addresses import spoken


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
