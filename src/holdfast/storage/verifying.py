"""The proof that a store holds what was written, all of it, unchanged."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from holdfast.core.facts import Randomised
from holdfast.core.issues import Issue, Severity
from holdfast.core.ledger import clock_jumps, first_broken, fold
from holdfast.core.records import Record
from holdfast.errors import HoldfastError, StorageError
from holdfast.storage import rows
from holdfast.storage.files import Files
from holdfast.storage.store import SqlStore
from holdfast.storage.tables import POSTGRES_TRIGGERS, TRIGGERS, slots

_RESTORE = "Restore the last verified backup (holdfast restore)."


def verify(store: SqlStore, *, head: str = "") -> list[Issue]:
    """Every reason not to trust the store; an empty list is the proof.

    Checks the database file itself, the triggers that make it append-only, the hash chain from the stored text (the
    first broken record is named), that every record can be read, that every taken slot has its record and every
    assignment its slot, the clock, and the raw files that records point to.

    Parameters
    ----------
    head : a hash that was noted earlier (printed by an earlier verification, a backup's manifest). The chain alone
        cannot show that its newest records were cut off; a noted hash that is missing shows it.
    """
    issues: list[Issue] = []
    with store.connections.reading() as connection, rows.undisturbed():
        issues += _database_issues(connection)
        kept = list(rows.all_rows_after(connection, store.study, 0))
        taken = _taken(connection, store.study)
    broken = first_broken(rows.link_of(row) for row in kept)
    issues += [broken] if broken else []
    issues += _head_issues(kept, head)
    with rows.undisturbed():
        records, unreadable = _decoded(kept)
        issues += unreadable
        issues += _fold_issues(records) if not unreadable else []
    issues += _slot_issues(records, taken)
    issues += clock_jumps(records)
    issues += _file_issues(records, store)
    return issues


def _database_issues(connection: Connection) -> Iterator[Issue]:
    if connection.dialect.name == "sqlite":
        damage = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA quick_check")]
        if damage != ["ok"]:
            yield Issue("database-damaged", "database", f"The file is damaged: {damage[0]}.", _RESTORE)
        present, wanted = _names(connection, "SELECT name FROM sqlite_master WHERE type = 'trigger'"), TRIGGERS
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        present, wanted = _names(connection, query), POSTGRES_TRIGGERS
    for name in wanted:
        if name not in present:
            what = f"The rule {name!r} was removed, so this database can be changed unseen."
            yield Issue("rule-missing", "database", what, _RESTORE)


def _names(connection: Connection, query: str) -> set[str]:
    return {str(row[0]) for row in connection.exec_driver_sql(query)}


def _head_issues(kept: Sequence[tuple[Any, ...]], head: str) -> Iterator[Issue]:
    if head and not any(row[2].startswith(head) for row in reversed(kept)):
        what = f"The noted hash {head[:12]}... is not in it: records were cut off or rewritten."
        yield Issue("head-missing", "ledger", what, _RESTORE)


def _decoded(kept: Sequence[tuple[Any, ...]]) -> tuple[list[Record], list[Issue]]:
    records: list[Record] = []
    issues: list[Issue] = []
    for row in kept:
        try:
            record = rows.record_of(row)
            record.draft.fact  # noqa: B018  (reads it, which is what is tried)
            records.append(record)
        except (StorageError, ValueError) as error:
            message = error.message if isinstance(error, StorageError) else str(error)
            issues.append(Issue("unreadable", f"record {row[0]}", message.splitlines()[0], _RESTORE))
    return records, issues


def _fold_issues(records: Sequence[Record]) -> Iterator[Issue]:
    try:
        fold(records)
    except HoldfastError as error:
        yield Issue("unreadable", "ledger", error.message, _RESTORE)


def _taken(connection: Connection, study: str) -> set[tuple[str, int, str]]:
    query = sa.select(slots.c.stratum, slots.c.slot, slots.c.participant).where(slots.c.study == study)
    return {(row.stratum, row.slot, row.participant) for row in connection.execute(query)}


def _slot_issues(records: Sequence[Record], taken: set[tuple[str, int, str]]) -> Iterator[Issue]:
    assigned = {
        (record.fact.stratum, record.fact.slot, record.participant): record.seq
        for record in records
        if isinstance(record.fact, Randomised)
    }
    for stratum, slot, participant in sorted(taken - assigned.keys()):
        what = f"Slot {slot} of stratum {stratum!r} is taken by {participant}, but no record says so."
        yield Issue("slot-without-record", participant, what, _RESTORE)
    for place in sorted(assigned.keys() - taken, key=lambda key: assigned[key]):
        what = f"It assigns slot {place[1]} of stratum {place[0]!r}, which is not taken in the database."
        yield Issue("record-without-slot", f"record {assigned[place]}", what, _RESTORE)


def _file_issues(records: Sequence[Record], store: SqlStore) -> Iterator[Issue]:
    wanted = {
        digest: record.seq for record in records if (digest := getattr(record.fact, "file_sha256", "")) and digest
    }
    files = store.files if store.has_files else None
    for digest, seq in wanted.items():
        problem = _file_problem(files, digest)
        if problem:
            severity = Severity.ERROR if "is not what" in problem else Severity.WARNING
            yield Issue("raw-file", f"record {seq}", problem, "Put the raw file back.", severity)


def _file_problem(files: Files | None, digest: str) -> str:
    if files is None:
        return f"Its raw file {digest[:12]}... cannot be looked for: no folder of files is named."
    try:
        files.get(digest)
    except HoldfastError as error:
        return error.message
    return ""
