"""`holdfast simulate`: a folder of marked, simulated people that analyses like a real trial."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from holdfast.cli.simulate import simulate
from holdfast.core import facts as f
from holdfast.core.ledger import first_break
from holdfast.design import marked
from holdfast.errors import CallError, DataError
from holdfast.wiring import open_folder

STUDY = Path(__file__).resolve().parents[2] / "studies" / "hit-vs-mit"

app = typer.Typer()
app.command()(simulate)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("simulated") / "trial"
    result = CliRunner().invoke(app, [str(STUDY), "--out", str(made), "--seed", "2021", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["people"] == 35
    return made


def test_the_folder_is_a_finished_trial_marked_as_simulated(folder: Path) -> None:
    desk = open_folder(folder, "statistician")
    ledger = desk.store.ledger()
    opened = ledger.last(f.StudyOpened, "")
    assert opened is not None
    assert isinstance(opened.fact, f.StudyOpened)
    assert opened.fact.simulated
    assert desk.study.study.simulated
    assert ledger.last(f.Revealed, "") is not None
    assert first_break(list(desk.store.records())) is None
    assert all(code.startswith("SIM-") for code in ledger.participants)


def test_each_slot_is_taken_once_and_in_order(folder: Path) -> None:
    slots: dict[str, list[int]] = {}
    for entry in open_folder(folder, "statistician").store.ledger().all(f.Randomised):
        assert isinstance(entry.fact, f.Randomised)
        slots.setdefault(entry.fact.stratum, []).append(entry.fact.slot)
    assert set(slots) == {"sex=female", "sex=male"}
    assert all(taken == list(range(1, len(taken) + 1)) for taken in slots.values())


def test_a_folder_that_holds_a_study_is_left_alone(folder: Path) -> None:
    before = (folder / "study.db").read_bytes()
    result = CliRunner().invoke(app, [str(STUDY), "--out", str(folder), "--seed", "1"])
    assert isinstance(result.exception, CallError)
    assert (folder / "study.db").read_bytes() == before


def test_a_broken_scenario_makes_no_folder(tmp_path: Path) -> None:
    broken = tmp_path / "other.toml"
    broken.write_text("[scenario]\nstudy = 'hit-vs-mit'\n", encoding="utf-8")
    options = ["--out", str(tmp_path / "new"), "--seed", "1", "--scenario", str(broken)]
    result = CliRunner().invoke(app, [str(STUDY), *options])
    assert isinstance(result.exception, DataError)
    assert "other.toml" in str(result.exception)
    assert not (tmp_path / "new").exists()


def test_marking_keeps_everything_else_as_it_was() -> None:
    text = '# a comment\n[study] # head\ncode = "a"\n\n[[arms]]\ncode = "A"\n'
    assert marked(text) == text.replace("# head\n", "# head\nsimulated = true\n")
    assert marked(marked(text)) == marked(text)
    assert "simulated = false" not in marked(text.replace('code = "a"', 'code = "a"\nsimulated = false'))
    with pytest.raises(CallError, match=r"no \[study\] table"):
        marked('[[arms]]\ncode = "A"\n')
