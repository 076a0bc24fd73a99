"""Kill -9, 64 at once, a full disk, a file that cannot be written: nothing acknowledged is lost, and it is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.storage.backups import backup
from holdfast.storage.opening import open_store

ROOT = Path(__file__).resolve().parents[2]
RELIABILITY = ROOT / "benchmarks" / "reliability.py"


def run(*words: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=timeout, check=False)


def measured(*words: str) -> dict[str, object]:
    """One part of the benchmark with small numbers: what is tested is what is measured."""
    done = run(str(RELIABILITY), *words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = json.loads(done.stdout).values()
    assert result["broken"] == []
    return dict(result)


def test_a_kill_at_any_moment_loses_no_acknowledged_deed_on_sqlite() -> None:
    found = measured("kill", "--times", "10")
    assert found["kills"] == 10
    assert int(str(found["acknowledged"])) > 0


def test_64_enrolments_at_once_take_every_slot_once_on_sqlite() -> None:
    assert measured("enrol", "--rounds", "2")["people"] == 128


@pytest.mark.usefixtures("postgres")
def test_64_enrolments_at_once_take_every_slot_once_on_postgres() -> None:
    assert measured("enrol", "--rounds", "1", "--postgres")["people"] == 64


@pytest.mark.long
@pytest.mark.usefixtures("postgres")
@pytest.mark.parametrize("where", [[], ["--postgres"]], ids=["sqlite", "postgresql"])
@pytest.mark.parametrize("part", ["kill --times 500", "enrol --rounds 200", "large"])
def test_the_whole_benchmark(part: str, where: list[str]) -> None:
    done = run(str(RELIABILITY), *part.split(), *where, "--json", timeout=7200)
    assert done.returncode == 0, done.stdout + done.stderr


PROLOGUE = """
import json, os, resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from holdfast.core.facts import Answered, Enrolled, Randomised
from holdfast.core.records import Draft
from holdfast.errors import HoldfastError
from holdfast.storage import backup, open_store, verify

path = Path(sys.argv[1])

def draft(fact, who):
    return Draft(fact, datetime.now(UTC), "eve", "coordinator", participant=who)

def deed(store, n):
    with store.transaction() as open_one:
        slot = open_one.take_slot("all", f"P{n}")
        drafts = [draft(Randomised("all", slot), f"P{n}"), draft(Answered("notes", {"text": "x" * 3000}), f"P{n}")]
        return [record.hash for record in open_one.append(*drafts)]
"""

FULL = (
    PROLOGUE
    + """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_store(path, study="t", create=True)
kept = deed(store, 0)
limit = 400_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
message = ""
for n in range(1, 1000):
    try:
        kept += deed(store, n)
    except HoldfastError as error:
        message = type(error).__name__ + ": " + str(error)
        break
backup_message = ""
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    backup(store, path.parent / "backups")
except HoldfastError as error:
    backup_message = str(error)
left = sorted(p.name for p in (path.parent / "backups").iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
same = [record.hash for record in store.records()]
store.close()
again = open_store(path)
after = deed(again, 9999)
found = [str(issue) for issue in verify(again)]
reread = [record.hash for record in again.records()]
print(json.dumps([message, same == kept, reread == kept + after, found, backup_message, left]))
"""
)


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    """The operating system refuses to let the files grow (RLIMIT_FSIZE), as a full disk or a quota does."""
    done = run("-c", FULL, str(tmp_path / "study.db"))
    assert done.returncode == 0, done.stderr
    message, same, continued, found, backup_message, left = json.loads(done.stdout)
    assert message.startswith("StorageError:")
    assert "disk would not take it" in message
    assert "nothing of this deed was kept" in message
    assert (same, continued, found) == (True, True, [])
    assert "could not be written" in backup_message or "disk would not take it" in backup_message
    assert left == []


READ_ONLY = (
    PROLOGUE
    + """
store = open_store(path, study="t", create=True)
kept = deed(store, 0)
store.close()
path.chmod(0o444)
path.parent.chmod(0o555)
if os.geteuid() == 0:
    # whoever runs the tests as root may write everything, so the deeds are tried as nobody
    os.chown(path, 65534, 65534)
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
messages = []
def look(store_of):
    with store_of() as store:
        same = [record.hash for record in store.records()] == kept
        deed(store, 1)
    return same
for create in (False, True):
    try:
        look(lambda: open_store(path, study="t", create=create))
    except HoldfastError as error:
        messages.append(type(error).__name__ + ": " + str(error))
print(json.dumps(messages))
"""
)


def test_a_file_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    for parent in [folder, *folder.parents]:
        if parent.owner() == "root" and parent != Path("/") and os.geteuid() == 0 and parent.is_relative_to("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    path = folder / "study.db"
    done = run("-c", READ_ONLY, str(path))
    folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    messages = json.loads(done.stdout)
    assert len(messages) == 2
    assert all(text.startswith("StorageError:") for text in messages)
    path.chmod(0o600)
    with open_store(path) as store:
        assert store.ledger().seq == 2


def test_a_backup_into_a_place_that_is_no_folder_says_so(tmp_path: Path) -> None:
    from holdfast.errors import StorageError

    (tmp_path / "file").write_text("x")
    with (
        open_store(tmp_path / "s.db", study="t", create=True) as store,
        pytest.raises(StorageError, match="could not be written"),
    ):
        backup(store, tmp_path / "file" / "backups")
