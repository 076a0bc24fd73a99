"""The front door of the room: a path or URL in, an open store out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection

from holdfast.errors import CallError, StorageError
from holdfast.storage.addresses import address, spoken, sqlite_path
from holdfast.storage.engine import Connections
from holdfast.storage.files import Files
from holdfast.storage.schema import STEPS, look_at_file, migrate, step_of
from holdfast.storage.store import SqlStore
from holdfast.storage.tables import studies
from holdfast.storage.transaction import Arms


def open_store(
    url_or_path: str | os.PathLike[str],
    *,
    study: str | None = None,
    create: bool = False,
    key_provider: Callable[[], Arms] | None = None,
    files: Path | None = None,
) -> SqlStore:
    """Open the ledger of one study.

    Parameters
    ----------
    url_or_path : a path (SQLite) or a URL (`postgresql://user@host/database`).
    study : the study's code; may be left out where the store holds exactly one.
    create : make the file, the tables and the study where they are missing; needs `study` for a new one.
    key_provider : gives the opened sealed allocation when an arm is asked for; only `wiring` passes it.
    files : the folder of raw files; beside an SQLite file by default, required on PostgreSQL when files are used.

    Raises
    ------
    StorageError
        When there is no store, the file is something else, or its schema is older (`migrate` brings it up).
    NewerStore
        When a newer holdfast wrote it.
    CallError
        When it is not clear which study is meant.
    """
    where = address(url_or_path)
    path = sqlite_path(where)
    if path is not None:
        _look(path, create=create)
    if create:
        migrate(url_or_path)
    connections = Connections(where)
    try:
        code = _study(connections, where, study, create=create)
    except BaseException:
        connections.close()
        raise
    folder = files if files is not None or path is None else path.with_name(path.name + ".files")
    return SqlStore(connections, code, Files(folder) if folder is not None else None, key_provider)


def _look(path: Path, *, create: bool) -> None:
    look_at_file(path)
    if not create and (not path.exists() or path.stat().st_size == 0):
        raise StorageError(f"There is no store at {path}.", ways_out=["holdfast deed open_study FOLDER begins one."])


def _study(connections: Connections, where: URL, wanted: str | None, *, create: bool) -> str:
    with connections.reading() as connection:
        _check_step(connection, spoken(where))
        known = sorted(connection.scalars(sa.select(studies.c.code)))
    if wanted is None and len(known) == 1:
        return str(known[0])
    if wanted is None:
        raise CallError(f"Which study? {spoken(where)} holds {', '.join(known) or 'none yet'}.", ways_out=["study=..."])
    if wanted not in known:
        if not create:
            raise StorageError(f"{spoken(where)} holds no study {wanted!r}; it holds {', '.join(known) or 'none'}.")
        _begin(connections, wanted)
    return wanted


def _check_step(connection: Connection, where: str) -> None:
    step = step_of(connection, where)
    if not step:
        raise StorageError(
            f"{where} is empty: it holds no store.", ways_out=["holdfast deed open_study FOLDER begins one."]
        )
    if step != STEPS[-1]:
        raise StorageError(f"{where} has the older schema {step!r}.", ways_out=["holdfast migrate"])


def _begin(connections: Connections, code: str) -> None:
    if not code.strip() or "\x00" in code:
        raise CallError("A study needs a code.")
    with connections.writing() as connection:
        statement = "INSERT INTO studies (code) VALUES (:code) ON CONFLICT (code) DO NOTHING"
        connection.execute(sa.text(statement), {"code": code})
