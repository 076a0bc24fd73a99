"""The report claims nothing that nobody recorded: harms, departures, checklist items, reasons, rows."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from holdfast.analysis import run
from holdfast.core.facts import AdverseEvent, Imported, Screened
from holdfast.report import Document, document
from holdfast.report.model import Grid, Section


def facts(ledger: Any) -> list[tuple[str, str, Any]]:
    return [(entry.record.participant, entry.record.visit, entry.fact) for entry in ledger.entries]


def text(section: Section) -> str:
    """Everything that a section prints."""
    said = []
    for block in section.blocks:
        if isinstance(block, Grid):
            said += [" | ".join(line.cells) for line in block.lines]
        else:
            said += [str(getattr(block, "text", "")), *getattr(block, "items", ())]
    return "\n".join(said)


def part(made: Document, code: str) -> str:
    return text(next(section for section in made.sections if section.code == code))


def where(made: Document, guideline: str) -> dict[str, str]:
    grid = next(grid for grid in made.grids if grid.code == f"checklist-{guideline}")
    return {line.cells[0]: line.cells[2] for line in grid.lines if line.kind == "indent"}


@pytest.fixture(scope="module")
def acupuncture(shared: Path, helpers: ModuleType) -> Document:
    """The report of the imported trial, without its long analyses."""
    ledger, arms = helpers.acupuncture(shared)
    notice = Imported("headache.csv", "0" * 64, "0" * 64, 401, 4061)
    ledger = helpers.ledger_of([*facts(ledger), ("", "", notice)])
    study = helpers.study_of(helpers.ACUPUNCTURE)
    return document(study, ledger, run(study, ledger, arms, only=["primary"]), arms)


def test_harms_that_nobody_imported_are_not_reported(acupuncture: Document) -> None:
    for code in ("harms", "outcomes-declared", "plain"):
        assert "Harms are not part of the data that were imported" in part(acupuncture, code)
    consort = where(acupuncture, "consort-2025")
    assert {consort[item] for item in ("15", "24a", "24b", "27")} == {"not here: not part of the imported data"}
    assert "none on record" not in part(acupuncture, "departures")
    assert "Intercurrent events: not part of the data that were imported." in part(acupuncture, "departures")


def test_an_import_counts_values_and_not_rows(acupuncture: Document) -> None:
    assert "4061 values of 401 rows taken" in part(acupuncture, "provenance")


def test_a_place_that_the_study_file_leaves_empty_says_so(acupuncture: Document) -> None:
    consort = where(acupuncture, "consort-2025")
    for item in ("2", "4", "5a", "5b", "7"):
        assert consort[item] == "not here: not stated in the study file"
    for item in ("3", "6", "8", "12b", "16a", "16b", "30"):
        assert consort[item].startswith("not here")
    assert where(acupuncture, "consort-pro")["P6a"].startswith("not here")
    assert where(acupuncture, "tidier")["11"].startswith("not here")
    counted = sum(not place.startswith("not here") for place in consort.values())
    note = next(grid.note for grid in acupuncture.grids if grid.code == "checklist-consort-2025")
    assert note.startswith(f"{counted} of 42 items have text here.")


def test_harms_on_record_fill_the_harms_items(made: Document) -> None:
    consort = where(made, "consort-2025")
    assert consort["27"] == "{{harms}}"
    assert consort["15"] == "{{outcomes-declared}}"
    assert consort["10"] == "not here: none on record"  # the study file was never amended


def test_without_a_single_event_nothing_is_said_of_how_they_were_looked_for(helpers: ModuleType) -> None:
    study, ledger, arms = helpers.exercise()
    quiet = helpers.ledger_of(fact for fact in facts(ledger) if not isinstance(fact[2], AdverseEvent))
    made = document(study, quiet, run(study, quiet, arms, only=["primary"]), arms)
    assert "That nothing was recorded does not show" in part(made, "harms")
    assert where(made, "consort-2025")["15"].startswith("not here")


def test_an_exclusion_rule_is_the_reason_itself(helpers: ModuleType) -> None:
    study, ledger, arms = helpers.exercise()
    made = document(study, ledger, run(study, ledger, arms, only=["primary"]), arms)
    flow = next(picture for picture in made.pictures if picture.code == "flow").svg.replace("\u00a0", " ")
    failed = [code for *_, fact in facts(ledger) if isinstance(fact, Screened) for code in fact.failed]
    assert sorted(set(failed)) == ["age", "surgery"]
    assert "not met: Aged 25 to 60 (n = 4)" in flow
    assert "Back surgery (n = 3)" in flow
    assert "not met: Back surgery" not in flow


def test_the_registration_of_a_simulated_study_is_the_imitated_trials(made: Document) -> None:
    assert "Registration of the trial that this imitates | NCT00000000" in part(made, "study")
