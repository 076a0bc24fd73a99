"""`holdfast analyse` and `holdfast report`: what they refuse, print and write."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

STUDIES = Path(__file__).parents[2] / "studies"


def holdfast(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "holdfast.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished trial of simulated people."""
    made = tmp_path_factory.mktemp("command") / "trial"
    done = holdfast("simulate", str(STUDIES / "hit-vs-mit"), "--out", str(made), "--seed", "3")
    assert done.returncode == 0, done.stderr
    return made


def test_one_document_for_machines_and_words_for_people(folder: Path) -> None:
    done = holdfast("analyse", str(folder), "--json", "--only", "primary")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["study"] == "hit-vs-mit"
    assert [each["code"] for each in document["analyses"]] == ["primary"]
    said = holdfast("analyse", str(folder), "--only", "primary")
    assert said.stdout.startswith("Simulated people")
    assert "HIT - MIT at POST" in said.stdout
    # A look at the arms is on record, and does not change what the data are.
    again = json.loads(holdfast("analyse", str(folder), "--json", "--only", "primary").stdout)
    assert again == document


def test_unknown_names_are_wrong_calls(folder: Path, tmp_path: Path) -> None:
    done = holdfast("analyse", str(folder), "--only", "nonsense")
    assert done.returncode == 2
    assert "no analysis 'nonsense'" in done.stderr
    done = holdfast("report", str(folder), "--format", "odt", "--out", str(tmp_path / "out"))
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()


def test_nobody_analyses_before_the_lock(tmp_path: Path) -> None:
    made = holdfast("new", str(tmp_path / "running"), "--like", "hit-vs-mit")
    assert made.returncode == 0, made.stderr
    done = holdfast("analyse", str(tmp_path / "running"))
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
