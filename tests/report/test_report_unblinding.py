"""An arm opened in an emergency stands in the report: whose, when, by whom, why, and who was told."""

from __future__ import annotations

from types import ModuleType

from holdfast.analysis import run
from holdfast.core.facts import Unblinded
from holdfast.report import document
from holdfast.report.model import Grid


def test_an_emergency_unblinding_is_reported(helpers: ModuleType) -> None:
    study, ledger, arms = helpers.exercise()
    someone = next(iter(arms))
    facts = [(entry.record.participant, entry.record.visit, entry.fact) for entry in ledger.entries]
    told = helpers.ledger_of([*facts, (someone, "", Unblinded(("sponsor", "treating physician")))])
    made = document(study, told, run(study, told, arms, only=["primary"]), arms)
    grid = next(grid for grid in made.grids if grid.code == "unblindings")
    assert isinstance(grid, Grid)
    assert grid.lines[0].cells[0] == someone
    assert "sponsor, treating physician" in grid.lines[0].cells
    quiet = document(study, ledger, run(study, ledger, arms, only=["primary"]), arms)
    assert "unblindings" not in {grid.code for grid in quiet.grids}
