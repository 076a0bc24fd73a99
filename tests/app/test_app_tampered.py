"""A ledger in which somebody changed a record behind the program's back is neither analysed nor reported."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast import wiring
from holdfast.core.facts import Looked
from holdfast.errors import ChainBroken

STUDY = Path(__file__).resolve().parents[2] / "studies" / "hit-vs-mit"


def holdfast(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "holdfast.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished trial of simulated people, as it was written."""
    made = tmp_path_factory.mktemp("tampered") / "trial"
    done = holdfast("simulate", str(STUDY), "--out", str(made), "--seed", "3")
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def tampered(whole: Path, tmp_path: Path) -> tuple[Path, int]:
    """A copy in which one answer reads differently, and the number of its record."""
    copy = tmp_path / "trial"
    shutil.copytree(whole, copy)
    database = sqlite3.connect(copy / "study.db")
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f'DROP TRIGGER "{name}"')
    find = "SELECT seq, body FROM records WHERE kind = 'answered' AND body LIKE '%:1%' ORDER BY seq LIMIT 1 OFFSET 40"
    seq, body = database.execute(find).fetchone()
    database.execute("UPDATE records SET body = ? WHERE seq = ?", (body.replace(":1", ":2", 1), seq))
    database.commit()
    database.close()
    return copy, seq


@pytest.mark.parametrize("command", [("analyse",), ("report",), ("analyse", "--masked")])
def test_a_changed_record_is_named_and_nothing_is_analysed(
    tampered: tuple[Path, int], command: tuple[str, ...]
) -> None:
    folder, seq = tampered
    done = holdfast(command[0], str(folder), *command[1:])
    assert done.returncode == 3
    assert f"Record {seq}: its content is not what was hashed" in done.stderr
    assert done.stdout == ""
    assert not (folder / "report").exists()


def test_in_python_too_and_no_look_is_added_to_a_broken_chain(tampered: tuple[Path, int]) -> None:
    folder, seq = tampered
    with wiring.open(folder, role="statistician") as study:
        before = len(study.desk.store.ledger().all(Looked))
        with pytest.raises(ChainBroken, match=f"Record {seq}"):
            study.dataset(study.study.outcomes[0].code, reveal=True)
        assert len(study.desk.store.ledger().all(Looked)) == before


def test_the_whole_trial_is_analysed(whole: Path) -> None:
    with wiring.open(whole, role="statistician") as study:
        assert len(study.dataset(study.study.outcomes[0].code, reveal=True))


@pytest.mark.parametrize("command", ["analyse", "report"])
def test_a_folder_that_is_not_there_is_a_wrong_call(tmp_path: Path, command: str) -> None:
    for place in (tmp_path / "nowhere", tmp_path):
        done = holdfast(command, str(place))
        assert done.returncode == 2
        assert f"There is no study at {place}." in done.stderr
