"""The tables of a store, as SQLAlchemy sees them; the migrations build them."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

studies = Table(
    "studies",
    metadata,
    Column("code", Text, nullable=False),
    PrimaryKeyConstraint("code"),
    sqlite_strict=True,
)
"""One row per study ledger; a writer locks its row, so each ledger has one writer at a time."""

records = Table(
    "records",
    metadata,
    Column("study", Text, ForeignKey("studies.code"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("kind", Text, nullable=False),
    # Text and not JSON: a database that normalises numbers or key order would break the hash.
    Column("body", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("participant", Text, nullable=False),
    Column("visit", Text, nullable=False),
    Column("reason", Text, nullable=False),
    PrimaryKeyConstraint("study", "seq"),
    CheckConstraint("seq >= 1", name="seq_positive"),
    sqlite_strict=True,
)
"""The ledger. Triggers refuse UPDATE, DELETE and any INSERT that does not follow from the newest record."""

slots = Table(
    "slots",
    metadata,
    Column("study", Text, ForeignKey("studies.code"), nullable=False),
    Column("stratum", Text, nullable=False),
    Column("slot", Integer, nullable=False),
    Column("participant", Text, nullable=False),
    PrimaryKeyConstraint("study", "stratum", "slot"),
    UniqueConstraint("study", "participant"),
    CheckConstraint("slot >= 1", name="slot_positive"),
    sqlite_strict=True,
)
"""Taken slots of the sealed sequence: each slot once, each person once, none skipped (triggers)."""

sealed = Table(
    "sealed",
    metadata,
    Column("study", Text, ForeignKey("studies.code"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("content", Text, nullable=False),
    PrimaryKeyConstraint("study"),
    sqlite_strict=True,
)
"""An allocation that was made elsewhere, encrypted (`storage.sealed` has the key): once per study, never changed."""

APPEND_ONLY = (records, slots, sealed)
"""Tables on which the database itself refuses UPDATE and DELETE (and TRUNCATE)."""

TRIGGERS = (
    *(f"{table.name}_append_only_{verb}" for table in APPEND_ONLY for verb in ("update", "delete")),
    "records_follow",
    "slots_follow",
)
"""Names of the triggers that the migrations create on SQLite; a store without them is not append-only."""

POSTGRES_TRIGGERS = (*TRIGGERS, *(f"{table.name}_append_only_truncate" for table in APPEND_ONLY))
"""The same on PostgreSQL, which can also truncate."""
