"""A backup is only a backup after a tested restore; a verification names what is wrong."""

from __future__ import annotations

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from holdfast.core import facts
from holdfast.core.facts import Answered, Corrected, Enrolled, Randomised, StudyOpened
from holdfast.core.issues import Severity
from holdfast.core.records import Draft, seal
from holdfast.errors import ChainBroken, NewerStore, StorageError
from holdfast.storage import SqlStore, backup, open_store, restore, verify
from holdfast.storage.rows import row_of
from holdfast.storage.tables import TRIGGERS, records

Make = Callable[..., Draft]


def fill(store: SqlStore, draft: Make, people: int = 4) -> None:
    with store.transaction() as deed:
        deed.append(draft(StudyOpened("trial", "1.0", "ab" * 32)))
    for n in range(people):
        with store.transaction() as deed:
            who = f"P{n:03}"
            deed.append(draft(Enrolled("Hasselt"), who))
            deed.append(draft(Randomised("f", deed.take_slot("f", who)), who))
            deed.append(draft(Answered("modi", {"q1": 1, "q2": 2.5, "note": "é ✓"}), who, visit="PRE"))
            deed.append(draft(facts.Tested("cpet", {"vo2": 31.5}, file_sha256=store.files.put(who.encode())), who))


def codes(store: SqlStore, **more: str) -> list[str]:
    return [f"{issue.code} {issue.where}" for issue in verify(store, **more)]


def tamper(store: SqlStore, *statements: str) -> None:
    """What somebody with the database's own rights could do: remove the rules, then change rows."""
    with store.connections.writing() as connection:
        for trigger in TRIGGERS[:2]:
            table = trigger.partition("_")[0]
            on = "" if store.connections.sqlite else f" ON {table}"
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}{on}")
        for statement in statements:
            connection.exec_driver_sql(statement)


# --- verify -----------------------------------------------------------------------------------------------


def test_an_honest_store_verifies(store: SqlStore, draft: Make) -> None:
    assert codes(store) == []
    fill(store, draft)
    assert codes(store) == []
    assert codes(store, head=store.ledger().head) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE records SET body = replace(body, '2.5', '3.5') WHERE seq = 4", "chain-broken record 4"),
        ("UPDATE records SET participant = 'P999' WHERE seq = 2", "chain-broken record 2"),
        ("UPDATE records SET actor = 'bob' WHERE seq = 17", "chain-broken record 17"),
        ("UPDATE records SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 8", "chain-broken record 8"),
        ("UPDATE records SET reason = ' ' WHERE seq = 1", "chain-broken record 1"),
        ("DELETE FROM records WHERE seq = 6", "chain-broken record 7"),
    ],
)
def test_a_changed_record_is_detected_and_named(store: SqlStore, draft: Make, change: str, named: str) -> None:
    fill(store, draft)
    tamper(store, change)
    found = codes(store)
    assert named in found
    assert len([code for code in found if code.startswith("chain-broken")]) == 1
    assert "rule-missing database" in found


def test_a_record_that_was_rewritten_with_a_new_hash_breaks_the_next_one(store: SqlStore, draft: Make) -> None:
    fill(store, draft)
    old = list(store.records())[3]
    forged = seal(old.seq, replace(old.draft, actor="mallory"), old.previous)
    tamper(store, "UPDATE records SET actor = 'mallory', hash = 'H' WHERE seq = 4".replace("'H'", repr(forged.hash)))
    assert "chain-broken record 5" in codes(store)


def test_cutting_off_the_newest_records_shows_against_a_noted_hash(store: SqlStore, draft: Make) -> None:
    fill(store, draft)
    noted = store.ledger().head
    tamper(store, "DELETE FROM records WHERE seq > 14")
    assert "head-missing ledger" in codes(store, head=noted)
    assert "slot-without-record P003" in codes(store)


def test_an_unreadable_record_is_named(store: SqlStore, draft: Make) -> None:
    fill(store, draft)
    tamper(store, "UPDATE records SET kind = 'horoscope' WHERE seq = 4", "UPDATE records SET body = 'x' WHERE seq = 5")
    found = codes(store)
    assert {"chain-broken record 4", "unreadable record 4", "unreadable record 5"} <= set(found)


