"""Create the ledger: studies, append-only records in a chain, slots taken once and in order, sealed imports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001_ledger"
down_revision = None


def upgrade() -> None:
    """Create the tables, then the triggers that make the database itself refuse changes."""
    _tables()
    for statement in _POSTGRES if op.get_bind().dialect.name == "postgresql" else _SQLITE:
        op.execute(sa.text(statement))


def _tables() -> None:
    op.create_table(
        "studies",
        sa.Column("code", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_studies"),
        sqlite_strict=True,
    )
    envelope = ("kind", "body", "at", "zone", "actor", "role", "participant", "visit", "reason")
    op.create_table(
        "records",
        sa.Column("study", sa.Text, sa.ForeignKey("studies.code", name="fk_records_study"), nullable=False),
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in envelope),
        sa.PrimaryKeyConstraint("study", "seq", name="pk_records"),
        sa.CheckConstraint("seq >= 1", name="ck_records_seq_positive"),
        sqlite_strict=True,
    )
    op.create_table(
        "slots",
        sa.Column("study", sa.Text, sa.ForeignKey("studies.code", name="fk_slots_study"), nullable=False),
        sa.Column("stratum", sa.Text, nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("participant", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("study", "stratum", "slot", name="pk_slots"),
        sa.UniqueConstraint("study", "participant", name="uq_slots_study_participant"),
        sa.CheckConstraint("slot >= 1", name="ck_slots_slot_positive"),
        sqlite_strict=True,
    )
    op.create_table(
        "sealed",
        sa.Column("study", sa.Text, sa.ForeignKey("studies.code", name="fk_sealed_study"), nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("study", name="pk_sealed"),
        sqlite_strict=True,
    )


_TABLES = ("records", "slots", "sealed")

# The INSERT triggers also stop INSERT OR REPLACE, which on SQLite deletes without firing DELETE triggers.
_SQLITE = (
    *(
        f"CREATE TRIGGER {table}_append_only_{verb} BEFORE {verb.upper()} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, 'holdfast: {table} are append-only'); END"
        for table in _TABLES
        for verb in ("update", "delete")
    ),
    """CREATE TRIGGER records_follow BEFORE INSERT ON records
       WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM records WHERE study = NEW.study)
         OR NEW.previous <> coalesce(
              (SELECT hash FROM records WHERE study = NEW.study AND seq = NEW.seq - 1), printf('%064d', 0))
       BEGIN SELECT RAISE(ABORT, 'holdfast: a record must follow from the newest one'); END""",
    """CREATE TRIGGER slots_follow BEFORE INSERT ON slots
       WHEN NEW.slot <> (SELECT coalesce(max(slot), 0) + 1 FROM slots
                         WHERE study = NEW.study AND stratum = NEW.stratum)
         OR EXISTS (SELECT 1 FROM slots WHERE study = NEW.study AND participant = NEW.participant)
       BEGIN SELECT RAISE(ABORT, 'holdfast: slots are taken once and in order'); END""",
    """CREATE TRIGGER sealed_once BEFORE INSERT ON sealed
       WHEN EXISTS (SELECT 1 FROM sealed WHERE study = NEW.study)
       BEGIN SELECT RAISE(ABORT, 'holdfast: sealed are append-only'); END""",
)

_POSTGRES = (
    """CREATE FUNCTION holdfast_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN RAISE EXCEPTION 'holdfast: % are append-only', TG_TABLE_NAME; END $$""",
    """CREATE FUNCTION holdfast_records_follow() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM records WHERE study = NEW.study)
            OR NEW.previous <> coalesce(
                 (SELECT hash FROM records WHERE study = NEW.study AND seq = NEW.seq - 1), repeat('0', 64)) THEN
           RAISE EXCEPTION 'holdfast: a record must follow from the newest one';
         END IF;
         RETURN NEW;
       END $$""",
    """CREATE FUNCTION holdfast_slots_follow() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF NEW.slot <> (SELECT coalesce(max(slot), 0) + 1 FROM slots
                         WHERE study = NEW.study AND stratum = NEW.stratum)
            OR EXISTS (SELECT 1 FROM slots WHERE study = NEW.study AND participant = NEW.participant) THEN
           RAISE EXCEPTION 'holdfast: slots are taken once and in order';
         END IF;
         RETURN NEW;
       END $$""",
    *(
        f"""CREATE TRIGGER {table}_append_only_{verb} BEFORE {verb.upper()} ON {table}
       FOR EACH {scope} EXECUTE FUNCTION holdfast_append_only()"""
        for table in _TABLES
        for verb, scope in (("update", "ROW"), ("delete", "ROW"), ("truncate", "STATEMENT"))
    ),
    """CREATE TRIGGER records_follow BEFORE INSERT ON records
       FOR EACH ROW EXECUTE FUNCTION holdfast_records_follow()""",
    """CREATE TRIGGER slots_follow BEFORE INSERT ON slots
       FOR EACH ROW EXECUTE FUNCTION holdfast_slots_follow()""",
)
