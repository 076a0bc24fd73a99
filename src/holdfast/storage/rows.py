"""Rows of the records table <-> records."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from json.encoder import encode_basestring as _quoted
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from holdfast.core.ledger import Link
from holdfast.core.records import KeptDraft, Record, canonical, plain, unstamp
from holdfast.storage.tables import records

BATCH = 5000
"""How many rows are read at a time, so that a long ledger needs no long transaction."""

NAMES = ("seq", "previous", "hash", "kind", "body", "at", "zone", "actor", "role", "participant", "visit", "reason")
"""The columns of a row, in the order in which rows are read here."""

_COLUMNS = tuple(records.c[name] for name in NAMES)


def row_of(study: str, record: Record) -> dict[str, Any]:
    """The row that keeps this record; its body is canonical JSON text."""
    row = plain(record.seq, record.draft, record.previous)
    return {**row, "body": canonical(row["body"]).decode(), "study": study, "hash": record.hash}


def record_of(row: Sequence[Any]) -> Record:
    """The record of a row; its fact is read when it is asked for."""
    seq, previous, hash_, kind, body, at, zone, actor, role, participant, visit, reason = row
    draft = KeptDraft.of(kind, body, unstamp(at), (zone, actor, role, participant, visit, reason))
    return Record(seq, draft, previous, hash_)


def link_of(row: Sequence[Any]) -> Link:
    """The row as the proof of the chain sees it, from the stored text itself."""
    seq, previous, kept, kind, body, at, zone, actor, role, participant, visit, reason = row
    # Canonical JSON written out, because verifying is mostly this line: sorted keys, and a body that is canonical.
    text = (
        f'{{"actor":{_quoted(actor)},"at":{_quoted(at)},"body":{body},"kind":{_quoted(kind)},'
        f'"participant":{_quoted(participant)},"previous":{_quoted(previous)},"reason":{_quoted(reason)},'
        f'"role":{_quoted(role)},"seq":{seq:d},"visit":{_quoted(visit)},"zone":{_quoted(zone)}}}'
    )
    return Link(seq, previous, kept, hashlib.sha256(text.encode()).hexdigest())


def rows_after(connection: Connection, study: str, after: int, limit: int = BATCH) -> Sequence[tuple[Any, ...]]:
    """Up to `limit` rows of this study with a number greater than `after`, as tuples in the order of `NAMES`."""
    query = sa.select(*_COLUMNS).where(records.c.study == study, records.c.seq > after)
    found = connection.execute(query.order_by(records.c.seq).limit(limit))
    # The driver's own tuples: text and numbers need no conversion, and wrapping each row costs more than reading it.
    return [] if found.cursor is None else found.cursor.fetchall()


def all_rows_after(connection: Connection, study: str, after: int) -> Iterator[tuple[Any, ...]]:
    """Every row with a number greater than `after`, in order, read in batches in this transaction."""
    while batch := rows_after(connection, study, after):
        yield from batch
        after = batch[-1][0]


def insert(connection: Connection, study: str, new: Iterable[Record]) -> None:
    """Keep these records; the database refuses them when they do not follow from the newest one."""
    rows = [row_of(study, record) for record in new]
    if rows:
        connection.execute(sa.insert(records), rows)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Without the cycle collector, which would walk all records again and again while they are read."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
