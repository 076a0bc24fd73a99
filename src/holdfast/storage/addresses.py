"""Where a store lies: a path or a URL."""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from holdfast.errors import CallError


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
