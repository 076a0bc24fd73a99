"""Whole studies as portable text, one JSON value per line, into and out of any database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from holdfast.core.facts import Randomised
from holdfast.core.records import GENESIS
from holdfast.errors import ChainBroken, StorageError
from holdfast.storage import rows
from holdfast.storage.tables import records, sealed, slots, studies

FORM = "holdfast-backup 1"


@dataclass(frozen=True, slots=True)
class Extent:
    """How far a study's ledger goes: its newest record's number and hash."""

    study: str
    seq: int
    head: str


def lines(connection: Connection, codes: Iterable[str]) -> Iterator[str]:
    """These studies as lines of text: the form, then per study its sealed import, and its records in order."""
    yield json.dumps({"form": FORM})
    for code in codes:
        yield json.dumps({"study": code}, ensure_ascii=False)
        kept = connection.execute(sa.select(sealed.c.digest, sealed.c.content).where(sealed.c.study == code)).first()
        if kept is not None:
            yield json.dumps({"sealed": [kept.digest, kept.content]})
        for row in rows.all_rows_after(connection, code, 0):
            yield json.dumps({"record": list(row)}, ensure_ascii=False)


def put(connection: Connection, text: Iterable[str]) -> list[Extent]:
    """Keep what `lines` wrote, in an empty store, in this transaction; slots are taken again from the records.

    Raises
    ------
    StorageError
        When it is not that form, or a line is damaged.
    ChainBroken
        When a record does not follow from the one before it; then nothing may be committed.
    """
    found: list[Extent] = []
    batch: list[dict[str, Any]] = []
    taken: list[dict[str, Any]] = []
    for name, value in _parsed(text):
        if name == "study":
            connection.execute(sa.insert(studies).values(code=value))
            found.append(Extent(value, 0, GENESIS))
        elif name == "sealed":
            values = {"study": found[-1].study, "digest": value[0], "content": value[1]}
            connection.execute(sa.insert(sealed).values(values))
        else:
            found[-1] = _followed(found[-1], value)
            batch.append({"study": found[-1].study, **dict(zip(rows.NAMES, value, strict=True))})
            taken += _taken(batch[-1])
        if len(batch) >= rows.BATCH:
            connection.execute(sa.insert(records), batch)
            batch = []
    if batch:
        connection.execute(sa.insert(records), batch)
    for row in sorted(taken, key=lambda row: (row["study"], row["stratum"], row["slot"])):
        connection.execute(sa.insert(slots).values(row))
    return found


def _taken(row: dict[str, Any]) -> list[dict[str, Any]]:
    if row["kind"] != Randomised.kind:
        return []
    body = json.loads(row["body"])
    return [{name: row[name] for name in ("study", "participant")} | {name: body[name] for name in ("stratum", "slot")}]


def _parsed(text: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Each line after the first as its one name and value; a study comes before what belongs to it."""
    all_lines = iter(text)
    if _line(next(all_lines, ""), 1) != ("form", FORM):
        raise StorageError("This is no portable copy of a store.")
    begun = False
    for number, line in enumerate(all_lines, start=2):
        name, value = _line(line, number)
        begun = begun or name == "study"
        if not begun or name not in {"study", "sealed", "record"}:
            raise StorageError(f"Line {number} of the copy is not understood.")
        yield name, value


def _line(line: str, number: int) -> tuple[str, Any]:
    try:
        ((name, value),) = json.loads(line).items()
    except (ValueError, AttributeError):
        raise StorageError(f"Line {number} of the copy is damaged.") from None
    return str(name), value


def _followed(extent: Extent, row: list[Any]) -> Extent:
    if len(row) != len(rows.NAMES):
        raise StorageError(f"A record of {extent.study} in the copy is damaged.")
    link = rows.link_of(row)
    if (link.seq, link.previous) != (extent.seq + 1, extent.head) or link.kept != link.expected:
        raise ChainBroken(f"{extent.study}: record {link.seq} of the copy does not follow from the one before it.")
    return Extent(extent.study, link.seq, link.kept)


def extents(connection: Connection) -> list[Extent]:
    """How far each study of a store goes."""
    found = []
    for code in connection.scalars(sa.select(studies.c.code).order_by(studies.c.code)).all():
        newest = sa.select(records.c.seq, records.c.hash).where(records.c.study == code)
        row = connection.execute(newest.order_by(records.c.seq.desc()).limit(1)).first()
        found.append(Extent(code, row.seq, row.hash) if row else Extent(code, 0, GENESIS))
    return found