def test_a_clock_that_jumps_back_and_a_lost_raw_file_are_noticed(store: SqlStore, draft: Make) -> None:
    fill(store, draft, 1)
    early = draft(Enrolled(), "P9")
    with store.transaction() as deed:
        deed.append(replace(early, at=early.at.replace(year=2020)))
    next(store.files.folder.glob("??/*")).unlink()
    issues = verify(store)
    assert [(issue.code, issue.severity) for issue in issues] == [
        ("clock-jump", Severity.WARNING),
        ("raw-file", Severity.WARNING),
    ]


def test_a_changed_raw_file_is_an_error(store: SqlStore, draft: Make) -> None:
    fill(store, draft, 1)
    next(store.files.folder.glob("??/*")).write_bytes(b"other")
    (issue,) = verify(store)
    assert (issue.code, issue.where, issue.severity) == ("raw-file", "record 5", Severity.ERROR)


def test_the_open_store_notices_that_the_past_changed(store: SqlStore, draft: Make) -> None:
    fill(store, draft, 1)
    store.ledger()
    tamper(store, "DELETE FROM records WHERE seq = 5")
    with pytest.raises(ChainBroken, match="record 5"):
        store.ledger()
    with pytest.raises(ChainBroken), store.transaction():
        pass


def test_a_damaged_sqlite_file_is_noticed(tmp_path: Path, draft: Make) -> None:
    path = tmp_path / "s.db"
    with open_store(path, study="trial", create=True) as store:
        fill(store, draft, 40)
    content = bytearray(path.read_bytes())
    content[8192:12288] = bytes(4096)
    path.write_bytes(content)

    def look() -> list[str]:
        with open_store(path) as damaged:
            return codes(damaged)

    # which page was hit decides whether the file opens at all
    try:
        found = look()
    except StorageError as error:
        found = [error.message]
    assert any("damaged" in text for text in found)


# --- backup and restore -----------------------------------------------------------------------------------


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_a_backup_restores_into_an_empty_place_of_either_kind(
    store: SqlStore, draft: Make, tmp_path: Path, new_place: Callable[[str], str], into: str
) -> None:
    fill(store, draft)
    with store.transaction() as deed:
        deed.keep_sealed("d", "c")
    made = backup(store, tmp_path / "backups")
    place = new_place(into)
    restored = restore(made.folder, place, files=tmp_path / "restored-files")
    assert restored == made.studies
    with open_store(place, files=tmp_path / "restored-files") as again:
        assert list(again.records()) == list(store.records())
        assert again.ledger() == store.ledger()
        assert again.sealed() == ("d", "c")
        assert codes(again) == []
        assert sorted(again.files.digests()) == sorted(store.files.digests())
        with again.transaction() as deed:
            assert deed.take_slot("f", "P900") == 5
            deed.append(draft(Randomised("f", 5), "P900"))


def test_a_backup_of_the_same_records_is_the_same_folder_and_leaves_no_rubbish(
    store: SqlStore, draft: Make, tmp_path: Path
) -> None:
    fill(store, draft, 1)
    first, second = backup(store, tmp_path / "b"), backup(store, tmp_path / "b")
    assert first == second
    assert [path.name for path in (tmp_path / "b").iterdir()] == [first.folder.name]
    assert first.folder.name == f"trial-000005-{store.ledger().head[:12]}"


def test_a_backup_while_others_write_is_a_whole_prefix(store: SqlStore, draft: Make, tmp_path: Path) -> None:
    fill(store, draft, 2)
    stop = threading.Event()
    written: list[int] = []

    def work() -> None:
        while not stop.is_set():
            with store.transaction() as deed:
                a, b = deed.append(draft(Enrolled(), "P500"), draft(Enrolled(), "P501"))
                written.append(b.seq - a.seq)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        while len(written) < 5:
            pass
        made = [backup(store, tmp_path / "b") for _ in range(2)]
    finally:
        stop.set()
        thread.join()
    hashes = {record.seq: record.hash for record in store.records()}
    for one in made:
        (extent,) = one.studies
        assert hashes[extent.seq] == extent.head
        # each deed writes two records, and nine were there before: half a deed would be an even number
        assert extent.seq % 2 == 1


def test_a_store_that_does_not_verify_is_not_backed_up_as_if_it_did(
    store: SqlStore, draft: Make, tmp_path: Path
) -> None:
    fill(store, draft)
    tamper(store, "UPDATE records SET actor = 'bob' WHERE seq = 3")
    with pytest.raises(ChainBroken, match="record 3"):
        backup(store, tmp_path / "b")
    assert list((tmp_path / "b").iterdir()) == []


def test_restoring_over_something_is_refused(store: SqlStore, draft: Make, tmp_path: Path, place: str) -> None:
    fill(store, draft, 1)
    made = backup(store, tmp_path / "b")
    with pytest.raises(StorageError, match="not empty"):
        restore(made.folder, place)
    assert store.ledger().seq == 5


def test_a_damaged_foreign_or_newer_backup_is_refused(store: SqlStore, draft: Make, tmp_path: Path) -> None:
    fill(store, draft, 2)
    made = backup(store, tmp_path / "b").folder
    target = tmp_path / "again.db"
    manifest = json.loads((made / "manifest.json").read_text())

    def variant(name: str, **changes: object) -> Path:
        folder = tmp_path / name
        shutil.copytree(made, folder)
        (folder / "manifest.json").write_text(json.dumps({**manifest, **changes}))
        return folder

    damaged = variant("damaged")
    content = damaged / manifest["content"]
    content.write_bytes(content.read_bytes()[:-100])
    cases = [
        (damaged, StorageError, "not what the backup wrote"),
        (variant("newer", schema="0999_later"), NewerStore, "newer"),
        (variant("outside", content="../damaged/manifest.json"), StorageError, "no backup|not what"),
        (variant("other", studies=[]), StorageError, "manifest"),
        (tmp_path, StorageError, "no backup"),
    ]
    for folder, kind, match in cases:
        with pytest.raises(kind, match=match):
            restore(folder, target)
        assert not target.exists()


def test_a_copy_with_a_changed_line_names_the_record(tmp_path: Path, draft: Make) -> None:
    from holdfast.storage import portable

    with open_store(tmp_path / "a.db", study="trial", create=True) as store:
        fill(store, draft)
        with store.connections.reading() as connection:
            text = list(portable.lines(connection, ["trial"]))
    text[5] = text[5].replace("eve", "bob")
    with (
        open_store(tmp_path / "b.db", study="x", create=True) as other,
        pytest.raises(ChainBroken, match="record 4"),
        other.connections.writing() as connection,
    ):
        portable.put(connection, text)
    for broken in (["{}"], [text[0], '{"record": []}'], [text[0], text[1], "x"], [text[0], text[1], '{"record": [1]}']):
        with (
            open_store(tmp_path / "b.db") as other,
            pytest.raises(StorageError),
            other.connections.writing() as connection,
        ):
            portable.put(connection, broken)


def test_an_sqlite_backup_is_a_store_that_opens_by_itself(tmp_path: Path, draft: Make) -> None:
    with open_store(tmp_path / "a.db", study="one", create=True) as one:
        fill(one, draft, 1)
        with open_store(tmp_path / "a.db", study="two", create=True) as two:
            fill(two, draft, 2)
        made = backup(one, tmp_path / "b")
    assert [(extent.study, extent.seq) for extent in made.studies] == [("one", 5), ("two", 9)]
    assert sqlite3.connect(made.folder / "store.db").execute("SELECT count(*) FROM records").fetchone() == (14,)
    assert (made.folder / "store.db").stat().st_mode & 0o077 == 0


def test_corrections_survive_the_way_through_a_backup(store: SqlStore, draft: Make, tmp_path: Path) -> None:
    fill(store, draft, 1)
    with store.transaction() as deed:
        deed.append(draft(Corrected(4, "answers.q1", 1, 3), "P000", reason="typing error"))
    made = backup(store, tmp_path / "b")
    restore(made.folder, tmp_path / "again.db")
    with open_store(tmp_path / "again.db") as again:
        entry = again.ledger().entry(4)
        assert entry is not None
        assert isinstance(entry.fact, Answered)
        assert isinstance(entry.original, Answered)
        assert (entry.original.answers["q1"], entry.fact.answers["q1"]) == (1, 3)
        assert [record.draft.reason for record in entry.corrections] == ["typing error"]


def test_rows_and_records_are_the_same_thing(store: SqlStore, draft: Make) -> None:
    fill(store, draft, 1)
    with store.connections.reading() as connection:
        rows = connection.execute(sa.select(records).order_by(records.c.seq)).mappings().all()
    assert [dict(row) for row in rows] == [row_of("trial", record) for record in store.records()]
